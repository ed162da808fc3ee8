"""A listening TCP socket with bounds, and replies that are sent later."""

import asyncio
import contextlib
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self

from simulators.errors import SimulatorError

_LATE_REPLIES_MAX = 100


class LateReplies:
    """Tasks of one server, bounded, ended with it."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run it beside everything else; beyond the bound it is dropped."""
        if len(self._running) >= _LATE_REPLIES_MAX:
            work.close()
            return
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def cancel(self) -> None:
        """End all of them."""
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


class TcpListener:
    """A listening TCP socket whose connections are handled by `_serve`, and end with it.

    Args:
        host: where it listens.
        port: 0 is any free one.
        connections_max: more are closed at once.
    """

    def __init__(self, host: str, port: int, connections_max: int) -> None:
        self.host = host
        self.port = port
        self._connections_max = connections_max
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        """Listen; `port` is then the real one where 0 was asked for."""
        try:
            self._server = await asyncio.start_server(self._accept, self.host, self.port)
        except OSError as error:
            reason = error.strerror or str(error)
            raise SimulatorError(f"{self.host}:{self.port}: cannot listen there: {reason}") from error
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening and drop all connections."""
        if self._server is not None:
            self._server.close()
        await self.drop_connections()

    async def drop_connections(self) -> None:
        """Close all connections, as a gateway does that restarts; new ones are accepted."""
        connections = list(self._connections)
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._connections) >= self._connections_max:
            writer.close()
            return
        self._connections.add(task)
        try:
            # Ended by cancellation when the server stops: asyncio would log that as an error of its callback.
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._serve(reader, writer)
        finally:
            self._connections.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raise NotImplementedError

"""A TCP link between an agent and its broker that can be cut, held, delayed and forgotten."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from simulators.scenario import SystemFault

LOOPBACK = "127.0.0.1"
_PIECE_BYTES = 64 * 1024
_CONNECTIONS_MAX = 1000


class BrokerLink:
    """Forwards connections to one port until it is told otherwise.

    Args:
        target_port: of the broker.
        target_host: the same.
        listen_port: where it listens; 0 is any free port.

    Attributes:
        port: where it listens, once it is entered.
        delay_s: how long each piece of data is held back, in either direction.
        accepted: how many connections there have been.
    """

    def __init__(self, target_port: int, target_host: str = LOOPBACK, *, listen_port: int = 0) -> None:
        self.port = listen_port
        self.delay_s = 0.0
        self.accepted = 0
        self._target = (target_host, target_port)
        self._refusing = False
        self._server: asyncio.Server | None = None
        self._passing = asyncio.Event()
        self._passing.set()
        self._open: set[asyncio.StreamWriter] = set()
        self._dead: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        """Listen."""
        self._server = await asyncio.start_server(self._accept, LOOPBACK, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening and drop all connections."""
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def refuse(self) -> None:
        """The broker is gone: connections end, and new ones end at once."""
        self._refusing = True
        self.reset()

    def accept(self) -> None:
        """The broker is back."""
        self._refusing = False

    def hold(self) -> None:
        """Nothing gets through, and nobody is told: a cable is out. New connections are accepted and as silent."""
        self._passing.clear()

    def release(self) -> None:
        """What was held goes on."""
        self._passing.set()

    def forget(self) -> None:
        """The connections that are open stay open for ever and never carry anything again: half-open."""
        self._dead |= self._open

    def reset(self) -> None:
        """All connections end with a TCP reset."""
        for writer in self._open:
            connection = writer.get_extra_info("socket")
            with contextlib.suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        if self._refusing:
            writer.transport.abort()
            return
        try:
            remote_reader, remote_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, remote_writer}
        await asyncio.gather(self._forward(reader, remote_writer), self._forward(remote_reader, writer))

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(OSError):
                while data := await reader.read(_PIECE_BYTES):
                    await asyncio.sleep(self.delay_s)
                    await self._passing.wait()
                    if writer in self._dead:
                        await asyncio.Event().wait()
                    writer.write(data)
                    await writer.drain()
        finally:
            self._open.discard(writer)
            with contextlib.suppress(OSError):
                writer.close()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._tasks) >= _CONNECTIONS_MAX:
            writer.transport.abort()
            return
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def schedule(link: BrokerLink, faults: Sequence[SystemFault]) -> Callable[[], None]:
    """Let faults of the way to the broker happen in their times from now on; returns what takes that back."""

    def slow(delay_s: float) -> Callable[[], None]:
        return lambda: setattr(link, "delay_s", delay_s)

    loop = asyncio.get_running_loop()
    planned = []
    for fault in faults:
        begin, end = {
            "broker_gone": (link.refuse, link.accept),
            "broker_held": (link.hold, link.release),
            "broker_reset": (link.reset, None),
            "broker_half_open": (link.forget, None),
            "broker_slow": (slow(fault.delay_s or 0.0), slow(0.0)),
        }[fault.kind]
        planned.append(loop.call_later(fault.from_s, begin))
        if end is not None:
            planned.append(loop.call_later(fault.to_s, end))

    def cancel() -> None:
        for call in planned:
            call.cancel()

    return cancel

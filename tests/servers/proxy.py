"""A TCP proxy that a test puts between two programs, to have a network that fails."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator

from tests.servers.ports import LOOPBACK, free_port

_PIECE_BYTES = 64 * 1024


class Proxy:
    """Forwards connections to one port until it is told otherwise.

    Attributes:
        port: where it listens.
        delay_s: how long each piece of data is held back, in either direction.
        accepted: how many connections there have been.
    """

    def __init__(self, target_port: int) -> None:
        self.port = free_port()
        self.delay_s = 0.0
        self.accepted = 0
        self._target_port = target_port
        self._passing = asyncio.Event()
        self._passing.set()
        self._open: set[asyncio.StreamWriter] = set()
        self._dead: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

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
        try:
            remote_reader, remote_writer = await asyncio.open_connection(LOOPBACK, self._target_port)
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
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _stop(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        for task in list(self._tasks):
            with contextlib.suppress(asyncio.CancelledError):
                await task


@contextlib.asynccontextmanager
async def proxy_to(port: int) -> AsyncIterator[Proxy]:
    """A proxy to a port on loopback for the length of a block."""
    proxy = Proxy(port)
    server = await asyncio.start_server(proxy._accept, LOOPBACK, proxy.port)
    try:
        yield proxy
    finally:
        server.close()
        await proxy._stop()

"""A scale on a TCP port or a serial line: bytes in, telegrams out, with the faults of the way between."""

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable, Iterable
from types import TracebackType
from typing import Protocol, Self

from simulators.faults import Fault, Reply, Request, apply_all
from simulators.line_pacing import LineSpeed, sleep_until, write_paced
from simulators.serial_port import PseudoTerminal, SerialPort
from simulators.tcp_listener import LateReplies, TcpListener

_CONNECTIONS_MAX = 16
_UNREAD_MAX_BYTES = 512
_UNSENT_MAX_BYTES = 65_536

Send = Callable[[bytes, bytes], Awaitable[None]]
"""Sends a telegram as the answer to a command (nothing, where nobody asked)."""


class Talk(Protocol):
    """How a model speaks with one master."""

    async def serve(self, reader: asyncio.StreamReader, send: Send) -> None:
        """Until the connection ends."""
        ...


class _Sender:
    """Gives telegrams their faults, and each its time."""

    def __init__(
        self,
        write: Callable[[bytes], None],
        faults: list[Fault],
        observers: list[Callable[[Request, Reply], None]],
        speed: LineSpeed | None = None,
        *,
        can_hang_up: bool = False,
    ) -> None:
        self._can_hang_up = can_hang_up
        self._observers = observers
        self._write = write
        self._faults = faults
        self._speed = speed
        self.late = LateReplies()

    async def send(self, command: bytes, telegram: bytes) -> None:
        # A fault looks at the function code of a request; a telegram that nobody asked for has none.
        request = Request(0, command or b"\0")
        reply = apply_all(self._faults, request, Reply(0, telegram))
        for observer in self._observers:
            observer(request, reply)
        if reply.hang_up and self._can_hang_up:
            raise ConnectionAbortedError
        if reply.silent or reply.hang_up:
            return
        start_s = asyncio.get_running_loop().time() + reply.delay_s
        data = reply.framed(reply.pdu)
        if reply.detached:
            self.late.start(self._later(data, start_s))
        else:
            await self._later(data, start_s)

    async def _later(self, data: bytes, start_s: float) -> None:
        await sleep_until(start_s)
        await write_paced(self._write, data, self._speed, start_s)


class TcpScale(TcpListener):
    """A scale that several masters reach over TCP.

    Args:
        talk: how it speaks.
        host: where it listens.
        port: 0 is any free one.
        faults: applied in their order to each telegram; the list may be changed while it runs.
    """

    def __init__(self, talk: Talk, host: str, port: int, faults: Iterable[Fault] = ()) -> None:
        super().__init__(host, port, _CONNECTIONS_MAX)
        self.faults: list[Fault] = list(faults)
        self.observers: list[Callable[[Request, Reply], None]] = []
        self._talk = talk

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def write(data: bytes) -> None:
            # A scale does not wait for a master that does not listen.
            if writer.transport.get_write_buffer_size() < _UNSENT_MAX_BYTES:
                writer.write(data)

        sender = _Sender(write, self.faults, self.observers, can_hang_up=True)
        try:
            await self._talk.serve(reader, sender.send)
        finally:
            await sender.late.cancel()


class SerialScale:
    """A scale on a serial port or a pseudo-terminal.

    Args:
        talk: how it speaks.
        port: the line; it is not closed here.
        speed: of a pseudo-terminal, which has none of its own.
        faults: applied in their order to each telegram; the list may be changed while it runs.
    """

    def __init__(
        self,
        talk: Talk,
        port: PseudoTerminal | SerialPort,
        speed: LineSpeed | None = None,
        faults: Iterable[Fault] = (),
    ) -> None:
        self.faults: list[Fault] = list(faults)
        self._talk = talk
        self._port = port
        self.observers: list[Callable[[Request, Reply], None]] = []
        self._sender = _Sender(self._write, self.faults, self.observers, speed)
        self._serving: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Listen on the line."""
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(loop=loop)
        loop.add_reader(self._port.descriptor, self._readable, reader)
        self._serving = loop.create_task(self._talk.serve(reader, self._sender.send))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Fall silent."""
        asyncio.get_running_loop().remove_reader(self._port.descriptor)
        if self._serving is not None:
            self._serving.cancel()
            await asyncio.gather(self._serving, return_exceptions=True)
        await self._sender.late.cancel()

    def _readable(self, reader: asyncio.StreamReader) -> None:
        try:
            reader.feed_data(os.read(self._port.descriptor, 4096))
        except BlockingIOError:
            return
        except OSError:
            asyncio.get_running_loop().remove_reader(self._port.descriptor)
            reader.feed_eof()

    def _write(self, data: bytes) -> None:
        if isinstance(self._port, PseudoTerminal):
            self._port.forget_unread(_UNREAD_MAX_BYTES)
        # Nobody listens: the bytes are lost, as on a line.
        with contextlib.suppress(BlockingIOError):
            os.write(self._port.descriptor, data)

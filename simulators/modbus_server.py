"""Modbus servers of simulated units: TCP, RTU on a serial line, RTU over TCP. Framing is their own, for the faults."""

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable, Coroutine, Mapping
from types import TracebackType
from typing import Any, Protocol, Self

from simulators.faults import Reply, Request
from simulators.line_pacing import AT_ONCE, LineSpeed, sleep_until, write_paced
from simulators.modbus_frames import (
    TCP_HEADER_LENGTH,
    RtuRequest,
    RtuRequestReader,
    rtu_frame,
    tcp_frame,
    tcp_header,
)
from simulators.tcp_listener import LateReplies, TcpListener

_log = logging.getLogger(__name__)


class Unit(Protocol):
    """What answers at a unit id."""

    def reply(self, request: Request) -> Reply:
        """What it answers, when, and with which faults."""
        ...


Units = Mapping[int, Unit]
"""Devices by unit id. Other unit ids are not answered."""

_CONNECTIONS_MAX = 64
_PART_OF_A_FRAME_S = 0.1
"""After so long a silence the rest of a frame will not come. Longer than 3.5 characters, because a master on the same
computer may be interrupted within a frame."""


class _UnitsListener(TcpListener):
    """Serves units over TCP."""

    def __init__(self, units: Units, host: str, port: int) -> None:
        super().__init__(host, port, _CONNECTIONS_MAX)
        self.units = units
        self._late = LateReplies()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening, drop all connections and what was still to be sent."""
        await super().__aexit__(kind, error, trace)
        await self._late.cancel()


class ModbusTcpServer(_UnitsListener):
    """Modbus TCP. Requests of one connection are answered one after another, as by a meter or a gateway.

    Args:
        units: devices by unit id.
        host: where it listens.
        port: 0 is any free one.
    """

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            header = tcp_header(await reader.readexactly(TCP_HEADER_LENGTH))
            if header is None:
                return
            pdu = await reader.readexactly(header.pdu_length)
            arrived_s = asyncio.get_running_loop().time()
            unit = self.units.get(header.unit_id)
            if unit is None:
                continue
            reply = unit.reply(Request(header.unit_id, pdu))
            if reply.hang_up:
                return
            if reply.silent:
                continue
            frame = reply.framed(tcp_frame(header.transaction_id, reply.unit_id, reply.pdu))
            if reply.detached:
                self._late.start(_write_later(writer.write, frame, arrived_s + reply.delay_s))
                continue
            await sleep_until(arrived_s + reply.delay_s)
            writer.write(frame)
            await writer.drain()


async def _write_later(write: Callable[[bytes], None], frame: bytes, at_s: float) -> None:
    await sleep_until(at_s)
    write(frame)


class _RtuLink:
    """The devices' end of an RTU line: requests in, paced replies out, one at a time."""

    def __init__(
        self,
        units: Units,
        write: Callable[[bytes], None],
        speed: LineSpeed | None,
        late: LateReplies,
        *,
        can_hang_up: bool = False,
    ) -> None:
        self._can_hang_up = can_hang_up
        self._units = units
        self._write = write
        self._speed = speed
        self._late = late
        self._reader = RtuRequestReader()
        self._line_free = asyncio.Lock()

    async def serve(self, read: Callable[[], Coroutine[Any, Any, bytes]]) -> None:
        """Answer until `read` returns nothing."""
        while True:
            try:
                async with asyncio.timeout(_PART_OF_A_FRAME_S if self._reader.waiting else None):
                    data = await read()
            except TimeoutError:
                request = self._reader.silence()
                if request is not None:
                    await self._answer(request)
                continue
            if not data:
                return
            for request in self._reader.feed(data):
                await self._answer(request)

    async def _answer(self, request: RtuRequest) -> None:
        arrived_s = asyncio.get_running_loop().time()
        unit = self._units.get(request.unit_id)
        if unit is None:
            return
        reply = unit.reply(Request(request.unit_id, request.pdu))
        if reply.hang_up and self._can_hang_up:
            raise ConnectionAbortedError
        if reply.silent or reply.hang_up:
            return
        start_s = arrived_s + reply.delay_s
        if self._speed is not None:
            # The request came at once, but would have been on the line until now, and the silence after it too.
            start_s += request.length * self._speed.character_s + self._speed.frame_gap_s
        if reply.detached:
            self._late.start(self._send(reply, start_s))
        else:
            await self._send(reply, start_s)

    async def _send(self, reply: Reply, start_s: float) -> None:
        frame = reply.framed(rtu_frame(reply.unit_id, reply.pdu))
        await sleep_until(start_s)
        async with self._line_free:
            await write_paced(self._write, frame, self._speed, max(start_s, asyncio.get_running_loop().time() - 0.001))


class RtuTcpServer(_UnitsListener):
    """RTU frames over TCP, as transparent gateways carry them; each connection is a line of its own.

    Args:
        units: devices by unit id.
        host: where it listens.
        port: 0 is any free one.
        speed: of the line behind the gateway, AT_ONCE for none.
    """

    def __init__(self, units: Units, host: str, port: int, speed: LineSpeed | None = AT_ONCE) -> None:
        super().__init__(units, host, port)
        self._speed = speed

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = _RtuLink(self.units, writer.write, self._speed, self._late, can_hang_up=True)
        await link.serve(lambda: reader.read(4096))


class SerialEnd(Protocol):
    """A serial port or pseudo-terminal: a descriptor that does not block."""

    @property
    def descriptor(self) -> int:
        """For reading and writing."""
        ...


class RtuSerialServer:
    """RTU on a serial port or pseudo-terminal.

    Args:
        units: devices by unit id.
        port: the line; it is not closed here.
        speed: of the line; a real port has its own, so AT_ONCE there.
    """

    def __init__(self, units: Units, port: SerialEnd, speed: LineSpeed | None = AT_ONCE) -> None:
        self.units = units
        self._descriptor = port.descriptor
        self._late = LateReplies()
        self._link = _RtuLink(units, self._write, speed, self._late)
        self._arrived: asyncio.Queue[bytes] = asyncio.Queue(maxsize=64)
        self._serving: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Listen on the line."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self._descriptor, self._readable)
        self._serving = loop.create_task(self._link.serve(self._arrived.get))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Fall silent."""
        asyncio.get_running_loop().remove_reader(self._descriptor)
        if self._serving is not None:
            self._serving.cancel()
            await asyncio.gather(self._serving, return_exceptions=True)
        await self._late.cancel()

    def _readable(self) -> None:
        try:
            data = os.read(self._descriptor, 4096)
        except BlockingIOError:
            return
        except OSError as error:
            _log.error("serial line is gone: %s", error.strerror)
            asyncio.get_running_loop().remove_reader(self._descriptor)
            return
        # A line has no memory: what comes while a device is busy for very long is lost.
        with contextlib.suppress(asyncio.QueueFull):
            self._arrived.put_nowait(data)

    def _write(self, data: bytes) -> None:
        # Nobody listens: the bytes are lost, as on a line.
        with contextlib.suppress(BlockingIOError):
            os.write(self._descriptor, data)

"""A TCP connection or a serial port as bytes that come and go; what belongs together is for its users to say."""

import asyncio
import contextlib
import time
from typing import Any

from pymodbus.transport.serialtransport import create_serial_connection

from edge_agent import usb_adapters
from edge_agent.frame_trace import FrameTrace
from edge_agent.transports import SerialPort, Transport

MAXIMUM_WAITING_BYTES = 4096
"""More than anything says in one go; what nobody takes is dropped from the front."""


class ByteLink(asyncio.Protocol):
    """An open link. `received_at_s` is when bytes last came, by the event loop's clock (`time.monotonic`)."""

    def __init__(self, trace: FrameTrace | None = None) -> None:
        self.received_at_s = 0.0
        self._trace = trace
        self._waiting = bytearray()
        self._news = asyncio.Event()
        self._transport: Any = None
        self._lost = False

    @property
    def is_open(self) -> bool:
        """Whether it can still be used."""
        return not self._lost

    def write(self, data: bytes) -> None:
        """Send. Raises OSError when the link is lost."""
        if self._lost or self._transport is None:
            raise ConnectionResetError("connection lost")
        self._transport.write(data)
        if self._trace is not None:
            self._trace.note(data, sent=True)

    def take(self) -> bytes:
        """All bytes that have come since the last time."""
        data = bytes(self._waiting)
        self._waiting.clear()
        self._news.clear()
        return data

    async def receive(self, deadline_s: float) -> bytes:
        """Wait for bytes until a moment of the event loop's clock, and take them.

        Raises TimeoutError at the deadline, ConnectionResetError when the link is lost.
        """
        if not self._waiting:
            if self._lost:
                raise ConnectionResetError("connection lost")
            self._news.clear()
            async with asyncio.timeout_at(deadline_s):
                await self._news.wait()
            if not self._waiting:
                raise ConnectionResetError("connection lost")
        return self.take()

    def close(self) -> None:
        """Let go of the link."""
        self._lost = True
        self._news.set()
        if self._transport is not None:
            with contextlib.suppress(OSError):
                self._transport.close()

    # What asyncio tells a protocol.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to write."""
        self._transport = transport
        if self._lost:
            transport.close()

    def data_received(self, data: bytes) -> None:
        """Keep what came, and wake who waits."""
        self._waiting += data
        if self._trace is not None:
            self._trace.note(data, sent=False)
        if len(self._waiting) > MAXIMUM_WAITING_BYTES:
            del self._waiting[:-MAXIMUM_WAITING_BYTES]
        self.received_at_s = time.monotonic()
        self._news.set()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's signature
        """Wake who waits: nothing more will come."""
        self._lost = True
        self._news.set()


async def open_link(transport: Transport, timeout_s: float, trace: FrameTrace | None = None) -> ByteLink:
    """Connect; raises OSError (with TimeoutError among them) when that is not possible."""
    loop = asyncio.get_running_loop()
    link: Any
    async with asyncio.timeout(timeout_s):
        if isinstance(transport, SerialPort):
            _, link = await create_serial_connection(
                loop,
                lambda: ByteLink(trace),
                usb_adapters.port_to_open(transport.port),
                baudrate=transport.baud,
                bytesize=transport.data_bits,
                parity=transport.parity,
                stopbits=transport.stop_bits,
            )
            # The port is set up by the loop's next turn.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            usb_adapters.opened(transport.port)
        else:
            _, link = await loop.create_connection(lambda: ByteLink(trace), transport.host, transport.port)
    found: ByteLink = link
    return found

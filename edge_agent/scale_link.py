"""The connection to a scale: made when it is needed, again after a while when it was lost, one telegram at a time."""

import asyncio

from edge_agent.backoff import Backoff
from edge_agent.byte_link import ByteLink, open_link
from edge_agent.clock import Clock
from edge_agent.errors import LinkDownError, ReplyTimeoutError, UnusableReplyError
from edge_agent.frame_trace import FrameTrace
from edge_agent.scale_protocols.protocols import ScaleProtocol
from edge_agent.transports import Transport

RECONNECT_MINIMUM_S = 0.5
RECONNECT_MAXIMUM_S = 30.0
LONGEST_NOISE_BYTES = 1024
"""More than that without a telegram is another protocol, or another baud rate."""


class ScaleLink:
    """Telegrams of one scale."""

    def __init__(self, protocol: ScaleProtocol, transport: Transport, clock: Clock, timeout_s: float) -> None:
        self.protocol = protocol
        self.transport = transport
        self.timeout_s = timeout_s
        self.trace = FrameTrace()
        self._clock = clock
        self._backoff = Backoff(RECONNECT_MINIMUM_S, RECONNECT_MAXIMUM_S)
        self._link: ByteLink | None = None
        self._heard = bytearray()
        self._is_cut = False

    async def ask(self, timeout_s: float | None = None) -> bytes:
        """Send the request and wait for its telegram; what came before is dropped.

        Raises LinkDownError, ReplyTimeoutError, UnusableReplyError.
        """
        link = await self._connected()
        deadline_s = asyncio.get_running_loop().time() + (timeout_s or self.timeout_s)
        link.take()
        self._heard.clear()
        self._is_cut = False
        protocol = self.protocol
        try:
            if protocol.greeting:
                link.write(protocol.greeting)
                while protocol.greeting_reply not in await link.receive(deadline_s):
                    pass
            link.write(protocol.request)
        except TimeoutError:
            self.lost()
            raise ReplyTimeoutError("no reply to the greeting") from None
        except OSError:
            self.lost()
            raise LinkDownError(f"{self.transport}: connection lost") from None
        return (await self._telegrams(link, deadline_s))[0]

    async def listen(self) -> list[bytes]:
        """Wait for the next telegrams of a scale that sends by itself; the first one may be cut and is dropped.

        Raises LinkDownError, ReplyTimeoutError, UnusableReplyError.
        """
        link = await self._connected()
        telegrams = await self._telegrams(link, asyncio.get_running_loop().time() + self.timeout_s)
        if self._is_cut and not self.protocol.framing.has_start:
            telegrams = telegrams[1:]
        self._is_cut = False
        return telegrams

    def answered(self) -> None:
        """What came was understood."""
        self._backoff.succeeded()

    def close(self) -> None:
        """Drop the connection; the next use makes a new one."""
        if self._link is not None:
            self._link.close()
            self._link = None

    def lost(self) -> None:
        """Drop the connection and leave the scale alone for a while: a late reply goes with the old connection."""
        self.close()
        self._backoff.failed(self._clock.monotonic_s())

    def lost_unless_closed(self) -> None:
        """The same, after a telegram that was not understood."""
        if self._link is not None:
            self.lost()

    async def _telegrams(self, link: ByteLink, deadline_s: float) -> list[bytes]:
        noise_bytes = 0
        try:
            while True:
                data = await link.receive(deadline_s)
                noise_bytes += len(data)
                self._heard += data
                telegrams = self.protocol.framing.take(self._heard)
                if telegrams:
                    return telegrams
                if noise_bytes > LONGEST_NOISE_BYTES:
                    self.lost()
                    raise UnusableReplyError("bytes without a telegram; is the baud rate right?")
        except TimeoutError:
            self.lost()
            raise ReplyTimeoutError("no telegram") from None
        except OSError:
            self.lost()
            raise LinkDownError(f"{self.transport}: connection lost") from None

    async def _connected(self) -> ByteLink:
        if self._link is not None and self._link.is_open:
            return self._link
        if not self._backoff.is_due(self._clock.monotonic_s()):
            raise LinkDownError(f"{self.transport}: no connection")
        try:
            self._link = await open_link(self.transport, self.timeout_s, self.trace)
        except OSError as problem:
            self.lost()
            raise LinkDownError(f"{self.transport}: cannot connect: {problem.strerror or 'no answer'}") from problem
        self._heard.clear()
        self._is_cut = True
        return self._link

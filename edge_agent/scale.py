"""A scale that speaks MT-SICS over TCP or a serial port."""

import asyncio
import contextlib
import logging

from device_profiles.profile import Tier
from edge_agent.backoff import Backoff
from edge_agent.byte_stream import open_stream
from edge_agent.clock import Clock
from edge_agent.errors import DeviceReadError, LinkDownError, ReplyTimeoutError, UnusableReplyError
from edge_agent.mt_sics import MAXIMUM_LINE_BYTES, REQUEST, NoWeight, Weight, parse_reply
from edge_agent.samples import ColumnShape, Sample, Shape, missing_sample
from edge_agent.totals import Totals
from edge_agent.transports import Transport
from wire_format.quality import Quality

FINEST_EXPONENT_AT_START = -4
RECONNECT_MINIMUM_S = 0.5
RECONNECT_MAXIMUM_S = 30.0

log = logging.getLogger(__name__)


class MtSicsScale:
    """Asks for the weight at each poll, and adds up weighings.

    A row has the net weight, whether it is stable, and the mass of all weighings since the first start. That sum is
    made of weights that the scale called stable, so it is as good as they are: GOOD, not ESTIMATED. It is missing
    whenever the scale could not be heard, since a weighing may have been missed.
    """

    tiers: tuple[Tier, ...] = ("fast",)

    def __init__(
        self,
        device_id: str,
        transport: Transport,
        clock: Clock,
        totals: Totals,
        *,
        threshold_kg: float = 0.1,
        timeout_s: float = 1.0,
    ) -> None:
        self.device_id = device_id
        self._transport = transport
        self._clock = clock
        self._totals = totals
        self._threshold_kg = threshold_kg
        self._timeout_s = timeout_s
        self._backoff = Backoff(RECONNECT_MINIMUM_S, RECONNECT_MAXIMUM_S)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._last_problem = ""
        self._set_exponent(FINEST_EXPONENT_AT_START)

    async def read(self, tier: Tier) -> Sample:  # noqa: ARG002  # a scale has one tier
        """Ask for the present weight."""
        began_s = self._clock.monotonic_s()
        try:
            reply = await self._ask()
        except DeviceReadError as problem:
            self._report(str(problem))
            return missing_sample(self.device_id, self._shape, self._middle_ms(began_s), Quality.LINK_ERROR)
        time_ms = self._middle_ms(began_s)
        if isinstance(reply, NoWeight):
            self._report(reply.reason)
            total = self._detector.state.total
            marks = (reply.quality, reply.quality, Quality.GOOD)
            return Sample(self.device_id, self._shape, time_ms, (None, None, total), marks)
        self._report("")
        if reply.exponent < self._exponent:
            self._set_exponent(reply.exponent)
        weight = reply.in_steps(self._exponent)
        if self._detector.update(weight, stable=reply.stable):
            self._totals.urgent = True
        integers = (weight, int(reply.stable), self._detector.state.total)
        return Sample(self.device_id, self._shape, time_ms, integers, (Quality.GOOD,) * 3)

    def close(self) -> None:
        """Drop the connection; the next read makes a new one."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def _ask(self) -> Weight | NoWeight:
        reader, writer = await self._connected()
        try:
            async with asyncio.timeout(self._timeout_s):
                writer.write(REQUEST)
                await writer.drain()
                line = await reader.readuntil(b"\n")
        except TimeoutError:
            # A late reply belongs to the old connection and goes with it.
            self._lost()
            raise ReplyTimeoutError(f"no reply within {self._timeout_s} s") from None
        except (asyncio.IncompleteReadError, OSError):
            self._lost()
            raise LinkDownError(f"{self._transport}: connection lost") from None
        except asyncio.LimitOverrunError:
            self._lost()
            raise UnusableReplyError(f"more than {MAXIMUM_LINE_BYTES} bytes without a line end") from None
        try:
            reply = parse_reply(line.rstrip())
        except UnusableReplyError:
            self._lost()
            raise
        self._backoff.succeeded()
        return reply

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is not None:
            return self._streams
        if not self._backoff.is_due(self._clock.monotonic_s()):
            raise LinkDownError(self._last_problem or f"{self._transport}: no connection")
        try:
            self._streams = await open_stream(self._transport, self._timeout_s)
        except OSError as problem:
            self._lost()
            reason = problem.strerror or "no answer"
            raise LinkDownError(f"{self._transport}: cannot connect: {reason}") from problem
        return self._streams

    def _lost(self) -> None:
        with contextlib.suppress(OSError):
            self.close()
        self._backoff.failed(self._clock.monotonic_s())

    def _set_exponent(self, exponent: int) -> None:
        self._exponent = exponent
        self._shape: Shape = (
            ColumnShape("weight_net", "kg", exponent),
            ColumnShape("weight_stable", "1", 0),
            ColumnShape("weighed_mass_total", "kg", exponent),
        )
        threshold = max(1, round(self._threshold_kg / 10.0**exponent))
        self._detector = self._totals.detector(self.device_id, threshold, exponent)

    def _middle_ms(self, began_s: float) -> int:
        return round(self._clock.wall_ms() - (self._clock.monotonic_s() - began_s) * 500)

    def _report(self, problem: str) -> None:
        """One line when a problem begins or changes, and one when it is over."""
        if problem == self._last_problem:
            return
        self._last_problem = problem
        if problem:
            log.warning("%s: %s", self.device_id, problem)
        else:
            log.info("%s answers", self.device_id)

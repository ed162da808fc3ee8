"""Scales over TCP or a serial port: those that answer when they are asked, and those that send by themselves."""

import asyncio
import contextlib
import logging
from collections.abc import Iterable

from device_profiles.profile import Tier
from edge_agent.clock import Clock
from edge_agent.errors import DeviceReadError, LinkDownError
from edge_agent.frame_trace import FrameTrace
from edge_agent.samples import Reading, Sample, WholeReading
from edge_agent.scale_link import ScaleLink
from edge_agent.scale_protocols.protocols import ScaleProtocol
from edge_agent.scale_protocols.weight import NoWeight, ScaleReply
from edge_agent.totals import Totals
from edge_agent.transports import Transport
from edge_agent.weight_rows import WeightRows

REST_AFTER_FAILURE_S = 0.1

log = logging.getLogger(__name__)


class Scale:
    """What both kinds have in common."""

    tiers: tuple[Tier, ...] = ("fast",)

    def __init__(
        self,
        device_id: str,
        protocol: ScaleProtocol,
        quantities: Iterable[str],
        transport: Transport,
        clock: Clock,
        totals: Totals,
        *,
        threshold_kg: float = 0.1,
        timeout_s: float = 1.0,
    ) -> None:
        self.device_id = device_id
        self.timeout_s = timeout_s
        self._clock = clock
        self._link = ScaleLink(protocol, transport, clock, timeout_s)
        self._rows = WeightRows(device_id, quantities, totals, threshold_kg)
        self._last_problem = ""

    @property
    def trace(self) -> FrameTrace:
        """The last frames of its line."""
        return self._link.trace

    async def read(self, tier: Tier, timeout_s: float | None = None) -> Sample:
        """The present weight."""
        raise NotImplementedError

    def begin(self, tier: Tier) -> Reading:
        """The same, in one step."""
        return WholeReading(self, tier)

    def close(self) -> None:
        """Drop the connection; the next read makes a new one."""
        self._link.close()

    def _understood(self, telegram: bytes) -> ScaleReply:
        reply = self._link.protocol.parse(telegram)
        self._link.answered()
        self._report(reply.reason if isinstance(reply, NoWeight) else "")
        return reply

    def _report(self, problem: str) -> None:
        """One line when a problem begins or changes, and one when it is over."""
        if problem == self._last_problem:
            return
        self._last_problem = problem
        if problem:
            log.warning("%s: %s", self.device_id, problem)
        else:
            log.info("%s answers", self.device_id)


class AskedScale(Scale):
    """Asks for the weight at each poll."""

    async def read(self, tier: Tier, timeout_s: float | None = None) -> Sample:  # noqa: ARG002  # a scale has one tier
        """Ask for the present weight."""
        began_s = self._clock.monotonic_s()
        try:
            reply = self._understood(await self._link.ask(timeout_s))
        except DeviceReadError as problem:
            self._lost(problem)
            return self._rows.missing(self._middle_ms(began_s))
        time_ms = self._middle_ms(began_s)
        stable = isinstance(reply, NoWeight) or bool(reply.stable)
        if self._rows.would_weigh(reply):
            # Telegrams of most scales carry no checksum: what counts for ever is asked twice.
            stable = await self._says_again(reply)
        self._rows.weigh(reply, time_ms, stable=stable)
        return self._rows.row(reply, time_ms, stable=stable)

    async def _says_again(self, reply: ScaleReply) -> bool:
        try:
            return self._understood(await self._link.ask()) == reply
        except DeviceReadError as problem:
            self._lost(problem)
            return False

    def _lost(self, problem: DeviceReadError) -> None:
        self._link.lost_unless_closed()
        self._report(str(problem))

    def _middle_ms(self, began_s: float) -> int:
        return round(self._clock.wall_ms() - (self._clock.monotonic_s() - began_s) * 500)


class SendingScale(Scale):
    """Listens all the time, so that a weighing between two polls is not missed; a row has the latest weight.

    Telegrams of most of these protocols carry no checksum. They come many times a second, so what counts for ever must
    have been said twice in a row.
    """

    _listening: asyncio.Task[None] | None = None
    _latest: tuple[ScaleReply, int, bool] | None = None
    _before: ScaleReply | None = None

    async def read(self, tier: Tier, timeout_s: float | None = None) -> Sample:  # noqa: ARG002  # a scale has one tier
        """The weight of the latest telegram since the last read; waits for the next one if there is none."""
        if self._listening is None:
            self._news = asyncio.Event()
            self._listening = asyncio.get_running_loop().create_task(self._listen(), name=f"scale {self.device_id}")
        if self._latest is None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout_s or self.timeout_s):
                    await self._news.wait()
        self._news.clear()
        if self._latest is None:
            return self._rows.missing(round(self._clock.wall_ms()))
        reply, time_ms, stable = self._latest
        self._latest = None
        return self._rows.row(reply, time_ms, stable=stable)

    def close(self) -> None:
        """Stop listening."""
        if self._listening is not None:
            self._listening.cancel()
            self._listening = None
        super().close()

    async def _listen(self) -> None:
        while True:
            try:
                for telegram in await self._link.listen():
                    self._take(self._understood(telegram))
            except LinkDownError as problem:
                self._before = None
                self._report(str(problem))
                await self._clock.sleep(REST_AFTER_FAILURE_S)
            except DeviceReadError as problem:
                # A damaged telegram: the next one is a tenth of a second away.
                self._before = None
                self._report(str(problem))

    def _take(self, reply: ScaleReply) -> None:
        time_ms = round(self._clock.wall_ms())
        before, self._before = self._before, reply
        same = reply == before
        stable = same if isinstance(reply, NoWeight) or reply.stable is None else reply.stable
        is_empty = before is not None and self._rows.is_empty(before) and self._rows.is_empty(reply)
        if same or is_empty:
            self._rows.weigh(reply, time_ms, stable=stable and same)
        self._latest = (reply, time_ms, stable)
        self._news.set()


def scale_driver(
    device_id: str,
    protocol: ScaleProtocol,
    quantities: Iterable[str],
    transport: Transport,
    clock: Clock,
    totals: Totals,
    *,
    threshold_kg: float,
    timeout_s: float,
) -> Scale:
    """The driver for a protocol."""
    kind = AskedScale if protocol.request else SendingScale
    return kind(
        device_id, protocol, quantities, transport, clock, totals, threshold_kg=threshold_kg, timeout_s=timeout_s
    )

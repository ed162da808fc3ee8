"""What the agent tells of itself: its clock, its outbox, its starts and stops."""

import logging
from collections.abc import Callable

from edge_agent.agent_clock import AgentClock
from edge_agent.batcher import BatcherStatistics
from edge_agent.clock import LONGEST_STEP_BACK_MS
from edge_agent.life import Life, events_of_start
from edge_agent.outbox.report import LostRecords, OutboxReport
from wire_format.events import Event, EventKind

THINNED_INTERVAL_S = 600.0
"""An outbox that is full goes on thinning: how often that is told."""

log = logging.getLogger(__name__)


class SelfWatch:
    """Looks once a second, and at what it is called for.

    Args:
        agent: the edge's own device.
        clock: of the agent; its steps are told.
        life: what the agent remembers of itself.
        report: of the outbox.
        statistics: of the batcher.
        tell: takes an event, and whether it is a known one with further numbers.
    """

    def __init__(
        self,
        agent: str,
        clock: AgentClock,
        life: Life,
        report: OutboxReport,
        statistics: BatcherStatistics,
        tell: Callable[[Event, bool], None],
    ) -> None:
        self._agent = agent
        self._clock = clock
        self._life = life
        self._report = report
        self._statistics = statistics
        self._tell = tell
        self._started_s = clock.monotonic_s()
        self._has_told_start = False
        self._thinned_rows = 0
        self._thinned_told_s = -THINNED_INTERVAL_S
        self._last_lost: LostRecords | None = None
        self._failures = 0
        self._failed_since_ms: int | None = None
        self._source = clock.source
        clock.on_step = self._clock_stepped

    def look(self) -> None:
        """Tell what is new."""
        if self._clock.is_known:
            now_ms = round(self._clock.wall_ms())
            if not self._has_told_start:
                self._tell_start(now_ms)
            self._life.alive_ms, self._life.boot_id, self._life.stopped = now_ms, self._clock.boot_id, False
        self._look_at_source()
        self._look_at_report()
        self._look_at_failures()

    def stopped(self) -> None:
        """The agent ends because somebody wants it to."""
        self._life.stopped = True
        self._note(EventKind.AGENT_STOPPED, "the agent was stopped")

    def _tell_start(self, now_ms: int) -> None:
        self._has_told_start = True
        started_ms = round(now_ms - (self._clock.monotonic_s() - self._started_s) * 1000)
        if self._life.alive_ms - started_ms > LONGEST_STEP_BACK_MS:
            self._life.steps_back += 1
        for event in events_of_start(self._life, self._agent, started_ms, self._clock.boot_id):
            self._tell(event, False)  # noqa: FBT003  # not again

    def _clock_stepped(self, by_ms: float) -> None:
        if by_ms < -LONGEST_STEP_BACK_MS:
            self._life.steps_back += 1
            log.error("the clock was set back by %.0f s; readings since then stand among earlier ones", -by_ms / 1000)
        else:
            log.warning("the clock was set by %.1f s", by_ms / 1000)
        self._note(EventKind.CLOCK_STEP, f"the clock was set by {by_ms / 1000:.1f} s", step_s=by_ms / 1000)

    def _look_at_source(self) -> None:
        source = self._clock.source
        if source != self._source:
            log.warning("the clock rests on %s now, before on %s", source, self._source)
            self._note(EventKind.CLOCK_SOURCE, f"the clock rests on {source}, before on {self._source}")
            self._source = source

    def _look_at_report(self) -> None:
        report = self._report
        now_s = self._clock.monotonic_s()
        if report.thinned_rows > self._thinned_rows and now_s - self._thinned_told_s >= THINNED_INTERVAL_S:
            self._thinned_rows, self._thinned_told_s = report.thinned_rows, now_s
            self._note(
                EventKind.OUTBOX_THINNED,
                "the outbox is full: older rows are thinned to one each 15 minutes, totals stay exact",
                rows=report.thinned_rows,
                first_ms=report.thinned_first_ms,
                last_ms=report.thinned_last_ms,
            )
        new: list[LostRecords] = []
        for lost in reversed(report.lost):
            if lost is self._last_lost:
                break
            new.append(lost)
        for lost in reversed(new):
            kind = EventKind.OUTBOX_CUT if "full" in lost.reason else EventKind.OUTBOX_DAMAGED
            self._note(
                kind,
                f"records are lost: {lost.reason}",
                records=len(lost.numbers),
                first_ms=lost.first_ms,
                last_ms=lost.last_ms,
            )
            self._last_lost = lost

    def _look_at_failures(self) -> None:
        failures = self._statistics.write_failures
        if failures > self._failures:
            if self._failed_since_ms is None:
                self._failed_since_ms = round(self._clock.wall_ms())
                text = "the outbox cannot be written: readings go out live, and are lost while the network is down"
                self._note(EventKind.OUTBOX_WRITE_FAILED, text)
            self._failures = failures
        elif self._failed_since_ms is not None:
            text = "the outbox could not be written"
            numbers = {"until_ms": self._clock.wall_ms()}
            event = Event(self._agent, EventKind.OUTBOX_WRITE_FAILED, self._failed_since_ms, "", text, numbers)
            self._tell(event, True)  # noqa: FBT003  # again
            self._failed_since_ms = None

    def _note(self, kind: EventKind, text: str, **numbers: float | None) -> None:
        known = {name: float(number) for name, number in numbers.items() if number is not None}
        self._tell(Event(self._agent, kind, round(self._clock.wall_ms()), "", text, known), False)  # noqa: FBT003  # new

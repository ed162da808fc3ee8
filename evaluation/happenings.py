"""What events say of intervals: that there were no mains, and that a full outbox had thinned the readings."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from evaluation.intervals import INTERPOLATED, OUTAGE, THINNED, IntervalAmount
from store.protocol import ReadingStore
from store.schema import INTERVAL_MS
from wire_format.events import Event, EventKind
from wire_format.topics import AGENT_PREFIX

LONGEST_OUTAGE_MS = 31 * 86_400_000
OPEN_OUTAGE_MS = 86_400_000
"""An outage whose end nobody has told is believed for so long."""
LONGEST_THINNED_MS = 2 * 86_400_000
OUTAGE_SHARE = 0.1
"""An interval that had no mains for longer than this share of it says nothing about what is used."""
NO_USE_SHARE = 0.2
"""Of the interval before: a meter that counts on while its agent has no power has mains."""


@dataclass(frozen=True, slots=True)
class _Span:
    device: str
    start_ms: int
    end_ms: int
    is_guess: bool
    """Concluded from the agent's own death: its plug may have been pulled."""

    def overlap_ms(self, start_ms: int, end_ms: int) -> int:
        return max(0, min(end_ms, self.end_ms) - max(start_ms, self.start_ms))

    def is_about(self, devices: Sequence[str]) -> bool:
        return self.device.startswith(AGENT_PREFIX) or self.device in devices


class Happenings:
    """The events that matter to intervals of a range."""

    def __init__(self, outages: Sequence[Event], thinned: Sequence[Event]) -> None:
        self._outages = [_span(event) for event in outages]
        self._thinned = [_span(event) for event in thinned]

    @classmethod
    async def read(cls, readings: ReadingStore, site: str, start_ms: int, end_ms: int) -> "Happenings":
        """Those of intervals in [start, end); raises StoreError."""
        return cls(
            await readings.events(site, start_ms - LONGEST_OUTAGE_MS, end_ms, EventKind.OUTAGE),
            await readings.events(site, start_ms - LONGEST_THINNED_MS, end_ms + INTERVAL_MS, EventKind.ROWS_THINNED),
        )

    def judged(
        self, found: IntervalAmount, devices: Sequence[str], start_ms: int, before: float | None
    ) -> IntervalAmount:
        """An interval with the quality that follows; `before` is the amount of the one before the outage, if known."""
        end_ms = start_ms + INTERVAL_MS
        for outage in self._outages:
            long = outage.overlap_ms(start_ms, end_ms) > OUTAGE_SHARE * INTERVAL_MS
            if not long or not outage.is_about(devices):
                continue
            if not (outage.is_guess and before is not None and found.amount > NO_USE_SHARE * before):
                return replace(found, quality=OUTAGE)
        if found.quality == INTERPOLATED and any(
            span.device in devices and span.start_ms - INTERVAL_MS < end_ms and start_ms < span.end_ms + INTERVAL_MS
            for span in self._thinned
        ):
            return replace(found, quality=THINNED)
        return found

    def outage_before(self, devices: Sequence[str], start_ms: int) -> int | None:
        """When the outage began that an interval lies in."""
        return min(
            (
                outage.start_ms
                for outage in self._outages
                if outage.is_guess and outage.is_about(devices) and outage.overlap_ms(start_ms, start_ms + INTERVAL_MS)
            ),
            default=None,
        )


def _span(event: Event) -> _Span:
    end_ms = event.numbers.get("until_ms", event.time_ms + OPEN_OUTAGE_MS)
    return _Span(event.device, event.time_ms, int(end_ms), event.subject == "agent")

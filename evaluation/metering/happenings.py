"""What events say of intervals: that there were no mains, and that a full outbox had thinned the readings."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from evaluation.metering.intervals import INTERPOLATED, OUTAGE, THINNED, IntervalAmount
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
"""Of what is used before: a meter that counts on at this pace while its agent has no power has mains."""


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when, of a device or an edge."""

    device: str
    start_ms: int
    end_ms: int
    is_doubtful: bool
    """Concluded from the agent's own death: its plug may have been pulled."""

    @property
    def intervals(self) -> float:
        """How many intervals long."""
        return max(self.end_ms - self.start_ms, 1) / INTERVAL_MS

    def overlap_ms(self, start_ms: int, end_ms: int) -> int:
        """How much of [start, end) it covers."""
        return max(0, min(end_ms, self.end_ms) - max(start_ms, self.start_ms))

    def is_about(self, devices: Sequence[str]) -> bool:
        """Whether it matters to what these devices measure."""
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

    def judged(self, found: IntervalAmount, devices: Sequence[str], start_ms: int, *, has_used: bool) -> IntervalAmount:
        """An interval with the quality that follows; `has_used`: the meter has counted on in the doubtful outage."""
        end_ms = start_ms + INTERVAL_MS
        for outage in self._outages:
            is_long = outage.overlap_ms(start_ms, end_ms) > OUTAGE_SHARE * INTERVAL_MS
            if is_long and outage.is_about(devices) and not (outage.is_doubtful and has_used):
                return replace(found, quality=OUTAGE)
        if found.quality == INTERPOLATED and any(
            span.device in devices and span.start_ms - INTERVAL_MS < end_ms and start_ms < span.end_ms + INTERVAL_MS
            for span in self._thinned
        ):
            return replace(found, quality=THINNED)
        return found

    def doubtful(self, devices: Sequence[str], start_ms: int) -> Span | None:
        """The outage that an interval lies in and that has to be compared with what the meter has counted."""
        for outage in self._outages:
            if outage.is_doubtful and outage.is_about(devices) and outage.overlap_ms(start_ms, start_ms + INTERVAL_MS):
                return outage
        return None


def _span(event: Event) -> Span:
    end_ms = event.numbers.get("until_ms", event.time_ms + OPEN_OUTAGE_MS)
    return Span(event.device, event.time_ms, int(end_ms), event.subject == "agent")

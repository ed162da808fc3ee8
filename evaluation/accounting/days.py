"""Site-local days made of 15-minute intervals. A day has 96 of them, and 92 or 100 when the clocks change. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from evaluation.metering.intervals import CORRECTED, MEASURED, OUTAGE, PARTIAL, weakest
from store.protocol import IntervalRow
from store.schema import INTERVAL_MS

LEAST_OUTAGE_SHARE = 0.1
"""A day that had no mains for less than this share of it is a day like others: production fell with use."""
# Only where the time between boundaries was really read does an interval say how high the load was.
_SETS_PEAK = frozenset({MEASURED, CORRECTED})


@dataclass(frozen=True, slots=True)
class Day:
    """A site-local calendar day as the half-open time [start_ms, end_ms) in UTC; `month` is like "2026-11"."""

    start_ms: int
    end_ms: int
    month: str

    @property
    def interval_count(self) -> int:
        """How many intervals it has."""
        return (self.end_ms - self.start_ms) // INTERVAL_MS


def day_of(time_ms: int, zone: ZoneInfo) -> Day:
    """The site-local day that a time lies in."""
    return day_on(datetime.fromtimestamp(time_ms / 1000, zone).date(), zone)


@lru_cache(maxsize=4096)
def day_on(local: date, zone: ZoneInfo) -> Day:
    """The day of a date."""
    return Day(_midnight_ms(local, zone), _midnight_ms(local + timedelta(days=1), zone), f"{local:%Y-%m}")


def summarise(site: str, point: str, day: Day, intervals: Sequence[IntervalRow]) -> IntervalRow:
    """One row for a day out of the intervals of a point that start in it.

    The amount is their sum. `demand` is the highest demand of the intervals that were read throughout, at `peak_ms`
    (the start of the first such interval), and `minimum` the lowest; interpolated ones set neither. `coverage` counts
    missing intervals as 0, and any missing or partial interval makes the day partial. A day is an outage when it had no
    mains for a tenth of it.
    """
    full = [row for row in intervals if row.demand is not None and row.quality in _SETS_PEAK]
    peak = max(full, key=lambda row: (row.demand or 0.0, -row.start_ms), default=None)
    lowest = min((row.demand for row in full if row.demand is not None), default=None)
    quality = weakest(_qualities(day, intervals))
    return IntervalRow(
        site=site,
        point=point,
        start_ms=day.start_ms,
        amount=sum(row.amount for row in intervals),
        demand=None if peak is None else peak.demand,
        coverage=sum(row.coverage for row in intervals) / day.interval_count,
        resource=next((row.resource for row in intervals if row.resource), ""),
        quality=quality if len(intervals) == day.interval_count else PARTIAL,
        peak_ms=None if peak is None else peak.start_ms,
        minimum=lowest,
        month=day.month,
    )


def _qualities(day: Day, intervals: Sequence[IntervalRow]) -> set[str]:
    found = {row.quality for row in intervals}
    outages = sum(row.quality == OUTAGE for row in intervals)
    if outages < LEAST_OUTAGE_SHARE * day.interval_count:
        found.discard(OUTAGE)
        found.add(MEASURED)
    return found


def _midnight_ms(local: date, zone: ZoneInfo) -> int:
    # A midnight that the clocks jump over is taken at the moment of the jump, which is where that day begins.
    moment = datetime.combine(local, time(), zone)
    return round(moment.astimezone(UTC).timestamp() * 1000)

"""A solar inverter that sleeps at night does not answer. Its silence is nothing generated, not a hole. Pure."""

from collections.abc import Sequence

from evaluation.metering.intervals import INTERPOLATED, MILLISECONDS_PER_HOUR
from store.protocol import IntervalRow
from store.schema import INTERVAL_MS

LONGEST_SLEEP_MS = 18 * MILLISECONDS_PER_HOUR
"""Silence for longer is a fault: the longest winter night at 55° is shorter."""
ALMOST_NOTHING = 0.05
"""The share of the highest power of the time before, below which a generator that falls silent has ended its day."""
ALMOST_NOTHING_KW = 0.02


def is_dusk(power_kw: float, highest_kw: float) -> bool:
    """Whether a generator that falls silent at this power, after a day's highest, has ended its day."""
    return power_kw <= max(ALMOST_NOTHING * highest_kw, ALMOST_NOTHING_KW)


def asleep(earlier: Sequence[IntervalRow], start_ms: int) -> IntervalRow | None:
    """A row of nothing for the interval at `start_ms`, which has none; None where the silence cannot be explained.

    `earlier` are the generator's intervals, ascending, of which those of the `LONGEST_SLEEP_MS` before count. The
    silence is explained when the last of them had almost no power. The row says `interpolated`: once the inverter is
    awake, its total tells.
    """
    known = [row for row in earlier if start_ms - LONGEST_SLEEP_MS <= row.start_ms < start_ms and row.coverage > 0]
    if not known:
        return None
    last = known[-1]
    highest_kw = max(_power_kw(row) for row in known)
    if not is_dusk(_power_kw(last), highest_kw):
        return None
    return IntervalRow(last.site, last.point, start_ms, 0.0, 0.0, 1.0, INTERPOLATED, last.resource)


def _power_kw(row: IntervalRow) -> float:
    """The mean power of the part of an interval that was read."""
    return row.amount * MILLISECONDS_PER_HOUR / (INTERVAL_MS * row.coverage)

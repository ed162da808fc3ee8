"""What a total counted in a 15-minute interval of the UTC grid. Pure: numbers in, numbers out."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from site_config.points import Assignment
from store.protocol import Series
from store.schema import INTERVAL_MS

MILLISECONDS_PER_HOUR = 3_600_000

MEASURED = "measured"
INTERPOLATED = "interpolated"
THINNED = "thinned"
MANUAL = "manual"
CORRECTED = "corrected"
OUTAGE = "outage"
PARTIAL = "partial"

WEAKEST_FIRST = (PARTIAL, INTERPOLATED, THINNED, MANUAL, CORRECTED, OUTAGE, MEASURED)
"""The qualities of intervals; what weakens a sum most stands first."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What a total counted within some time.

    `known_ms` is the time that lies between two readings, so that the amount is sure or interpolated; `covered_ms` is
    the part of it in which no two readings are further apart than the gap limit, or the total has not risen.
    """

    amount: float
    known_ms: int
    covered_ms: int


@dataclass(frozen=True, slots=True)
class IntervalAmount:
    """What a point used in one interval; the fields are those of `IntervalRow`."""

    amount: float
    demand: float | None
    coverage: float
    quality: str


@dataclass(frozen=True, slots=True)
class AssignedReadings:
    """An assignment with the readings of its totals, the neighbours just outside the range included."""

    assignment: Assignment
    amount: Series
    export: Series | None = None


class Total:
    """A register that counts up, known at its readings and linear between them.

    A total that falls was reset without the edge having noticed, and what was counted in that step is not known; where
    a quantity may fall (`may_fall`, a signed net total), a fall is an amount like any other.
    """

    __slots__ = ("_may_fall", "_series")

    def __init__(self, series: Series, *, may_fall: bool = False) -> None:
        self._series = series
        self._may_fall = may_fall

    def span(self) -> tuple[int, int] | None:
        """The times of the first and the last reading; None when there are not two."""
        times = self._series.times_ms
        return (times[0], times[-1]) if len(times) > 1 else None

    def counted(self, start_ms: int, end_ms: int, gap_limit_ms: int) -> Counted:
        """What was counted from start to end, as far as it lies between readings."""
        times, values = self._series.times_ms, self._series.values
        amount, known_ms, covered_ms = 0.0, 0, 0
        for index in _steps_touching(times, start_ms, end_ms):
            before, after = times[index], times[index + 1]
            rise = values[index + 1] - values[index]
            inside = min(after, end_ms) - max(before, start_ms)
            if rise < 0 and not self._may_fall:
                continue
            amount += rise if inside == after - before else rise * inside / (after - before)
            known_ms += inside
            # A total that stands where it stood has counted nothing in between: that is known, however long it was.
            if after - before <= gap_limit_ms or (rise == 0 and not self._may_fall):
                covered_ms += inside
        return Counted(amount, known_ms, covered_ms)


def weakest(qualities: Collection[str]) -> str:
    """The quality of a sum of intervals of these qualities."""
    return next((name for name in WEAKEST_FIRST if name in qualities), PARTIAL)


def interval_start(time_ms: int) -> int:
    """The start of the interval that a time lies in."""
    return time_ms - time_ms % INTERVAL_MS


def interval_starts(start_ms: int, end_ms: int) -> range:
    """The starts of all intervals that touch [start, end)."""
    return range(interval_start(start_ms), end_ms, INTERVAL_MS)


def contiguous(starts: Iterable[int], limit: float = math.inf) -> Iterator[tuple[int, int]]:
    """Join starts of intervals into ranges [start, end) of at most `limit` intervals, ascending."""
    first: int | None = None
    end = 0
    for start in sorted(set(starts)):
        if first is not None and (start != end or end - first >= limit * INTERVAL_MS):
            yield first, end
            first = None
        if first is None:
            first = start
        end = start + INTERVAL_MS
    if first is not None:
        yield first, end


def overlap(assignment: Assignment, start_ms: int, end_ms: int) -> tuple[int, int] | None:
    """The part of [start, end) in which the device measured the point; None when there is none."""
    begin = start_ms if assignment.from_ms is None else max(start_ms, assignment.from_ms)
    finish = end_ms if assignment.to_ms is None else min(end_ms, assignment.to_ms)
    return (begin, finish) if begin < finish else None


def interval_amount(
    readings: Sequence[AssignedReadings], start_ms: int, end_ms: int, gap_limit_ms: int
) -> IntervalAmount | None:
    """What a point used in one interval; None when nothing is known of it.

    An interval is split where an assignment begins or ends. Devices assigned to one point at the same time are added.
    Demand is amount over time (kW, m3/h, kg/h) and given only when the whole interval lies between readings: the mean
    of a part is no demand. Quality is `partial` when some of the interval is unknown (the running one is), else
    `measured` when no two readings are further apart than the gap limit, else `interpolated`.
    """
    amount = 0.0
    known_ms = covered_ms = assigned_ms = 0
    parts: list[tuple[int, int]] = []
    for entry in readings:
        part = overlap(entry.assignment, start_ms, end_ms)
        if part is None:
            continue
        counted = _assigned_amount(entry, *part, gap_limit_ms)
        parts.append(part)
        assigned_ms += part[1] - part[0]
        amount += counted.amount
        known_ms += counted.known_ms
        covered_ms += counted.covered_ms
    if known_ms == 0:
        return None
    length_ms = end_ms - start_ms
    united_ms = _union_length(parts)
    whole = united_ms == length_ms and known_ms == assigned_ms
    coverage = covered_ms / assigned_ms * united_ms / length_ms
    if not whole:
        return IntervalAmount(amount, None, coverage, PARTIAL)
    quality = MEASURED if covered_ms == assigned_ms else INTERPOLATED
    return IntervalAmount(amount, amount * MILLISECONDS_PER_HOUR / length_ms, coverage, quality)


def _assigned_amount(entry: AssignedReadings, start_ms: int, end_ms: int, gap_limit_ms: int) -> Counted:
    assignment = entry.assignment
    taken = Total(entry.amount, may_fall=_may_fall(assignment.amount_quantity))
    export = None if entry.export is None else Total(entry.export)
    returned_span = None if export is None else export.span()
    if export is None or returned_span is None or returned_span[0] >= end_ms or returned_span[1] <= start_ms:
        counted = taken.counted(start_ms, end_ms, gap_limit_ms)
        return Counted(counted.amount * assignment.factor, counted.known_ms, counted.covered_ms)
    # Import and export are compared over the same time, or their difference would mean nothing.
    start_ms, end_ms = max(start_ms, returned_span[0]), min(end_ms, returned_span[1])
    counted = taken.counted(start_ms, end_ms, gap_limit_ms)
    returned = export.counted(start_ms, end_ms, gap_limit_ms)
    return Counted(
        (counted.amount - returned.amount) * assignment.factor,
        min(counted.known_ms, returned.known_ms),
        min(counted.covered_ms, returned.covered_ms),
    )


def _may_fall(quantity: str) -> bool:
    return "_net" in quantity


def _steps_touching(times: Sequence[int], start_ms: int, end_ms: int) -> range:
    """Indexes i of the steps from reading i to i + 1 that have some time in [start, end)."""
    first = max(bisect_right(times, start_ms) - 1, 0)
    last = min(bisect_left(times, end_ms), len(times) - 1)
    return range(first, last)


def _union_length(parts: list[tuple[int, int]]) -> int:
    length, reached = 0, None
    for start, end in sorted(parts):
        begin = start if reached is None else max(start, reached)
        if end > begin:
            length += end - begin
            reached = end
    return length

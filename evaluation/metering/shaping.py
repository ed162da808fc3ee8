"""The shape of coarse totals: between two steps of a register, the integral of the rate tells when it was used. Pure.

A register of 0.1 kWh stands still for minutes, and then jumps. It is a truth nonetheless: over any time it is right to
a step, which an integral of powers is not. So only the readings of a *standstill* (a run of equal readings) are
replaced, by values that climb from half a step below the reading, where the register had just stepped, to half a step
above it, where it steps next, in proportion to the integral of the rate. At the middle of a step both are equal; what
is counted between any two times is therefore right to a step, however far apart they are.

The values in a standstill depend on the readings from the one before it to the one after it and on nothing else,
so that every interval that touches a standstill sees the same.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from store.protocol import Series
from wire_format.quantities import QUANTITIES

LONGEST_STANDSTILL_MS = 2 * 3_600_000
"""Longer ones stay as they were read, which bounds what has to be read: 0.1 kWh in 2 h are 50 W."""
FINEST_STEP = 0.005
"""Smaller steps (kWh, m3) need no shape: 1 Wh more or less in 15 minutes are 4 W."""

# The amount that one unit of the rate makes in a millisecond.
_AMOUNT_PER_MS = {("W", "kWh"): 1 / 3_600_000_000, ("m3/h", "m3"): 1 / 3_600_000}


@dataclass(frozen=True, slots=True)
class Standstill:
    """Readings `first` to `last` of a total, all of one value.

    `start_ms` and `end_ms` are when the total stood half a step below and above that value; `step` is what it
    rises by. At the beginning or end of what is stored, where no step was seen, they are the readings' own times, and
    `floor` or `ceiling` are None; else these are the bounds that leave the total rising.
    """

    first: int
    last: int
    value: float
    step: float
    start_ms: float
    end_ms: float
    floor: float | None
    ceiling: float | None


def amount_per_ms(rate_quantity: str | None, amount_quantity: str) -> float | None:
    """What one unit of a rate makes of an amount in a millisecond; None where one is not the integral of the other."""
    if rate_quantity not in QUANTITIES or amount_quantity not in QUANTITIES:
        return None
    return _AMOUNT_PER_MS.get((QUANTITIES[rate_quantity].unit, QUANTITIES[amount_quantity].unit))


def standstills(total: Series, times_ms: Iterable[int]) -> list[Standstill]:
    """The coarse standstills of a total that decide what it was at these times."""
    found: list[Standstill] = []
    reached = -1
    for index in _indices_around(total.times_ms, times_ms):
        if index <= reached:
            continue
        first, reached = _run_of_equals(total.values, index)
        length_ms = total.times_ms[reached] - total.times_ms[first]
        if length_ms > LONGEST_STANDSTILL_MS or (length_ms == 0 and not _may_begin(total.values, first)):
            continue
        standstill = _standstill(total, first, reached)
        if standstill.step > FINEST_STEP:
            found.append(standstill)
    return found


def shaped(total: Series, rates: Mapping[Standstill, Series], per_ms: float, gap_limit_ms: int) -> Series:
    """The total with its standstills replaced; the times stay, so that what is covered stays too.

    Args:
        total: readings of the total.
        rates: readings of the rate for each standstill of this total; only positive ones count.
        per_ms: see `amount_per_ms`.
        gap_limit_ms: between readings of the rate that are further apart, nothing is known to have been used.
    """
    values = list(total.values)
    for standstill, rate in rates.items():
        integral = _Integral(rate, per_ms, gap_limit_ms)
        if integral.between(standstill.start_ms, standstill.end_ms) > 0:
            times = total.times_ms[standstill.first : standstill.last + 1]
            values[standstill.first : standstill.last + 1] = [_value(standstill, integral, time) for time in times]
    return Series(total.times_ms, tuple(values))


class _Integral:
    """The integral of the positive part of a rate, by trapezoids."""

    def __init__(self, rate: Series, per_ms: float, gap_limit_ms: int) -> None:
        self._times = rate.times_ms
        positive = [max(value, 0.0) * per_ms / 2 for value in rate.values]
        areas = (
            (before + after) * (end - start) if end - start <= gap_limit_ms else 0.0
            for (start, end), (before, after) in zip(pairwise(self._times), pairwise(positive), strict=True)
        )
        self._sums = list(accumulate(areas, initial=0.0))

    def between(self, start_ms: float, end_ms: float) -> float:
        return self._until(end_ms) - self._until(start_ms)

    def _until(self, time_ms: float) -> float:
        if not self._times or time_ms <= self._times[0]:
            return 0.0
        index = bisect_right(self._times, time_ms) - 1
        if index == len(self._times) - 1:
            return self._sums[-1]
        part = (time_ms - self._times[index]) / (self._times[index + 1] - self._times[index])
        return self._sums[index] + part * (self._sums[index + 1] - self._sums[index])


def _value(standstill: Standstill, integral: _Integral, time_ms: int) -> float:
    step, half = standstill.step, standstill.step / 2
    since = integral.between(standstill.start_ms, time_ms)
    if standstill.ceiling is None:
        # Where the next step comes is not known yet: the total is below it for certain.
        base = standstill.value if standstill.floor is None else standstill.value - half
        value = base + min(since, step)
    elif standstill.floor is None:
        value = standstill.value + half - min(integral.between(time_ms, standstill.end_ms), step)
    else:
        value = standstill.value - half + step * since / integral.between(standstill.start_ms, standstill.end_ms)
    if standstill.floor is not None:
        value = max(value, standstill.floor)
    return value if standstill.ceiling is None else min(value, standstill.ceiling)


def _standstill(total: Series, first: int, last: int) -> Standstill:
    times, values = total.times_ms, total.values
    value = values[first]
    start_ms, end_ms = float(times[first]), float(times[last])
    # A fall is a reset, and what comes before it says nothing about this register's steps.
    rise_before = value - values[first - 1] if first > 0 and values[first - 1] < value else None
    rise_after = values[last + 1] - value if last + 1 < len(values) and values[last + 1] > value else None
    seen = [rise for rise in (rise_before, rise_after) if rise is not None]
    step = min(seen, default=_apparent_step(value))
    floor = ceiling = None
    if rise_before is not None:
        start_ms -= (times[first] - times[first - 1]) * step / 2 / rise_before
        floor = (values[first - 1] + value) / 2
    if rise_after is not None:
        end_ms += (times[last + 1] - times[last]) * step / 2 / rise_after
        ceiling = (value + values[last + 1]) / 2
    return Standstill(first, last, value, step, start_ms, end_ms, floor, ceiling)


def _may_begin(values: Sequence[float], index: int) -> bool:
    """Whether a single reading is the newest, next to a standstill, and so probably the first of another."""
    return index == len(values) - 1 and index > 1 and values[index - 1] == values[index - 2]


def _apparent_step(value: float) -> float:
    """The largest of 1, 0.1 and 0.01 that a reading is a multiple of, else 0: a guess until a step is seen."""
    thousandths = round(value * 1000)
    return next((step / 1000 for step in (1000, 100, 10) if thousandths % step == 0), 0.0)


def _indices_around(times: Sequence[int], asked_ms: Iterable[int]) -> list[int]:
    """The indices of the readings on either side of each time, ascending."""
    found: set[int] = set()
    for time_ms in asked_ms:
        after = bisect_right(times, time_ms)
        found.update(index for index in (after - 1, after) if 0 <= index < len(times))
    return sorted(found)


def _run_of_equals(values: Sequence[float], index: int) -> tuple[int, int]:
    first = last = index
    while first > 0 and values[first - 1] == values[index]:
        first -= 1
    while last + 1 < len(values) and values[last + 1] == values[index]:
        last += 1
    return first, last

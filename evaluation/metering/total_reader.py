"""Reads totals with as many readings around a range as decide what they were at its bounds."""

from collections.abc import Sequence
from dataclasses import replace

from evaluation.metering.intervals import AssignedReadings, interval_starts
from evaluation.metering.shaping import LONGEST_STANDSTILL_MS, Standstill, amount_per_ms, shaped, standstills
from evaluation.metering.stretch import Stretch
from site_config.points import Assignment
from store.protocol import Latest, ReadingStore, Series
from store.schema import EARLIEST_MS

# What decides a range's bounds lies near them almost always, and is read at once: a request costs more than rows.
NEIGHBOURHOOD_MS = 5 * 60_000


class TotalReader:
    """Reads the totals of a site's devices, coarse ones shaped by their rate.

    Args:
        readings: where they are stored.
        site: its id.
        gap_limit_ms: readings further apart than this leave the time between them uncovered.
    """

    def __init__(self, readings: ReadingStore, site: str, gap_limit_ms: int) -> None:
        self._readings = readings
        self._site = site
        self._gap_limit_ms = gap_limit_ms
        self._margin_ms = max(NEIGHBOURHOOD_MS, 2 * gap_limit_ms)
        # What a meter does not count; once a first reading comes, its interval is marked and another reader is asked.
        self._absent: set[tuple[str, str]] = set()

    async def assigned(self, assignment: Assignment, start_ms: int, end_ms: int) -> AssignedReadings:
        """The readings of an assignment in a range, with the neighbours just outside."""
        amount = await self._total(assignment, assignment.amount_quantity, start_ms, end_ms)
        export = None
        if assignment.export_quantity is not None:
            export = await self._total(assignment, assignment.export_quantity, start_ms, end_ms, direction=-1.0)
        return AssignedReadings(assignment, amount, export)

    async def reach(self, assignment: Assignment, start_ms: int, end_ms: int) -> tuple[int, int]:
        """The time in which amounts may depend on readings in [start, end).

        A reading changes the line to its neighbours; and where these stand still, the shape of the whole standstill.
        """
        first, last = start_ms, end_ms
        for quantity in (assignment.amount_quantity, assignment.export_quantity):
            if quantity is None:
                continue
            earlier = await self._stretch(assignment, quantity, start_ms - self._margin_ms, start_ms)
            later = await self._stretch(assignment, quantity, end_ms, end_ms + self._margin_ms)
            before = await earlier.last_before(start_ms - 1)
            after = await later.first_after(end_ms)
            if before is not None:
                first = min(first, before.time_ms)
            if after is not None:
                last = max(last, after.time_ms)
            if amount_per_ms(assignment.rate_quantity, quantity) is None:
                continue
            if before is not None:
                standing = await _standing_before(earlier, before)
                first = min(first, standing.times_ms[0] if standing.times_ms else first)
            if after is not None:
                standing = await _standing_after(later, after)
                last = max(last, standing.times_ms[-1] if standing.times_ms else last)
        return first, last

    async def _total(
        self, assignment: Assignment, quantity: str, start_ms: int, end_ms: int, *, direction: float = 1.0
    ) -> Series:
        stretch = await self._stretch(assignment, quantity, start_ms - self._margin_ms, end_ms + self._margin_ms)
        series = await _with_neighbours(stretch, start_ms, end_ms)
        per_ms = amount_per_ms(assignment.rate_quantity, quantity)
        if per_ms is None or not series.times_ms:
            return series
        earlier = await _standing_before(stretch, Latest(series.times_ms[0], series.values[0]))
        later = await _standing_after(stretch, Latest(series.times_ms[-1], series.values[-1]))
        whole = Series(
            earlier.times_ms + series.times_ms + later.times_ms, earlier.values + series.values + later.values
        )
        bounds = {start_ms, end_ms, *interval_starts(start_ms, end_ms)[1:]}
        found = standstills(whole, bounds)
        if not found:
            return series
        rates = await self._rates(assignment, whole, found, direction)
        return shaped(whole, rates, per_ms, self._gap_limit_ms)

    async def _rates(
        self, assignment: Assignment, total: Series, found: Sequence[Standstill], direction: float
    ) -> dict[Standstill, Series]:
        """The rate from the reading before each standstill to the one after it, positive in the total's direction."""
        times, last = total.times_ms, len(total.times_ms) - 1
        # Beyond a gap nothing more is needed to know the rate where the total began to stand still.
        spans = {
            each: (
                max(times[max(each.first - 1, 0)], int(each.start_ms) - self._gap_limit_ms),
                min(times[min(each.last + 1, last)], int(each.end_ms) + self._gap_limit_ms) + 1,
            )
            for each in found
        }
        assert assignment.rate_quantity is not None  # noqa: S101  # or there would be nothing to shape with
        starts, ends = zip(*spans.values(), strict=True)
        stretch = await self._stretch(assignment, assignment.rate_quantity, min(starts), max(ends))
        rates = {each: stretch.fetched(*span) for each, span in spans.items()}
        return {
            each: replace(rate, values=tuple([value * direction for value in rate.values]))
            for each, rate in rates.items()
        }

    async def _stretch(self, assignment: Assignment, quantity: str, start_ms: int, end_ms: int) -> Stretch:
        key = (assignment.device, quantity)
        stretch = Stretch(self._readings, self._site, *key)
        if key not in self._absent:
            await stretch.read(start_ms, end_ms)
            if stretch.is_empty and await stretch.first_after(EARLIEST_MS) is None:
                self._absent.add(key)
        if key in self._absent:
            stretch.know_of_none()
        return stretch


async def _with_neighbours(stretch: Stretch, start_ms: int, end_ms: int) -> Series:
    """Readings of a range with the neighbour on either side, without which its bounds are unknown."""
    inside = await stretch.readings(start_ms, end_ms)
    times, values = inside.times_ms, inside.values
    if not times or times[0] > start_ms:
        before = await stretch.last_before(start_ms)
        if before is not None:
            times, values = (before.time_ms, *times), (before.value, *values)
    after = await stretch.first_after(end_ms)
    if after is not None:
        times, values = (*times, after.time_ms), (*values, after.value)
    return Series(times, values)


async def _standing_before(stretch: Stretch, reading: Latest) -> Series:
    """The readings before this one, as far as the total stood still: the first of them is another, if there is."""
    from_ms = reading.time_ms - LONGEST_STANDSTILL_MS
    found = _since_another(stretch.fetched(from_ms, reading.time_ms), reading.value)
    if found is not None:
        return found
    before = await stretch.last_before(reading.time_ms - 1)
    if before is None or before.value != reading.value:
        return _series(before)
    inside = await stretch.readings(from_ms, reading.time_ms)
    found = _since_another(inside, reading.value)
    if found is not None:
        return found
    outside = _series(await stretch.last_before(from_ms - 1))
    return Series(outside.times_ms + inside.times_ms, outside.values + inside.values)


async def _standing_after(stretch: Stretch, reading: Latest) -> Series:
    """The readings after this one, as far as the total stands still: the last of them is another, if there is."""
    until_ms = reading.time_ms + LONGEST_STANDSTILL_MS + 1
    found = _until_another(stretch.fetched(reading.time_ms + 1, until_ms), reading.value)
    if found is not None:
        return found
    after = await stretch.first_after(reading.time_ms + 1)
    if after is None or after.value != reading.value:
        return _series(after)
    inside = await stretch.readings(reading.time_ms + 1, until_ms)
    found = _until_another(inside, reading.value)
    if found is not None:
        return found
    outside = _series(await stretch.first_after(until_ms))
    return Series(inside.times_ms + outside.times_ms, inside.values + outside.values)


def _since_another(series: Series, value: float) -> Series | None:
    """From the last reading that differs; None when none does."""
    for index in range(len(series.values) - 1, -1, -1):
        if series.values[index] != value:
            return Series(series.times_ms[index:], series.values[index:])
    return None


def _until_another(series: Series, value: float) -> Series | None:
    """To the first reading that differs; None when none does."""
    for index, each in enumerate(series.values, 1):
        if each != value:
            return Series(series.times_ms[:index], series.values[:index])
    return None


def _series(reading: Latest | None) -> Series:
    return Series((), ()) if reading is None else Series((reading.time_ms,), (reading.value,))

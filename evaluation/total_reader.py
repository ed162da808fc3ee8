"""Reads totals with as many readings around a range as decide what they were at its bounds."""

from dataclasses import replace

from evaluation.intervals import AssignedReadings, interval_starts
from evaluation.shaping import LONGEST_STANDSTILL_MS, Standstill, amount_per_ms, shaped, standstills
from site_config.points import Assignment
from store.protocol import Latest, ReadingStore, Series


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
            key = (assignment.device, quantity)
            before = await self._readings.last_before(self._site, *key, start_ms - 1)
            after = await self._readings.first_after(self._site, *key, end_ms)
            if before is not None:
                first = min(first, before.time_ms)
            if after is not None:
                last = max(last, after.time_ms)
            if amount_per_ms(assignment.rate_quantity, quantity) is None:
                continue
            if before is not None:
                earlier = await self._standing_before(key, before)
                first = min(first, earlier.times_ms[0] if earlier.times_ms else first)
            if after is not None:
                later = await self._standing_after(key, after)
                last = max(last, later.times_ms[-1] if later.times_ms else last)
        return first, last

    async def _total(
        self, assignment: Assignment, quantity: str, start_ms: int, end_ms: int, *, direction: float = 1.0
    ) -> Series:
        key = (assignment.device, quantity)
        series = await self._with_neighbours(key, start_ms, end_ms)
        per_ms = amount_per_ms(assignment.rate_quantity, quantity)
        if per_ms is None or not series.times_ms:
            return series
        earlier = await self._standing_before(key, Latest(series.times_ms[0], series.values[0]))
        later = await self._standing_after(key, Latest(series.times_ms[-1], series.values[-1]))
        whole = Series(
            earlier.times_ms + series.times_ms + later.times_ms, earlier.values + series.values + later.values
        )
        bounds = {start_ms, end_ms, *interval_starts(start_ms, end_ms)[1:]}
        rates = {found: await self._rate(assignment, whole, found, direction) for found in standstills(whole, bounds)}
        return shaped(whole, rates, per_ms, self._gap_limit_ms) if rates else series

    async def _with_neighbours(self, key: tuple[str, str], start_ms: int, end_ms: int) -> Series:
        """Readings of a range with the neighbour on either side, without which its bounds are unknown."""
        inside = await self._readings.readings(self._site, *key, start_ms, end_ms)
        times, values = inside.times_ms, inside.values
        if not times or times[0] > start_ms:
            before = await self._readings.last_before(self._site, *key, start_ms)
            if before is not None:
                times, values = (before.time_ms, *times), (before.value, *values)
        after = await self._readings.first_after(self._site, *key, end_ms)
        if after is not None:
            times, values = (*times, after.time_ms), (*values, after.value)
        return Series(times, values)

    async def _standing_before(self, key: tuple[str, str], reading: Latest) -> Series:
        """The readings before this one, as far as the total stood still: the first of them is another, if there is."""
        before = await self._readings.last_before(self._site, *key, reading.time_ms - 1)
        if before is None or before.value != reading.value:
            return _series(before)
        from_ms = reading.time_ms - LONGEST_STANDSTILL_MS
        inside = await self._readings.readings(self._site, *key, from_ms, reading.time_ms)
        other = max((index for index, value in enumerate(inside.values) if value != reading.value), default=None)
        if other is not None:
            return Series(inside.times_ms[other:], inside.values[other:])
        outside = _series(await self._readings.last_before(self._site, *key, from_ms - 1))
        return Series(outside.times_ms + inside.times_ms, outside.values + inside.values)

    async def _standing_after(self, key: tuple[str, str], reading: Latest) -> Series:
        """The readings after this one, as far as the total stands still: the last of them is another, if there is."""
        after = await self._readings.first_after(self._site, *key, reading.time_ms + 1)
        if after is None or after.value != reading.value:
            return _series(after)
        until_ms = reading.time_ms + LONGEST_STANDSTILL_MS + 1
        inside = await self._readings.readings(self._site, *key, reading.time_ms + 1, until_ms)
        other = next((index for index, value in enumerate(inside.values) if value != reading.value), None)
        if other is not None:
            return Series(inside.times_ms[: other + 1], inside.values[: other + 1])
        outside = _series(await self._readings.first_after(self._site, *key, until_ms))
        return Series(inside.times_ms + outside.times_ms, inside.values + outside.values)

    async def _rate(self, assignment: Assignment, total: Series, standstill: Standstill, direction: float) -> Series:
        """The rate from the reading before a standstill to the one after it, positive in the total's direction."""
        times, last = total.times_ms, len(total.times_ms) - 1
        # Beyond a gap nothing more is needed to know the rate where the total began to stand still.
        from_ms = max(times[max(standstill.first - 1, 0)], int(standstill.start_ms) - self._gap_limit_ms)
        until_ms = min(times[min(standstill.last + 1, last)], int(standstill.end_ms) + self._gap_limit_ms)
        assert assignment.rate_quantity is not None  # noqa: S101  # or there would be nothing to shape with
        rate = await self._readings.readings(
            self._site, assignment.device, assignment.rate_quantity, from_ms, until_ms + 1
        )
        return replace(rate, values=tuple(value * direction for value in rate.values))


def _series(reading: Latest | None) -> Series:
    return Series((), ()) if reading is None else Series((reading.time_ms,), (reading.value,))

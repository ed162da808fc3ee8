"""Recomputes the intervals and days of one site that new readings touch, as a function of what is stored."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import chain

from evaluation.accounting.bill_days import BillDays, Billed, nothing
from evaluation.accounting.day_writer import DayWriter, Written
from evaluation.accounting.days import Day, day_of
from evaluation.judging.step_writer import StepWriter
from evaluation.metering.happenings import NO_USE_SHARE, Happenings, Span
from evaluation.metering.intervals import (
    PARTIAL,
    AssignedReadings,
    IntervalAmount,
    contiguous,
    interval_amount,
    interval_starts,
    overlap,
)
from evaluation.metering.silent_generation import LONGEST_SLEEP_MS, asleep
from evaluation.metering.site_series import SiteSums, addable
from evaluation.metering.total_reader import TotalReader
from evaluation.metering.unmetered import UnmeteredSeries
from evaluation.side_by_side import side_by_side
from evaluation.site_model import SiteModel
from site_config.points import Assignment, Role
from store.plans import Plans
from store.protocol import IntervalRow, ReadingStore
from store.schema import INTERVAL_MS

# A range is read and computed at once; a day of one-second readings is what a Pi holds easily.
MAXIMUM_INTERVALS_AT_ONCE = 96
# A single reading with a time of long ago must not make decades of intervals.
MAXIMUM_GAP_MS = 400 * 24 * 3_600_000
# Each holds its readings, or a day's intervals, in memory.
POINTS_AT_ONCE = 3
DAYS_AT_ONCE = 3


class Evaluator:
    """Evaluates one site. What it writes follows from what is stored alone.

    Args:
        readings: where readings are read and intervals and days are written.
        model: the site.
        gap_limit_ms: readings further apart than this leave the time between them uncovered.
        before_write: awaited before anything is written; what it raises ends the evaluation.
        plans: where daily values are; needed where the model has accounts.
        billed: see `BillDays`.
    """

    def __init__(
        self,
        readings: ReadingStore,
        model: SiteModel,
        gap_limit_ms: int,
        before_write: Callable[[], Awaitable[None]] = nothing,
        plans: Plans | None = None,
        billed: Billed | None = None,
    ) -> None:
        self._readings = readings
        self._model = model
        self._gap_limit_ms = gap_limit_ms
        self._before_write = before_write
        self._resources = {point.id: point.resource.value for point in model.points}
        fuelled = frozenset() if model.accounts is None else model.accounts.fuelled
        self._unmetered = UnmeteredSeries(model.site, model.points)
        self._sums = SiteSums(addable(model.points, model.assignments), fuelled)
        self._days = DayWriter(readings, plans, model, before_write)
        self._steps = StepWriter(readings, plans, model, before_write, self._days)
        self.bills = BillDays(readings, model, before_write, billed)
        self._totals = TotalReader(readings, model.site, gap_limit_ms)

    async def evaluate(self, dirty: Mapping[str, Iterable[int]]) -> int:
        """Recompute all that depends on readings of these devices in these intervals (starts in ms).

        Returns how many interval rows were written. Interrupted at any moment, it can be called again with the same
        marks and ends with the same rows. Raises StoreError when the store cannot be reached.
        """
        touched = await self._touched(dirty)
        everything = sorted({start for starts in touched.values() for start in starts})
        written = 0
        days: dict[Day, set[str]] = {}
        supply: list[IntervalRow] = []
        for start_ms, end_ms in contiguous(everything, MAXIMUM_INTERVALS_AT_ONCE):
            rows = await self._evaluate_range(touched, start_ms, end_ms)
            await self._before_write()
            await self._readings.write_intervals(rows)
            written += len(rows)
            supply += self.bills.news(rows)
            for row in rows:
                days.setdefault(day_of(row.start_ms, self._model.time_zone), set()).add(row.point)
        await self._note_weather(days, dirty)
        dearer = await self._days.priced_after({day_of(row.start_ms, self._model.time_zone) for row in supply})
        following = {**days, **dict.fromkeys(dearer)}
        in_order = sorted(following, key=lambda entry: entry.start_ms)
        found = await side_by_side([partial(self._days.write, day, following[day]) for day in in_order], DAYS_AT_ONCE)
        await self.bills.write_news(supply)
        return written + sum(each.intervals for each in found) + await self._steps.write(following)

    async def _note_weather(self, days: dict[Day, set[str]], dirty: Mapping[str, Iterable[int]]) -> None:
        """A thermometer measures no point, but what is expected of some may depend on it, or will when it is fitted."""
        accounts, zone = self._model.accounts, self._model.time_zone
        if accounts is None:
            return
        for device, starts in dirty.items():
            touched = sorted({day_of(start, zone) for start in starts}, key=lambda day: day.start_ms)
            series = accounts.heated_or_cooled(device)
            for day in touched if series else ():
                days.setdefault(day, set()).update(series)
            if not series and (planned := accounts.planned_weather(device)):
                await self._days.keep_weather(planned, touched)

    async def rederive_days(self, days: Iterable[Day]) -> Written:
        """Compute days again, some at once; see `rederive`."""
        found = await side_by_side([partial(self.rederive, day) for day in days], DAYS_AT_ONCE)
        return Written(sum(each.intervals for each in found), sum(each.days for each in found))

    async def rederive(self, day: Day) -> Written:
        """Compute a day again out of its points' intervals: the site's series, costs, what is expected."""
        stored: dict[int, dict[str, IntervalRow]] = {}
        outdated: dict[int, set[str]] = {}
        for row in await self._readings.intervals(self._model.site, day.start_ms, day.end_ms):
            stored.setdefault(row.start_ms, {})[row.point] = self._with_resource(row)
            if not row.resource:
                outdated.setdefault(row.start_ms, set()).add(row.point)
        if not stored:
            return Written(0, 0)
        known = {start: dict(rows) for start, rows in stored.items()}
        silent = await self._silent_generation(stored, day.start_ms, day.end_ms)
        changed: list[IntervalRow] = []
        for start, rows in known.items():
            following = self._following(start, {**rows, **silent.get(start, {})})
            changed += [row for row in following if row != rows.get(row.point)]
            changed += [row for row in rows.values() if row.resource and row.point in outdated.get(start, ())]
        await self._before_write()
        if changed:
            await self._readings.write_intervals(changed)
        for row in changed:
            known[row.start_ms][row.point] = row
        written = await self._days.write(day, None, [row for rows in known.values() for row in rows.values()])
        return Written(written.intervals + len(changed), written.days)

    async def settle(self, days: Iterable[Day]) -> None:
        """Judge the weeks, months and shifts of days that were derived again."""
        await self._steps.write(dict.fromkeys(days))

    async def _touched(self, dirty: Mapping[str, Iterable[int]]) -> dict[str, set[int]]:
        """The intervals of each point whose amount depends on readings in the marked intervals."""
        asked = [
            (assignment, span)
            for device, starts in dirty.items()
            for span in contiguous(starts)
            for assignment in self._model.assignments
            if assignment.device == device
        ]
        reached = await side_by_side([partial(self._within_reach, each, *span) for each, span in asked], POINTS_AT_ONCE)
        touched: dict[str, set[int]] = {}
        for (assignment, _), intervals in zip(asked, reached, strict=True):
            touched.setdefault(assignment.point, set()).update(intervals)
        return touched

    async def _within_reach(self, assignment: Assignment, start_ms: int, end_ms: int) -> range:
        first, last = await self._totals.reach(assignment, start_ms, end_ms)
        return interval_starts(max(first, start_ms - MAXIMUM_GAP_MS), min(last, end_ms + MAXIMUM_GAP_MS))

    async def _evaluate_range(self, touched: Mapping[str, set[int]], start_ms: int, end_ms: int) -> list[IntervalRow]:
        """All rows of a range: touched points, those that lost their device, and what follows from these."""
        site = self._model.site
        stored: dict[int, dict[str, IntervalRow]] = {}
        for row in await self._readings.intervals(site, start_ms, end_ms):
            stored.setdefault(row.start_ms, {})[row.point] = row
        written: list[IntervalRow] = []
        happenings = await Happenings.read(self._readings, site, start_ms, end_ms)
        starts_of = {
            point: sorted(starts.intersection(range(start_ms, end_ms, INTERVAL_MS)))
            for point, starts in touched.items()
        }
        measured = [partial(self._measured, happenings, point, mine) for point, mine in starts_of.items() if mine]
        for row in chain.from_iterable(await side_by_side(measured, POINTS_AT_ONCE)):
            known = stored.setdefault(row.start_ms, {})
            known[row.point] = _as_expected(row, known.get(row.point))
            written.append(known[row.point])
        silent = await self._silent_generation(stored, start_ms, end_ms)
        for start in range(start_ms, end_ms, INTERVAL_MS):
            orphans = self._orphans(start, stored.get(start, {}))
            written += orphans
            rows = {**stored.get(start, {}), **{row.point: row for row in orphans}}
            rows |= silent.get(start, {})
            written += self._following(start, rows)
        return written

    async def _measured(self, happenings: Happenings, point: str, starts: Sequence[int]) -> list[IntervalRow]:
        """The rows of a point's intervals (starts ascending) of which something is known."""
        readings = await self._assigned_readings(point, starts[0], starts[-1] + INTERVAL_MS)
        rows = []
        for start in starts:
            found = interval_amount(readings, start, start + INTERVAL_MS, self._gap_limit_ms)
            if found is not None:
                rows.append(self._row(point, start, await self._judged(happenings, point, start, found)))
        return rows

    async def _judged(self, happenings: Happenings, point: str, start_ms: int, found: IntervalAmount) -> IntervalAmount:
        """With the quality that events give to it."""
        mine = [
            entry
            for entry in self._model.assignments
            if entry.point == point and overlap(entry, start_ms, start_ms + INTERVAL_MS) is not None
        ]
        devices = [entry.device for entry in mine]
        outage = happenings.doubtful(devices, start_ms)
        has_used = outage is not None and any([await self._has_used(entry, outage) for entry in mine])
        return happenings.judged(found, devices, start_ms, has_used=has_used)

    async def _has_used(self, assignment: Assignment, outage: Span) -> bool:
        """Whether a meter has counted on in an outage, compared with the quarter of an hour before."""
        total = (self._model.site, assignment.device, assignment.amount_quantity)
        earlier = await self._readings.last_before(*total, outage.start_ms - INTERVAL_MS)
        last = await self._readings.last_before(*total, outage.start_ms)
        first = await self._readings.first_after(*total, outage.end_ms)
        if earlier is None or last is None or first is None:
            return False
        before = (last.value - earlier.value) / max(last.time_ms - earlier.time_ms, INTERVAL_MS) * INTERVAL_MS
        return first.value - last.value > NO_USE_SHARE * before * outage.intervals

    def _following(self, start_ms: int, rows: Mapping[str, IntervalRow]) -> list[IntervalRow]:
        """What follows from the points' rows of an interval; what is expected of it stays until the day is written."""
        accounts = self._model.accounts
        found = self._unmetered.rows(start_ms, rows)
        if accounts is None:
            return [*found, *self._sums.rows(rows, {})]
        day = datetime.fromtimestamp(start_ms / 1000, self._model.time_zone).date()
        found += self._sums.rows(rows, accounts.kwh_a_unit(day))
        return [_as_expected(row, rows.get(row.point)) for row in found]

    def _orphans(self, start_ms: int, stored: Mapping[str, IntervalRow]) -> list[IntervalRow]:
        """Empty rows in place of those whose point no device measured then, as an assignment was corrected.

        A row whose device did measure then is left alone: its readings may have reached the end of their retention.
        """
        measured = {
            entry.point
            for entry in self._model.assignments
            if overlap(entry, start_ms, start_ms + INTERVAL_MS) is not None
        }
        return [
            IntervalRow(self._model.site, row.point, start_ms, 0.0, None, 0.0, PARTIAL, row.resource)
            for row in stored.values()
            if row.point not in measured and "." not in row.point and (row.amount or row.coverage)
        ]

    async def _silent_generation(
        self, known: Mapping[int, Mapping[str, IntervalRow]], start_ms: int, end_ms: int
    ) -> dict[int, dict[str, IntervalRow]]:
        """Rows of nothing, by start and point, for generation that is silent because it generates nothing."""
        starts = range(start_ms, end_ms, INTERVAL_MS)
        found: dict[int, dict[str, IntervalRow]] = {}
        for point in self._model.points:
            silent = [start for start in starts if point.id not in known.get(start, {})]
            if point.role is not Role.GENERATION or not silent:
                continue
            earlier = await self._readings.intervals(self._model.site, start_ms - LONGEST_SLEEP_MS, start_ms, point.id)
            earlier += [known[start][point.id] for start in starts if start not in silent]
            for start in silent:
                row = asleep(earlier, start)
                if row is not None:
                    found.setdefault(start, {})[point.id] = row
        return found

    def _with_resource(self, row: IntervalRow) -> IntervalRow:
        """Rows of before resources were stored get theirs."""
        if row.resource or "." in row.point:
            return row
        return replace(row, resource=self._resources.get(row.point, ""))

    def _row(self, point: str, start_ms: int, found: IntervalAmount) -> IntervalRow:
        return IntervalRow(
            site=self._model.site,
            point=point,
            start_ms=start_ms,
            amount=found.amount,
            demand=found.demand,
            coverage=found.coverage,
            quality=found.quality,
            resource=self._resources.get(point, ""),
        )

    async def _assigned_readings(self, point: str, start_ms: int, end_ms: int) -> list[AssignedReadings]:
        return [
            await self._totals.assigned(assignment, *part)
            for assignment in self._model.assignments
            if assignment.point == point and (part := overlap(assignment, start_ms, end_ms)) is not None
        ]


def _as_expected(row: IntervalRow, old: IntervalRow | None) -> IntervalRow:
    if old is None or old.expected is None:
        return row
    return replace(row, expected=old.expected, goal=old.goal, lower=old.lower, upper=old.upper)

"""Writes what is expected of weeks, months and shifts: as series of their own, and spread over their days."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, time, timedelta

from evaluation.accounting.day_writer import DayWriter
from evaluation.accounting.days import Day, day_of
from evaluation.judging.baseline_days import BaselineReader
from evaluation.judging.baseline_rows import BaselineRow, without_money
from evaluation.judging.day_variables import date_of
from evaluation.judging.expectation import expect_row, shares_of, without_expected
from evaluation.judging.frozen_baseline import FrozenBaseline
from evaluation.judging.steps import Span, is_step_series, moment_ms, span_of, step_series
from evaluation.plan.accounts import SiteAccounts
from evaluation.site_model import SiteModel
from store.plans import Plans
from store.protocol import IntervalRow, ReadingStore

_DAY = timedelta(days=1)


class StepWriter:
    """Writes the rows of baselines whose step is no day.

    A week's or month's row, `site.energy.week`, stands at its last day with its whole amount, what is expected of it,
    the band and the goal; a shift's, `site.energy.shift.night`, at the day on which it begins. The days of a week or
    month that is judged carry their share of what is expected and aimed at, without a band: they add up to it, and no
    day is judged by itself. Only rows that change are written.

    Args:
        readings: where days are read and written.
        plans: where values of tables are; None without accounts.
        model: the site.
        before_write: awaited before anything is written; what it raises ends the work.
        days: writes what follows for intervals.
    """

    def __init__(
        self,
        readings: ReadingStore,
        plans: Plans | None,
        model: SiteModel,
        before_write: Callable[[], Awaitable[None]],
        days: DayWriter,
    ) -> None:
        self._readings = readings
        self._model = model
        self._before_write = before_write
        self._days = days
        self._reader = None if plans is None else BaselineReader(readings, plans, model.site, model.time_zone)

    async def write(self, touched: Mapping[Day, Collection[str] | None]) -> int:
        """Judge what the touched series of some days belong to; of a day with None all. Returns intervals written."""
        accounts, written = self._model.accounts, 0
        if accounts is None or self._reader is None:
            return 0
        for baseline in accounts.baselines.values():
            if baseline.step == "day":
                continue
            dates = {
                date_of(day, self._model.time_zone)
                for day, series in touched.items()
                if series is None or baseline.series in accounts.depending(sorted(series))
            }
            if baseline.step == "shift":
                await self._write_shifts(self._reader, accounts, baseline, dates)
                continue
            for span in sorted({span_of(baseline.step, day) for day in dates}, key=lambda entry: entry.first):
                written += await self._write_span(self._reader, accounts, baseline, span)
        await self._clear(accounts, [day for day, series in touched.items() if series is None])
        return written

    async def _write_shifts(
        self, reader: BaselineReader, accounts: SiteAccounts, baseline: FrozenBaseline, dates: set[date]
    ) -> None:
        # A night shift ends on the day after it began.
        for day in sorted(dates | {each - _DAY for each in dates}):
            rows = await reader.rows(baseline.series, "shift", baseline.variables, day, day, baseline.shifts)
            await self._put([self._expected(accounts, baseline, row) for row in rows], day)

    async def _write_span(
        self, reader: BaselineReader, accounts: SiteAccounts, baseline: FrozenBaseline, span: Span
    ) -> int:
        days = await self._stored(span.first, span.last, baseline.series)
        judged: IntervalRow | None = None
        if len(days) == span.days:
            # Its last day has begun at least: it is judged once that is whole.
            rows = await reader.rows(baseline.series, baseline.step, baseline.variables, span.first, span.last)
            found = [self._expected(accounts, baseline, row) for row in rows]
            await self._put(found, span.last)
            judged = next((row for row in found if row is not None), None)
        dates = list(span.dates())
        shares = dict(zip(dates, shares_of(baseline, dates), strict=True))
        written = 0
        for old in days:
            day = day_of(old.start_ms, self._model.time_zone)
            new = _share(old, judged, shares[date_of(day, self._model.time_zone)])
            if new != old:
                await self._write([new])
                written += await self._days.expect_intervals(new, day)
        return written

    def _expected(self, accounts: SiteAccounts, baseline: FrozenBaseline, entry: BaselineRow) -> IntervalRow | None:
        row = expect_row(baseline, entry, accounts.terms(baseline, entry.first, entry.last, entry.part))
        return None if row is None else without_money(row)

    async def _put(self, rows: Sequence[IntervalRow | None], day: date) -> None:
        stored = {row.point: row for row in await self._stored(day, day)}
        await self._write([row for row in rows if row is not None and stored.get(row.point) != row])

    async def _write(self, rows: Sequence[IntervalRow]) -> None:
        if rows:
            await self._before_write()
            await self._readings.write_days(rows)

    async def _clear(self, accounts: SiteAccounts, days: Sequence[Day]) -> None:
        """Nothing is expected any more of steps by which the plan does not judge."""
        judged = set()
        for baseline in accounts.baselines.values():
            names = baseline.shifts or ("",)
            judged |= {step_series(baseline.series, baseline.step, name) for name in names}
        for day in days:
            rows = await self._readings.days(self._model.site, day.start_ms, day.start_ms + 1)
            gone = [row for row in rows if is_step_series(row.point) and row.point not in judged]
            await self._write([without_expected(row) for row in gone if row.expected is not None])

    async def _stored(self, first: date, last: date, series: str | None = None) -> list[IntervalRow]:
        zone = self._model.time_zone
        start_ms, end_ms = moment_ms(first, time(), zone), moment_ms(last + _DAY, time(), zone)
        return await self._readings.days(self._model.site, start_ms, end_ms, series)


def _share(day: IntervalRow, judged: IntervalRow | None, share: float) -> IntervalRow:
    if judged is None or judged.expected is None:
        return without_expected(day)
    goal = None if judged.goal is None else judged.goal * share
    return replace(day, expected=judged.expected * share, goal=goal, lower=None, upper=None)

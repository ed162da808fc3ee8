"""Reads a series' days, weeks, months or shifts with their relevant variables."""

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

from evaluation.accounting.days import Day, day_of, summarise
from evaluation.judging.baseline_rows import BaselineRow, combined, weather_value
from evaluation.judging.day_variables import DayVariables, Definitions, hours_above
from evaluation.judging.steps import ShiftWindow, Span, moment_ms, shift_windows, step_series, whole_spans
from evaluation.metering.intervals import MILLISECONDS_PER_HOUR, OUTAGE, PARTIAL
from evaluation.plan.plan_baselines import ShiftSettings
from evaluation.plan.plan_variables import Step
from store.plans import Plans
from store.protocol import IntervalRow, ReadingStore

_DAY = timedelta(days=1)


class BaselineReader:
    """Reads rows of one site, as a baseline is fitted on them and savings are counted.

    Args:
        readings: where intervals and days are.
        plans: where values of tables and temperatures of hours are kept.
        site: its id.
        zone: its clock.
    """

    def __init__(self, readings: ReadingStore, plans: Plans, site: str, zone: ZoneInfo) -> None:
        self._readings = readings
        self._variables = DayVariables(readings, plans, site, zone)
        self._plans = plans
        self._site = site
        self._zone = zone

    async def rows(
        self,
        series: str,
        step: Step,
        definitions: Definitions,
        first: date,
        last: date,
        shifts: Mapping[str, ShiftSettings] | None = None,
    ) -> list[BaselineRow]:
        """The days from the first to the last, both included, or the weeks and months that lie in between as a whole.

        Shifts count to the day on which they begin.
        """
        if step == "day":
            return await self.days(series, definitions, first, last)
        if step == "shift":
            return await self._shifts(series, definitions, first, last, shifts or {})
        spans = whole_spans(step, first, last)
        if not spans:
            return []
        days = await self.days(series, definitions, spans[0].first, spans[-1].last)
        return [
            combined(step, span, mine, definitions, await self._outage_shares(mine))
            for span in spans
            for mine in [days[(span.first - spans[0].first).days : (span.last - spans[0].first).days + 1]]
        ]

    async def days(self, series: str, definitions: Definitions, first: date, last: date) -> list[BaselineRow]:
        """The site-local days from the first to the last, both included."""
        if last < first:
            return []
        start_ms, end_ms = self._midnight_ms(first), self._midnight_ms(last + _DAY)
        by_start: dict[int, dict[str, IntervalRow]] = {}
        for name in sorted({series}.union(*(entry.needed_series for entry in definitions.values()))):
            for row in await self._readings.days(self._site, start_ms, end_ms, name):
                by_start.setdefault(row.start_ms, {})[name] = row
        dates = list(Span(first, last).dates())
        days = [day_of(self._midnight_ms(local), self._zone) for local in dates]
        found = await self._variables.of_days(definitions, days, by_start)
        return [
            BaselineRow(
                local.isoformat(),
                local,
                local,
                by_start.get(day.start_ms, {}).get(series),
                values.variables,
                values.temperatures,
                tables=values.tables,
            )
            for local, day, values in zip(dates, days, found, strict=True)
        ]

    async def _shifts(
        self, series: str, definitions: Definitions, first: date, last: date, shifts: Mapping[str, ShiftSettings]
    ) -> list[BaselineRow]:
        found: list[BaselineRow] = []
        while first <= last:
            # A month at a time: its intervals are read at once.
            until = min(last, first + timedelta(days=30))
            found += await self._some_shifts(series, definitions, Span(first, until), shifts)
            first = until + _DAY
        return found

    async def _some_shifts(
        self, series: str, definitions: Definitions, span: Span, shifts: Mapping[str, ShiftSettings]
    ) -> list[BaselineRow]:
        windows = [window for day in span.dates() for window in shift_windows(shifts, day, self._zone)]
        start_ms, end_ms = self._midnight_ms(span.first), max(window.end_ms for window in windows)
        intervals = {
            name: await self._readings.intervals(self._site, start_ms, end_ms, name)
            for name in {series}.union(*(entry.needed_series for entry in definitions.values()))
        }
        tables: Mapping[str, Mapping[str, float]] = {}
        if any(entry.is_table for entry in definitions.values()):
            after = (span.last + _DAY).isoformat()
            tables = await self._plans.daily(self._site, span.first.isoformat(), after)
        weather = {name: entry for name, entry in definitions.items() if entry.weather is not None}
        days = await self.days(series, weather, span.first, span.last + _DAY) if weather else []
        read = _ReadShifts(self._zone, intervals, tables, {day.first: day for day in days})
        return [read.row(window, series, definitions) for window in windows]

    async def _outage_shares(self, days: Sequence[BaselineRow]) -> dict[str, float]:
        """Of each day that counts as one without mains: for which share of it there were none."""
        found = {}
        for entry in days:
            if entry.row is not None and entry.row.quality == OUTAGE:
                day = day_of(entry.row.start_ms, self._zone)
                rows = await self._readings.intervals(self._site, day.start_ms, day.end_ms, entry.row.point)
                found[entry.label] = sum(row.quality == OUTAGE for row in rows) / day.interval_count
        return found

    def _midnight_ms(self, local: date) -> int:
        return moment_ms(local, time(), self._zone)


@dataclass(frozen=True, slots=True)
class _ReadShifts:
    """What is stored of some shifts: intervals by series, tables by variable and day, days with temperatures."""

    zone: ZoneInfo
    intervals: Mapping[str, Sequence[IntervalRow]]
    tables: Mapping[str, Mapping[str, float]]
    days: Mapping[date, BaselineRow]

    def row(self, window: ShiftWindow, series: str, definitions: Definitions) -> BaselineRow:
        """The row of a shift."""
        of_shift = {name: self._within(name, window) for name in self.intervals}
        length = (window.end_ms - window.start_ms) / MILLISECONDS_PER_HOUR / 24.0
        variables: dict[str, float | None] = {}
        samples: dict[str, tuple[float, ...]] = {}
        for name, entry in definitions.items():
            if entry.weather is not None:
                hours = self._temperatures(name, window)
                if hours:
                    samples[name] = hours
                variables[name] = weather_value(entry, hours, length) if hours else None
            elif (given := self.tables.get(name, {}).get(f"{window.day.isoformat()}/{window.name}")) is not None:
                variables[name] = given
            elif entry.hours is not None:
                whole = of_shift[entry.hours.point]
                known = whole is not None and whole.quality != PARTIAL
                variables[name] = hours_above(entry.hours, self._rows(entry.hours.point, window)) if known else None
            elif not entry.series:
                variables[name] = None
            else:
                parts = [of_shift[part] for part in entry.series]
                amounts = [part.amount for part in parts if part is not None and part.quality != PARTIAL]
                variables[name] = math.fsum(amounts) if len(amounts) == len(parts) else None
        used = of_shift[series]
        if used is not None:
            midnight_ms = moment_ms(window.day, time(), self.zone)
            used = replace(used, point=step_series(series, "shift", window.name), start_ms=midnight_ms)
        return BaselineRow(window.label, window.day, window.day, used, variables, samples, length)

    def _rows(self, series: str, window: ShiftWindow) -> Sequence[IntervalRow]:
        rows = self.intervals[series]
        first = bisect_left(rows, window.start_ms, key=lambda row: row.start_ms)
        return rows[first : bisect_left(rows, window.end_ms, lo=first, key=lambda row: row.start_ms)]

    def _within(self, series: str, window: ShiftWindow) -> IntervalRow | None:
        rows = self._rows(series, window)
        if not rows:
            return None
        span = Day(window.start_ms, window.end_ms, f"{window.day:%Y-%m}")
        return summarise(rows[0].site, series, span, rows)

    def _temperatures(self, name: str, window: ShiftWindow) -> tuple[float, ...]:
        """Those of the hours that the shift touches; all of the day's where hours are missing."""
        found: list[float] = []
        for local in (window.day, window.day + _DAY):
            start_ms = moment_ms(local, time(), self.zone)
            end_ms = moment_ms(local + _DAY, time(), self.zone)
            if window.end_ms <= start_ms:
                break
            day = self.days.get(local)
            hours = () if day is None else day.temperatures.get(name, ())
            if not hours:
                return ()
            if len(hours) == (end_ms - start_ms) // MILLISECONDS_PER_HOUR:
                first = max(0, window.start_ms - start_ms) // MILLISECONDS_PER_HOUR
                hours = hours[first : -((start_ms - window.end_ms) // MILLISECONDS_PER_HOUR)]
            found += hours
        return tuple(found)

"""Writes a site's days out of its intervals: sums, cost, emissions, what is expected; and what intervals should be."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from evaluation.accounting.day_money import DayMoney, Money
from evaluation.accounting.days import Day, day_of, day_on, summarise
from evaluation.accounting.generation_days import GenerationDays
from evaluation.accounting.material_days import MaterialDays
from evaluation.accounting.refrigerant_days import SERIES as REFRIGERANTS
from evaluation.accounting.refrigerant_days import refrigerant_day
from evaluation.judging.baseline_rows import BaselineRow
from evaluation.judging.day_variables import DayValues, DayVariables, Definitions, date_of
from evaluation.judging.expectation import expect_intervals, expect_row, without_expected
from evaluation.judging.steps import is_step_series
from evaluation.metering.intervals import PARTIAL
from evaluation.metering.site_series import site_resource, site_series
from evaluation.plan.accounts import SiteAccounts
from evaluation.site_model import SiteModel
from site_config.points import Resource
from store.plans import Plans
from store.protocol import IntervalRow, ReadingStore
from store.schema import RESOURCES_OF_DAYS

ByStart = Mapping[int, Mapping[str, IntervalRow]]


@dataclass(frozen=True, slots=True)
class Written:
    """How many rows were written."""

    intervals: int
    days: int


class DayWriter:
    """Writes days of one site; only rows that change are written.

    Args:
        readings: where intervals are read and days are written.
        plans: where values of tables are; None without accounts.
        model: the site.
        before_write: awaited before anything is written; what it raises ends the work.
    """

    def __init__(
        self,
        readings: ReadingStore,
        plans: Plans | None,
        model: SiteModel,
        before_write: Callable[[], Awaitable[None]],
    ) -> None:
        self._readings = readings
        self._model = model
        self._before_write = before_write
        self._materials = MaterialDays(
            model.points, model.assignments, None if model.accounts is None else model.accounts.plan
        )
        self._generation = GenerationDays(model.points)
        self._variables = None if plans is None else DayVariables(readings, plans, model.site, model.time_zone)

    async def write(
        self, day: Day, series: Collection[str] | None = None, intervals: Iterable[IntervalRow] | None = None
    ) -> Written:
        """Write the day's row of each of these series, of all when None, and what depends on them.

        `intervals` are all that are stored of the day, where the caller has read them already.
        """
        site, accounts = self._model.site, self._model.accounts
        rows: dict[str, list[IntervalRow]] = {}
        by_start: dict[int, dict[str, IntervalRow]] = {}
        if intervals is None:
            intervals = await self._readings.intervals(site, day.start_ms, day.end_ms)
        for row in intervals:
            rows.setdefault(row.point, []).append(row)
            by_start.setdefault(row.start_ms, {})[row.point] = row
        stored = {row.point: row for row in await self._readings.days(site, day.start_ms, day.start_ms + 1)}
        touched = set(rows if series is None else series)
        if accounts is not None:
            touched |= accounts.depending(sorted(touched))
        wanted = touched & set(rows)
        days = {name: summarise(site, name, day, rows.get(name, ())) for name in sorted(wanted)}
        expected: list[IntervalRow] = []
        avoided: Mapping[str, float] = {}
        if accounts is not None:
            money = await self._money(accounts, day, by_start)
            avoided = money.avoided_kg_a_kwh()
            of_points = {name: money.of_series(name, mine) for name, mine in rows.items()}
            days = {name: _with_money(money, row, of_points, avoided) for name, row in days.items()}
        days |= self._without_intervals(day, touched, rows, by_start, stored, avoided)
        if accounts is not None:
            days |= self._topped_up(accounts, day, stored)
            known = {**stored, **days}
            for name in sorted(set(days) & set(accounts.baselines)):
                days[name] = await self._expect(accounts, name, known, stored.get(name), day, anew=series is not None)
        for name in sorted(wanted):
            found = self._expected_intervals(accounts, name, rows.get(name, []), days.get(name), day)
            expected += [new for new, old in zip(found, rows.get(name, []), strict=True) if new != old]
        changed = [row for name, row in days.items() if stored.get(name) != row]
        await self._before_write()
        if expected:
            await self._readings.write_intervals(expected)
        if changed:
            await self._readings.write_days(changed)
        return Written(len(expected), len(changed))

    def _without_intervals(
        self,
        day: Day,
        touched: Collection[str],
        rows: Mapping[str, Sequence[IntervalRow]],
        by_start: ByStart,
        stored: Mapping[str, IntervalRow],
        avoided: Mapping[str, float],
    ) -> dict[str, IntervalRow]:
        """The days of series that have no intervals, and empty ones in place of those that nothing says any more."""
        needed = self._materials.points | self._generation.points
        if needed.isdisjoint(touched) and all(name in rows for name in touched):
            return {}
        site, electricity = self._model.site, site_series(Resource.ELECTRICITY.value)
        days = {name: summarise(site, name, day, rows[name]) for name in (*sorted(needed), electricity) if name in rows}
        found = [
            *self._materials.rows(days, date_of(day, self._model.time_zone)),
            *self._generation.rows(by_start, days.get(electricity), avoided),
        ]
        said = {row.point: row for row in found}
        gone = [row for row in stored.values() if _is_of_days(row) and row.point not in said]
        return said | {
            row.point: IntervalRow(
                site, row.point, row.start_ms, 0.0, None, 0.0, PARTIAL, row.resource, month=row.month
            )
            for row in gone
        }

    def _topped_up(self, accounts: SiteAccounts, day: Day, stored: Mapping[str, IntervalRow]) -> dict[str, IntervalRow]:
        row = refrigerant_day(accounts.plan, self._model.site, day, date_of(day, self._model.time_zone))
        old = stored.get(REFRIGERANTS)
        if row is None and old is not None:
            row = replace(old, amount=0.0, co2e=0.0, co2e_market=None)
        return {} if row is None else {REFRIGERANTS: row}

    async def priced_after(self, bought: Collection[Day]) -> list[Day]:
        """The later days whose prices follow from what was bought on these: those that blocks of energy join."""
        accounts, zone = self._model.accounts, self._model.time_zone
        found: dict[int, Day] = {}
        for day in bought:
            if accounts is None:
                break
            money = DayMoney(accounts.plan, accounts.tariffs, self._model.points, date_of(day, zone), zone)
            if money.blocks_until is not None:
                end_ms = day_on(money.blocks_until, zone).start_ms
                for start_ms in await self._readings.day_starts(self._model.site, day.end_ms, end_ms):
                    found[start_ms] = day_of(start_ms, zone)
        return [found[start_ms] for start_ms in sorted(found)]

    async def _money(self, accounts: SiteAccounts, day: Day, by_start: ByStart) -> DayMoney:
        zone = self._model.time_zone
        money = DayMoney(accounts.plan, accounts.tariffs, self._model.points, date_of(day, zone), zone)
        earlier = []
        if money.blocks_since is not None:
            first = day_on(money.blocks_since, zone)
            stored: dict[int, dict[str, IntervalRow]] = {}
            for main in money.mains:
                for row in await self._readings.intervals(self._model.site, first.start_ms, day.start_ms, main):
                    stored.setdefault(row.start_ms, {})[row.point] = row
            earlier = money.bought(stored)
        money.price_day(by_start, earlier)
        return money

    async def keep_weather(self, definitions: Definitions, days: Sequence[Day]) -> None:
        """Keep the hours' temperatures of days: a baseline may be fitted on them when raw readings are gone."""
        if self._variables is not None:
            await self._variables.of_days(definitions, days, {}, anew=True)

    async def expect_intervals(self, judged: IntervalRow, day: Day) -> int:
        """Write what is expected of the intervals of a day's row that has changed; returns how many were written."""
        series = judged.point
        rows = await self._readings.intervals(self._model.site, day.start_ms, day.end_ms, series)
        found = self._expected_intervals(self._model.accounts, series, rows, judged, day)
        changed = [new for new, old in zip(found, rows, strict=True) if new != old]
        if changed:
            await self._readings.write_intervals(changed)
        return len(changed)

    async def _expect(
        self,
        accounts: SiteAccounts,
        series: str,
        known: Mapping[str, IntervalRow],
        stored: IntervalRow | None,
        day: Day,
        *,
        anew: bool,
    ) -> IntervalRow:
        baseline, row = accounts.baselines[series], known[series]
        if baseline.step == "shift":
            return row
        if baseline.step != "day":
            # Its share of the week or month, which is written when that is over.
            return replace(row, expected=stored.expected, goal=stored.goal) if stored is not None else row
        local = date_of(day, self._model.time_zone)
        values = DayValues({}, {})
        if self._variables is not None:
            (values,) = await self._variables.of_days(baseline.variables, [day], {day.start_ms: known}, anew=anew)
        entry = BaselineRow(local.isoformat(), local, local, row, values.variables, values.temperatures)
        return expect_row(baseline, entry, accounts.terms(baseline, local)) or row

    def _expected_intervals(
        self,
        accounts: SiteAccounts | None,
        series: str,
        rows: list[IntervalRow],
        judged: IntervalRow | None,
        day: Day,
    ) -> list[IntervalRow]:
        baseline = None if accounts is None else accounts.baselines.get(series)
        if accounts is None or baseline is None:
            if all(row.expected is None for row in rows):
                return rows
            return [without_expected(row) for row in rows]
        zone = self._model.time_zone
        local = date_of(day, zone)
        return expect_intervals(baseline, rows, judged, accounts.terms(baseline, local), local, zone)


def _is_of_days(row: IntervalRow) -> bool:
    return row.resource in RESOURCES_OF_DAYS and not is_step_series(row.point)


def _with_money(
    money: DayMoney,
    row: IntervalRow,
    of_points: Mapping[str, Money],
    avoided_kg_a_kwh: Mapping[str, float],
) -> IntervalRow:
    """The day's row with its cost, its emissions and what it avoided; a site's are those of its points."""
    resource = site_resource(row.point)
    found = of_points.get(row.point, Money()) if resource is None else money.of_site(resource, of_points)
    a_kwh = avoided_kg_a_kwh.get(row.point)
    return replace(
        row,
        cost=found.cost,
        co2e=found.co2e,
        co2e_market=found.co2e_market,
        avoided_co2e=None if a_kwh is None else a_kwh * row.amount,
    )

"""What each day adds to the electricity bill of its month, a series for each line (`bill.night`, `bill.demand`).

A day's `cost` in the series of a line is the running bill of the month up to that day less the one up to the day before
(`baselines.billing`): standing and demand charges by days, and a day that raises the month's peak carries what that
makes the days before it dearer too. So the days of a month add up to its bill, to the cent, whatever the line, and a
day depends on none after it. `amount` is the day's kWh or kvarh of the line (0 of others), `demand` of `bill.demand`
the day's own highest window in the charge's unit. `month` is the billing period.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from baselines.billing import (
    ONE_DAY,
    BillingPeriod,
    PeriodUse,
    bill_findings,
    bill_period,
    period_of,
    period_use,
)
from baselines.errors import BaselineError
from baselines.row_quality import NEVER_A_PEAK
from baselines.tariff import DEMAND, Bill, BillLine, IntervalUse, Tariff
from evaluation.accounting.days import day_on
from evaluation.accounting.prepaid_days import PrepaidDays
from evaluation.metering.intervals import MEASURED
from evaluation.metering.site_series import main_points
from evaluation.plan.plan_file import PlanFile
from evaluation.site_model import SiteModel
from site_config.points import Resource
from store.protocol import IntervalRow, ReadingStore
from store.schema import BILL, BILL_SERIES, EARLIEST_MS, LATEST_MS

WHOLE = 0.999
"""Coverage of an interval that is over and was read throughout."""
_HOURLY = frozenset({"kWh", "kvarh"})
_REMEMBERED = 1000

Billed = dict[tuple[str, int], IntervalRow]
"""Intervals by point and start."""


@dataclass(frozen=True, slots=True)
class PeriodBill:
    """A billing period with its bill, running up to the last day that has data; None where `problem` says why.

    `day_lines` is what each day adds, by line.
    """

    period: BillingPeriod
    bill: Bill | None = None
    day_lines: Mapping[date, Mapping[str, "DayLine"]] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class DayLine:
    """What a day adds to a line of the bill; `demand` is the day's own highest window, of the line of the demand."""

    amount: Decimal
    cost: Decimal
    demand: Decimal | None = None


def bill_with_days(
    used: PeriodUse, rows: Sequence[IntervalUse], earlier_demands: Sequence[Decimal], last: date
) -> PeriodBill:
    """The bill of a period, and what each day up to `last` adds to it. Raises BaselineError as `bill_period`."""
    before: dict[str, DayLine] = {}
    day_lines: dict[date, dict[str, DayLine]] = {}
    day = used.period.first
    while day <= last:
        so_far = _by_name(bill_period(used, earlier_demands, day).lines)
        peak = next((peak for peak in reversed(used.peaks.get(day, ())) if peak is not None), None)
        day_lines[day] = {
            name: DayLine(
                found.amount - before.get(name, _NOTHING).amount,
                found.cost - before.get(name, _NOTHING).cost,
                peak if name == DEMAND else None,
            )
            for name, found in so_far.items()
        }
        before = so_far
        day += ONE_DAY
    bill = bill_period(used, earlier_demands, last)
    findings = [*bill.findings, *bill_findings(used, rows)]
    if day < used.period.after:
        findings.append(f"{len(day_lines)} of {used.period.days} days so far; standing and demand charges are of these")
    return PeriodBill(used.period, replace(bill, findings=tuple(findings)), day_lines)


async def nothing() -> None:
    """There is nobody to ask."""


class BillDays:
    """Writes the bill's series of one site, and what is left of prepaid tokens; only rows that change are written.

    Args:
        readings: where intervals are read and days are written.
        model: the site.
        before_write: awaited before anything is written; what it raises ends the work.
        billed: the last intervals that stand in the site's bills, to be kept for the next writer of the site. Without
            it more is computed, and the same written.
    """

    def __init__(
        self,
        readings: ReadingStore,
        model: SiteModel,
        before_write: Callable[[], Awaitable[None]] = nothing,
        billed: Billed | None = None,
    ) -> None:
        self._billed: Billed = {} if billed is None else billed
        self._prepaid = PrepaidDays(readings, model, before_write)
        self._readings = readings
        self._model = model
        self._before_write = before_write
        self._tariffs: tuple[Tariff, ...] = () if model.accounts is None else model.accounts.tariffs
        plan = None if model.accounts is None else model.accounts.plan
        self._billing_day, self._first_demands = _contract(plan)
        self._ratchet_months = max((each.demand.ratchet_months for each in self._tariffs if each.demand), default=0)
        self._mains = main_points(model.points, Resource.ELECTRICITY)
        needed = any(tariff.bills_reactive for tariff in self._tariffs)
        self._reactive = main_points(model.points, Resource.REACTIVE_ENERGY) if needed else ()

    def news(self, rows: Iterable[IntervalRow]) -> list[IntervalRow]:
        """Those of these intervals that bills are made of and that did not say the same when bills were made last."""
        if not self._tariffs and not self._prepaid.tokens:
            return []
        sources = {*self._mains, *self._reactive}
        return [row for row in rows if row.point in sources and self._billed.get((row.point, row.start_ms)) != row]

    async def write_news(self, news: Sequence[IntervalRow]) -> None:
        """Write what follows from these intervals.

        The one that runs is left for when it is over: a month is summed up four times an hour, not each second.
        """
        newest = max((row.start_ms for row in news), default=0)
        over = [row for row in news if row.start_ms < newest or row.coverage >= WHOLE]
        if over:
            await self.write({_local(row.start_ms, self._model.time_zone).date() for row in over})
            self._billed.clear()
            self._billed.update({(row.point, row.start_ms): row for row in over[-_REMEMBERED:]})

    async def write(self, days: Collection[date] | None = None) -> int:
        """Write what follows from these days, all when None; returns how many rows were written."""
        written = 0
        for found in await self._periods(days):
            written += await self._write_period(found)
        return written + await self._prepaid.write(days)

    async def bills(self) -> list[PeriodBill]:
        """All periods that have data, oldest first."""
        return await self._periods(None)

    async def _periods(self, days: Collection[date] | None) -> list[PeriodBill]:
        """The periods that these days touch, and those after whose ratchets look back on them, each with its bill."""
        since_ms, demands = EARLIEST_MS, dict[BillingPeriod, Decimal]()
        if days and self._ratchet_months:
            demands = await self._stored_demands()
        elif days:
            since_ms = day_on(period_of(min(days), self._billing_day).first, self._model.time_zone).start_ms
        known = await self._days_with_data(since_ms)
        if not known or not self._tariffs:
            periods = sorted({period_of(day) for day in known}, key=lambda period: period.first)
            return [PeriodBill(period, problem="no tariff") for period in periods]
        with_data = sorted({period_of(day, self._billing_day) for day in known}, key=lambda period: period.first)
        touched = {period_of(day, self._billing_day) for day in known if days is None or day in days}
        found: list[PeriodBill] = []
        for number, period in enumerate(with_data):
            if touched.isdisjoint(with_data[max(0, number - self._ratchet_months) : number + 1]):
                continue
            earlier = [*self._first_demands, *(demands[each] for each in with_data[:number] if each in demands)]
            is_over = max(known) >= period.after
            billed = await self._bill(period, earlier, period.after - ONE_DAY if is_over else max(known))
            demands.pop(period, None)
            if billed.bill is not None and billed.bill.demand is not None:
                demands[period] = billed.bill.demand
            found.append(billed)
        return found

    async def _days_with_data(self, since_ms: int) -> set[date]:
        site, zone = self._model.site, self._model.time_zone
        rows = [row for main in self._mains for row in await self._readings.days(site, since_ms, LATEST_MS, main)]
        return {_local(row.start_ms, zone).date() for row in rows}

    async def _stored_demands(self) -> dict[BillingPeriod, Decimal]:
        rows = await self._readings.days(self._model.site, EARLIEST_MS, LATEST_MS, BILL_SERIES + DEMAND)
        found: dict[BillingPeriod, Decimal] = {}
        for row in rows:
            if row.demand is not None:
                period = period_of(_local(row.start_ms, self._model.time_zone).date(), self._billing_day)
                found[period] = max(found.get(period, Decimal(0)), Decimal(repr(row.demand)))
        return found

    async def _bill(self, period: BillingPeriod, earlier: Sequence[Decimal], last: date) -> PeriodBill:
        rows = await self._uses(period)
        try:
            return bill_with_days(period_use(self._tariffs, period, rows), rows, earlier, last)
        except BaselineError as problem:
            # Told by `leanmeter plan bills`; the notes of `plan check` say beforehand what the tariff lacks.
            return PeriodBill(period, problem=str(problem))

    async def _uses(self, period: BillingPeriod) -> list[IntervalUse]:
        zone = self._model.time_zone
        start_ms, end_ms = day_on(period.first, zone).start_ms, day_on(period.after, zone).start_ms
        by_start: dict[int, dict[str, IntervalRow]] = {}
        for point in (*self._mains, *self._reactive):
            for row in await self._readings.intervals(self._model.site, start_ms, end_ms, point):
                by_start.setdefault(row.start_ms, {})[point] = row
        return [self._use(start, rows) for start, rows in sorted(by_start.items())]

    def _use(self, start_ms: int, rows: Mapping[str, IntervalRow]) -> IntervalUse:
        bought = sum(max(rows[name].amount, 0.0) for name in self._mains if name in rows)
        reactive = None
        if self._reactive:
            # A meter that was silent for a while makes no peak, and no month without a bill.
            reactive = sum(max(rows[name].amount, 0.0) for name in self._reactive if name in rows)
        needed = (*self._mains, *self._reactive)
        whole = all(name in rows and rows[name].quality not in NEVER_A_PEAK for name in needed)
        return IntervalUse(_local(start_ms, self._model.time_zone), bought, reactive, may_set_peak=whole)

    async def _write_period(self, billed: PeriodBill) -> int:
        zone, period = self._model.time_zone, billed.period
        start_ms, end_ms = day_on(period.first, zone).start_ms, day_on(period.after, zone).start_ms
        stored = {
            (row.start_ms, row.point): row
            for row in await self._readings.days(self._model.site, start_ms, end_ms)
            if row.resource == BILL
        }
        rows = {
            (row.start_ms, row.point): row
            for day, mine in billed.day_lines.items()
            for row in (self._row(period, day, name, line) for name, line in mine.items())
        }
        for key, old in stored.items():
            if key not in rows and (old.cost or old.amount):
                # A line that is on the bill no longer.
                rows[key] = replace(old, amount=0.0, demand=None, cost=0.0)
        changed = [row for key, row in rows.items() if stored.get(key) != row]
        if changed:
            await self._before_write()
            await self._readings.write_days(changed)
        return len(changed)

    def _row(self, period: BillingPeriod, day: date, name: str, line: DayLine) -> IntervalRow:
        return IntervalRow(
            site=self._model.site,
            point=BILL_SERIES + name,
            start_ms=day_on(day, self._model.time_zone).start_ms,
            amount=float(line.amount),
            demand=None if line.demand is None else float(line.demand),
            coverage=1.0,
            quality=MEASURED,
            resource=BILL,
            month=period.label,
            cost=float(line.cost),
        )


_NOTHING = DayLine(Decimal(0), Decimal(0))


def _by_name(lines: Sequence[BillLine]) -> dict[str, DayLine]:
    """Lines by name, those of several versions together."""
    found: dict[str, DayLine] = {}
    for line in lines:
        before = found.get(line.name, _NOTHING)
        amount = line.quantity if line.unit in _HOURLY else Decimal(0)
        found[line.name] = DayLine(before.amount + amount, before.cost + line.amount)
    return found


def _contract(plan: PlanFile | None) -> tuple[int, tuple[Decimal, ...]]:
    tariff = None if plan is None else plan.tariff
    return (1, ()) if tariff is None else (tariff.billing_day, tariff.earlier_demands)


def _local(time_ms: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(time_ms / 1000, zone)

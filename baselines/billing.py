"""Bills of several periods in a row: each by the versions of the tariff that hold in it, remembering earlier peaks.

A period is a month that begins on the contract's billing day. When a version of the tariff ends within it:

* energy and reactive energy cost what the version of their own day says;
* a standing charge costs each version's price times the version's share of the period's days;
* the highest demand is the period's, as the meter's maximum register is reset once a period; it is not shared out, but
  each version's price for it is, by days;
* blocks of energy have each version's share of their size, by days;
* surcharges apply to the lines of their own version.

That is how billing systems of suppliers prorate by effective dates (Oracle Utilities, *Rates*: effective dates and
proration, step proration, where what measures a peak is exempt). Each version's share is a line of the bill.

A running bill, of the days that are over, charges standing and demand charges for these days alone; blocks have the
size that they will have at the end. So the differences from day to day add up to the bill, to the cent, and a day that
raises the period's peak carries what that makes the days before it dearer too.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from baselines.errors import BaselineError
from baselines.tariff import (
    Bill,
    BillLine,
    IntervalUse,
    Share,
    Tariff,
    Use,
    added,
    bill_lines,
    billed_demand,
    highest_demand,
    tariff_on,
    use_of,
)

QUARTERS_AN_HOUR = 4
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class BillingPeriod:
    """The days from `first` to the day before `after`."""

    first: date
    after: date

    @property
    def days(self) -> int:
        """How many."""
        return (self.after - self.first).days

    @property
    def label(self) -> str:
        """`2026-11` for a calendar month, else first and last day: `2026-10-16/2026-11-15`."""
        return f"{self.first:%Y-%m}" if self.first.day == 1 else f"{self.first}/{self.after - ONE_DAY}"


def period_of(day: date, billing_day: int = 1) -> BillingPeriod:
    """The billing period of a day; a period begins on the day `billing_day` (1 to 28) of each month."""
    first = day.replace(day=billing_day)
    if first > day:
        first = (day.replace(day=1) - ONE_DAY).replace(day=billing_day)
    return BillingPeriod(first, (first.replace(day=28) + timedelta(days=4)).replace(day=billing_day))


@dataclass(frozen=True, slots=True)
class Version:
    """A tariff and the days from `first` to the day before `after` of a period on which it holds."""

    tariff: Tariff
    first: date
    after: date

    def share(self, period: BillingPeriod, last: date) -> Share:
        """Its part of the period, of which the days up to `last` are billed."""
        elapsed = (min(self.after, last + ONE_DAY) - self.first).days
        return Share(Fraction((self.after - self.first).days, period.days), Fraction(max(elapsed, 0), period.days))


def versions_in(tariffs: Sequence[Tariff], period: BillingPeriod) -> tuple[Version, ...]:
    """The versions that hold in a period, the first first."""
    found = [
        Version(tariff, max(tariff.valid_from, period.first), min(tariff.valid_to or period.after, period.after))
        for tariff in tariffs
        if tariff.valid_from < period.after and (tariff.valid_to is None or period.first < tariff.valid_to)
    ]
    return tuple(sorted(found, key=lambda version: version.first))


@dataclass(frozen=True, slots=True)
class PeriodUse:
    """What a period's bills are made of: each day's use by its version, and its highest demand as each version has it.

    `peaks` are in the order of `versions`, None for one that charges no demand.
    """

    period: BillingPeriod
    versions: tuple[Version, ...]
    uses: Mapping[date, Use]
    peaks: Mapping[date, tuple[Decimal | None, ...]]

    @property
    def last_day(self) -> date:
        """The last day that has intervals."""
        return max(self.uses)


def period_use(tariffs: Sequence[Tariff], period: BillingPeriod, rows: Sequence[IntervalUse]) -> PeriodUse:
    """Sum up the intervals of a period by day.

    Raises BaselineError when there are none, a day has no version or several, an interval has no price, or reactive
    energy is missing that a version bills.
    """
    if not rows:
        raise BaselineError("the month has no intervals")
    by_day: dict[date, list[IntervalUse]] = defaultdict(list)
    for row in rows:
        by_day[row.start.date()].append(row)
    versions = versions_in(tariffs, period)
    charges = [version.tariff.demand for version in versions]
    return PeriodUse(
        period,
        versions,
        {day: use_of(tariff_on(tariffs, day), mine) for day, mine in by_day.items()},
        {
            day: tuple(None if charge is None else highest_demand(charge, mine) for charge in charges)
            for day, mine in by_day.items()
        },
    )


def bill_period(used: PeriodUse, earlier_demands: Sequence[Decimal] = (), last: date | None = None) -> Bill:
    """The bill of a period, or its running bill up to the day `last`; see the module.

    `earlier_demands` are the periods' before, newest last. Raises BaselineError when an amount has no price.
    """
    last = last or used.period.after - ONE_DAY
    lines: list[BillLine] = []
    findings: list[str] = []
    demand = None
    for number, version in enumerate(used.versions):
        share = version.share(used.period, last)
        if not share.elapsed:
            continue
        charge, billed = version.tariff.demand, None
        if charge is not None:
            peaks = [peaks[number] for day, peaks in used.peaks.items() if day <= last]
            demand = max((peak for peak in peaks if peak is not None), default=Decimal(0))
            billed, why = billed_demand(charge, demand, earlier_demands)
            findings += [why] if why else []
        days = [day for day in used.uses if version.first <= day < version.after and day <= last]
        mine = bill_lines(version.tariff, added([used.uses[day] for day in days]), billed, share)
        if share.elapsed != 1:
            covered = ((min(version.after, last + ONE_DAY) - version.first).days, used.period.days)
            mine = [replace(line, version=version.tariff.name, days=covered) for line in mine]
        lines += mine
    total = sum((line.amount for line in lines), Decimal(0))
    return Bill(tuple(lines), total, used.versions[0].tariff.currency, demand, tuple(findings))


def bill_months(
    tariffs: Sequence[Tariff],
    rows: Sequence[IntervalUse],
    earlier_demands: Sequence[Decimal] = (),
    billing_day: int = 1,
) -> Mapping[str, Bill]:
    """A bill for each billing period of the data, by its label, oldest first.

    A finding says which versions of the tariff share a period, when intervals are missing, and how many set no peak.
    Raises BaselineError naming the period.
    """
    periods: dict[BillingPeriod, list[IntervalUse]] = defaultdict(list)
    for row in rows:
        periods[period_of(row.start.date(), billing_day)].append(row)
    bills: dict[str, Bill] = {}
    demands = list(earlier_demands)
    for period in sorted(periods, key=lambda entry: entry.first):
        try:
            used = period_use(tariffs, period, periods[period])
            bill = bill_period(used, demands)
        except BaselineError as problem:
            raise BaselineError(f"{period.label}: {problem}") from problem
        bills[period.label] = replace(bill, findings=(*bill.findings, *bill_findings(used, periods[period])))
        if bill.demand is not None:
            demands.append(bill.demand)
    return bills


def bill_findings(used: PeriodUse, rows: Sequence[IntervalUse]) -> list[str]:
    """Which versions share the period, and what its intervals lack."""
    period = used.period
    found = [
        f"{version.tariff.name}: {(version.after - version.first).days} of {period.days} days, from "
        f"{version.first}; standing charge, demand and blocks are shared out by days"
        for version in used.versions
        if version.share(period, version.after).held != 1
    ]
    expected = _quarters(period.first, period.after, rows[0].start)
    if len(rows) < expected:
        found.append(f"{len(rows)} of the month's {expected} intervals are there; the bill is of these alone")
    unmeasured = sum(not row.may_set_peak for row in rows)
    if unmeasured and any(version.tariff.demand is not None for version in used.versions):
        found.append(
            f"{unmeasured} of the month's intervals have no measured power; the highest demand may have been more"
        )
    return found


def _quarters(first: date, after: date, sample: datetime) -> int:
    """How many intervals lie between two local midnights: a day with 23 or 25 hours has its own number."""
    start, end = (datetime(day.year, day.month, day.day, tzinfo=sample.tzinfo) for day in (first, after))
    hours = (end - start) / timedelta(hours=1)
    if sample.tzinfo is not None:
        hours = (end.timestamp() - start.timestamp()) / 3600
    return round(hours * QUARTERS_AN_HOUR)

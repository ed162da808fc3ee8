"""A site's week: what was used each day, against what was expected. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median
from zoneinfo import ZoneInfo

from notifications.day_spans import local_day
from store.protocol import IntervalRow
from store.schema import ENERGY, SITE_SERIES, WEEKS

DAYS = 7
WHOLE = 0.95
"""A week with less coverage than this is not compared with another."""
_REST = 0.5
"""Where nobody counts products, a day that uses less than this part of the week's middle day is one of rest."""
_HOURS = 24
_ELECTRICITY = SITE_SERIES + "electricity"
_SERIES = (SITE_SERIES + ENERGY, _ELECTRICITY)


@dataclass(frozen=True, slots=True)
class DayUse:
    """A day in kWh; `amount` is None where nothing was measured, the others where nothing calculates them.

    `worked` is whether something was made that day, None where nobody counts products.
    """

    day: date
    amount: float | None = None
    coverage: float = 0.0
    expected: float | None = None
    lower: float | None = None
    upper: float | None = None
    goal: float | None = None
    worked: bool | None = None

    @property
    def usual(self) -> float:
        """What such a day uses: what is expected of it, else what it used."""
        return self.expected if self.expected is not None else self.amount or 0.0

    @property
    def judged(self) -> bool:
        """Whether it can be compared with what was expected."""
        return None not in (self.amount, self.expected, self.lower, self.upper)

    @property
    def excess(self) -> float:
        """How far a judged day is from what was expected, as a share of that."""
        return (self.amount or 0.0) / self.expected - 1 if self.expected else 0.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """The sums of the days that can be judged, in kWh.

    The bounds of the days are added up. Errors of days are not known to be independent, and this is as wide as the
    band of their sum can be.
    """

    days: int
    amount: float
    expected: float
    lower: float
    upper: float

    @property
    def excess(self) -> float:
        """How far it is from what was expected, as a share of that."""
        return self.amount / self.expected - 1 if self.expected else 0.0


@dataclass(frozen=True, slots=True)
class Week:
    """Seven site-local days from a Monday.

    `resource` is energy (all of it) or electricity, `amount` its use in kWh, `coverage` 0 to 1; `before` is the amount
    of the week before where both weeks were measured whole. `peak_kw` is the highest 15-minute demand, at `peak_ms`;
    `base_kw` the lowest. `judged_whole` is there where the plan judges by week.
    """

    first: date
    resource: str
    days: tuple[DayUse, ...]
    before: float | None
    peak_kw: float | None
    peak_ms: int | None
    base_kw: float | None
    electricity_kwh: float | None
    judged_whole: Comparison | None = None

    @property
    def last(self) -> date:
        """Its Sunday."""
        return self.first + timedelta(days=DAYS - 1)

    @property
    def amount(self) -> float | None:
        """What was used in the days that were measured; None when none was."""
        known = [day.amount for day in self.days if day.amount is not None]
        return sum(known) if known else None

    @property
    def coverage(self) -> float:
        """Which part of the week was measured."""
        return sum(day.coverage for day in self.days) / DAYS

    @property
    def working_days(self) -> tuple[DayUse, ...]:
        """The measured days on which the site worked: only these are worth being compared with each other."""
        measured = [day for day in self.days if day.amount is not None]
        if any(day.worked is not None for day in measured):
            return tuple(day for day in measured if day.worked)
        least = _REST * median(day.usual for day in measured) if measured else 0.0
        return tuple(day for day in measured if day.usual >= least)

    @property
    def comparison(self) -> Comparison | None:
        """Against what was expected; None when no day can be judged."""
        judged = [day for day in self.days if day.judged]
        if self.judged_whole is not None or not judged:
            return self.judged_whole
        sums = [sum(getattr(day, name) for day in judged) for name in ("amount", "expected", "lower", "upper")]
        return Comparison(len(judged), *sums)

    @property
    def goal(self) -> float | None:
        """What the goal allowed; None when it is not known of each day."""
        goals = [day.goal for day in self.days if day.goal is not None]
        return sum(goals) if len(goals) == DAYS else None

    @property
    def base_share(self) -> float | None:
        """Which part of the electricity the lowest demand would have used, had there been nothing else."""
        if self.base_kw is None or not self.electricity_kwh:
            return None
        return self.base_kw * _HOURS * DAYS * self.coverage / self.electricity_kwh


def week_of(
    rows: Sequence[IntervalRow], first: date, zone: ZoneInfo, products: Sequence[IntervalRow] | None = None
) -> Week:
    """The week from a Monday on, out of the days (and weeks) of a site from a week before.

    `products` has the days of all that counts what is made, None where nothing does. All energy counts where it is
    known (`site.energy`), else electricity. Peak and base are those of electricity.
    """
    named = {name: {local_day(row.start_ms, zone): row for row in rows if row.point == name} for name in _SERIES}
    series = next((name for name in _SERIES if any(first <= day < _after(first) for day in named[name])), _ELECTRICITY)
    this = [named[series].get(first + timedelta(days=number)) for number in range(DAYS)]
    before = [named[series].get(first - timedelta(days=number)) for number in range(1, DAYS + 1)]
    electricity = [row for day, row in named[_ELECTRICITY].items() if first <= day < _after(first)]
    peak = max((row for row in electricity if row.demand is not None), key=lambda row: row.demand or 0.0, default=None)
    made = None if products is None else {local_day(row.start_ms, zone) for row in products if row.amount > 0.0}
    return Week(
        first=first,
        resource=series.removeprefix(SITE_SERIES),
        days=tuple(_day_use(first + timedelta(days=number), row, made) for number, row in enumerate(this)),
        before=sum(row.amount for row in before if row) if _is_whole(before) and _is_whole(this) else None,
        peak_kw=None if peak is None else peak.demand,
        peak_ms=None if peak is None else peak.peak_ms,
        base_kw=min((row.minimum for row in electricity if row.minimum is not None), default=None),
        electricity_kwh=sum(row.amount for row in electricity) if electricity else None,
        judged_whole=_compared(rows, series, first, zone),
    )


def _compared(rows: Sequence[IntervalRow], series: str, first: date, zone: ZoneInfo) -> Comparison | None:
    """The week's own row, where there is one that is judged; it stands at the Sunday."""
    for row in rows:
        if row.point == series + WEEKS and local_day(row.start_ms, zone) == first + timedelta(days=DAYS - 1):
            if row.expected is None or row.lower is None or row.upper is None:
                return None
            return Comparison(DAYS, row.amount, row.expected, row.lower, row.upper)
    return None


def _after(first: date) -> date:
    return first + timedelta(days=DAYS)


def _is_whole(rows: Sequence[IntervalRow | None]) -> bool:
    return sum(row.coverage for row in rows if row is not None) / DAYS >= WHOLE


def _day_use(day: date, row: IntervalRow | None, made: Collection[date] | None) -> DayUse:
    if row is None:
        return DayUse(day)
    worked = None if made is None else day in made
    return DayUse(day, row.amount, row.coverage, row.expected, row.lower, row.upper, row.goal, worked)

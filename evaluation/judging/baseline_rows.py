"""What a baseline is fitted on and savings are counted of: a row a day, week, month or shift. Pure."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from baselines.observations import Observations
from baselines.row_quality import LEFT_OUT, RowQuality, WeighedRows, weighed
from baselines.sayings import say
from baselines.weather_model import BALANCE, Temperatures
from evaluation.accounting.days import LEAST_OUTAGE_SHARE
from evaluation.judging.steps import Span, label_of, step_series
from evaluation.metering.intervals import MEASURED, OUTAGE, PARTIAL, weakest
from evaluation.plan.plan_variables import Step, VariableSettings
from store.protocol import IntervalRow

Samples = Mapping[str, tuple[float, ...]]
"""Outside temperatures in °C by the variable that is made of them."""


@dataclass(frozen=True, slots=True)
class BaselineRow:
    """Site-local days from the first to the last, or a shift of one: what was used, and what it depends on.

    `row` is the series' own, None where there is none; a variable is None where it is not known. Of a variable whose
    balance point is still to be searched the value is the mean temperature. `temperatures` are those of weather
    variables that are known, `days` is the length, `tables` what tables say of a step that begins on this day.
    """

    label: str
    first: date
    last: date
    row: IntervalRow | None
    variables: Mapping[str, float | None]
    temperatures: Samples = field(default_factory=dict)
    days: float = 1.0
    tables: Mapping[str, float] = field(default_factory=dict)

    @property
    def part(self) -> float:
        """Which part of its days it is: less than 1 for a shift."""
        return self.days / ((self.last - self.first).days + 1)

    @property
    def is_known(self) -> bool:
        """Whether it can be judged: its use is whole, there were mains, and each variable is known."""
        whole = self.row is not None and self.row.quality not in LEFT_OUT
        return whole and None not in self.variables.values()

    @property
    def waits_for(self) -> str:
        """What is missing, in a word; empty when nothing is."""
        if self.row is None or self.row.quality == PARTIAL:
            return say("readings")
        if self.row.quality in LEFT_OUT:
            return say("mains")
        missing = [name for name, value in self.variables.items() if value is None]
        return ", ".join(name for name in missing if not name.endswith(BALANCE))


def narrowed(rows: Sequence[BaselineRow], names: Collection[str]) -> list[BaselineRow]:
    """The rows with some of their variables only."""
    return [
        replace(
            row,
            variables={name: row.variables[name] for name in names},
            temperatures={name: samples for name, samples in row.temperatures.items() if name in names},
        )
        for row in rows
    ]


def observed(rows: Sequence[BaselineRow]) -> WeighedRows:
    """The rows that are known, weighed as what they are; see `baselines.row_quality`."""
    known = [entry for entry in rows if entry.is_known]
    names = list(rows[0].variables) if rows else []
    used = [entry.row for entry in known if entry.row is not None]
    observations = Observations(
        tuple(entry.label for entry in known),
        tuple(row.amount for row in used),
        {name: tuple(entry.variables[name] or 0.0 for entry in known) for name in names},
    )
    qualities = [RowQuality(row.quality, row.coverage, entry.days) for row, entry in zip(used, known, strict=True)]
    return weighed(observations, qualities)


def temperatures_of(entry: VariableSettings, samples: Sequence[float], days: float) -> Temperatures:
    """What a weather variable looks at: a row's hours, or for a change point their mean."""
    if entry.change_point is not None:
        return Temperatures(((math.fsum(samples) / len(samples),),), (1.0,))
    return Temperatures((tuple(samples),), (days,))


def weather_value(entry: VariableSettings, samples: Sequence[float], days: float) -> float:
    """Degree days, or degrees beyond a change point; the mean temperature while no base is known."""
    weather = entry.weather
    if weather is None or weather.base is None:
        return math.fsum(samples) / len(samples)
    return temperatures_of(entry, samples, days).degree_days(weather.kind, weather.base)[0]


def combined(
    step: Step,
    span: Span,
    days: Sequence[BaselineRow],
    definitions: Mapping[str, VariableSettings],
    outage_shares: Mapping[str, float],
) -> BaselineRow:
    """The row of a week or a month out of its days; `outage_shares` are those of days without mains, by label.

    What is known of every day is added; a table's row of the whole step counts as it is. Without mains for a tenth of
    it, a step is left out as a day would be.
    """
    samples: dict[str, tuple[float, ...]] = {}
    variables: dict[str, float | None] = {}
    for name, entry in definitions.items():
        values = [day.variables.get(name) for day in days]
        if entry.weather is not None:
            hours = [day.temperatures.get(name) for day in days]
            known = [each for each in hours if each is not None]
            if len(known) == len(days):
                samples[name] = tuple(value for each in known for value in each)
            variables[name] = weather_value(entry, samples[name], span.days) if name in samples else None
        elif entry.per != "day" and (name in days[0].tables or not entry.series):
            variables[name] = days[0].tables.get(name)
        else:
            numbers = [value for value in values if value is not None]
            variables[name] = math.fsum(numbers) if len(numbers) == len(values) else None
    row = _sum_of(step, [day.row for day in days], math.fsum(outage_shares.values()) / span.days)
    return BaselineRow(label_of(step, span), span.first, span.last, row, variables, samples, float(span.days))


def _sum_of(step: Step, rows: Sequence[IntervalRow | None], outage_share: float) -> IntervalRow | None:
    known = [row for row in rows if row is not None]
    if len(known) < len(rows):
        return None
    qualities = {row.quality for row in known}
    if outage_share < LEAST_OUTAGE_SHARE:
        qualities = {MEASURED if quality == OUTAGE else quality for quality in qualities}
    peak = max(known, key=lambda row: -math.inf if row.demand is None else row.demand)
    costs, emissions = [row.cost for row in known], [row.co2e for row in known]
    last = known[-1]
    return IntervalRow(
        site=last.site,
        point=step_series(last.point, step),
        start_ms=last.start_ms,
        amount=math.fsum(row.amount for row in known),
        demand=peak.demand,
        coverage=math.fsum(row.coverage for row in known) / len(known),
        quality=weakest(qualities),
        resource=last.resource,
        peak_ms=peak.peak_ms,
        minimum=min((row.minimum for row in known if row.minimum is not None), default=None),
        month=last.month,
        cost=_sum(costs),
        co2e=_sum(emissions),
    )


def _sum(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) if len(known) == len(values) else None


def without_money(row: IntervalRow) -> IntervalRow:
    """As it is stored beside days that have their cost already: nobody shall add it twice."""
    return replace(row, cost=None, co2e=None)

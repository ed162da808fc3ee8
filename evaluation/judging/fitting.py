"""Fits a baseline on what is stored of its period."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from baselines.errors import BaselineError
from baselines.validity import Validity, assess
from baselines.versions import freeze
from baselines.week_profile import QUARTERS_A_DAY, DayCurve, WeekProfile, fit_profile
from evaluation.accounting.days import day_of
from evaluation.judging.baseline_days import BaselineReader
from evaluation.judging.baseline_rows import BaselineRow, narrowed, observed
from evaluation.judging.billed_months import with_bills
from evaluation.judging.frozen_baseline import FrozenBaseline
from evaluation.judging.variable_fitting import chosen_among, fit_variables, paid_for
from evaluation.metering.site_series import counted_points, site_resource, site_series
from evaluation.metering.unmetered import SUFFIX
from evaluation.plan.accounts import resource_of
from evaluation.plan.plan_baselines import BaselineSettings, BillsTable
from evaluation.plan.plan_file import PlanFile
from evaluation.site_model import SiteModel
from site_config.points import Resource
from store.plans import Plans
from store.protocol import IntervalRow, ReadingStore
from store.schema import EXPORTED, SELF_CONSUMED
from wire_format.quantities import QUANTITIES

UNITS = {"energy": "kWh", "electricity": "kWh", "heat": "kWh", "water": "m3", "compressed_air": "m3"} | {
    SELF_CONSUMED: "kWh",
    EXPORTED: "kWh",
}
"""Of the amounts of resources that are counted in one unit only."""
_PULSES = "pulses"
_MINUTES_A_QUARTER = 15


@dataclass(frozen=True, slots=True)
class Fitted:
    """A baseline ready to be frozen, what DOE's tests say of it, and the rows of its period."""

    baseline: FrozenBaseline
    validity: Validity
    rows: tuple[BaselineRow, ...]


def unit_of(series: str, model: SiteModel) -> str:
    """The unit of a series' amounts; empty for what is counted by pulses, whose factor alone knows it."""
    resource = resource_of(series, model.points) or ""
    if series == site_series(Resource.FUEL.value):
        return "kWh"
    if resource in UNITS:
        return UNITS[resource]
    whole = site_resource(series) is not None
    points = {point.id for point in counted_points(model.points, resource)} if whole else {series.removesuffix(SUFFIX)}
    measured = {entry.amount_quantity for entry in model.assignments if entry.point in points}
    units = {QUANTITIES[name].unit for name in measured if name in QUANTITIES} or {"kg"}
    return "" if len(units) > 1 or _PULSES in units else units.pop()


async def fit_baseline(
    readings: ReadingStore,
    plans: Plans,
    model: SiteModel,
    plan: PlanFile,
    settings: BaselineSettings,
    *,
    author: str,
    number: int,
    today: date,
) -> Fitted:
    """Fit a baseline; raises BaselineError when its rows cannot carry it, saying what is missing."""
    first, last = settings.period.first, settings.period.last
    reader = BaselineReader(readings, plans, model.site, model.time_zone)
    entries = await period_rows(reader, plan, settings, model.site, last)
    try:
        names, tried = settings.variables, 1
        if settings.choose:
            names, tried = chosen_among(observed(entries).observations, names, _coverage(entries))
            entries = narrowed(entries, names)
        definitions = {name: plan.variables[name] for name in names}
        known = [entry for entry in entries if entry.is_known]
        found = fit_variables(known, observed(entries).observations, definitions)
    except BaselineError as problem:
        raise BaselineError(f"{settings.id}: {problem}{_missing(entries)}") from problem
    fitted, coverage = paid_for(found.model, tried), _coverage(entries)
    version = freeze(
        fitted,
        found.observations,
        number=number,
        energy=settings.series,
        unit=unit_of(settings.series, model),
        author=author,
        frozen_on=today,
        bases=found.bases,
        static_factors=settings.static_factors,
    )
    days = entries
    if settings.step != "day":
        days = [] if settings.bills is not None else await reader.days(settings.series, {}, first, last)
    frozen = FrozenBaseline(
        settings.id,
        settings.series,
        first.isoformat(),
        last.isoformat(),
        version,
        {
            name: entry.with_base(found.bases[name]) if name in found.bases else entry
            for name, entry in definitions.items()
        },
        coverage,
        await _profile(readings, model, settings.series, days),
        settings.step,
        plan.shifts if settings.step == "shift" else {},
        settings.variables if settings.choose else (),
    )
    return Fitted(frozen, assess(fitted, coverage=coverage), tuple(entries))


def _coverage(entries: Sequence[BaselineRow]) -> float:
    return sum(entry.is_known for entry in entries) / max(len(entries), 1)


async def period_rows(
    reader: BaselineReader, plan: PlanFile, settings: BaselineSettings, site: str, last: date
) -> list[BaselineRow]:
    """The rows of a baseline's period up to a day: as they were metered, or as bills say."""
    definitions = {name: plan.variables[name] for name in settings.variables}
    first = settings.period.first
    rows = await reader.rows(settings.series, settings.step, definitions, first, last, plan.shifts)
    if isinstance(settings.bills, BillsTable):
        return with_bills(rows, settings.bills, settings.bills_factor, site, settings.series)
    return rows


async def _profile(
    readings: ReadingStore, model: SiteModel, series: str, days: Sequence[BaselineRow]
) -> WeekProfile | None:
    zone = model.time_zone
    curves = []
    for entry in days:
        if not entry.is_known or entry.row is None:
            continue
        day = day_of(entry.row.start_ms, zone)
        rows = await readings.intervals(model.site, day.start_ms, day.end_ms, series)
        curves.append(_curve(rows, model))
    try:
        return fit_profile(curves)
    except BaselineError:
        # The days are judged all the same; only the running day's curve has nothing to be compared with yet.
        return None


def _curve(rows: Sequence[IntervalRow], model: SiteModel) -> DayCurve:
    amounts: list[list[float]] = [[] for _ in range(QUARTERS_A_DAY)]
    weekday = 0
    for row in rows:
        local = datetime.fromtimestamp(row.start_ms / 1000, model.time_zone)
        weekday = local.weekday()
        amounts[(local.hour * 60 + local.minute) // _MINUTES_A_QUARTER].append(row.amount)
    return DayCurve(weekday, tuple(math.fsum(values) / len(values) if values else None for values in amounts))


def _missing(rows: Sequence[BaselineRow]) -> str:
    unknown = [row for row in rows if not row.is_known]
    if not unknown:
        return ""
    return f"; {len(unknown)} of {len(rows)} are not known ({unknown[0].label}: no {unknown[0].waits_for})"

"""Fits a baseline on what is stored of its period."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from baselines.errors import BaselineError
from baselines.linear_model import fit
from baselines.validity import Validity, assess
from baselines.versions import freeze
from baselines.week_profile import QUARTERS_A_DAY, DayCurve, WeekProfile, fit_profile
from evaluation.accounts import resource_of
from evaluation.baseline_days import BaselineDay, observed, read_days
from evaluation.day_variables import DayVariables
from evaluation.days import day_of
from evaluation.frozen_baseline import FrozenBaseline
from evaluation.plan_file import BaselineSettings, PlanFile
from evaluation.site_model import SiteModel
from evaluation.site_series import counted_points, site_resource, site_series
from evaluation.unmetered import SUFFIX
from site_config.points import Resource
from store.plans import Plans
from store.protocol import IntervalRow, ReadingStore
from store.schema import EXPORTED, SELF_CONSUMED
from wire_format.quantities import QUANTITIES

_UNITS = {"energy": "kWh", "electricity": "kWh", "heat": "kWh", "water": "m3", "compressed_air": "m3"} | {
    SELF_CONSUMED: "kWh",
    EXPORTED: "kWh",
}
_PULSES = "pulses"
_MINUTES_A_QUARTER = 15


@dataclass(frozen=True, slots=True)
class Fitted:
    """A baseline ready to be frozen, what DOE's tests say of it, and the days it was fitted on."""

    baseline: FrozenBaseline
    validity: Validity
    days: tuple[BaselineDay, ...]


def unit_of(series: str, model: SiteModel) -> str:
    """The unit of a series' amounts; empty for what is counted by pulses, whose factor alone knows it."""
    resource = resource_of(series, model.points) or ""
    if series == site_series(Resource.FUEL.value):
        return "kWh"
    if resource in _UNITS:
        return _UNITS[resource]
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
    """Fit a baseline; raises BaselineError when its days cannot carry it, saying what is missing."""
    definitions = {name: plan.variables[name] for name in settings.variables}
    first, last, zone = settings.period.first, settings.period.last, model.time_zone
    variables = DayVariables(readings, plans, model.site, zone)
    days = await read_days(readings, variables, model.site, settings.series, definitions, first, last, zone)
    rows = observed(days)
    coverage = len(rows.observations) / len(days)
    try:
        fitted = fit(rows.observations, settings.variables)
    except BaselineError as problem:
        raise BaselineError(f"{settings.id}: {problem}{_missing(days)}") from problem
    version = freeze(
        fitted,
        rows.observations,
        number=number,
        energy=settings.series,
        unit=unit_of(settings.series, model),
        author=author,
        frozen_on=today,
        static_factors=settings.static_factors,
    )
    profile = await _profile(readings, model, settings.series, days)
    frozen = FrozenBaseline(
        settings.id, settings.series, first.isoformat(), last.isoformat(), version, definitions, coverage, profile
    )
    return Fitted(frozen, assess(fitted, coverage=coverage), tuple(days))


async def _profile(
    readings: ReadingStore, model: SiteModel, series: str, days: Sequence[BaselineDay]
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


def _missing(days: Sequence[BaselineDay]) -> str:
    unknown = [day for day in days if not day.is_known]
    if not unknown:
        return ""
    return f"; {len(unknown)} of {len(days)} days are not known ({unknown[0].label}: no {unknown[0].waits_for})"

"""Does a plan fit the site it is for? Mistakes that make it unusable, and notes of what it leaves unsaid. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from baselines.errors import BaselineError
from evaluation.judging.day_variables import temperature_devices
from evaluation.judging.fitting import UNITS
from evaluation.metering.site_series import counted_points
from evaluation.plan.accounts import resource_of
from evaluation.plan.plan_baselines import BillsTable
from evaluation.plan.plan_file import PlanFile
from evaluation.plan.tariff_file import tariffs_of
from site_config.points import Point, Resource, Role
from store.schema import ENERGY, MATERIALS_WASTED


@dataclass(frozen=True, slots=True)
class PlanCheck:
    """`mistakes` make the plan unusable; `notes` are for its author."""

    mistakes: tuple[str, ...]
    notes: tuple[str, ...]


def check_plan(plan: PlanFile, points: Sequence[Point], devices: Collection[str], today: date) -> PlanCheck:
    """Compare a plan with the site's points and devices."""
    mistakes = [*_unknown_names(plan, points), *_money_mistakes(plan, points), *_goal_mistakes(plan, points)]
    mistakes += [*_unknown_devices(plan, devices), *_other_units(plan, points)]
    return PlanCheck(tuple(mistakes), tuple(_notes(plan, points, today)))


def _unknown_names(plan: PlanFile, points: Sequence[Point]) -> list[str]:
    by_id = {point.id: point for point in points}
    series = [(f"baselines: {each.id}.series", each.series) for each in plan.baselines]
    series += [("goals: series", each.series) for each in plan.goals]
    series += [(f"variables: {name}.series", each) for name, entry in plan.variables.items() for each in entry.series]
    found = [f"{key}: the site has no series {name!r}" for key, name in series if resource_of(name, points) is None]
    named = [("calorific_values: point", each.point) for each in plan.calorific_values]
    named += [("prices: point", each.point) for each in plan.prices]
    named += [("piece_masses: point", each.point) for each in plan.piece_masses]
    named += [("waste_destinations: point", each.point) for each in plan.waste_destinations]
    named += [("generators: point", each.point) for each in plan.generators]
    named += [("generators: fuel", each.fuel) for each in plan.generators]
    named += [
        (f"variables: {name}.hours.point", entry.hours.point)
        for name, entry in plan.variables.items()
        if entry.hours is not None
    ]
    found += [f"{key}: the site has no point {name!r}" for key, name in named if name not in by_id]
    found += _material_mistakes(plan, by_id)
    for each in plan.generators:
        fuel = by_id.get(each.fuel)
        if fuel is not None and (fuel.resource is not Resource.FUEL or fuel.role is not Role.MAIN):
            found.append(f"generators: fuel: {each.fuel!r} must be a point of resource fuel and role main")
    resources = {point.resource.value for point in points}
    found += [
        f"emission_factors: of: {each.of!r} is neither a resource nor a point of the site"
        for each in plan.emission_factors
        if each.of not in resources and each.of not in by_id
    ]
    return found


def _material_mistakes(plan: PlanFile, by_id: Mapping[str, Point]) -> list[str]:
    found = []
    for balance in plan.material_balances:
        for key, names, resource in (
            ("inputs", balance.inputs, Resource.MATERIAL),
            ("products", balance.products, Resource.PRODUCT),
            ("wastes", balance.wastes, Resource.WASTE),
        ):
            for name in names:
                point = by_id.get(name)
                if point is None or point.resource is not resource:
                    is_what = "is no point of the site" if point is None else f"measures {point.resource.value}"
                    found.append(
                        f"material_balances: {balance.id}.{key}: {name!r} {is_what}; expected is {resource.value}"
                    )
    for each in plan.waste_destinations:
        point = by_id.get(each.point)
        if point is not None and point.resource is not Resource.WASTE:
            found.append(f"waste_destinations: point: {each.point!r} measures {point.resource.value}")
    return found


def _unknown_devices(plan: PlanFile, devices: Collection[str]) -> list[str]:
    return [
        f"variables: {name}.temperature.device: the site has no device {place.device!r}"
        for name, entry in plan.variables.items()
        for place in temperature_devices({name: entry})
        if place.device not in devices
    ]


def _other_units(plan: PlanFile, points: Sequence[Point]) -> list[str]:
    """Bills are in the unit of what is metered, or a factor makes it."""
    found = []
    for entry in plan.baselines:
        unit = UNITS.get(resource_of(entry.series, points) or "")
        given = entry.bills.unit if isinstance(entry.bills, BillsTable) else ""
        if given and unit and given.replace("³", "3").lower() != unit.lower() and entry.bills_factor == 1.0:
            found.append(f"baselines: {entry.id}.bills: are in {given}, {entry.series} is in {unit}; give bills_factor")
    return found


def _money_mistakes(plan: PlanFile, points: Sequence[Point]) -> list[str]:
    electric = {point.id for point in points if point.resource is Resource.ELECTRICITY}
    found = [
        f"prices: point: {each.point!r} measures electricity; its price is in electricity_tariff"
        for each in plan.prices
        if each.point in electric
    ]
    dated = [("prices: point", each.point, each.first) for each in plan.prices]
    dated += [
        (f"emission_factors: of ({each.method or 'no method'})", each.of, each.first) for each in plan.emission_factors
    ]
    twice = sorted({entry for entry in dated if dated.count(entry) > 1})
    return found + [f"{key}: {name!r} begins twice on {first}; give one" for key, name, first in twice]


def _goal_mistakes(plan: PlanFile, points: Sequence[Point]) -> list[str]:
    found = []
    for entry in plan.goals:
        try:
            entry.goal(resource_of(entry.series, points) or "")
        except (BaselineError, ValueError) as problem:
            found.append(str(problem))
    return found


def _notes_on_material(plan: PlanFile, points: Sequence[Point]) -> list[str]:
    found = [
        f"goals: {each.series}: less material used; what SCORE firms report is of site.{MATERIALS_WASTED}"
        for each in plan.goals
        if each.share is None and resource_of(each.series, points) == Resource.MATERIAL.value
    ]
    sent = {each.point for each in plan.waste_destinations}
    if sent:
        found += [
            f"waste_destinations: none for {point.id}; without it nothing is said of where the site's waste goes"
            for point in counted_points(points, Resource.WASTE.value)
            if point.id not in sent
        ]
    factors, fuelled = {each.of for each in plan.emission_factors}, {each.point for each in plan.generators}
    found += [
        f"emission_factors: none for {point.id}; what it avoids is not said (0 for what burns nothing)"
        for point in points
        if point.role is Role.GENERATION and Resource.ELECTRICITY.value in factors and point.id not in factors | fuelled
    ]
    return found


def _notes(plan: PlanFile, points: Sequence[Point], today: date) -> list[str]:
    with_value = {each.point for each in plan.calorific_values}
    found = [
        f"calorific_values: none for {point.id}; without it there is no site.energy"
        for point in counted_points(points, ENERGY)
        if point.resource is Resource.FUEL and point.id not in with_value
    ]
    wrong = {each.point for each in plan.calorific_values if each.basis != plan.basis}
    found += [f"calorific_values: {name} is not {plan.basis}; a sum of gross and net means nothing" for name in wrong]
    compared = {baseline.series for baseline in plan.baselines}
    found += [f"goals: {each.series}: has no baseline" for each in plan.goals if each.series not in compared]
    found += _notes_on_material(plan, points)
    if plan.currency is None and (plan.prices or plan.electricity_tariff is not None):
        found.append("currency: is missing; savings get no worth")
    if plan.tariff is not None and not any(tariff.covers(today) for tariff in tariffs_of(plan.tariff)):
        found.append(f"electricity_tariff: none is valid on {today}; its days get no cost")
    tariffs = () if plan.tariff is None else tariffs_of(plan.tariff)
    reactive = any(point.resource is Resource.REACTIVE_ENERGY and point.role is Role.MAIN for point in points)
    found += [
        f"electricity_tariff: {tariff.name} bills kVA or kvarh; without a point of resource reactive_energy and role "
        "main there is no bill of its months"
        for tariff in tariffs
        if tariff.bills_reactive and not reactive
    ]
    found += [
        f"baselines: {entry.id}: has no variables; its expected use is the mean of its period"
        for entry in plan.baselines
        if not entry.variables
    ]
    return found

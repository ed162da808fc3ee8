"""A site's plan as the evaluation needs it: prices, goals and what is expected, ready to be applied to days."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from baselines.calorific_values import kwh_a_unit
from baselines.errors import BaselineError
from baselines.goals import Goal
from baselines.tariff import Tariff
from evaluation.judging.day_variables import temperature_devices
from evaluation.judging.expectation import Terms
from evaluation.judging.frozen_baseline import FrozenBaseline, current
from evaluation.metering.site_series import site_resource
from evaluation.metering.unmetered import SUFFIX
from evaluation.plan.plan_file import PlanFile
from evaluation.plan.plan_variables import VariableSettings
from evaluation.plan.tariff_file import tariffs_of
from site_config.points import Point
from store.plans import Plans


@dataclass(frozen=True, slots=True)
class SiteAccounts:
    """`baselines` has the version that holds, by series; `goals` those of the plan, by series."""

    plan: PlanFile
    tariffs: tuple[Tariff, ...]
    baselines: Mapping[str, FrozenBaseline]
    goals: Mapping[str, Goal]
    fuelled: frozenset[str]

    def kwh_a_unit(self, day: date) -> dict[str, float]:
        """The calorific value of each fuel point that has one on a day."""
        values = self.plan.calorific()
        found = {}
        for point in {each.point for each in self.plan.calorific_values}:
            try:
                found[point] = kwh_a_unit(point, "unit", day, values, self.plan.basis)
            except BaselineError:
                # Without one the sum of all energy is left out; `leanmeter plan check` tells why.
                continue
        return found

    def terms(self, baseline: FrozenBaseline, first: date, last: date | None = None, part: float = 1.0) -> Terms:
        """What holds beside the model on a day, in all days from the first to the last, or in a part of them."""
        adjustment = part * sum(
            each.amount_a_day * each.days_within(first, last or first)
            for each in self.plan.adjustments
            if each.baseline == baseline.id
        )
        return Terms(self.plan.confidence, self.goals.get(baseline.series), adjustment)

    def heated_or_cooled(self, device: str) -> set[str]:
        """The series with a baseline one of whose variables is made of this device's temperatures."""
        return {
            baseline.series
            for baseline in self.baselines.values()
            if any(place.device == device for place in temperature_devices(baseline.variables))
        }

    def planned_weather(self, device: str) -> dict[str, VariableSettings]:
        """The variables of the plan that are made of this device's temperatures."""
        return {
            name: entry
            for name, entry in self.plan.variables.items()
            if any(place.device == device for place in temperature_devices({name: entry}))
        }

    def depending(self, series: Sequence[str]) -> set[str]:
        """The series with a baseline one of whose variables is made of one of these."""
        changed = set(series)
        return {
            baseline.series
            for baseline in self.baselines.values()
            if any(changed & entry.needed_series for entry in baseline.variables.values())
        }


def goals_of(plan: PlanFile, points: Sequence[Point]) -> dict[str, Goal]:
    """The goals of a plan by series; raises BaselineError or ValueError for one that cannot be."""
    return {entry.series: entry.goal(resource_of(entry.series, points) or "") for entry in plan.goals}


def resource_of(series: str, points: Sequence[Point]) -> str | None:
    """The resource of a series; None when the site has no such series."""
    whole = site_resource(series)
    if whole is not None:
        return whole
    name = series.removesuffix(SUFFIX)
    return next((point.resource.value for point in points if point.id == name), None)


async def load_accounts(plans: Plans, site: str, points: Sequence[Point]) -> SiteAccounts | None:
    """A site's accounts as they are stored; None without a plan."""
    stored = await plans.plan(site)
    if stored is None:
        return None
    plan = PlanFile.model_validate(stored.document)
    return SiteAccounts(
        plan=plan,
        tariffs=() if plan.tariff is None else tariffs_of(plan.tariff),
        baselines=current(plan, await plans.baselines(site)),
        goals=goals_of(plan, points),
        fuelled=frozenset(generator.point for generator in plan.generators),
    )

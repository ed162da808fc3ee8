"""The file `plan.yaml`: what a site is compared with, where it wants to go, and what its use costs and emits.

It stands beside `site.yaml`. Files that it names (a tariff, tables of daily values) are relative to it.
"""

from datetime import date
from pathlib import Path
from typing import Annotated, Self

from pydantic import Discriminator, Field, Tag, model_validator

from baselines.calorific_values import Basis, CalorificValue
from baselines.emissions import Method
from baselines.goals import SCORE_AVERAGES, Goal
from baselines.reference_factors import REFRIGERANTS
from evaluation.plan.plan_baselines import BaselineSettings, ShiftSettings, fits
from evaluation.plan.plan_materials import MaterialBalanceSettings, PieceMassSettings, WasteDestinationSettings
from evaluation.plan.plan_variables import Name, Series, Text, VariableSettings
from evaluation.plan.tariff_file import Amount, Price, TariffFile
from site_config.schema import Slug
from site_config.yaml_file import UNNAMED, StrictModel
from store.schema import MATERIALS_WASTED

Share = Annotated[float, Field(gt=0, lt=1)]


class MilestoneSettings(StrictModel):
    """So much less by a day on the way to a goal."""

    by: date
    share: Share


class GoalSettings(StrictModel):
    """So much less of a series, against its baseline, by the day `to`.

    Without `share` it is what firms in the ILO's SCORE programme report on average: 27 % less energy, 35 % less
    material wasted, 40 % less waste.
    """

    series: Series = "site.energy"
    share: Share | None = None
    first: date = Field(alias="from")
    last: date = Field(alias="to")
    milestones: Annotated[tuple[MilestoneSettings, ...], Field(max_length=50)] = ()

    def goal(self, resource: str) -> Goal:
        """The goal for a series of that resource; raises BaselineError or ValueError when it cannot be."""
        share = self.share if self.share is not None else default_share(resource)
        if share is None:
            raise ValueError(f"goals: {self.series}: needs a share; SCORE reports no average for {resource}")
        milestones = tuple((each.by, each.share) for each in self.milestones)
        return Goal(self.series, share, self.first, self.last, milestones)


class AdjustmentSettings(StrictModel):
    """A non-routine adjustment: `amount_a_day` more (below 0: less) than the model would expect, with its reason."""

    baseline: Slug
    first: date = Field(alias="from")
    last: date = Field(alias="to")
    amount_a_day: float
    reason: Text
    author: Text

    def days_within(self, first: date, last: date) -> int:
        """For how many of the days from the first to the last, both included, it holds."""
        return max(0, (min(self.last, last) - max(self.first, first)).days + 1)


class CalorificSettings(StrictModel):
    """kWh a unit of the fuel that a point measures, from a day on."""

    point: Slug
    kwh_a_unit: Annotated[float, Field(gt=0, le=100_000)]
    basis: Basis = "gross"
    first: date = Field(date(2000, 1, 1), alias="from")
    last: date | None = Field(None, alias="to")
    source: Text


class GeneratorSettings(StrictModel):
    """A generator that burns what the point `fuel` measures: its electricity is not counted beside its fuel."""

    point: Slug
    fuel: Slug


class DatedSettings(StrictModel):
    """What holds from a day (included) to a day (excluded)."""

    first: date = Field(date(2000, 1, 1), alias="from")
    last: date | None = Field(None, alias="to")

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if self.last is not None and self.last <= self.first:
            raise ValueError("to: must be later than from; it is the first day on which it no longer holds")
        return self


class PriceSettings(DatedSettings):
    """What a unit of a point's fuel, heat, water or waste costs, from a day on (electricity: by the tariff)."""

    point: Slug
    price: Price


class EmissionSettings(DatedSettings):
    """kg CO2e a unit of what a resource's or a point's meters count, from a day on."""

    of: Series
    kg_a_unit: Annotated[float, Field(ge=0)]
    method: Method | None = None
    source: Text


class RefrigerantSettings(StrictModel):
    """Refrigerant that was topped up on a day; `kg_co2e_a_kg` where it is none of IPCC's."""

    day: date = Field(alias="date")
    gas: Text
    kg: Annotated[float, Field(gt=0, le=10_000)]
    kg_co2e_a_kg: Annotated[float, Field(ge=0, le=100_000)] | None = None

    @model_validator(mode="after")
    def _has_factor(self) -> Self:
        if self.kg_co2e_a_kg is None and self.gas not in REFRIGERANTS:
            raise ValueError(f"gas: {self.gas!r} is none of {', '.join(REFRIGERANTS)}; give its kg_co2e_a_kg")
        return self

    @property
    def factor(self) -> float:
        """Kg CO2e a kg."""
        return REFRIGERANTS[self.gas] if self.kg_co2e_a_kg is None else self.kg_co2e_a_kg


class TokenSettings(StrictModel):
    """A token for a prepaid meter: what was paid on a day, and the kWh that it brought."""

    day: date = Field(alias="date")
    paid: Amount
    energy_kwh: Annotated[Amount, Field(gt=0)]


TariffOrFile = Annotated[
    Annotated[TariffFile, Tag(UNNAMED)] | Annotated[Path, Tag("file")],
    Discriminator(lambda given: "file" if isinstance(given, str | Path) else UNNAMED),
]
"""A tariff, or the file that has it."""


class PlanFile(StrictModel):
    """The file as it is written."""

    site: Slug
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    confidence: Annotated[float, Field(ge=0.5, lt=1)] = 0.9
    basis: Basis = "gross"
    variables: Annotated[dict[Name, VariableSettings], Field(default_factory=dict, max_length=50)]
    shifts: Annotated[dict[Name, ShiftSettings], Field(default_factory=dict, max_length=10)]
    baselines: Annotated[tuple[BaselineSettings, ...], Field(max_length=50)] = ()
    goals: Annotated[tuple[GoalSettings, ...], Field(max_length=50)] = ()
    adjustments: Annotated[tuple[AdjustmentSettings, ...], Field(max_length=1000)] = ()
    static_factors: Annotated[dict[str, str], Field(default_factory=dict, max_length=50)]
    calorific_values: Annotated[tuple[CalorificSettings, ...], Field(max_length=1000)] = ()
    generators: Annotated[tuple[GeneratorSettings, ...], Field(max_length=50)] = ()
    electricity_tariff: TariffOrFile | None = None
    prepaid_tokens: Annotated[tuple[TokenSettings, ...], Field(max_length=1000)] = ()
    prices: Annotated[tuple[PriceSettings, ...], Field(max_length=1000)] = ()
    emission_factors: Annotated[tuple[EmissionSettings, ...], Field(max_length=1000)] = ()
    refrigerants: Annotated[tuple[RefrigerantSettings, ...], Field(max_length=1000)] = ()
    material_balances: Annotated[tuple[MaterialBalanceSettings, ...], Field(max_length=50)] = ()
    piece_masses: Annotated[tuple[PieceMassSettings, ...], Field(max_length=1000)] = ()
    waste_destinations: Annotated[tuple[WasteDestinationSettings, ...], Field(max_length=1000)] = ()

    @model_validator(mode="after")
    def _references_hold(self) -> Self:
        ids = [baseline.id for baseline in self.baselines]
        for kind, names in (
            ("baselines: id", ids),
            ("baselines: series", [baseline.series for baseline in self.baselines]),
            ("goals: series", [goal.series for goal in self.goals]),
            ("material_balances: id", [balance.id for balance in self.material_balances]),
        ):
            for name in names:
                if names.count(name) > 1:
                    raise ValueError(f"{kind} {name!r} is used twice")
        for baseline in self.baselines:
            self._check_variables(baseline)
        starts = [shift.start for shift in self.shifts.values()]
        if len(set(starts)) < len(starts):
            raise ValueError("shifts: two begin at the same time; their rows would have one name")
        for adjustment in self.adjustments:
            if adjustment.baseline not in ids:
                raise ValueError(f"adjustments: no baseline {adjustment.baseline!r}")
            if adjustment.last < adjustment.first:
                raise ValueError(f"adjustments: {adjustment.baseline}.to: must not be before from")
        tariff = self.tariff
        if tariff is not None and self.currency not in {None, tariff.currency}:
            raise ValueError(
                f"electricity_tariff.currency: is {tariff.currency}, the plan's currency is {self.currency}; "
                "they are never mixed"
            )
        return self

    @property
    def tariff(self) -> TariffFile | None:
        """Electricity's, once its file has been read."""
        return self.electricity_tariff if isinstance(self.electricity_tariff, TariffFile) else None

    def _check_variables(self, baseline: BaselineSettings) -> None:
        key = f"baselines: {baseline.id}"
        if baseline.step == "shift" and not self.shifts:
            raise ValueError(f"{key}.step: shift needs shifts with their hours")
        if baseline.bills is not None and any(
            (entry := self.variables.get(name)) is not None and not entry.is_table for name in baseline.variables
        ):
            raise ValueError(f"{key}.variables: months of bills were not metered; take variables from tables (csv)")
        searched = []
        for name in baseline.variables:
            entry = self.variables.get(name)
            if entry is None:
                raise ValueError(f"{key}.variables: no {name!r} in variables")
            if not fits(entry, baseline.step):
                raise ValueError(
                    f"{key}.variables: {name} is known by {entry.per}, the baseline's step is {baseline.step}"
                )
            if entry.weather is not None and entry.weather.base is None:
                searched.append(entry)
        if baseline.choose and searched:
            raise ValueError(f"{key}.choose: needs degree days with a base; a search and a choice are not made at once")
        if len({entry.weather.kind for entry in searched if entry.weather}) < len(searched):
            raise ValueError(f"{key}.variables: give one heating and one cooling without a base at most")
        places = {
            (entry.weather.temperature.model_dump_json(), entry.change_point is None)
            for entry in searched
            if entry.weather
        }
        if len(places) > 1:
            raise ValueError(f"{key}.variables: balance points are searched in the same temperatures only")

    def calorific(self) -> tuple[CalorificValue, ...]:
        """The calorific values, with the point that measures the fuel as its carrier."""
        return tuple(
            CalorificValue(each.point, "unit", each.kwh_a_unit, each.basis, each.first, each.source, each.last)
            for each in self.calorific_values
        )


def default_share(resource: str) -> float | None:
    """What SCORE firms report on average for a resource; None where nothing is reported."""
    return SCORE_AVERAGES.get(score_average(resource) or "")


def score_average(resource: str) -> str | None:
    """Which of SCORE's averages speaks of a resource."""
    if resource in {"energy", "electricity", "fuel", "heat", "compressed_air"}:
        return "energy"
    return {"waste": "waste", "material": "materials_wasted", MATERIALS_WASTED: "materials_wasted"}.get(resource)

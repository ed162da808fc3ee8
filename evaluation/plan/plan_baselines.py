"""Baselines of `plan.yaml`: of which series, by which step, on what they depend, and which bills they start from."""

from datetime import date, time
from pathlib import Path
from typing import Annotated, Self

from pydantic import Discriminator, Field, Tag, model_validator

from baselines.meter_accuracy import METER_LIMITS_PERCENT, TRANSFORMER_LIMITS_PERCENT, MeterAccuracy
from baselines.variable_selection import MOST_CANDIDATES
from evaluation.plan.plan_variables import Name, Series, Step, VariableSettings
from site_config.schema import Slug
from site_config.yaml_file import UNNAMED, StrictModel
from store.schema import RESOURCES_OF_DAYS, SITE_SERIES


class PeriodSettings(StrictModel):
    """Site-local days, the first and the last included."""

    first: date = Field(alias="from")
    last: date = Field(alias="to")

    @model_validator(mode="after")
    def _ascends(self) -> Self:
        if self.last <= self.first:
            raise ValueError("to: must be later than from")
        return self


class ShiftSettings(StrictModel):
    """A shift by the local clock, on quarters of an hour; `to` at or before `from` is on the next day."""

    start: time = Field(alias="from")
    end: time = Field(alias="to")

    @model_validator(mode="after")
    def _on_quarters(self) -> Self:
        for key, moment in (("from", self.start), ("to", self.end)):
            if moment.minute % 15 or moment.second or moment.microsecond:
                raise ValueError(f"{key}: {moment} is not on a quarter of an hour")
        return self


class BillsTable(StrictModel):
    """Bills as they were read from their file: the day of each reading, and what was used since the one before."""

    unit: str = ""
    readings: Annotated[tuple[tuple[date, float], ...], Field(min_length=2, max_length=1000)]


BillsOrFile = Annotated[
    Annotated[BillsTable, Tag(UNNAMED)] | Annotated[Path, Tag("file")],
    Discriminator(lambda given: UNNAMED if isinstance(given, BillsTable | dict) else "file"),
]
"""Bills, or the file that has them."""


class BaselineSettings(StrictModel):
    """A baseline of a series, by `step`. What follows its period is reported, or what comes from `report_from` on.

    With `choose` its `variables` are candidates; the best are taken when it is fitted. With `bills`, the months
    of its period are those of a table of bills (columns reading_date, energy_use, unit), times `bills_factor`; it is
    judged against metered months.
    """

    id: Slug
    series: Series = "site.energy"
    step: Step = "day"
    period: PeriodSettings
    bills: BillsOrFile | None = None
    bills_factor: Annotated[float, Field(gt=0)] = 1.0
    variables: Annotated[tuple[Name, ...], Field(max_length=8)] = ()
    choose: bool = False
    report_from: date | None = None
    static_factors: Annotated[dict[str, str], Field(default_factory=dict, max_length=50)]
    meter_class: str | None = None
    ct_class: str | None = None

    @model_validator(mode="after")
    def _known_classes(self) -> Self:
        for key, given, known in (
            ("meter_class", self.meter_class, METER_LIMITS_PERCENT),
            ("ct_class", self.ct_class, TRANSFORMER_LIMITS_PERCENT),
        ):
            if given is not None and given not in known:
                raise ValueError(f"{key}: {given!r} is not known; there are {', '.join(known)}")
        if self.ct_class is not None and self.meter_class is None:
            raise ValueError("ct_class: needs meter_class beside it")
        if self.report_from is not None and self.report_from <= self.period.last:
            raise ValueError("report_from: must be after the baseline period")
        if self.bills is not None and self.step != "month":
            raise ValueError("bills: are spread over calendar months; give step: month")
        if self.step == "shift" and self.series.removeprefix(SITE_SERIES) in RESOURCES_OF_DAYS:
            raise ValueError(f"step: {self.series} is known by whole days, not by shifts; use day, week or month")
        if self.choose and not 1 <= len(self.variables) <= MOST_CANDIDATES:
            raise ValueError(f"choose: needs 1 to {MOST_CANDIDATES} variables to choose from")
        return self

    @property
    def accuracy(self) -> MeterAccuracy | None:
        """Of the meters, where their class is given."""
        return None if self.meter_class is None else MeterAccuracy(self.meter_class, self.ct_class)


def fits(entry: VariableSettings, step: Step) -> bool:
    """Whether a variable's values can be had for each row of a baseline: days make weeks and months, nothing else."""
    if entry.csv is None:
        return True
    return entry.per == step or (entry.per == "day" and step in {"week", "month"})

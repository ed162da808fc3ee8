"""Reads `plan.yaml` with the tariff and the tables that it names."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from evaluation.plan_file import PlanFile, VariableSettings
from evaluation.tariff_file import TariffFile
from leanmeter.data_file import read_table
from site_config.errors import ConfigurationError
from site_config.yaml_file import load_model

DATE_COLUMN = "date"


class PlanFileError(ConfigurationError):
    """The plan cannot be used."""


@dataclass(frozen=True, slots=True)
class LoadedPlan:
    """A plan with its tariff in it, and the values of its tables by variable and ISO date."""

    plan: PlanFile
    daily: Mapping[str, Mapping[str, float]]


def load_plan_file(path: Path) -> LoadedPlan:
    """Read a plan; raises ConfigurationError with one line that names file, key or row and says what to do."""
    plan = load_model(path, PlanFile, PlanFileError)
    if isinstance(plan.electricity_tariff, Path):
        tariff = load_model(path.parent / plan.electricity_tariff, TariffFile, PlanFileError)
        if plan.currency not in {None, tariff.currency}:
            raise PlanFileError(
                f"{path.parent / plan.electricity_tariff}: currency: is {tariff.currency}, "
                f"the plan's currency is {plan.currency}; they are never mixed"
            )
        plan = plan.model_copy(update={"electricity_tariff": tariff})
    tables = {name: _table(path, name, entry) for name, entry in plan.variables.items() if entry.is_table}
    return LoadedPlan(plan, tables)


def _table(path: Path, name: str, entry: VariableSettings) -> dict[str, float]:
    if entry.degree_days is not None:
        file, column = entry.degree_days.temperature.csv, entry.degree_days.temperature.column
    else:
        file, column = entry.csv, entry.column or name
    assert file is not None  # noqa: S101  # by `is_table`
    table = read_table(path.parent / file)
    table.require((DATE_COLUMN, column))
    values: dict[str, float] = {}
    for row in table.rows:
        text = row.cells[DATE_COLUMN]
        try:
            day = date.fromisoformat(text)
        except ValueError:
            raise table.error(row, DATE_COLUMN, f"{text!r} is no date; expected is 2026-11-30") from None
        if day.isoformat() in values:
            raise table.error(row, DATE_COLUMN, f"{text} stands there twice")
        value = table.number(row, column)
        # An empty cell is a day whose value is not known, which is not zero.
        if value is not None:
            values[day.isoformat()] = value
    return values

"""Reads `plan.yaml` with the tariff, the bills and the tables that it names."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from baselines.bills import calendarise
from baselines.errors import BaselineError
from evaluation.judging.steps import span_of
from evaluation.plan.plan_baselines import BaselineSettings, BillsTable
from evaluation.plan.plan_file import PlanFile
from evaluation.plan.plan_variables import VariableSettings
from evaluation.plan.tariff_file import TariffFile
from leanmeter.baselines.bill_file import read_bills
from leanmeter.baselines.data_file import Row, Table, read_table
from site_config.errors import ConfigurationError
from site_config.yaml_file import load_model

DATE_COLUMN = "date"
SHIFT_COLUMN = "shift"


class PlanFileError(ConfigurationError):
    """The plan cannot be used."""


@dataclass(frozen=True, slots=True)
class LoadedPlan:
    """A plan with its tariff and bills in it, and the values of its tables by variable and day.

    The value of a week or month stands at its first day, that of a shift at 2026-11-30/night. `notes` are what was
    noticed in its files.
    """

    plan: PlanFile
    daily: Mapping[str, Mapping[str, float]]
    notes: tuple[str, ...] = ()


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
    notes: list[str] = []
    baselines = tuple(_with_bills(path, baseline, notes) for baseline in plan.baselines)
    plan = plan.model_copy(update={"baselines": baselines})
    tables = {name: _table(path, name, entry, plan) for name, entry in plan.variables.items() if entry.is_table}
    return LoadedPlan(plan, tables, tuple(notes))


def currency_of(path: Path) -> tuple[str, str | None]:
    """The plan's site, and the currency of its prices: its own, or its tariff's; None where it names none."""
    plan = load_model(path, PlanFile, PlanFileError)
    tariff = plan.electricity_tariff
    if isinstance(tariff, Path) and plan.currency is None:
        tariff = load_model(path.parent / tariff, TariffFile, PlanFileError)
    return plan.site, plan.currency or (tariff.currency if isinstance(tariff, TariffFile) else None)


def _with_bills(path: Path, baseline: BaselineSettings, notes: list[str]) -> BaselineSettings:
    if not isinstance(baseline.bills, Path):
        return baseline
    file = path.parent / baseline.bills
    read = read_bills(file)
    try:
        calendarise(read.bills)
    except BaselineError as problem:
        raise PlanFileError(f"{file}: {problem}") from problem
    notes += [f"{file.name}: {finding.text}" for finding in read.findings]
    table = BillsTable(unit=read.unit, readings=tuple((bill.reading_date, bill.energy) for bill in read.bills))
    return baseline.model_copy(update={"bills": table})


def _table(path: Path, name: str, entry: VariableSettings, plan: PlanFile) -> dict[str, float]:
    if entry.weather is not None:
        file, column = entry.weather.temperature.csv, entry.weather.temperature.column
    else:
        file, column = entry.csv, entry.column or name
    assert file is not None  # noqa: S101  # by `is_table`
    table = read_table(path.parent / file)
    table.require((DATE_COLUMN, column, *((SHIFT_COLUMN,) if entry.per == "shift" else ())))
    values: dict[str, float] = {}
    rows: dict[str, int] = {}
    for row in table.rows:
        label = _label(table, row, entry, plan)
        if label in rows:
            raise table.error(row, DATE_COLUMN, _twice(row, entry, rows[label]))
        rows[label] = row.number
        value = table.number(row, column)
        # An empty cell is a day whose value is not known, which is not zero.
        if value is not None:
            values[label] = value
    return values


def _label(table: Table, row: Row, entry: VariableSettings, plan: PlanFile) -> str:
    text = row.cells[DATE_COLUMN]
    is_month = entry.per == "month" and len(text) == len("2026-11")
    try:
        day = date.fromisoformat(f"{text}-01" if is_month else text)
    except ValueError:
        expected = "2026-11 or 2026-11-30" if entry.per == "month" else "2026-11-30"
        raise table.error(row, DATE_COLUMN, f"{text!r} is no date; expected is {expected}") from None
    if entry.per != "shift":
        return span_of(entry.per, day).first.isoformat()
    shift = row.cells[SHIFT_COLUMN]
    if shift not in plan.shifts:
        raise table.error(
            row, SHIFT_COLUMN, f"the plan has no shift {shift!r}; there are {', '.join(plan.shifts) or 'none'}"
        )
    return f"{day.isoformat()}/{shift}"


def _twice(row: Row, entry: VariableSettings, earlier: int) -> str:
    text = row.cells[DATE_COLUMN]
    if entry.per == "day":
        return f"{text} stands there twice"
    return f"{text} is in the same {entry.per} as row {earlier}; give one row a {entry.per}"

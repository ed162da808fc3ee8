"""A table of energy and relevant variables made ready for a baseline, with what is noticed on the way."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from baselines.observations import Observations
from baselines.savings import Granularity
from baselines.validity import Finding
from leanmeter.baselines.data_file import DataFileError, Row, Table
from leanmeter.baselines.periods import Labels

MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class BaselineData:
    """Rows of one period; `coverage` is the share of the period's rows that have all their numbers."""

    observations: Observations
    coverage: float
    granularity: Granularity
    findings: tuple[Finding, ...]
    rows: tuple[int, ...]
    """Their indices in the table."""


def select(
    table: Table, labels: Labels, rows: Sequence[int], energy: str | None, variables: Sequence[str]
) -> BaselineData:
    """The rows (indices in the order of time) with their energy (zero where `energy` is None) and variables.

    A row with an empty cell is left out and named by a finding, as are rows that are missing altogether.
    Raises DataFileError naming row and column for text in a number.
    """
    columns = (*(() if energy is None else (energy,)), *variables)
    table.require(columns)
    kept: list[int] = []
    numbers: dict[str, list[float]] = {name: [] for name in columns}
    missing = []
    for index in rows:
        row = table.rows[index]
        cells = {name: table.number(row, name) for name in numbers}
        empty = [name for name, value in cells.items() if value is None]
        if empty:
            text = f"row {row.number} ({labels.texts[index]}), column {empty[0]}: is empty; the row is left out"
            missing.append(Finding("missing_value", text, fails=False))
            continue
        kept.append(index)
        for name, value in cells.items():
            if value is not None:
                numbers[name].append(value)
    if not kept:
        raise DataFileError(f"{table.path}: no row of the period has all of {', '.join(numbers)}")
    step, gaps, absent = _gaps(table, labels, rows)
    findings = [
        *_shortened(missing, "missing_value"),
        *_shortened(gaps, "gap"),
        *_order_finding(table, labels, rows),
        *_shortened(_negative_energies(table, energy, [table.rows[index] for index in kept]), "negative_energy"),
    ]
    observations = Observations(
        tuple(labels.texts[index] for index in kept),
        (0.0,) * len(kept) if energy is None else tuple(numbers[energy]),
        {name: tuple(numbers[name]) for name in variables},
    )
    coverage = len(kept) / (len(rows) + absent)
    return BaselineData(observations, coverage, _granularity(labels, step), tuple(findings), tuple(kept))


def _gaps(table: Table, labels: Labels, rows: Sequence[int]) -> tuple[int, list[Finding], int]:
    """The usual step from row to row, the places where rows are missing, and how many."""
    keys = [labels.keys[index] for index in rows]
    steps = [later - earlier for earlier, later in pairwise(keys)]
    if not steps:
        return 1, [], 0
    usual = Counter(steps).most_common(1)[0][0]
    is_monthly = labels.kind == "date" and 28 <= usual <= 31
    found, absent = [], 0
    for (earlier, later), step in zip(pairwise(rows), steps, strict=True):
        count = round(step / (365.25 / 12 if is_monthly else usual)) - 1
        if count > 0:
            absent += count
            text = (
                f"row {table.rows[later].number}, column {labels.column}: {count} missing between "
                f"{labels.texts[earlier]} and {labels.texts[later]}"
            )
            found.append(Finding("gap", text, fails=False))
    return usual, found, absent


def _order_finding(table: Table, labels: Labels, rows: Sequence[int]) -> list[Finding]:
    for earlier, later in pairwise(rows):
        if later < earlier:
            number = table.rows[later].number
            text = f"row {number}, column {labels.column}: rows are not in the order of time; they were put into it"
            return [Finding("order", text, fails=False)]
    return []


def _negative_energies(table: Table, energy: str | None, rows: Sequence[Row]) -> list[Finding]:
    found = []
    for row in rows if energy is not None else ():
        value = table.number(row, energy or "")
        if value is not None and value < 0.0:
            text = f"row {row.number}, column {energy}: {value:g} is below zero; is it energy that was used?"
            found.append(Finding("negative_energy", text, fails=False))
    return found


def _granularity(labels: Labels, step: int) -> Granularity:
    if labels.kind == "month" or (labels.kind == "number" and labels.column == "month"):
        return "month"
    if labels.kind == "date":
        return "day" if step == 1 else "month" if 28 <= step <= 31 else "other"
    return "other"


def _shortened(findings: Sequence[Finding], code: str) -> list[Finding]:
    """A year of holes is one finding more, not a thousand."""
    if len(findings) <= MOST_NAMED:
        return list(findings)
    rest = Finding(code, f"and {len(findings) - MOST_NAMED} more of these", fails=False)
    return [*findings[:MOST_NAMED], rest]

"""A file of bills: the day each meter was read, and what was used since the reading before."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from statistics import median

from baselines.bills import LONGEST_BILL_DAYS, Bill
from baselines.validity import Finding
from leanmeter.baselines.data_file import Row, Table, read_table

LONG_BILL_SHARE = 1.5
"""Of the usual length of a bill: from here on one may have been left out."""


@dataclass(frozen=True, slots=True)
class BillFile:
    """Bills in the order of time, in `unit`, and what was noticed."""

    unit: str
    bills: tuple[Bill, ...]
    findings: tuple[Finding, ...]


def read_bills(path: Path) -> BillFile:
    """Read a CSV file with columns reading_date, energy_use and, where it is there, unit.

    A bill much longer than the others, or of less than nothing, is a finding. Raises DataFileError naming row and
    column: bills must follow each other by date, in one unit.
    """
    table = read_table(path)
    table.require(["reading_date", "energy_use"])
    unit = table.rows[0].cells.get("unit", "")
    bills: list[Bill] = []
    for row in table.rows:
        if row.cells.get("unit", "") != unit:
            raise table.error(row, "unit", f"{row.cells['unit']!r}, but {unit!r} in row {table.rows[0].number}")
        bills.append(
            Bill(_reading_date(table, row, bills[-1] if bills else None), _use(table, row, is_start=not bills))
        )
    return BillFile(unit, tuple(bills), tuple(_findings(table.rows, bills)))


def _findings(rows: Sequence[Row], bills: Sequence[Bill]) -> Iterator[Finding]:
    lengths = [(later.reading_date - earlier.reading_date).days for earlier, later in pairwise(bills)]
    usual = median(lengths) if lengths else 0
    for row, bill, length in zip(rows[1:], bills[1:], lengths, strict=True):
        if length >= LONG_BILL_SHARE * usual:
            text = f"{length} days after the row before, where {usual:g} are usual; was a bill left out?"
            yield Finding("long_bill", f"row {row.number}, column reading_date: {text}", fails=False)
        if bill.energy < 0.0:
            text = f"{bill.energy:g} is below zero; a correction of an earlier bill?"
            yield Finding("negative_energy", f"row {row.number}, column energy_use: {text}", fails=False)


def _use(table: Table, row: Row, *, is_start: bool) -> float:
    use = table.number(row, "energy_use")
    if use is None and not is_start:
        raise table.error(row, "energy_use", "is empty; delete the row, or give what was used since the row before")
    return use or 0.0


def _reading_date(table: Table, row: Row, before: Bill | None) -> date:
    text = row.cells["reading_date"]
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise table.error(row, "reading_date", f"{text!r} is no date; expected is 2023-01-31") from None
    if before is not None:
        days = (day - before.reading_date).days
        if days <= 0:
            raise table.error(row, "reading_date", f"{text} is not after {before.reading_date} of the row before")
        if days > LONGEST_BILL_DAYS:
            raise table.error(row, "reading_date", f"{days} days after the row before; is a bill missing?")
    return day

"""A file of bills: the day each meter was read, and what was used since the reading before."""

from datetime import date
from pathlib import Path

from baselines.bills import LONGEST_BILL_DAYS, Bill
from leanmeter.data_file import Row, Table, read_table


def read_bills(path: Path) -> tuple[str, list[Bill]]:
    """The unit and the bills of a CSV file with columns reading_date, energy_use and, where it is there, unit.

    Raises DataFileError naming row and column: bills must follow each other by date, in one unit.
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
    return unit, bills


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

"""Hourly outdoor temperatures from a CSV file, as a weather service or a sensor gives them, by the rows of a table."""

import calendar
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from baselines.weather_model import Temperatures
from leanmeter.data_file import DataFileError, Row, Table, read_table
from leanmeter.periods import Labels

TIME, TEMPERATURE = "time", "temperature"
LEAST_SHARE_OF_HOURS = 0.9
HOURS_A_DAY = 24


def hourly_temperatures(path: Path, labels: Labels, texts: Sequence[str]) -> Temperatures:
    """The temperatures of each row dated by `texts`, days or months, by the clock in which the file is written.

    Columns time and temperature (°C). A row needs nine tenths of its hours. Raises DataFileError naming row and column.
    """
    if labels.kind not in {"date", "month"}:
        raise DataFileError(
            f"{path}: hourly temperatures need rows that are days or months; {labels.column} has others"
        )
    by_row: dict[str, list[float]] = defaultdict(list)
    width = len("2023-01") if labels.kind == "month" else len("2023-01-31")
    for time, value in _read(path):
        by_row[time[:width]].append(value)
    days = [_days(text) for text in texts]
    for text, length in zip(texts, days, strict=True):
        hours = len(by_row.get(text, ()))
        if hours < LEAST_SHARE_OF_HOURS * HOURS_A_DAY * length:
            raise DataFileError(
                f"{path}: {hours} hours of {text}; at least nine tenths of its {HOURS_A_DAY * length} are needed"
            )
    return Temperatures(tuple(tuple(by_row[text]) for text in texts), tuple(map(float, days)))


def _read(path: Path) -> list[tuple[str, float]]:
    table = read_table(path)
    table.require([TIME, TEMPERATURE])
    return [(_time(table, row), _number(table, row)) for row in table.rows if row.cells[TEMPERATURE]]


def _time(table: Table, row: Row) -> str:
    text = row.cells[TIME]
    try:
        return datetime.fromisoformat(text).isoformat()
    except ValueError:
        raise table.error(row, TIME, f"{text!r} is no time; expected is 2025-01-31T10:00") from None


def _number(table: Table, row: Row) -> float:
    value = table.number(row, TEMPERATURE)
    if value is None or not -90.0 <= value <= 60.0:
        raise table.error(row, TEMPERATURE, f"{row.cells[TEMPERATURE]!r} is no outdoor temperature in °C")
    return value


def _days(text: str) -> int:
    return 1 if len(text) > len("2023-01") else calendar.monthrange(int(text[:4]), int(text[5:7]))[1]

"""Hourly outdoor temperatures from a CSV file, as a weather service or a sensor gives them, by the rows of a table."""

import calendar
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

from baselines.weather_model import Temperatures
from leanmeter.baselines.data_file import DataFileError, Row, Table, read_table
from leanmeter.baselines.periods import DAYS_A_WEEK, Labels

TIME, TEMPERATURE = "time", "temperature"
LEAST_SHARE_OF_HOURS = 0.9
HOURS_A_DAY = 24


def hourly_temperatures(path: Path, labels: Labels, texts: Sequence[str]) -> Temperatures:
    """The temperatures of each row dated by `texts`: days, weeks or months, by the clock in which the file is written.

    Columns time and temperature (°C). A row needs nine tenths of its hours. Raises DataFileError naming row and column.
    """
    label_of = _labelling(path, labels, texts)
    by_row: dict[str, list[float]] = defaultdict(list)
    for time, value in _read(path):
        by_row[label_of(date.fromisoformat(time[: len("2023-01-31")]))].append(value)
    days = _lengths(labels, texts)
    for text, length in zip(texts, days, strict=True):
        hours = len(by_row.get(text, ()))
        if hours < LEAST_SHARE_OF_HOURS * HOURS_A_DAY * length:
            raise DataFileError(
                f"{path}: {hours} hours of {text}; at least nine tenths of its {HOURS_A_DAY * length} are needed"
            )
    return Temperatures(tuple(tuple(by_row[text]) for text in texts), tuple(map(float, days)))


def _labelling(path: Path, labels: Labels, texts: Sequence[str]) -> Callable[[date], str]:
    """By which label the row of a day is known."""
    if labels.kind == "month":
        return lambda day: f"{day:%Y-%m}"
    if labels.kind == "week":
        return lambda day: f"{day:%G-W%V}"
    if labels.kind != "date":
        raise DataFileError(
            f"{path}: hourly temperatures need rows that are days, weeks or months; {labels.column} has others"
        )
    if labels.days_a_row() != DAYS_A_WEEK:
        return date.isoformat
    # A week is dated by the day on which it begins, the same of all.
    begins = date.fromisoformat(texts[0]).weekday()
    return lambda day: (day - timedelta(days=(day.weekday() - begins) % DAYS_A_WEEK)).isoformat()


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


def _lengths(labels: Labels, texts: Sequence[str]) -> list[int]:
    """Of each row in days."""
    if labels.kind == "month":
        return [calendar.monthrange(int(text[:4]), int(text[5:7]))[1] for text in texts]
    return [DAYS_A_WEEK if labels.days_a_row() == DAYS_A_WEEK else 1] * len(texts)

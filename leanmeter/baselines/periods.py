"""The dates of a table's rows, and the periods that people name by their first and last."""

import calendar
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Literal

from leanmeter.baselines.data_file import DataFileError, Row, Table
from site_config.errors import ConfigurationError

Kind = Literal["month", "week", "date", "time", "number"]

DAYS_A_WEEK = 7
DAYS_A_MONTH = 365.25 / 12
MINUTES_A_DAY = 24 * 60
_MONTH = re.compile(r"(\d{4})-(\d{2})", re.ASCII)
_WEEK = re.compile(r"\d{4}-W\d{2}", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})?", re.ASCII)
_ROW_NUMBER = re.compile(r"\d{1,9}", re.ASCII)
_EXPECTED = (
    "expected is a date 2023-01-31, a month 2023-01, a week 2023-W05, a time 2023-01-31T10:15, or a whole number"
)


@dataclass(frozen=True, slots=True)
class Labels:
    """What dates the rows of a table: `texts` as written, `keys` (months, weeks, days … numbers) to order them."""

    kind: Kind
    column: str
    texts: tuple[str, ...]
    keys: tuple[int, ...]

    def between(self, option: str, period: str) -> list[int]:
        """Indices (from 0) of the rows in `A/B`, both ends included, in the order of time.

        A month in a period means all its days, a day of weekly rows the week it is in. Raises ConfigurationError naming
        the option.
        """
        ends = period.split("/")
        if len(ends) != 2:
            raise ConfigurationError(
                f"{option} {period}: write the first and the last with a slash, as 2023-01/2023-12"
            )
        low, high = (
            self._bound(option, period, text.strip(), is_last) for text, is_last in zip(ends, (0, 1), strict=True)
        )
        if low > high:
            raise ConfigurationError(f"{option} {period}: ends before it begins")
        found = [index for index in self.order() if low <= self.keys[index] <= high]
        if not found:
            first, last = self.texts[self.order()[0]], self.texts[self.order()[-1]]
            raise ConfigurationError(f"{option} {period}: no row lies in it; the data goes from {first} to {last}")
        return found

    def order(self) -> list[int]:
        """Indices of all rows in the order of time."""
        return sorted(range(len(self.keys)), key=self.keys.__getitem__)

    def days_a_row(self) -> float | None:
        """How many days a row usually stands for; None where rows have no dates."""
        if self.kind == "number":
            return None
        if self.kind == "month":
            return DAYS_A_MONTH
        if self.kind == "week":
            return float(DAYS_A_WEEK)
        keys = [self.keys[index] for index in self.order()]
        steps = Counter(later - earlier for earlier, later in pairwise(keys))
        usual = steps.most_common(1)[0][0] if steps else 1
        return float(usual) if self.kind == "date" else usual / MINUTES_A_DAY

    def _bound(self, option: str, period: str, text: str, is_last: int) -> int:
        kind = _kind(text)
        try:
            if kind == self.kind:
                # An end such as 10:15 is the beginning of its interval, which is included.
                return _key(text, kind)
            if kind == "month" and self.kind in {"week", "date", "time"}:
                year, month = int(text[:4]), int(text[5:])
                text = f"{text}-{calendar.monthrange(year, month)[1] if is_last else 1:02d}"
                kind = "date"
            if kind == "date" and self.kind == "date":
                return _key(text, kind)
            if kind == "date" and self.kind == "time":
                return _key(f"{text}T23:59" if is_last else f"{text}T00:00", "time")
            if kind == "date" and self.kind == "month":
                return _key(text[:7], "month")
            if kind == "date" and self.kind == "week":
                return _week(date.fromisoformat(text))
        except (ValueError, calendar.IllegalMonthError) as problem:
            raise ConfigurationError(f"{option} {period}: {text!r}: {problem}") from problem
        raise ConfigurationError(f"{option} {period}: {text!r} does not fit the column {self.column}; {_EXPECTED}")


def labels_of(table: Table, column: str | None) -> Labels:
    """Read what dates the rows: `column`; by default `date`, `year` and `month`, `month`, `week`, or the row's number.

    Raises DataFileError naming row and column where that is no date, or stands twice.
    """
    if column is not None:
        table.require([column])
    elif "date" in table.columns:
        column = "date"
    elif {"year", "month"} <= set(table.columns):
        return _checked(table, "month", [_year_and_month(table, row) for row in table.rows])
    elif named := next((name for name in ("month", "week") if name in table.columns), None):
        column = named
    else:
        numbers = tuple(range(1, len(table.rows) + 1))
        return Labels("number", "row", tuple(map(str, numbers)), numbers)
    return _checked(table, column, [row.cells[column] for row in table.rows])


def _year_and_month(table: Table, row: Row) -> str:
    year, month = (row.cells[name] for name in ("year", "month"))
    if not re.fullmatch(r"\d{4}", year):
        raise table.error(row, "year", f"{year!r} is no year such as 2023")
    if not re.fullmatch(r"0?[1-9]|1[0-2]", month):
        raise table.error(row, "month", f"{month!r} is no month from 1 to 12")
    return f"{year}-{int(month):02d}"


def _checked(table: Table, column: str, texts: Sequence[str]) -> Labels:
    first = _kind(texts[0])
    keys: list[int] = []
    seen: dict[int, int] = {}
    for row, text in zip(table.rows, texts, strict=True):
        kind = _kind(text)
        if kind is None or first is None:
            raise table.error(row, column, f"{text!r}: {_EXPECTED}")
        if kind != first or (kind == "time" and _has_zone(text) != _has_zone(texts[0])):
            raise table.error(row, column, f"{text!r} is not written as {texts[0]!r} in row {table.rows[0].number}")
        try:
            key = _key(text, kind)
        except ValueError as problem:
            raise table.error(row, column, f"{text!r}: {problem}") from problem
        if key in seen:
            raise table.error(row, column, f"{text} stands already in row {seen[key]}")
        seen[key] = row.number
        keys.append(key)
    if first is None:
        raise DataFileError(f"{table.path}: column {column}: {_EXPECTED}")
    return Labels(first, column, tuple(texts), tuple(keys))


def _kind(text: str) -> Kind | None:
    patterns = ((_MONTH, "month"), (_WEEK, "week"), (_DATE, "date"), (_TIME, "time"), (_ROW_NUMBER, "number"))
    for pattern, kind in patterns:
        if pattern.fullmatch(text):
            return kind  # type: ignore[return-value]
    return None


def _has_zone(text: str) -> bool:
    """Whether a time that `_TIME` matches has one."""
    found = _TIME.fullmatch(text)
    return found is not None and found[2] is not None


def _week(day: date) -> int:
    """Of ISO 8601, counted from the first Monday there was."""
    return (day.toordinal() - 1) // DAYS_A_WEEK


def _key(text: str, kind: Kind) -> int:
    """Months, weeks, days, minutes or the number itself; raises ValueError for a day that is not in the calendar."""
    if kind == "month":
        first = date.fromisoformat(f"{text}-01")
        return first.year * 12 + first.month - 1
    if kind == "week":
        return _week(date.fromisocalendar(int(text[:4]), int(text[6:]), 1))
    if kind == "date":
        return date.fromisoformat(text).toordinal()
    if kind == "time":
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return int(moment.timestamp() // 60)
    return int(text)

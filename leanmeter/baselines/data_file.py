"""Tables that people keep in a spreadsheet and save as CSV; whatever is wrong is named by row and column.

Rows are counted as a spreadsheet shows them: the header is row 1.
"""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from site_config.errors import ConfigurationError

MAXIMUM_BYTES = 64 * 1024 * 1024
LARGEST = 1e15
"""Of numbers: squares of larger ones lose their meaning, and nothing that is metered comes near."""

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)


class DataFileError(ConfigurationError):
    """A file of data cannot be used; the message names file, row and column and says what is expected."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row's cells by column, with the number that a spreadsheet shows beside it."""

    number: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """A file's columns and rows, all still text."""

    path: Path
    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    def require(self, columns: Sequence[str]) -> None:
        """Raise DataFileError for the first of `columns` that is not there."""
        for column in columns:
            if column not in self.columns:
                raise DataFileError(f"{self.path}: there is no column {column!r}; there are {', '.join(self.columns)}")

    def number(self, row: Row, column: str) -> float | None:
        """A cell as a number, None where it is empty."""
        text = row.cells[column]
        if not text:
            return None
        if not _NUMBER.fullmatch(text) or abs(value := float(text)) > LARGEST:
            raise self.error(
                row, column, f"{text!r} is no number; expected is 1234.5: a point before decimals, no thousands' marks"
            )
        return value

    def error(self, row: Row, column: str, text: str) -> DataFileError:
        """A mistake in one cell."""
        return DataFileError(f"{self.path}: row {row.number}, column {column}: {text}")


def read_table(path: Path) -> Table:
    """Read a CSV file in UTF-8 (with or without byte order mark), separated by commas, semicolons or tabs.

    Raises DataFileError when it cannot be read, or a row has more cells than there are columns.
    """
    lines = _text(path).splitlines()
    header = next((line for line in lines if line.strip()), "")
    separator = next((each for each in ";\t" if each in header), ",")
    reader = csv.reader(lines, delimiter=separator, strict=True)
    columns: tuple[str, ...] = ()
    rows = []
    last = 0
    try:
        for cells in reader:
            last = reader.line_num
            texts = [cell.strip() for cell in cells]
            if not any(texts):
                continue
            if not columns:
                columns = _columns(path, texts)
                continue
            if len(texts) > len(columns) and any(texts[len(columns) :]):
                raise DataFileError(
                    f"{path}: row {reader.line_num}: {len(texts)} cells for {len(columns)} columns; "
                    "are there commas in numbers?"
                )
            padded = [*texts, *[""] * len(columns)]
            rows.append(Row(reader.line_num, dict(zip(columns, padded, strict=False))))
    except csv.Error as problem:
        # What went wrong may be told many lines later, as of a quotation mark that nothing closes.
        raise DataFileError(f'{path}: row {last + 1}: {problem}; is a quotation mark (") not closed?') from problem
    if not rows:
        raise DataFileError(f"{path}: there are no rows below a header")
    return Table(path, columns, tuple(rows))


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAXIMUM_BYTES:
            raise DataFileError(f"{path}: larger than {MAXIMUM_BYTES // 1024**2} MiB")
        return path.read_text(encoding="utf-8-sig")
    except OSError as problem:
        raise DataFileError(f"{path}: cannot be read: {problem.strerror}") from problem
    except UnicodeDecodeError as problem:
        raise DataFileError(f"{path}: is not a CSV file in UTF-8; save it as 'CSV UTF-8'") from problem


def _columns(path: Path, names: Sequence[str]) -> tuple[str, ...]:
    for index, name in enumerate(names):
        if not name:
            raise DataFileError(f"{path}: row 1: column {index + 1} has no name")
        if name in names[:index]:
            raise DataFileError(f"{path}: row 1: two columns are called {name!r}")
    return tuple(names)

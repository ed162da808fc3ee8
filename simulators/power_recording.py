"""A recorded load curve from a CSV file: time and power, repeated without an end."""

import csv
import itertools
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from simulators.errors import SimulatorError
from simulators.load_curve import Piece

_ROWS_MAX = 5_000_000


class PowerRecording:
    """A load that was measured somewhere: straight lines between its points, then again from the first.

    Args:
        times_s: ascending, at least two.
        powers_w: one a time; negative is generation.
    """

    def __init__(self, times_s: list[float], powers_w: list[float]) -> None:
        self._points = list(zip(times_s, powers_w, strict=True))
        steps = sorted(after - before for before, after in itertools.pairwise(times_s))
        self._back_to_start_s = steps[len(steps) // 2]

    def pieces(self) -> Iterator[Piece]:
        """Pieces from time 0 on; from the last point back to the first it takes one usual step."""
        while True:
            for (start_s, before_w), (end_s, after_w) in itertools.pairwise(self._points):
                yield Piece(end_s - start_s, before_w, after_w)
            yield Piece(self._back_to_start_s, self._points[-1][1], self._points[0][1])


def read_power_recording(path: Path) -> PowerRecording:
    """Read a CSV file of two columns, time (s, or ISO 8601) and power (W), with or without a heading.

    With a heading, the columns are those whose names begin with `time` and `power`, wherever they stand. Comma,
    semicolon and tab separate columns.

    Raises:
        SimulatorError: it cannot be read, or a row is wrong; the message names the row.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SimulatorError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SimulatorError(f"{path}: is not a text file in UTF-8") from error
    lines = text.splitlines()
    if len(lines) > _ROWS_MAX:
        raise SimulatorError(f"{path}: has {len(lines)} rows, at most {_ROWS_MAX} can be simulated")
    delimiter = next((mark for mark in ";\t," if lines and mark in lines[0]), ",")
    rows = list(csv.reader(lines, delimiter=delimiter))
    time_column, power_column, first = _columns(path, rows)
    times_s: list[float] = []
    powers_w: list[float] = []
    for number, row in enumerate(rows[first:], first + 1):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) <= max(time_column, power_column):
            raise SimulatorError(f"{path}: row {number}: expected a time and a power, found {len(row)} column(s)")
        time_s = _seconds(row[time_column])
        power_w = _number(row[power_column])
        if time_s is None:
            raise SimulatorError(f"{path}: row {number}: {row[time_column]!r} is neither seconds nor an ISO 8601 time")
        if power_w is None:
            raise SimulatorError(f"{path}: row {number}: {row[power_column]!r} is no power in W")
        if times_s and time_s <= times_s[-1]:
            raise SimulatorError(f"{path}: row {number}: time {row[time_column]!r} is not later than the row before")
        times_s.append(time_s)
        powers_w.append(power_w)
    if len(times_s) < 2:
        raise SimulatorError(f"{path}: needs at least two rows of time and power")
    return PowerRecording(times_s, powers_w)


def _columns(path: Path, rows: list[list[str]]) -> tuple[int, int, int]:
    """Where time and power stand, and which row is the first with numbers."""
    if not rows:
        raise SimulatorError(f"{path}: is empty")
    names = [cell.strip().lower() for cell in rows[0]]
    if not names or _seconds(names[0].upper()) is not None:
        return 0, 1, 0
    found = [next((i for i, name in enumerate(names) if name.startswith(word)), None) for word in ("time", "power")]
    if found[0] is None or found[1] is None:
        raise SimulatorError(f"{path}: row 1: expected the columns time and power, found {', '.join(names)}")
    return found[0], found[1], 1


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < 1e12 else None


def _seconds(text: str) -> float | None:
    number = _number(text)
    if number is not None:
        return number
    try:
        return datetime.fromisoformat(text.strip()).timestamp()
    except ValueError:
        return None

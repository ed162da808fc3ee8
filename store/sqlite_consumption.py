"""Intervals and days in SQLite: two tables of the same columns."""

import sqlite3
from collections.abc import Sequence
from dataclasses import fields
from operator import attrgetter

from store.protocol import IntervalRow
from store.schema import CONSUMPTION, CONSUMPTION_DAY

_COLUMNS = tuple(field.name for field in fields(IntervalRow))
_VALUES = attrgetter(*_COLUMNS)
_TYPES = {
    "site": "TEXT NOT NULL",
    "point": "TEXT NOT NULL",
    "start_ms": "INTEGER NOT NULL",
    "amount": "REAL NOT NULL",
    "coverage": "REAL NOT NULL",
    "quality": "TEXT NOT NULL",
    "peak_ms": "INTEGER",
    "month": "TEXT",
}


def _table(name: str) -> str:
    columns = ", ".join(f"{column} {_TYPES.get(column, 'REAL')}" for column in _VERSION_1)
    return (
        f"CREATE TABLE {name}({columns}, PRIMARY KEY(site, start_ms, point)) WITHOUT ROWID;"
        f"CREATE INDEX {name}_by_point ON {name}(site, point, start_ms);"
    )


# A migration is never changed: a new field of IntervalRow is added by a further one.
_VERSION_1 = (
    "site", "point", "start_ms", "amount", "demand", "coverage", "quality", "peak_ms", "minimum", "month", "cost",
    "co2e", "expected", "goal", "lower", "upper",
)  # fmt: skip
SCHEMA = _table(CONSUMPTION) + _table(CONSUMPTION_DAY)
RESOURCE_SCHEMA = "".join(
    f"ALTER TABLE {name} ADD COLUMN resource TEXT NOT NULL DEFAULT '';" for name in (CONSUMPTION, CONSUMPTION_DAY)
)
"""Rows of files that were written before have no resource until they are evaluated again."""
AVOIDED_SCHEMA = "".join(f"ALTER TABLE {name} ADD COLUMN avoided_co2e REAL;" for name in (CONSUMPTION, CONSUMPTION_DAY))
MARKET_SCHEMA = "".join(f"ALTER TABLE {name} ADD COLUMN co2e_market REAL;" for name in (CONSUMPTION, CONSUMPTION_DAY))


def write_rows(connection: sqlite3.Connection, table: str, rows: Sequence[IntervalRow]) -> None:
    """Store rows in one of the two tables; those of the same point and start are replaced."""
    connection.executemany(
        f"INSERT OR REPLACE INTO {table}({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})",  # noqa: S608  # names of this package
        map(_VALUES, rows),
    )


def select_rows(
    connection: sqlite3.Connection, table: str, site: str, start_ms: int, end_ms: int, point: str | None
) -> list[IntervalRow]:
    """Rows of one of the two tables that start in [start, end), ordered by start, then point."""
    condition = "site = ? AND start_ms >= ? AND start_ms < ?"
    given: list[object] = [site, start_ms, end_ms]
    if point is not None:
        condition += " AND point = ?"
        given.append(point)
    found = connection.execute(
        f"SELECT {', '.join(_COLUMNS)} FROM {table} WHERE {condition} ORDER BY start_ms, point",  # noqa: S608  # names of this package
        given,
    )
    return [IntervalRow(*row) for row in found]


def select_starts(connection: sqlite3.Connection, site: str, start_ms: int, end_ms: int) -> list[int]:
    """The starts in [start, end) of days of which there is a row, ascending."""
    found = connection.execute(
        f"SELECT DISTINCT start_ms FROM {CONSUMPTION_DAY} "  # noqa: S608  # names of this package
        "WHERE site = ? AND start_ms >= ? AND start_ms < ? ORDER BY start_ms",
        (site, start_ms, end_ms),
    )
    return [start for (start,) in found]

"""Marks: which intervals of which devices have readings that are not evaluated yet.

Each call of `mark` gets a version that was never used before. Whoever evaluates reads marks first and readings after;
a mark that was set again meanwhile has another version, and stays.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

HOLD = "backup"
"""The lease under which marks stay: what is evaluated after the readings were copied must be marked in the copy."""


@dataclass(frozen=True, slots=True)
class DirtyMark:
    """Readings of this device in the interval that starts at this time (ms since 1970 UTC) are new."""

    site: str
    device: str
    interval_start_ms: int
    version: int


@dataclass(frozen=True, slots=True)
class Recomputation:
    """All intervals in which a device has readings of a quantity, from one time to another; None is open.

    It stands for marks that can be set only when the store of readings tells from when to when there are readings.
    """

    number: int
    site: str
    device: str
    quantity: str
    from_ms: int | None
    to_ms: int | None


def mark(connection: sqlite3.Connection, site: str, marks: Sequence[tuple[str, int]]) -> None:
    """Set marks (device, interval start in ms)."""
    (version,) = connection.execute("UPDATE dirty_version SET last = last + 1 RETURNING last").fetchall()[0]
    connection.executemany(
        "INSERT INTO dirty VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET version = excluded.version",
        [(site, device, start_ms, version) for device, start_ms in marks],
    )


def select(connection: sqlite3.Connection, limit: int) -> tuple[DirtyMark, ...]:
    """The marks of the latest intervals first."""
    rows = connection.execute(
        "SELECT site, device, interval_start_ms, version FROM dirty "
        "ORDER BY interval_start_ms DESC, site, device LIMIT ?",
        (limit,),
    )
    return tuple([DirtyMark(*row) for row in rows])


def count(connection: sqlite3.Connection) -> int:
    """How many marks there are."""
    (found,) = connection.execute("SELECT COUNT(*) FROM dirty").fetchone()
    return int(found)


def clear(connection: sqlite3.Connection, marks: Iterable[DirtyMark], now_ms: int) -> None:
    """Remove marks that still have the version that was read; none while a backup is being made."""
    if connection.execute("SELECT 1 FROM lease WHERE name = ? AND expires_ms > ?", (HOLD, now_ms)).fetchone():
        return
    connection.executemany(
        "DELETE FROM dirty WHERE site = ? AND device = ? AND interval_start_ms = ? AND version = ?",
        [(mark.site, mark.device, mark.interval_start_ms, mark.version) for mark in marks],
    )


def recomputations(connection: sqlite3.Connection) -> tuple[Recomputation, ...]:
    """All that wait, in the order of their making."""
    rows = connection.execute("SELECT id, site, device, quantity, from_ms, to_ms FROM recomputation ORDER BY id")
    return tuple([Recomputation(*row) for row in rows])


def forget_recomputation(connection: sqlite3.Connection, recomputation: Recomputation) -> None:
    """Its marks are set."""
    connection.execute("DELETE FROM recomputation WHERE id = ?", (recomputation.number,))

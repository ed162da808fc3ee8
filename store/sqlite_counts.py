"""How many values the SQLite store holds; those that stand in two layouts at the same time count once."""

import json
import sqlite3
from collections.abc import Sequence

from store.protocol import StoredCount
from store.schema import LATEST_MS
from store.sqlite_rows import NAN_BYTES, VALUE_BYTES, count_values, layouts_with


def count(connection: sqlite3.Connection, site: str) -> StoredCount:
    """See `ReadingStore.count`."""
    devices = connection.execute("SELECT DISTINCT device FROM layout WHERE site = ? ORDER BY device", (site,))
    by_device: dict[str, int] = {}
    duplicates = 0
    for (device,) in devices.fetchall():
        by_device[device], twice = _count(connection, site, device, 0, LATEST_MS)
        duplicates += twice
    return StoredCount(sum(by_device.values()), duplicates, by_device)


def count_of(connection: sqlite3.Connection, site: str, device: str, start_ms: int, end_ms: int) -> int:
    """See `ReadingStore.count_of`."""
    return _count(connection, site, device, start_ms, end_ms)[0]


def _count(connection: sqlite3.Connection, site: str, device: str, start_ms: int, end_ms: int) -> tuple[int, int]:
    """Values, and how many more stand there twice."""
    layouts = connection.execute("SELECT id, quantities FROM layout WHERE site = ? AND device = ?", (site, device))
    found = [(layout_id, json.loads(quantities)) for layout_id, quantities in layouts]
    stored = sum(
        count_values(packed)
        for layout_id, _ in found
        for (packed,) in connection.execute(
            "SELECT packed FROM reading WHERE layout_id = ? AND time_ms >= ? AND time_ms < ?",
            (layout_id, start_ms, end_ms),
        )
    )
    twice = sum(_count_twice(connection, (site, device, name), start_ms, end_ms) for name in _shared(found))
    return stored - twice, twice


def _shared(layouts: Sequence[tuple[int, list[str]]]) -> set[str]:
    names = [name for _, quantities in layouts for name in quantities]
    return {name for name in set(names) if names.count(name) > 1} if len(layouts) > 1 else set()


def _count_twice(connection: sqlite3.Connection, key: tuple[str, str, str], start_ms: int, end_ms: int) -> int:
    times = [
        time_ms
        for layout_id, index in layouts_with(connection, key)
        for (time_ms,) in connection.execute(
            "SELECT time_ms FROM reading "
            "WHERE layout_id = ? AND time_ms >= ? AND time_ms < ? AND substr(packed, ?, 8) != ?",
            (layout_id, start_ms, end_ms, index * VALUE_BYTES + 1, NAN_BYTES),
        )
    ]
    return len(times) - len(set(times))

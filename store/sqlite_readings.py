"""Readings, events, intervals and days in one SQLite file: the embedded default.

A device's row is one row of `reading`: its quantities are named once, in `layout`. A device with fast and slow
quantities has several layouts; they are merged when they are read.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from store.protocol import IntervalRow, Latest, Series, StoredCount
from store.row_checks import check_finite, sift, sift_events
from store.schema import CONSUMPTION, CONSUMPTION_DAY
from store.sqlite_consumption import (
    AVOIDED_SCHEMA,
    MARKET_SCHEMA,
    RESOURCE_SCHEMA,
    select_rows,
    select_starts,
    write_rows,
)
from store.sqlite_consumption import SCHEMA as CONSUMPTION_SCHEMA
from store.sqlite_counts import count, count_of
from store.sqlite_events import SCHEMA as EVENT_SCHEMA
from store.sqlite_events import select_events, write_events
from store.sqlite_rows import (
    NAN_BYTES,
    VALUE_BYTES,
    layout_struct,
    layouts_with,
    merge_quality,
    merge_values,
    pack_rows,
    unpack_doubles,
)
from store.sqlite_thread import SqliteThread
from wire_format.batch import DeviceRows, RefusedRow
from wire_format.events import Event
from wire_format.quality import Quality

_SCHEMA = """
CREATE TABLE layout(
    id INTEGER PRIMARY KEY,
    site TEXT NOT NULL,
    device TEXT NOT NULL,
    quantities TEXT NOT NULL,
    UNIQUE(site, device, quantities)
);
CREATE TABLE reading(
    layout_id INTEGER NOT NULL REFERENCES layout(id),
    time_ms INTEGER NOT NULL,
    packed BLOB NOT NULL,
    quality BLOB,
    PRIMARY KEY(layout_id, time_ms)
) WITHOUT ROWID;
"""
MIGRATIONS = (_SCHEMA + CONSUMPTION_SCHEMA, RESOURCE_SCHEMA, EVENT_SCHEMA, AVOIDED_SCHEMA, MARKET_SCHEMA)

_INSERT = """
INSERT INTO reading VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE
SET packed = merge_values(packed, excluded.packed), quality = merge_quality(quality, excluded.quality)
WHERE packed IS NOT excluded.packed OR quality IS NOT excluded.quality
"""
_ROWS_DELETED_AT_ONCE = 20_000

_LayoutKey = tuple[str, str, tuple[str, ...]]


class SqliteReadings:
    """A `ReadingStore` in a SQLite file; several processes may have it open.

    Args:
        path: the file, made when missing. Raises StoreConfigurationError when it cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self._layout_ids: dict[_LayoutKey, int] = {}
        self._thread = SqliteThread(path, "readings", MIGRATIONS, self._layout_ids.clear)
        for name, function in (("merge_values", merge_values), ("merge_quality", merge_quality)):
            self._thread.connection.create_function(name, 2, function, deterministic=True)

    async def write(self, site: str, devices: Sequence[DeviceRows]) -> tuple[RefusedRow, ...]:
        """See `ReadingStore.write`."""

        def work(connection: sqlite3.Connection) -> tuple[RefusedRow, ...]:
            accepted, refused = sift(devices)
            for rows in accepted:
                if rows.columns:
                    layout_id = self._layout_id(connection, site, rows)
                    connection.executemany(_INSERT, [(layout_id, *row) for row in pack_rows(rows)])
            return tuple(refused)

        return await self._thread.write(work)

    async def write_events(self, site: str, events: Sequence[Event]) -> tuple[RefusedRow, ...]:
        """See `ReadingStore.write_events`."""
        accepted, refused = sift_events(events)
        if accepted:
            await self._thread.write(lambda connection: write_events(connection, site, accepted))
        return refused

    async def events(self, site: str, start_ms: int, end_ms: int, kind: str | None = None) -> list[Event]:
        """See `ReadingStore.events`."""
        return await self._thread.read(lambda connection: select_events(connection, site, start_ms, end_ms, kind))

    async def latest(self, site: str, since_ms: int) -> dict[tuple[str, str], Latest]:
        """See `ReadingStore.latest`."""
        return await self._thread.read(lambda connection: _latest(connection, site, since_ms))

    async def readings(self, site: str, device: str, quantity: str, start_ms: int, end_ms: int) -> Series:
        """See `ReadingStore.readings`."""
        return await self._thread.read(
            lambda connection: _readings(connection, (site, device, quantity), start_ms, end_ms)
        )

    async def last_before(self, site: str, device: str, quantity: str, time_ms: int) -> Latest | None:
        """See `ReadingStore.last_before`."""
        key = (site, device, quantity)
        found = await self._thread.read(lambda connection: _nearest(connection, key, "<=", "DESC", time_ms))
        return max(found, key=lambda latest: latest.time_ms, default=None)

    async def first_after(self, site: str, device: str, quantity: str, time_ms: int) -> Latest | None:
        """See `ReadingStore.first_after`."""
        key = (site, device, quantity)
        found = await self._thread.read(lambda connection: _nearest(connection, key, ">=", "ASC", time_ms))
        return min(found, key=lambda latest: latest.time_ms, default=None)

    async def sampled(self, site: str, device: str, quantity: str, start_ms: int, end_ms: int, every_ms: int) -> Series:
        """See `ReadingStore.sampled`."""

        def work(connection: sqlite3.Connection) -> Series:
            return _means(_readings(connection, (site, device, quantity), start_ms, end_ms), start_ms, every_ms)

        return await self._thread.read(work)

    async def qualities(self, site: str, device: str, quantity: str, start_ms: int, end_ms: int) -> dict[int, Quality]:
        """See `OperatedReadingStore.qualities`."""

        def work(connection: sqlite3.Connection) -> dict[int, Quality]:
            return {
                time_ms: Quality(quality[index])
                for layout_id, index in layouts_with(connection, (site, device, quantity))
                for time_ms, quality in connection.execute(
                    "SELECT time_ms, quality FROM reading "
                    "WHERE layout_id = ? AND time_ms >= ? AND time_ms < ? AND quality IS NOT NULL",
                    (layout_id, start_ms, end_ms),
                )
                if quality[index]
            }

        return await self._thread.read(work)

    async def count(self, site: str) -> StoredCount:
        """See `ReadingStore.count`. Reads everything: minutes for a year of a large site."""
        return await self._thread.read(lambda connection: count(connection, site))

    async def count_of(self, site: str, device: str, start_ms: int, end_ms: int) -> int:
        """See `ReadingStore.count_of`."""
        return await self._thread.read(lambda connection: count_of(connection, site, device, start_ms, end_ms))

    async def write_intervals(self, rows: Iterable[IntervalRow]) -> None:
        """See `ReadingStore.write_intervals`."""
        given = list(rows)
        check_finite(given)
        await self._thread.write(lambda connection: write_rows(connection, CONSUMPTION, given))

    async def write_days(self, rows: Iterable[IntervalRow]) -> None:
        """See `ReadingStore.write_days`."""
        given = list(rows)
        check_finite(given)
        await self._thread.write(lambda connection: write_rows(connection, CONSUMPTION_DAY, given))

    async def intervals(self, site: str, start_ms: int, end_ms: int, point: str | None = None) -> list[IntervalRow]:
        """See `ReadingStore.intervals`."""
        return await self._thread.read(
            lambda connection: select_rows(connection, CONSUMPTION, site, start_ms, end_ms, point)
        )

    async def days(self, site: str, start_ms: int, end_ms: int, point: str | None = None) -> list[IntervalRow]:
        """See `ReadingStore.days`."""
        return await self._thread.read(
            lambda connection: select_rows(connection, CONSUMPTION_DAY, site, start_ms, end_ms, point)
        )

    async def day_starts(self, site: str, start_ms: int, end_ms: int) -> list[int]:
        """See `ReadingStore.day_starts`."""
        return await self._thread.read(lambda connection: select_starts(connection, site, start_ms, end_ms))

    async def delete_readings_before(self, time_ms: int) -> None:
        """See `ReadingStore.delete_readings_before`. In small transactions, so that writers wait for none of them."""
        layout_ids = await self._thread.read(lambda connection: connection.execute("SELECT id FROM layout").fetchall())
        for (layout_id,) in layout_ids:
            while await self._thread.write(lambda connection, key=layout_id: _delete_some(connection, key, time_ms)):  # type: ignore[misc]
                pass

    async def check(self) -> None:
        """See `OperatedReadingStore.check`."""
        await self._thread.read(lambda connection: connection.execute("SELECT 1 FROM layout LIMIT 1").fetchone())

    async def close(self) -> None:
        """See `ReadingStore.close`."""
        await self._thread.close()

    def _layout_id(self, connection: sqlite3.Connection, site: str, rows: DeviceRows) -> int:
        quantities = tuple([column.quantity for column in rows.columns])
        key = (site, rows.device, quantities)
        found = self._layout_ids.get(key)
        if found is None:
            named = (site, rows.device, json.dumps(quantities))
            connection.execute(
                "INSERT INTO layout(site, device, quantities) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", named
            )
            (found,) = connection.execute(
                "SELECT id FROM layout WHERE site = ? AND device = ? AND quantities = ?", named
            ).fetchone()
            self._layout_ids[key] = found
        return int(found)


def _readings(connection: sqlite3.Connection, key: tuple[str, str, str], start_ms: int, end_ms: int) -> Series:
    merged: dict[int, bytes] = {}
    layouts = layouts_with(connection, key)
    for layout_id, index in layouts:
        merged.update(
            connection.execute(
                "SELECT time_ms, substr(packed, ?, 8) AS value FROM reading "
                "WHERE layout_id = ? AND time_ms >= ? AND time_ms < ? AND value != ? ORDER BY time_ms",
                (index * VALUE_BYTES + 1, layout_id, start_ms, end_ms, NAN_BYTES),
            )
        )
    if len(layouts) > 1:
        merged = dict(sorted(merged.items()))
    return Series(tuple(merged), unpack_doubles(tuple(merged.values())))


def _means(series: Series, start_ms: int, every_ms: int) -> Series:
    times: list[int] = []
    means: list[float] = []
    window = None
    total, count = 0.0, 0
    for time_ms, value in zip(series.times_ms, series.values, strict=True):
        current = (time_ms - start_ms) // every_ms
        if current != window:
            if count:
                means.append(total / count)
            times.append(start_ms + current * every_ms)
            window, total, count = current, 0.0, 0
        total += value
        count += 1
    if count:
        means.append(total / count)
    return Series(tuple(times), tuple(means))


def _nearest(
    connection: sqlite3.Connection, key: tuple[str, str, str], comparison: str, order: str, time_ms: int
) -> Iterator[Latest]:
    found = []
    for layout_id, index in reversed(layouts_with(connection, key)):
        row = connection.execute(
            # Comparison and order are this module's own words.
            "SELECT time_ms, substr(packed, ?, 8) AS value FROM reading "  # noqa: S608
            f"WHERE layout_id = ? AND time_ms {comparison} ? AND value != ? ORDER BY time_ms {order} LIMIT 1",
            (index * VALUE_BYTES + 1, layout_id, time_ms, NAN_BYTES),
        ).fetchone()
        if row is not None:
            found.append(Latest(row[0], *unpack_doubles((row[1],))))
    return iter(found)


def _latest(connection: sqlite3.Connection, site: str, since_ms: int) -> dict[tuple[str, str], Latest]:
    newest: dict[tuple[str, str], Latest] = {}
    for layout_id, device, quantities in connection.execute(
        "SELECT id, device, quantities FROM layout WHERE site = ? ORDER BY id DESC", (site,)
    ):
        names = json.loads(quantities)
        wanted = dict(enumerate(names))
        unpack = layout_struct(len(names)).unpack
        for time_ms, packed in connection.execute(
            "SELECT time_ms, packed FROM reading WHERE layout_id = ? AND time_ms >= ? ORDER BY time_ms DESC",
            (layout_id, since_ms),
        ):
            values = unpack(packed)
            for index in [index for index in wanted if values[index] == values[index]]:  # not NaN
                key = (device, wanted.pop(index))
                if key not in newest or newest[key].time_ms < time_ms:
                    newest[key] = Latest(time_ms, values[index])
            if not wanted:
                break
    return newest


def _delete_some(connection: sqlite3.Connection, layout_id: int, time_ms: int) -> bool:
    """Delete the oldest rows of a layout before a time; returns whether there may be more."""
    beyond = connection.execute(
        "SELECT time_ms FROM reading WHERE layout_id = ? AND time_ms < ? ORDER BY time_ms LIMIT 1 OFFSET ?",
        (layout_id, time_ms, _ROWS_DELETED_AT_ONCE),
    ).fetchone()
    limit = beyond[0] if beyond else time_ms
    connection.execute("DELETE FROM reading WHERE layout_id = ? AND time_ms < ?", (layout_id, limit))
    return beyond is not None

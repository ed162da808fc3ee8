"""What could not be stored, durably kept with its reason and origin: whole payloads and single rows."""

import hashlib
import logging
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from collector.seldom import Seldom
from store.sqlite_thread import SqliteThread
from wire_format.batch import BatchId, Column, DeviceRows, RefusedRow
from wire_format.quality import Quality

logger = logging.getLogger(__name__)

MAXIMUM_ENTRIES = 200_000
MAXIMUM_BYTES = 1024 * 1024 * 1024
MAXIMUM_ENTRIES_OF_AN_EDGE = 20_000
MAXIMUM_BYTES_OF_AN_EDGE = 64 * 1024 * 1024
_REASON_CHARACTERS = 500

_VERSION_1 = """
CREATE TABLE quarantine(
    id INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    topic TEXT NOT NULL,
    batch_id TEXT NOT NULL,
    device TEXT,
    time_ms INTEGER,
    reason TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    payload BLOB NOT NULL,
    digest BLOB NOT NULL,
    seen INTEGER NOT NULL DEFAULT 1,
    UNIQUE(topic, digest)
);
CREATE INDEX quarantine_by_topic ON quarantine(topic, id, bytes);
CREATE INDEX quarantine_by_id ON quarantine(id, bytes);
"""
MIGRATIONS = (_VERSION_1,)


@dataclass(frozen=True, slots=True)
class QuarantineEntry:
    """A payload (`device` is None) or a row that was set aside.

    `topic` is where it came from. `bytes` is its size, `seen` how many times it came. `batch_id` is empty where
    it could not be told.
    """

    number: int
    at_ms: int
    topic: str
    batch_id: str
    device: str | None
    time_ms: int | None
    reason: str
    bytes: int
    seen: int


_COLUMNS = "id, at_ms, topic, batch_id, device, time_ms, reason, bytes, seen"


class Quarantine:
    """The quarantine, in a SQLite file that may hold other tables too. What it returned from is on the disk.

    It is bounded: an edge's oldest entries make room for its newer ones, and an error in the log says so.

    Args:
        path: made when missing. Raises StoreConfigurationError when it cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self._thread = SqliteThread(path, "quarantine", MIGRATIONS)
        self._seldom = Seldom()

    async def keep_payload(self, topic: str, batch_id: BatchId | None, payload: bytes, reason: str) -> None:
        """Keep a payload that is no batch."""
        name = "" if batch_id is None else f"{batch_id.run_id}:{batch_id.sequence}"
        await self._keep(topic, [(name, None, None, reason, payload)])

    async def keep_rows(
        self, topic: str, batch_id: BatchId, devices: Sequence[DeviceRows], refused: Sequence[RefusedRow]
    ) -> None:
        """Keep those of the rows that were refused, with their values, as JSON."""
        if not refused:
            return
        name = f"{batch_id.run_id}:{batch_id.sequence}"
        places: dict[tuple[str, int], list[tuple[DeviceRows, int]]] = {}
        for rows in devices:
            for index, time_ms in enumerate(rows.times_ms):
                places.setdefault((rows.device, time_ms), []).append((rows, index))
        await self._keep(
            topic,
            [
                (name, row.device, row.time_ms, row.reason, row_to_json(*place))
                for row in refused
                for place in places.get((row.device, row.time_ms), ())
            ],
        )

    async def entries(self, limit: int = 1000) -> tuple[QuarantineEntry, ...]:
        """The newest entries, newest first."""
        rows = await self._thread.read(
            lambda connection: connection.execute(
                f"SELECT {_COLUMNS} FROM quarantine ORDER BY id DESC LIMIT ?",  # noqa: S608  # this module's words
                (limit,),
            ).fetchall()
        )
        return tuple([QuarantineEntry(*row) for row in rows])

    async def entry(self, number: int) -> QuarantineEntry | None:
        """One entry; None when there is no such entry."""
        row = await self._thread.read(
            lambda connection: connection.execute(
                f"SELECT {_COLUMNS} FROM quarantine WHERE id = ?",  # noqa: S608  # this module's words
                (number,),
            ).fetchone()
        )
        return None if row is None else QuarantineEntry(*row)

    async def payload(self, number: int) -> bytes | None:
        """What an entry holds; None when there is no such entry."""
        row = await self._thread.read(
            lambda connection: connection.execute("SELECT payload FROM quarantine WHERE id = ?", (number,)).fetchone()
        )
        return None if row is None else bytes(row[0])

    async def remove(self, number: int) -> None:
        """Forget an entry whose content is stored."""
        await self._thread.write(
            lambda connection: connection.execute("DELETE FROM quarantine WHERE id = ?", (number,))
        )

    async def by_topic(self) -> dict[str, tuple[int, int]]:
        """How many entries there are of each topic, and their bytes."""
        rows = await self._thread.read(
            lambda connection: connection.execute(
                "SELECT topic, COUNT(*), SUM(bytes) FROM quarantine GROUP BY topic"
            ).fetchall()
        )
        return {topic: (entries, size) for topic, entries, size in rows}

    async def close(self) -> None:
        """Finish what was given and close the file."""
        await self._thread.close()

    async def _keep(self, topic: str, kept: Sequence[tuple[str, str | None, int | None, str, bytes]]) -> None:
        at_ms = time.time_ns() // 1_000_000

        def work(connection: sqlite3.Connection) -> int:
            connection.executemany(
                "INSERT INTO quarantine(at_ms, topic, batch_id, device, time_ms, reason, bytes, payload, digest) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "
                "ON CONFLICT DO UPDATE SET seen = seen + 1, reason = excluded.reason",
                [
                    (
                        at_ms, topic, batch_id, device, time_ms, reason[:_REASON_CHARACTERS], len(payload), payload,
                        hashlib.blake2b(payload, digest_size=16).digest(),
                    )
                    for batch_id, device, time_ms, reason, payload in kept
                ],
            )  # fmt: skip
            dropped = _trim(connection, "topic = ?", (topic,), MAXIMUM_ENTRIES_OF_AN_EDGE, MAXIMUM_BYTES_OF_AN_EDGE)
            return dropped + _trim(connection, "1", (), MAXIMUM_ENTRIES, MAXIMUM_BYTES)

        dropped = await self._thread.write(work)
        if dropped and self._seldom.due(topic):
            logger.error("quarantine is full: the %d oldest entries have made room for those of %s", dropped, topic)


def _trim(
    connection: sqlite3.Connection, condition: str, given: Sequence[str], most_entries: int, most_bytes: int
) -> int:
    """Delete the oldest entries beyond the bounds; returns how many."""
    entries, total = connection.execute(
        f"SELECT COUNT(*), COALESCE(SUM(bytes), 0) FROM quarantine WHERE {condition}",  # noqa: S608  # this module's words
        given,
    ).fetchone()
    dropped = 0
    while entries > most_entries or total > most_bytes:
        number, size = connection.execute(
            f"SELECT id, bytes FROM quarantine WHERE {condition} ORDER BY id LIMIT 1",  # noqa: S608  # this module's words
            given,
        ).fetchone()
        connection.execute("DELETE FROM quarantine WHERE id = ?", (number,))
        entries, total, dropped = entries - 1, total - size, dropped + 1
    return dropped


class _Cell(msgspec.Struct, frozen=True):
    quantity: str
    unit: str
    exponent: int
    integer: int | None
    quality: int


class _Row(msgspec.Struct, frozen=True):
    device: str
    time_ms: int
    columns: list[_Cell]


def row_to_json(rows: DeviceRows, index: int) -> bytes:
    """One row as the quarantine keeps it."""
    cells = [
        _Cell(column.quantity, column.unit, column.exponent, column.integers[index], int(column.quality_at(index)))
        for column in rows.columns
    ]
    return msgspec.json.encode(_Row(rows.device, rows.times_ms[index], cells))


def row_from_json(data: bytes) -> DeviceRows:
    """The row again; raises ValueError for what is none."""
    row = msgspec.json.decode(data, type=_Row)
    columns = [
        Column(
            cell.quantity, cell.unit, cell.exponent, (cell.integer,), (Quality(cell.quality),) if cell.quality else ()
        )
        for cell in row.columns
    ]
    return DeviceRows(row.device, (row.time_ms,), tuple(columns))

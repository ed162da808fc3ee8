"""What could not be stored, durably kept with its reason and origin: whole payloads and single rows."""

import hashlib
import logging
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from store.sqlite_thread import SqliteThread
from wire_format.batch import Batch, BatchId, DeviceRows, RefusedRow

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

    async def keep_payload(self, topic: str, batch_id: BatchId | None, payload: bytes, reason: str) -> None:
        """Keep a payload that is no batch."""
        name = "" if batch_id is None else f"{batch_id.run_id}:{batch_id.sequence}"
        await self._keep(topic, [(name, None, None, reason, payload)])

    async def keep_rows(self, topic: str, batch: Batch, refused: Sequence[RefusedRow]) -> None:
        """Keep rows that the store refused, with their values, as JSON."""
        name = f"{batch.batch_id.run_id}:{batch.batch_id.sequence}"
        places: dict[tuple[str, int], list[tuple[DeviceRows, int]]] = {}
        for rows in batch.devices:
            for index, time_ms in enumerate(rows.times_ms):
                places.setdefault((rows.device, time_ms), []).append((rows, index))
        await self._keep(
            topic,
            [
                (name, row.device, row.time_ms, row.reason, _row_json(row, places.get((row.device, row.time_ms), [])))
                for row in refused
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

    async def payload(self, number: int) -> bytes | None:
        """What an entry holds; None when there is no such entry."""
        row = await self._thread.read(
            lambda connection: connection.execute("SELECT payload FROM quarantine WHERE id = ?", (number,)).fetchone()
        )
        return None if row is None else bytes(row[0])

    async def close(self) -> None:
        """Finish what was given and close the file."""
        await self._thread.close()

    async def _keep(self, topic: str, kept: Sequence[tuple[str, str | None, int | None, str, bytes]]) -> None:
        at_ms = time.time_ns() // 1_000_000

        def work(connection: sqlite3.Connection) -> int:
            connection.executemany(
                "INSERT INTO quarantine(at_ms, topic, batch_id, device, time_ms, reason, bytes, payload, digest) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET seen = seen + 1",
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
        if dropped:
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


def _row_json(row: RefusedRow, places: Sequence[tuple[DeviceRows, int]]) -> bytes:
    columns = [
        {
            "quantity": column.quantity,
            "unit": column.unit,
            "exponent": column.exponent,
            "integer": column.integers[index],
            "quality": int(column.quality_at(index)),
        }
        for rows, index in places
        for column in rows.columns
    ]
    return msgspec.json.encode({"device": row.device, "time_ms": row.time_ms, "columns": columns})

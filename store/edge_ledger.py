"""What is known of each edge beside its readings: its series, its last batch, and whether each day arrived whole."""

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from store.sqlite_thread import SqliteThread
from wire_format.topics import EdgeAddress

_VERSION_1 = """
CREATE TABLE edge_series(
    site TEXT NOT NULL,
    edge TEXT NOT NULL,
    device TEXT NOT NULL,
    quantity TEXT NOT NULL,
    PRIMARY KEY(site, edge, device, quantity)
) WITHOUT ROWID;
CREATE TABLE edge_batch(
    site TEXT NOT NULL,
    edge TEXT NOT NULL,
    stored_ms INTEGER NOT NULL,
    reading_ms INTEGER NOT NULL,
    clock_source TEXT NOT NULL,
    PRIMARY KEY(site, edge)
) WITHOUT ROWID;
CREATE TABLE reconciliation(
    site TEXT NOT NULL,
    edge TEXT NOT NULL,
    day_ms INTEGER NOT NULL,
    device TEXT NOT NULL,
    told INTEGER NOT NULL,
    stored INTEGER NOT NULL,
    wrong_totals TEXT NOT NULL,
    compared_ms INTEGER NOT NULL,
    PRIMARY KEY(site, edge, day_ms, device)
) WITHOUT ROWID;
"""
MIGRATIONS = (_VERSION_1,)


@dataclass(frozen=True, slots=True)
class LastBatch:
    """When a collector last stored a batch, its newest reading (both ms UTC), and the edge's clock source."""

    stored_ms: int
    reading_ms: int
    clock_source: str


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """One device on one UTC day: values that the edge told of and values that the store holds.

    `wrong_totals` names the counters whose first or last reading of the day differs.
    """

    site: str
    edge: str
    day_ms: int
    device: str
    told: int
    stored: int
    wrong_totals: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether the day arrived whole."""
        return self.told == self.stored and not self.wrong_totals


class EdgeLedger:
    """The ledger, in a SQLite file that holds other tables too; several processes may have it open.

    Args:
        path: made when missing. Raises StoreConfigurationError when it cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self._thread = SqliteThread(path, "edges", MIGRATIONS)

    async def series(self) -> dict[EdgeAddress, dict[str, set[str]]]:
        """The quantities that each edge has sent of each device."""
        found: dict[EdgeAddress, dict[str, set[str]]] = {}
        rows = await self._thread.read(
            lambda connection: connection.execute("SELECT site, edge, device, quantity FROM edge_series").fetchall()
        )
        for site, edge, device, quantity in rows:
            found.setdefault(EdgeAddress(site, edge), {}).setdefault(device, set()).add(quantity)
        return found

    async def add_series(self, edge: EdgeAddress, series: Iterable[tuple[str, str]]) -> None:
        """Note (device, quantity) that an edge has not sent before."""
        given = [(edge.site, edge.edge, *one) for one in series]
        await self._thread.write(
            lambda connection: connection.executemany("INSERT OR IGNORE INTO edge_series VALUES (?, ?, ?, ?)", given)
        )

    async def note_batches(self, batches: Mapping[EdgeAddress, LastBatch]) -> None:
        """Replace what is known of the last batch of each of these edges, unless that is newer."""
        given = [
            (edge.site, edge.edge, last.stored_ms, last.reading_ms, last.clock_source) for edge, last in batches.items()
        ]
        await self._thread.write(
            lambda connection: connection.executemany(
                "INSERT INTO edge_batch VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
                "stored_ms = excluded.stored_ms, reading_ms = excluded.reading_ms, "
                "clock_source = excluded.clock_source WHERE excluded.stored_ms > edge_batch.stored_ms",
                given,
            )
        )

    async def last_batches(self) -> dict[EdgeAddress, LastBatch]:
        """The last batch of every edge that has ever sent one."""
        rows = await self._thread.read(
            lambda connection: connection.execute(
                "SELECT site, edge, stored_ms, reading_ms, clock_source FROM edge_batch ORDER BY site, edge"
            ).fetchall()
        )
        return {EdgeAddress(site, edge): LastBatch(*known) for site, edge, *known in rows}

    async def note_reconciliations(self, compared: Iterable[Reconciliation], now_ms: int) -> None:
        """Replace what is known of these days of these devices."""
        given = [
            (one.site, one.edge, one.day_ms, one.device, one.told, one.stored, " ".join(one.wrong_totals), now_ms)
            for one in compared
        ]
        await self._thread.write(
            lambda connection: connection.executemany(
                "INSERT OR REPLACE INTO reconciliation VALUES (?, ?, ?, ?, ?, ?, ?, ?)", given
            )
        )

    async def reconciliations(self, since_ms: int, site: str | None = None) -> tuple[Reconciliation, ...]:
        """Every comparison of days that start at or after a time, of one site or all, by day."""

        def work(connection: sqlite3.Connection) -> list[tuple[str, str, int, str, int, int, str]]:
            return connection.execute(
                "SELECT site, edge, day_ms, device, told, stored, wrong_totals FROM reconciliation "
                "WHERE day_ms >= ? AND site = COALESCE(?, site) ORDER BY day_ms, site, edge, device",
                (since_ms, site),
            ).fetchall()

        rows = await self._thread.read(work)
        return tuple([Reconciliation(*row[:-1], tuple(row[-1].split())) for row in rows])

    async def close(self) -> None:
        """Finish what was given and close the file."""
        await self._thread.close()

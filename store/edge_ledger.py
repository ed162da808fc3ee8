"""What is known of each edge beside its readings: its series, its last batch, and whether each day arrived whole."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
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
    rises TEXT NOT NULL,
    stored INTEGER,
    wrong_totals TEXT NOT NULL DEFAULT '',
    thinned INTEGER NOT NULL DEFAULT 0,
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
class ToldDay:
    """What an edge has told of one device on one UTC day: how many values, and the rise of each total."""

    site: str
    edge: str
    day_ms: int
    device: str
    values: int
    rises: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """One device on one UTC day: values that the edge told of and values that the store holds.

    `wrong_totals` names the totals that rose otherwise. `thinned`: the edge's outbox was full, and it told so.
    """

    site: str
    edge: str
    day_ms: int
    device: str
    told: int
    stored: int
    wrong_totals: tuple[str, ...] = ()
    thinned: bool = False

    @property
    def missing(self) -> int:
        """How many values did not arrive though nobody has said why. More than were told is no loss."""
        return 0 if self.thinned else max(self.told - self.stored, 0)

    @property
    def agrees(self) -> bool:
        """Whether the day arrived whole, or as it was told."""
        return self.thinned or (self.told <= self.stored and not self.wrong_totals)


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

    async def note_told(self, days: Iterable[ToldDay]) -> None:
        """Replace what edges have told of days; these are to be compared again."""
        given = [(one.site, one.edge, one.day_ms, one.device, one.values, json.dumps(one.rises)) for one in days]
        await self._thread.write(
            lambda connection: connection.executemany(
                "INSERT OR REPLACE INTO reconciliation(site, edge, day_ms, device, told, rises) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                given,
            )
        )

    async def to_compare(self, since_ms: int) -> tuple[ToldDay, ...]:
        """Days from a time on that were not compared yet, or of which something was missing."""
        rows = await self._thread.read(
            lambda connection: connection.execute(
                "SELECT site, edge, day_ms, device, told, rises FROM reconciliation WHERE day_ms >= ? "
                "AND NOT thinned AND (stored IS NULL OR stored < told OR wrong_totals != '') ORDER BY day_ms DESC",
                (since_ms,),
            ).fetchall()
        )
        return tuple(
            [
                ToldDay(site, edge, day_ms, device, values, json.loads(rises))
                for site, edge, day_ms, device, values, rises in rows
            ]
        )

    async def note_compared(self, compared: Iterable[Reconciliation]) -> None:
        """Keep what comparing found; a day of which the edge has told something else meanwhile stays as it is."""
        given = [
            (one.stored, " ".join(one.wrong_totals), one.thinned, one.site, one.edge, one.day_ms, one.device, one.told)
            for one in compared
        ]
        await self._thread.write(
            lambda connection: connection.executemany(
                "UPDATE reconciliation SET stored = ?, wrong_totals = ?, thinned = ? "
                "WHERE site = ? AND edge = ? AND day_ms = ? AND device = ? AND told = ?",
                given,
            )
        )

    async def forget_days_before(self, time_ms: int) -> None:
        """Drop days that nobody looks at any more."""
        await self._thread.write(
            lambda connection: connection.execute("DELETE FROM reconciliation WHERE day_ms < ?", (time_ms,))
        )

    async def reconciliations(self, since_ms: int, site: str | None = None) -> tuple[Reconciliation, ...]:
        """Every comparison of days that start at or after a time, of one site or all, by day."""
        rows = await self._thread.read(
            lambda connection: connection.execute(
                "SELECT site, edge, day_ms, device, told, stored, wrong_totals, thinned FROM reconciliation "
                "WHERE day_ms >= ? AND site = COALESCE(?, site) AND stored IS NOT NULL "
                "ORDER BY day_ms, site, edge, device",
                (since_ms, site),
            ).fetchall()
        )
        return tuple(
            [
                Reconciliation(site_, edge, day_ms, device, told, stored, tuple(wrong.split()), bool(thinned))
                for site_, edge, day_ms, device, told, stored, wrong, thinned in rows
            ]
        )

    async def close(self) -> None:
        """Finish what was given and close the file."""
        await self._thread.close()

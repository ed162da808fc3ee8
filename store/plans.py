"""Plans of sites, daily values that no device gives, frozen versions of baselines: in the entities' file."""

import hashlib
import json
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from store.audit import AuditTrail
from store.protocol import StoreConfigurationError
from store.sqlite_thread import SqliteThread

_Json = Mapping[str, object]
_BASELINE_COLUMNS = (
    "site", "baseline", "version", "made_ms", "author", "reason", "definition_hash", "data_hash",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """A plan as it was imported last; `version` changes with every change."""

    site: str
    version: int
    document: _Json
    imported_ms: int
    author: str


@dataclass(frozen=True, slots=True)
class StoredBaseline:
    """A version of a baseline. It is written once: what it says is never changed.

    `definition_hash` tells from which definition it was fitted, `data_hash` from which data; `document` has both, and
    the model.
    """

    site: str
    baseline: str
    version: int
    made_ms: int
    author: str
    reason: str
    definition_hash: str
    data_hash: str
    document: _Json


@dataclass(frozen=True, slots=True)
class Rederivation:
    """Site-local days (ISO dates, both included; None is open) whose costs and expected values are out of date."""

    number: int
    site: str
    first_day: str | None
    last_day: str | None


class Plans:
    """The plans in an entities' file.

    Args:
        thread: of that file.
    """

    def __init__(self, thread: SqliteThread) -> None:
        self._thread = thread

    async def put(
        self,
        site: str,
        document: _Json,
        daily: Mapping[str, Mapping[str, float]],
        author: str,
        *,
        rederive: bool = True,
    ) -> bool:
        """Make this the site's plan, with the values of its tables by name and ISO date; False when it was already.

        A table's values replace all that were there under its name. What is derived from plans is noted as a
        rederivation of all days, unless nothing is derived yet (`rederive` is False). Raises StoreConfigurationError
        when the site is not known.
        """

        def work(connection: sqlite3.Connection) -> bool:
            changed = _put(connection, site, document, daily, author)
            if changed and rederive:
                _rederive(connection, site, None)
            return changed

        return await self._thread.write(work)

    async def plan(self, site: str) -> StoredPlan | None:
        """The site's plan."""
        row = await self._thread.read(
            lambda connection: connection.execute(
                "SELECT site, version, document, imported_ms, author FROM plan WHERE site = ?", (site,)
            ).fetchone()
        )
        return None if row is None else StoredPlan(row[0], row[1], json.loads(row[2]), row[3], row[4])

    async def daily(self, site: str, first_day: str, last_day: str) -> dict[str, dict[str, float]]:
        """Daily values by name and ISO date, both days included."""
        rows = await self._thread.read(
            lambda connection: connection.execute(
                "SELECT name, day, value FROM daily_value WHERE site = ? AND day BETWEEN ? AND ?",
                (site, first_day, last_day),
            ).fetchall()
        )
        found: dict[str, dict[str, float]] = {}
        for name, day, value in rows:
            found.setdefault(name, {})[day] = value
        return found

    async def temperatures(self, site: str, source: str, first_day: str, last_day: str) -> dict[str, tuple[float, ...]]:
        """The mean temperatures (°C) of each day's hours that are kept of a source, by ISO date, both days included."""
        rows = await self._thread.read(
            lambda connection: connection.execute(
                "SELECT day, degc FROM hourly_temperature WHERE site = ? AND source = ? AND day BETWEEN ? AND ?",
                (site, source, first_day, last_day),
            ).fetchall()
        )
        return {day: tuple(json.loads(degc)) for day, degc in rows}

    async def keep_temperatures(self, site: str, source: str, day: str, degc: Sequence[float]) -> None:
        """Keep those of a day: what weather variables are made of when raw readings are gone."""
        row = (site, source, day, json.dumps(list(degc)))
        await self._thread.write(
            lambda connection: connection.execute("INSERT OR REPLACE INTO hourly_temperature VALUES (?, ?, ?, ?)", row)
        )

    async def baselines(self, site: str) -> tuple[StoredBaseline, ...]:
        """All versions of all baselines of a site, by baseline and version."""
        rows = await self._thread.read(
            lambda connection: connection.execute(
                f"SELECT {', '.join(_BASELINE_COLUMNS)}, document FROM baseline_version "  # noqa: S608  # this module's words
                "WHERE site = ? ORDER BY baseline, version",
                (site,),
            ).fetchall()
        )
        return tuple([_baseline(row) for row in rows])

    async def add_baseline(
        self, site: str, baseline: str, definition_hash: str, data_hash: str, document: _Json, author: str, reason: str
    ) -> int:
        """Freeze a new version; returns its number. What it changes is noted as a rederivation."""

        def work(connection: sqlite3.Connection) -> int:
            (last,) = connection.execute(
                "SELECT COALESCE(MAX(version), 0) FROM baseline_version WHERE site = ? AND baseline = ?",
                (site, baseline),
            ).fetchone()
            now_ms = _now_ms()
            version = int(last) + 1
            connection.execute(
                "INSERT INTO baseline_version VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (site, baseline, version, now_ms, author, reason, definition_hash, data_hash, json.dumps(document)),
            )
            state = {"version": version, "data_hash": data_hash, "reason": reason}
            AuditTrail(connection, site, author, now_ms).note("baseline", baseline, None, state)
            _rederive(connection, site, None)
            return version

        return await self._thread.write(work)

    async def rederivations(self) -> tuple[Rederivation, ...]:
        """What waits, in the order of its making."""
        rows = await self._thread.read(
            lambda connection: connection.execute(
                "SELECT id, site, first_day, last_day FROM rederivation ORDER BY id"
            ).fetchall()
        )
        return tuple([Rederivation(*row) for row in rows])

    async def shorten(self, rederivation: Rederivation, last_day: str | None) -> None:
        """Days after `last_day` are done; None: all of them."""

        def work(connection: sqlite3.Connection) -> None:
            if last_day is None:
                connection.execute("DELETE FROM rederivation WHERE id = ?", (rederivation.number,))
            else:
                connection.execute("UPDATE rederivation SET last_day = ? WHERE id = ?", (last_day, rederivation.number))

        await self._thread.write(work)


def _baseline(row: Sequence[Any]) -> StoredBaseline:
    *columns, document = row
    return StoredBaseline(**dict(zip(_BASELINE_COLUMNS, columns, strict=True)), document=json.loads(document))


def _put(
    connection: sqlite3.Connection,
    site: str,
    document: _Json,
    daily: Mapping[str, Mapping[str, float]],
    author: str,
) -> bool:
    if connection.execute("SELECT 1 FROM site WHERE site = ?", (site,)).fetchone() is None:
        raise StoreConfigurationError(f"site {site!r} is not known; start the collector with its site file first")
    text = json.dumps(document, sort_keys=True)
    row = connection.execute("SELECT version, document FROM plan WHERE site = ?", (site,)).fetchone()
    changed = {name for name, values in daily.items() if _daily_of(connection, site, name) != dict(values)}
    if row is not None and row[1] == text and not changed:
        return False
    now_ms = _now_ms()
    trail = AuditTrail(connection, site, author, now_ms)
    version = 1 if row is None else row[0] + 1
    connection.execute("INSERT OR REPLACE INTO plan VALUES (?, ?, ?, ?, ?)", (site, version, text, now_ms, author))
    if row is None or row[1] != text:
        trail.note("plan", site, None if row is None else json.loads(row[1]), document)
    for name in sorted(changed):
        connection.execute("DELETE FROM daily_value WHERE site = ? AND name = ?", (site, name))
        connection.executemany(
            "INSERT INTO daily_value VALUES (?, ?, ?, ?)",
            [(site, name, day, value) for day, value in daily[name].items()],
        )
        values = json.dumps(sorted(daily[name].items())).encode()
        state = {"days": len(daily[name]), "hash": hashlib.sha256(values).hexdigest()}
        trail.note("daily values", name, None, state)
    return True


def _daily_of(connection: sqlite3.Connection, site: str, name: str) -> dict[str, float]:
    return dict(
        connection.execute("SELECT day, value FROM daily_value WHERE site = ? AND name = ?", (site, name)).fetchall()
    )


def _rederive(connection: sqlite3.Connection, site: str, first_day: str | None) -> None:
    # One that is under way has done its newest days by what was true before.
    connection.execute("DELETE FROM rederivation WHERE site = ?", (site,))
    connection.execute("INSERT INTO rederivation(site, first_day, last_day) VALUES (?, ?, NULL)", (site, first_day))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000

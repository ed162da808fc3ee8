"""Sites, devices, points and assignments, the marks of what is to be evaluated, and leases: always in SQLite."""

import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from site_config.points import Assignment, Point, Resource, Role
from site_config.schema import Site
from store import dirty_marks, leases, site_import
from store.audit import AuditEntry, audit_entries
from store.dirty_marks import DirtyMark, Recomputation
from store.entities_schema import MIGRATIONS
from store.plans import Plans
from store.site_import import SiteImport
from store.sqlite_thread import SqliteThread


@dataclass(frozen=True, slots=True)
class SiteEntry:
    """A site: its slug, the name that people read, and its clock."""

    site: str
    name: str
    time_zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class DeviceEntry:
    """An installed device. Maker and model are empty until somebody tells them."""

    device: str
    profile: str
    line: str
    maker: str = ""
    model: str = ""


class Entities:
    """The entities' file; several processes may have it open.

    Args:
        path: made when missing. Raises StoreConfigurationError when it cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self._thread = SqliteThread(path, "entities", MIGRATIONS)
        self.plans = Plans(self._thread)

    async def import_site(self, site: Site, author: str) -> SiteImport:
        """Make the entities of a site what its file declares; importing the same again changes nothing.

        What the file no longer names is retired, not deleted. Every change is kept in the audit trail. The result
        names the assignments that came or went; what they measured is noted as a recomputation. Raises SiteFileError
        when a point's resource is not what it was.
        """
        return await self._thread.write(lambda connection: site_import.import_site(connection, site, author, _now_ms()))

    async def sites(self) -> tuple[SiteEntry, ...]:
        """All sites, by slug."""
        rows = await self._thread.read(
            lambda connection: connection.execute("SELECT site, name, time_zone FROM site ORDER BY site").fetchall()
        )
        return tuple([SiteEntry(site, name, ZoneInfo(zone)) for site, name, zone in rows])

    async def site(self, site: str) -> SiteEntry | None:
        """One site, None when it has not been imported."""
        return next((entry for entry in await self.sites() if entry.site == site), None)

    async def devices(self, site: str) -> tuple[DeviceEntry, ...]:
        """The devices of a site that are in use, by slug."""
        rows = await self._thread.read(
            lambda connection: connection.execute(
                "SELECT device, profile, line, maker, model FROM device "
                "WHERE site = ? AND retired_ms IS NULL ORDER BY device",
                (site,),
            ).fetchall()
        )
        return tuple([DeviceEntry(*row) for row in rows])

    async def points(self, site: str) -> tuple[Point, ...]:
        """The measuring points of a site that are in use, in the order of its file."""
        rows = await self._thread.read(
            lambda connection: connection.execute(
                "SELECT point, name, resource, role, parent, line FROM point "
                "WHERE site = ? AND retired_ms IS NULL ORDER BY position",
                (site,),
            ).fetchall()
        )
        return tuple(
            [
                Point(point, name, Resource(resource), Role(role), parent, line)
                for point, name, resource, role, parent, line in rows
            ]
        )

    async def assignments(self, site: str) -> tuple[Assignment, ...]:
        """Which device measures which point of a site from when to when, in the order of its file."""
        return await self._thread.read(
            lambda connection: tuple(site_import.current_assignments(connection, site).values())
        )

    async def audit(self, site: str) -> tuple[AuditEntry, ...]:
        """Who changed what of a site and when, oldest first."""
        return await self._thread.read(lambda connection: audit_entries(connection, site))

    async def mark_dirty(self, site: str, marks: Iterable[tuple[str, int]]) -> None:
        """Note that intervals (device, start in ms) have new readings and must be evaluated."""
        given = sorted(set(marks))
        if given:
            await self._thread.write(lambda connection: dirty_marks.mark(connection, site, given))

    async def dirty(self, limit: int) -> tuple[DirtyMark, ...]:
        """The marks of the latest intervals, so that what is shown live comes first.

        `limit` must be larger than the number of devices, or old intervals wait for ever behind those of now.
        """
        return await self._thread.read(lambda connection: dirty_marks.select(connection, limit))

    async def dirty_count(self) -> int:
        """How many marks there are."""
        return await self._thread.read(dirty_marks.count)

    async def clear(self, marks: Iterable[DirtyMark]) -> None:
        """Remove marks after their intervals were evaluated, except those that were set again meanwhile."""
        given = list(marks)
        if given:
            await self._thread.write(lambda connection: dirty_marks.clear(connection, given, _now_ms()))

    async def recomputations(self) -> tuple[Recomputation, ...]:
        """What changed assignments have made wrong and is not marked yet."""
        return await self._thread.read(dirty_marks.recomputations)

    async def mark_recomputation(self, recomputation: Recomputation, starts_ms: Iterable[int]) -> None:
        """Set the marks that a recomputation stands for, and forget it, in one step."""
        marks = [(recomputation.device, start_ms) for start_ms in starts_ms]

        def work(connection: sqlite3.Connection) -> None:
            dirty_marks.mark(connection, recomputation.site, marks)
            dirty_marks.forget_recomputation(connection, recomputation)

        await self._thread.write(work)

    async def acquire_lease(self, name: str, owner: str, ttl_s: float) -> bool:
        """Become or stay the only owner for `ttl_s` seconds; False while another's time runs."""

        def work(connection: sqlite3.Connection) -> bool:
            return leases.acquire(connection, name, owner, now_ms=_now_ms(), ttl_ms=round(ttl_s * 1000))

        return await self._thread.write(work)

    async def release_lease(self, name: str, owner: str) -> None:
        """Let the next one have it at once; nothing happens when another owns it."""
        await self._thread.write(lambda connection: leases.release(connection, name, owner))

    async def close(self) -> None:
        """Finish what was given and close the file."""
        await self._thread.close()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000

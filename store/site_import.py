"""Makes the entities of a site what its file declares, with an audit trail."""

import sqlite3
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from site_config.errors import SiteFileError
from site_config.points import Assignment
from site_config.schema import Site
from store.audit import AuditTrail

_State = dict[str, object]

_DEVICE = ("profile", "line")
_POINT = ("position", "name", "resource", "role", "parent", "line")
_ASSIGNMENT = (
    "device", "point", "amount_quantity", "rate_quantity", "export_quantity", "from_ms", "to_ms", "factor",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SiteImport:
    """What an import changed: how many entities, and the assignments that came or went.

    What these measured is to be recomputed: see `Entities.recomputations`.
    """

    changes: int
    assignments: tuple[Assignment, ...] = ()


def import_site(connection: sqlite3.Connection, site: Site, author: str, at_ms: int) -> SiteImport:
    """Import within a write transaction; raises SiteFileError when a point's resource is not what it was."""
    _refuse_changed_resources(connection, site)
    trail = AuditTrail(connection, site.site, author, at_ms)
    changes = _import_site_itself(connection, site, trail)
    devices: dict[str, _State] = {
        device.id: {"profile": device.profile, "line": line.id} for line in site.lines for device in line.devices
    }
    changes += _import_all(connection, trail, site.site, "device", _DEVICE, devices, at_ms)
    points: dict[str, _State] = {
        point.id: {
            "position": position,
            "name": point.name,
            "resource": point.resource.value,
            "role": point.role.value,
            "parent": point.parent,
            "line": point.line,
        }
        for position, point in enumerate(site.points)
    }
    changes += _import_all(connection, trail, site.site, "point", _POINT, points, at_ms)
    changed = _import_assignments(connection, site, trail)
    return SiteImport(changes + len(changed), changed)


def current_assignments(connection: sqlite3.Connection, site: str) -> dict[int, Assignment]:
    """The assignments of a site by their row, in the order of its file."""
    rows = connection.execute(
        f"SELECT id, {', '.join(_ASSIGNMENT)} FROM assignment WHERE site = ? ORDER BY position, id",  # noqa: S608  # this module's words
        (site,),
    )
    return {row[0]: Assignment(*row[1:]) for row in rows}


def _refuse_changed_resources(connection: sqlite3.Connection, site: Site) -> None:
    stored = dict(connection.execute("SELECT point, resource FROM point WHERE site = ?", (site.site,)).fetchall())
    for point in site.points:
        was = stored.get(point.id, point.resource.value)
        if was != point.resource.value:
            raise SiteFileError(
                f"points: {point.id}.resource: was {was} and what is stored stays so; "
                f"give what measures {point.resource.value} a new id"
            )


def _import_site_itself(connection: sqlite3.Connection, site: Site, trail: AuditTrail) -> int:
    new: _State = {"name": site.name, "time_zone": site.time_zone.key}
    row = connection.execute("SELECT name, time_zone FROM site WHERE site = ?", (site.site,)).fetchone()
    old = None if row is None else {"name": row[0], "time_zone": row[1]}
    if old == new:
        return 0
    connection.execute(
        "INSERT INTO site VALUES (?, ?, ?) ON CONFLICT DO UPDATE "
        "SET name = excluded.name, time_zone = excluded.time_zone",
        (site.site, *new.values()),
    )
    trail.note("site", site.site, old, new)
    return 1


def _import_all(
    connection: sqlite3.Connection,
    trail: AuditTrail,
    site: str,
    entity: str,
    columns: tuple[str, ...],
    declared: Mapping[str, _State],
    at_ms: int,
) -> int:
    """Make the rows of a table (`device` or `point`, keyed by site and its own name) what is declared."""
    stored = {
        row[0]: (dict(zip(columns, row[2:], strict=True)), row[1] is not None)
        for row in connection.execute(
            f"SELECT {entity}, retired_ms, {', '.join(columns)} FROM {entity} WHERE site = ?",  # noqa: S608  # this module's words
            (site,),
        )
    }
    changes = 0
    for key, new in declared.items():
        old, retired = stored.get(key, (None, False))
        if old == new and not retired:
            continue
        updates = ", ".join(f"{column} = excluded.{column}" for column in columns)
        connection.execute(
            f"INSERT INTO {entity}(site, {entity}, {', '.join(columns)}) "  # noqa: S608  # this module's words
            f"VALUES ({', '.join('?' * (len(columns) + 2))}) ON CONFLICT DO UPDATE SET {updates}, retired_ms = NULL",
            (site, key, *[new[column] for column in columns]),
        )
        trail.note(entity, key, None if retired else old, new)
        changes += 1
    for key in sorted(set(stored) - set(declared)):
        old, retired = stored[key]
        if not retired:
            connection.execute(
                f"UPDATE {entity} SET retired_ms = ? WHERE site = ? AND {entity} = ?",  # noqa: S608  # this module's words
                (at_ms, site, key),
            )
            trail.note(entity, key, old, None)
            changes += 1
    return changes


def _import_assignments(connection: sqlite3.Connection, site: Site, trail: AuditTrail) -> tuple[Assignment, ...]:
    stored = current_assignments(connection, site.site)
    if tuple(stored.values()) == site.assignments:
        return ()
    gone = [assignment for assignment in stored.values() if assignment not in site.assignments]
    come = [assignment for assignment in site.assignments if assignment not in stored.values()]
    connection.execute("DELETE FROM assignment WHERE site = ?", (site.site,))
    connection.executemany(
        f"INSERT INTO assignment(site, position, {', '.join(_ASSIGNMENT)}) "  # noqa: S608  # this module's words
        f"VALUES ({', '.join('?' * (len(_ASSIGNMENT) + 2))})",
        [
            (site.site, position, *[getattr(assignment, column) for column in _ASSIGNMENT])
            for position, assignment in enumerate(site.assignments)
        ],
    )
    connection.executemany(
        "INSERT INTO recomputation(site, device, quantity, from_ms, to_ms) VALUES (?, ?, ?, ?, ?)",
        [
            (site.site, assignment.device, assignment.amount_quantity, assignment.from_ms, assignment.to_ms)
            for assignment in (*gone, *come)
        ],
    )
    for assignment in gone:
        trail.note("assignment", _name(assignment), asdict(assignment), None)
    for assignment in come:
        trail.note("assignment", _name(assignment), None, asdict(assignment))
    return (*gone, *come)


def _name(assignment: Assignment) -> str:
    return f"{assignment.device} -> {assignment.point}"

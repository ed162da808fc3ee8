"""The audit trail: who changed which entity, when, from what to what."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """A change. `entity` is site, device, point or assignment; `old` is None when it came, `new` when it went."""

    at_ms: int
    author: str
    entity: str
    key: str
    old: Mapping[str, object] | None
    new: Mapping[str, object] | None


class AuditTrail:
    """Writes entries of one change of one site.

    Args:
        connection: within a write transaction.
        site: whose entities change.
        author: who changes them.
        at_ms: when.
    """

    def __init__(self, connection: sqlite3.Connection, site: str, author: str, at_ms: int) -> None:
        self._connection = connection
        self._head = (at_ms, author, site)

    def note(self, entity: str, key: str, old: Mapping[str, object] | None, new: Mapping[str, object] | None) -> None:
        """Keep a change."""
        values = [None if state is None else json.dumps(state, sort_keys=True) for state in (old, new)]
        self._connection.execute(
            "INSERT INTO audit(at_ms, author, site, entity, key, old, new) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (*self._head, entity, key, *values),
        )


def audit_entries(connection: sqlite3.Connection, site: str) -> tuple[AuditEntry, ...]:
    """All entries of a site, oldest first."""
    rows = connection.execute(
        "SELECT at_ms, author, entity, key, old, new FROM audit WHERE site = ? ORDER BY id", (site,)
    )
    return tuple(
        [
            AuditEntry(at_ms, author, entity, key, old and json.loads(old), new and json.loads(new))
            for at_ms, author, entity, key, old, new in rows
        ]
    )

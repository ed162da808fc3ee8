"""Events in SQLite: one row each, its numbers as JSON."""

import json
import sqlite3
from collections.abc import Sequence

from wire_format.events import Event

SCHEMA = """
CREATE TABLE event(
    site TEXT NOT NULL,
    time_ms INTEGER NOT NULL,
    device TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    text TEXT NOT NULL,
    numbers TEXT NOT NULL,
    PRIMARY KEY(site, time_ms, device, kind, subject)
) WITHOUT ROWID;
"""

_INSERT = """
INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
SET text = excluded.text, numbers = json_patch(numbers, excluded.numbers)
"""


def write_events(connection: sqlite3.Connection, site: str, events: Sequence[Event]) -> None:
    """Store events; the numbers of one that is there already are added to."""
    connection.executemany(
        _INSERT,
        [
            (site, event.time_ms, event.device, event.kind, event.subject, event.text, json.dumps(dict(event.numbers)))
            for event in events
        ],
    )


def select_events(
    connection: sqlite3.Connection, site: str, start_ms: int, end_ms: int, kind: str | None
) -> list[Event]:
    """Events in [start, end), of all kinds or one, ordered by time, device, kind and subject."""
    condition, given = "site = ? AND time_ms >= ? AND time_ms < ?", [site, start_ms, end_ms]
    if kind is not None:
        condition += " AND kind = ?"
        given.append(kind)
    found = connection.execute(
        f"SELECT device, kind, time_ms, subject, text, numbers FROM event WHERE {condition} "  # noqa: S608  # own words
        "ORDER BY time_ms, device, kind, subject",
        given,
    )
    return [
        Event(device, event_kind, time_ms, subject, text, json.loads(numbers))
        for device, event_kind, time_ms, subject, text, numbers in found
    ]

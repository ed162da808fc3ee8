"""What is wrong, what is to be said of it, and what was sent: durable, in the entities' SQLite file.

An alarm and its notices are kept in one step; a message is kept before it is sent and marked after. So nothing is lost
whenever the process is killed, and a message can go out twice only between sending and marking, with the same key.
"""

import json
import sqlite3
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from notifications.alarm import Alarm, AlarmKey, Notice, Stage
from notifications.alarm_book import Decision
from notifications.content import Content, Destination, Message
from notifications.ledger_tables import MIGRATIONS
from site_config.notification_settings import AlarmKind
from store import leases
from store.held_lease import LeaseLostError
from store.sqlite_thread import SqliteThread

LEASE = "notifications"
"""Whoever has it watches and sends."""
MAXIMUM_NOTICES = 500
"""That wait for one destination: beyond them the oldest is given up, and an error in the log says so."""
KEPT_MS = 90 * 86_400_000


@dataclass(frozen=True, slots=True)
class Addressed:
    """A notice for one destination, not to be said before `due_ms`."""

    destination: Destination
    notice: Notice
    due_ms: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """A notice that no message says yet."""

    number: int
    site: str
    notice: Notice


@dataclass(frozen=True, slots=True)
class MessageEntry:
    """A message as people look it up. `state` is waiting, sent or given up; `ended_ms` is when it became so."""

    key: str
    destination: Destination
    site: str
    created_ms: int
    subject: str
    state: str
    attempts: int
    ended_ms: int | None
    problem: str | None


class Ledger:
    """The ledger; other tables may be in the same file, and other processes may have it open.

    What leads to a message raises LeaseLostError, and changes nothing, when another process has the lease.

    Args:
        path: made when missing. Raises StoreConfigurationError when it cannot be used.
        owner: whose lease it is; without one nothing can be written.
    """

    def __init__(self, path: Path, owner: str = "") -> None:
        self._thread = SqliteThread(path, "notifications", MIGRATIONS)
        self._owner = owner

    async def alarms(self, site: str) -> dict[AlarmKey, Alarm]:
        """What is wrong at a site."""
        rows = await self._thread.read(
            lambda connection: connection.execute(
                "SELECT kind, subject, began_ms, told_ms, reminders, clear_since_ms, facts "
                "FROM notification_alarm WHERE site = ?",
                (site,),
            ).fetchall()
        )
        alarms = [
            Alarm(AlarmKind(kind), subject, began_ms, told_ms, reminders, clear_ms, json.loads(facts))
            for kind, subject, began_ms, told_ms, reminders, clear_ms, facts in rows
        ]
        return {alarm.key: alarm for alarm in alarms}

    async def sites_with_alarms(self) -> tuple[str, ...]:
        """Sites at which something is wrong."""
        rows = await self._thread.read(
            lambda connection: connection.execute("SELECT DISTINCT site FROM notification_alarm").fetchall()
        )
        return tuple(sorted(site for (site,) in rows))

    async def keep(self, site: str, decision: Decision, addressed: Sequence[Addressed]) -> int:
        """Keep what was decided and whom to tell, in one step; returns how many older notices were given up.

        The end of an alarm of which its recipient has not been told yet makes one notice of both; a reminder is left
        out while an earlier notice waits.
        """

        def work(connection: sqlite3.Connection) -> int:
            self._fence(connection)
            connection.executemany(
                "INSERT OR REPLACE INTO notification_alarm VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (site, one.kind, one.subject, one.began_ms, one.told_ms, one.reminders, one.clear_since_ms,
                     json.dumps(dict(one.facts)))
                    for one in decision.changed
                ],
            )  # fmt: skip
            connection.executemany(
                "DELETE FROM notification_alarm WHERE site = ? AND kind = ? AND subject = ?",
                [(site, *key) for key in decision.over],
            )
            for one in addressed:
                _add_notice(connection, site, one)
            return sum(_bound(connection, destination) for destination in {one.destination for one in addressed})

        return await self._thread.write(work)

    async def waiting(self, destination: Destination, now_ms: int) -> tuple[Waiting, ...]:
        """The notices that are due for a destination; none as long as a message for it is under way.

        What gathers meanwhile goes into one message afterwards.
        """

        def work(connection: sqlite3.Connection) -> list[tuple[int, str, str, str, str, int, int | None, str]]:
            if _under_way(connection, destination):
                return []
            return connection.execute(
                "SELECT id, site, kind, subject, stage, began_ms, ended_ms, facts FROM notification_notice "
                "WHERE recipient = ? AND channel = ? AND message IS NULL AND due_ms <= ? ORDER BY id",
                (destination.recipient, destination.channel, now_ms),
            ).fetchall()

        return tuple(
            [
                Waiting(
                    number,
                    site,
                    Notice(AlarmKind(kind), subject, Stage(stage), began_ms, ended_ms, json.loads(facts)),
                )
                for number, site, kind, subject, stage, began_ms, ended_ms, facts in await self._thread.read(work)
            ]
        )

    async def put(
        self,
        destination: Destination,
        site: str,
        content: Content,
        now_ms: int,
        *,
        key: str | None = None,
        notices: Iterable[int] = (),
    ) -> bool:
        """Keep a message before it is sent, with the notices that it says; False when its key was kept before."""
        numbers = list(notices)

        def work(connection: sqlite3.Connection) -> bool:
            self._fence(connection)
            inserted = connection.execute(
                "INSERT OR IGNORE INTO notification_message"
                "(key, recipient, channel, site, created_ms, subject, text, html, picture, data) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    key or str(uuid.uuid4()), destination.recipient, destination.channel, site, now_ms,
                    content.subject, content.text, content.html, content.picture, json.dumps(dict(content.data)),
                ),
            )  # fmt: skip
            if inserted.rowcount != 1:
                return False
            connection.executemany(
                "UPDATE notification_notice SET message = ? WHERE id = ?",
                [(inserted.lastrowid, number) for number in numbers],
            )
            return True

        return await self._thread.write(work)

    async def destinations_under_way(self) -> tuple[Destination, ...]:
        """Destinations for which messages wait."""
        rows = await self._thread.read(
            lambda connection: connection.execute(
                "SELECT DISTINCT recipient, channel FROM notification_message WHERE state = 'waiting'"
            ).fetchall()
        )
        return tuple(sorted(Destination(*row) for row in rows))

    async def next_message(self, destination: Destination) -> Message | None:
        """The oldest message that waits for a destination."""
        row = await self._thread.read(
            lambda connection: connection.execute(
                "SELECT key, recipient, channel, site, created_ms, subject, text, html, picture, data, id, attempts "
                "FROM notification_message WHERE state = 'waiting' AND recipient = ? AND channel = ? "
                "ORDER BY id LIMIT 1",
                (destination.recipient, destination.channel),
            ).fetchone()
        )
        if row is None:
            return None
        key, recipient, channel, site, created_ms, subject, text, html, picture, data, number, attempts = row
        content = Content(subject, text, html, picture, json.loads(data))
        return Message(key, recipient, channel, site, created_ms, content, number, attempts)

    async def note_attempt(self, number: int) -> None:
        """A message is about to be sent."""

        def work(connection: sqlite3.Connection) -> None:
            self._fence(connection)
            connection.execute("UPDATE notification_message SET attempts = attempts + 1 WHERE id = ?", (number,))

        await self._thread.write(work)

    async def note_end(self, number: int, now_ms: int, problem: str | None = None) -> None:
        """A message is sent, or given up because of a problem."""
        await self._thread.write(
            lambda connection: connection.execute(
                "UPDATE notification_message SET state = ?, ended_ms = ?, problem = ? WHERE id = ?",
                ("sent" if problem is None else "given up", now_ms, problem, number),
            )
        )

    async def note_problem(self, number: int, problem: str) -> None:
        """Why a message could not be sent yet."""
        await self._thread.write(
            lambda connection: connection.execute(
                "UPDATE notification_message SET problem = ? WHERE id = ?", (problem, number)
            )
        )

    async def weekly_since(self, site: str, recipient: str, now_ms: int) -> int:
        """Since when a recipient is known to want the week of a site; from now on when he was not."""

        def known(connection: sqlite3.Connection) -> tuple[int] | None:
            found: tuple[int] | None = connection.execute(
                "SELECT since_ms FROM notification_weekly WHERE site = ? AND recipient = ?", (site, recipient)
            ).fetchone()
            return found

        found = await self._thread.read(known)
        if found is not None:
            return found[0]
        await self._thread.write(
            lambda connection: connection.execute(
                "INSERT OR IGNORE INTO notification_weekly VALUES (?, ?, ?)", (site, recipient, now_ms)
            )
        )
        return now_ms

    async def knows(self, key: str) -> bool:
        """Whether a message with this key was kept before."""
        row = await self._thread.read(
            lambda connection: connection.execute("SELECT 1 FROM notification_message WHERE key = ?", (key,)).fetchone()
        )
        return row is not None

    async def messages(self, limit: int = 100) -> tuple[MessageEntry, ...]:
        """The newest messages, newest first."""
        rows = await self._thread.read(
            lambda connection: connection.execute(
                "SELECT key, recipient, channel, site, created_ms, subject, state, attempts, ended_ms, problem "
                "FROM notification_message ORDER BY id DESC LIMIT ?",
                (limit,),
            ).fetchall()
        )
        return tuple([MessageEntry(key, Destination(who, how), *rest) for key, who, how, *rest in rows])

    async def backlog(self) -> tuple[int, int | None]:
        """How many messages wait, and when the oldest of them was made."""
        row = await self._thread.read(
            lambda connection: connection.execute(
                "SELECT COUNT(*), MIN(created_ms) FROM notification_message WHERE state = 'waiting'"
            ).fetchone()
        )
        return int(row[0]), row[1]

    async def forget(self, now_ms: int) -> None:
        """Delete messages, and what they said, that were sent or given up long ago."""
        await self._thread.write(
            lambda connection: connection.execute(
                "DELETE FROM notification_message WHERE state != 'waiting' AND ended_ms < ?", (now_ms - KEPT_MS,)
            )
        )

    async def give_up_others(self, destinations: Iterable[Destination], now_ms: int) -> int:
        """Give up what waits for recipients or channels that are not configured any more; returns how much."""
        configured = set(destinations)

        def work(connection: sqlite3.Connection) -> int:
            self._fence(connection)
            found = connection.execute(
                "SELECT recipient, channel FROM notification_message WHERE state = 'waiting' "
                "UNION SELECT recipient, channel FROM notification_notice WHERE message IS NULL"
            ).fetchall()
            gone = [row for row in found if Destination(*row) not in configured]
            count = 0
            for row in gone:
                count += connection.execute(
                    "UPDATE notification_message SET state = 'given up', ended_ms = ?, "
                    "problem = 'no longer configured' WHERE state = 'waiting' AND recipient = ? AND channel = ?",
                    (now_ms, *row),
                ).rowcount
                count += connection.execute(
                    "DELETE FROM notification_notice WHERE message IS NULL AND recipient = ? AND channel = ?", row
                ).rowcount
            return count

        return await self._thread.write(work)

    async def close(self) -> None:
        """Finish what was given and close the file."""
        await self._thread.close()

    def _fence(self, connection: sqlite3.Connection) -> None:
        # A process that was stopped for a while, in the middle of this, finds that another goes on in its place.
        if not leases.is_held(connection, LEASE, self._owner):
            raise LeaseLostError(f"another process has the lease {LEASE!r} now")


def _under_way(connection: sqlite3.Connection, destination: Destination) -> bool:
    row = connection.execute(
        "SELECT 1 FROM notification_message WHERE state = 'waiting' AND recipient = ? AND channel = ? LIMIT 1",
        (destination.recipient, destination.channel),
    ).fetchone()
    return row is not None


def _add_notice(connection: sqlite3.Connection, site: str, one: Addressed) -> None:
    notice = one.notice
    same = (one.destination.recipient, one.destination.channel, site, notice.kind, notice.subject, notice.began_ms)
    unsaid = connection.execute(
        "SELECT id, stage FROM notification_notice WHERE message IS NULL AND recipient = ? AND channel = ? "
        "AND site = ? AND kind = ? AND subject = ? AND began_ms = ? ORDER BY id",
        same,
    ).fetchone()
    if unsaid is not None and notice.stage is Stage.REMINDER:
        return
    if unsaid is not None:
        number, stage = unsaid
        told = Stage.PASSED if stage == Stage.BEGAN and notice.stage is Stage.ENDED else notice.stage
        connection.execute(
            "UPDATE notification_notice SET stage = ?, ended_ms = ?, facts = ? WHERE id = ?",
            (told, notice.ended_ms, json.dumps(dict(notice.facts)), number),
        )
        return
    connection.execute(
        "INSERT INTO notification_notice"
        "(recipient, channel, site, kind, subject, began_ms, stage, ended_ms, facts, due_ms) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*same, notice.stage, notice.ended_ms, json.dumps(dict(notice.facts)), one.due_ms),
    )


def _bound(connection: sqlite3.Connection, destination: Destination) -> int:
    where = (destination.recipient, destination.channel)
    return connection.execute(
        "DELETE FROM notification_notice WHERE message IS NULL AND recipient = ? AND channel = ? AND id NOT IN "
        "(SELECT id FROM notification_notice WHERE message IS NULL AND recipient = ? AND channel = ? "
        "ORDER BY id DESC LIMIT ?)",
        (*where, *where, MAXIMUM_NOTICES),
    ).rowcount

"""Leases: one owner at a time among processes that share a file and a clock."""

import sqlite3


def acquire(connection: sqlite3.Connection, name: str, owner: str, *, now_ms: int, ttl_ms: int) -> bool:
    """Take or extend a lease; False while another's time runs. Within a write transaction."""
    changed = connection.execute(
        "INSERT INTO lease VALUES (:name, :owner, :expires) ON CONFLICT(name) DO UPDATE "
        "SET owner = excluded.owner, expires_ms = excluded.expires_ms "
        # A clock that was set back must not leave a lease of years behind.
        "WHERE lease.owner = :owner OR lease.expires_ms <= :now OR lease.expires_ms > :now + 10 * :ttl",
        {"name": name, "owner": owner, "expires": now_ms + ttl_ms, "now": now_ms, "ttl": ttl_ms},
    )
    return changed.rowcount == 1


def release(connection: sqlite3.Connection, name: str, owner: str) -> None:
    """Give a lease up."""
    connection.execute("DELETE FROM lease WHERE name = ? AND owner = ?", (name, owner))


def is_held(connection: sqlite3.Connection, name: str, owner: str) -> bool:
    """Whether nobody else has taken a lease since; within the transaction that depends on it."""
    row = connection.execute("SELECT owner FROM lease WHERE name = ?", (name,)).fetchone()
    return row is not None and row[0] == owner

import asyncio
import sqlite3
import weakref
from pathlib import Path

import pytest

from store.protocol import StoreConfigurationError, StoreUnavailableError
from store.sqlite_readings import SqliteReadings
from store.sqlite_thread import SqliteThread
from tests.store.rows import START_MS, column, powers, rows

SCHEMA = ("CREATE TABLE note(text TEXT UNIQUE);",)


async def notes(thread: SqliteThread) -> list[str]:
    return await thread.read(
        lambda connection: [text for (text,) in connection.execute("SELECT text FROM note ORDER BY text")]
    )


async def test_what_was_written_is_durable_by_the_settings_of_the_file(tmp_path: Path) -> None:
    thread = SqliteThread(tmp_path / "file.sqlite", "notes", SCHEMA)
    pragmas = await thread.read(
        lambda connection: [
            connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")
        ]
    )
    assert pragmas == ["wal", 2]
    await thread.close()


async def test_one_failing_write_does_not_undo_the_others_of_its_transaction(tmp_path: Path) -> None:
    rolled_back: list[bool] = []
    thread = SqliteThread(tmp_path / "file.sqlite", "notes", SCHEMA, lambda: rolled_back.append(True))

    def fail_late(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO note VALUES ('half')")
        raise ValueError("on purpose")

    def add(text: str) -> "asyncio.Task[object]":
        return asyncio.ensure_future(
            thread.write(lambda connection: connection.execute("INSERT INTO note VALUES (?)", (text,)).rowcount)
        )

    tasks = [add("a"), asyncio.ensure_future(thread.write(fail_late)), add("b")]
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert done[0] == done[2] == 1
    assert isinstance(done[1], ValueError)
    assert rolled_back == [True]
    assert await notes(thread) == ["a", "b"]
    await thread.close()


async def test_statements_that_many_tasks_repeat_do_not_disturb_each_other(tmp_path: Path) -> None:
    # The tasks drop what they get here while the thread runs the same statement again.
    thread = SqliteThread(tmp_path / "file.sqlite", "notes", SCHEMA)

    texts = [(str(n),) for n in range(30)]

    def add(connection: sqlite3.Connection) -> sqlite3.Cursor:
        return connection.executemany("INSERT OR IGNORE INTO note VALUES (?)", texts)

    async def add_often() -> None:
        for _ in range(5000):
            await thread.write(add)

    await asyncio.gather(*[add_often() for _ in range(4)])
    assert len(await notes(thread)) == len(texts)
    await thread.close()


async def test_no_open_cursor_leaves_the_thread(tmp_path: Path) -> None:
    thread = SqliteThread(tmp_path / "file.sqlite", "notes", SCHEMA)
    await thread.write(lambda connection: connection.execute("INSERT INTO note VALUES ('a')").rowcount)

    for give in (thread.read, thread.write):
        cursor = await give(lambda connection: connection.execute("SELECT text FROM note"))
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            cursor.fetchone()
    kept: list[weakref.ref[sqlite3.Cursor]] = []

    def fail_while_reading(connection: sqlite3.Connection) -> None:
        cursor = connection.execute("SELECT text FROM note")
        kept.append(weakref.ref(cursor))
        raise ValueError(f"on purpose: {cursor.fetchone()}")

    for give in (thread.read, thread.write):
        with pytest.raises(ValueError, match="on purpose"):
            await give(fail_while_reading)
    assert [cursor() for cursor in kept] == [None, None]
    await thread.close()


async def test_waiting_writes_share_a_transaction(tmp_path: Path) -> None:
    thread = SqliteThread(tmp_path / "file.sqlite", "notes", SCHEMA)
    statements: list[str] = []
    thread.connection.set_trace_callback(statements.append)
    await asyncio.gather(
        *[
            thread.write(lambda connection, n=n: connection.execute("INSERT INTO note VALUES (?)", (str(n),)).rowcount)  # type: ignore[misc]
            for n in range(100)
        ]
    )
    assert 1 <= statements.count("COMMIT") <= 3
    await thread.close()


async def test_a_file_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    thread = SqliteThread(tmp_path / "file.sqlite", "notes", (*SCHEMA, "CREATE TABLE later(x);"))
    await thread.close()
    with pytest.raises(StoreConfigurationError, match="version 2, this program knows 1"):
        SqliteThread(tmp_path / "file.sqlite", "notes", SCHEMA)


async def test_an_older_file_is_brought_forward_and_keeps_what_it_has(tmp_path: Path) -> None:
    old = SqliteThread(tmp_path / "file.sqlite", "notes", SCHEMA)
    await old.write(lambda connection: connection.execute("INSERT INTO note VALUES ('kept')").rowcount)
    await old.close()
    new = SqliteThread(tmp_path / "file.sqlite", "notes", (*SCHEMA, "ALTER TABLE note ADD COLUMN at_ms INTEGER;"))
    assert await new.read(lambda connection: connection.execute("SELECT text, at_ms FROM note").fetchall()) == [
        ("kept", None)
    ]
    await new.close()


async def test_what_is_no_database_is_a_mistake_in_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("these are notes, not a database, and long enough to be looked at" * 40)
    with pytest.raises(StoreConfigurationError, match=r"notes\.txt"):
        SqliteReadings(tmp_path / "notes.txt")
    with pytest.raises(StoreConfigurationError, match=r"notes\.txt"):
        SqliteReadings(tmp_path / "notes.txt" / "below" / "readings.sqlite")
    with pytest.raises(StoreConfigurationError):
        SqliteReadings(tmp_path)


async def test_a_file_that_another_holds_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.sqlite_thread.BUSY_TIMEOUT_S", 0.1)
    store = SqliteReadings(tmp_path / "readings.sqlite")
    other = sqlite3.connect(tmp_path / "readings.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailableError, match="locked"):
        await store.write("bakery", [powers("oven", {0: 10})])
    other.execute("COMMIT")
    other.close()
    assert await store.write("bakery", [powers("oven", {0: 10})]) == ()
    assert (await store.count("bakery")).values == 1
    await store.close()


async def test_a_closed_store_is_unavailable(tmp_path: Path) -> None:
    store = SqliteReadings(tmp_path / "readings.sqlite")
    await store.close()
    await store.close()
    with pytest.raises(StoreUnavailableError, match="closed"):
        await store.count("bakery")


async def test_values_that_stand_in_two_layouts_are_counted_as_duplicates(tmp_path: Path) -> None:
    store = SqliteReadings(tmp_path / "readings.sqlite")
    await store.write("bakery", [rows("oven", [START_MS, START_MS + 1], column("a", 1, 2), column("b", 1, None))])
    await store.write("bakery", [rows("oven", [START_MS, START_MS + 2], column("a", 1, 3))])
    count = await store.count("bakery")
    assert (count.values, count.duplicates) == (4, 1)
    series = await store.readings("bakery", "oven", "a", START_MS, START_MS + 10)
    assert series.values == (0.1, 0.2, 0.3)
    await store.close()


async def test_retention_deletes_in_small_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.sqlite_readings._ROWS_DELETED_AT_ONCE", 10)
    store = SqliteReadings(tmp_path / "readings.sqlite")
    await store.write("bakery", [powers("oven", {n: n for n in range(95)}), powers("mixer", {n: n for n in range(5)})])
    await store.delete_readings_before(START_MS + 93_000)
    assert (await store.count("bakery")).by_device == {"oven": 2, "mixer": 0}
    await store.close()

"""One SQLite connection in a thread of its own; writes that wait are committed together."""

import asyncio
import queue
import sqlite3
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from store.protocol import StoreConfigurationError, StoreError, StoreUnavailableError

BUSY_TIMEOUT_S = 10.0
MAXIMUM_GROUP = 256
MAXIMUM_WAITING = 20_000

Result = TypeVar("Result")
Work = Callable[[sqlite3.Connection], Result]

_UNUSABLE = {
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_AUTH,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_ERROR,
}


@dataclass(slots=True)
class _Job(Generic[Result]):
    work: Work[Result]
    writes: bool
    answer: "asyncio.Future[Result]"


class SqliteThread:
    """A SQLite file in WAL mode that several processes may have open.

    What `write` returned is on the disk (synchronous=FULL). All work runs in one thread, in the order given. A cursor
    that work returns is closed before it leaves the thread.

    Args:
        path: the file; it and its folder are made when missing.
        component: whose tables these are; a file may hold those of several.
        migrations: SQL scripts; number n brings the component's tables from version n to n + 1.
        on_rollback: called in the thread when work was undone, so that caches of its results can be dropped.

    Raises:
        StoreConfigurationError: the file cannot be used, or a newer version has written it.
        StoreUnavailableError: another process holds the file for longer than the busy timeout.
    """

    def __init__(
        self,
        path: Path,
        component: str,
        migrations: Sequence[str],
        on_rollback: Callable[[], None] | None = None,
    ) -> None:
        self.path = path
        self._on_rollback = on_rollback
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise StoreConfigurationError(f"{path}: its folder cannot be made: {problem.strerror}") from problem
        try:
            self._connection = sqlite3.connect(
                path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
            )
            _prepare(self._connection)
            _migrate(self._connection, path, component, migrations)
        except sqlite3.Error as problem:
            raise store_error(problem, path) from problem
        self._jobs: queue.SimpleQueue[_Job[Any] | None] = queue.SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=f"sqlite {path.name}", daemon=True)
        self._thread.start()

    @property
    def connection(self) -> sqlite3.Connection:
        """For registering functions before the first work is given; nothing else may touch it."""
        return self._connection

    async def read(self, work: Work[Result]) -> Result:
        """Run work that changes nothing."""
        return await self._submit(work, writes=False)

    async def write(self, work: Work[Result]) -> Result:
        """Run work inside a transaction and return when that is on the disk.

        The transaction may hold other work too; what one raises undoes that one alone.
        """
        return await self._submit(work, writes=True)

    async def close(self) -> None:
        """Finish what was given and close the file."""
        if not self._closed:
            self._closed = True
            self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)

    async def _submit(self, work: Work[Result], *, writes: bool) -> Result:
        if self._closed:
            raise StoreUnavailableError(f"{self.path}: is closed")
        if self._jobs.qsize() >= MAXIMUM_WAITING:
            raise StoreUnavailableError(f"{self.path}: {MAXIMUM_WAITING} operations are waiting already")
        answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._jobs.put(_Job(work, writes, answer))
        return await answer

    def _run(self) -> None:
        job = self._jobs.get()
        while job is not None:
            following: _Job[Any] | None = None
            taken = False
            if job.writes:
                group = [job]
                while len(group) < MAXIMUM_GROUP and not taken:
                    try:
                        following = self._jobs.get_nowait()
                    except queue.Empty:
                        break
                    if following is not None and following.writes:
                        group.append(following)
                    else:
                        taken = True
                self._commit(group)
            else:
                self._read(job)
            job = following if taken else self._jobs.get()
        self._connection.close()

    def _read(self, job: _Job[Any]) -> None:
        try:
            _answer(job, _result(job, self._connection))
        except Exception as problem:  # noqa: BLE001  # the thread's edge: the caller gets it
            _refuse(job, self._translated(problem))

    def _commit(self, group: list[_Job[Any]]) -> None:
        connection = self._connection
        outcomes: list[tuple[bool, Any]] = []
        try:
            connection.execute("BEGIN IMMEDIATE")
            for job in group:
                connection.execute("SAVEPOINT job")
                try:
                    outcomes.append((True, _result(job, connection)))
                except Exception as problem:  # noqa: BLE001  # the thread's edge: the caller gets it
                    outcomes.append((False, self._translated(problem)))
                    connection.execute("ROLLBACK TO job")
                    self._forget()
                connection.execute("RELEASE job")
            connection.execute("COMMIT")
        except sqlite3.Error as problem:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            self._forget()
            failure = self._translated(problem)
            outcomes = [(False, failure)] * len(group)
        for job, (done, value) in zip(group, outcomes, strict=True):
            if done:
                _answer(job, value)
            else:
                _refuse(job, value)

    def _forget(self) -> None:
        if self._on_rollback is not None:
            self._on_rollback()

    def _translated(self, problem: Exception) -> Exception:
        # What failed may hold open cursors in its frames. Here, before a caller has it, these are the thread's alone.
        traceback.clear_frames(problem.__traceback__)
        return store_error(problem, self.path) if isinstance(problem, sqlite3.Error) else problem


def store_error(problem: sqlite3.Error, path: Path) -> StoreError:
    """What a caller can do about an error of SQLite: try again, or have somebody act."""
    # Extended codes have the basic one in their lowest byte; errors of the module itself have none.
    code = getattr(problem, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code in {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}:
        return StoreConfigurationError(
            f"{path}: is damaged, or no SQLite file ({problem}); nothing is overwritten: move it away, then restore a "
            "backup (leanmeter restore) or start without it"
        )
    if path.is_dir():
        return StoreConfigurationError(f"{path}: is a folder; name a file in it")
    if code in _UNUSABLE:
        return StoreConfigurationError(f"{path}: cannot be used as a SQLite store: {problem}")
    if code in {sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG}:
        return StoreError(f"{path}: {problem}")
    return StoreUnavailableError(f"{path}: {problem}")


def _result(job: _Job[Result], connection: sqlite3.Connection) -> Result:
    """What the work returns, with no statement that another thread could reset.

    Whoever drops the last reference to an open cursor resets its statement, and the connection has kept that for the
    next time: it may be running again by then, and fails with SQLITE_MISUSE.
    """
    found = job.work(connection)
    if isinstance(found, sqlite3.Cursor):
        found.close()
    return found


def _answer(job: _Job[Any], value: object) -> None:
    _tell(job.answer, lambda: job.answer.set_result(value))


def _refuse(job: _Job[Any], problem: Exception) -> None:
    _tell(job.answer, lambda: job.answer.set_exception(problem))


def _tell(answer: "asyncio.Future[Any]", action: Callable[[], None]) -> None:
    def unless_cancelled() -> None:
        if not answer.done():
            action()

    try:
        answer.get_loop().call_soon_threadsafe(unless_cancelled)
    except RuntimeError:
        # The event loop has ended: nobody waits for the answer.
        return


def _prepare(connection: sqlite3.Connection) -> None:
    # Two programs may make the file at the same moment; SQLite does not wait for the other then.
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError as problem:
            if problem.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _migrate(connection: sqlite3.Connection, path: Path, component: str, migrations: Sequence[str]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS migration("
            "component TEXT NOT NULL, version INTEGER NOT NULL, applied_ms INTEGER NOT NULL, "
            "PRIMARY KEY(component, version)) WITHOUT ROWID"
        )
        (version,) = connection.execute(
            "SELECT COALESCE(MAX(version), 0) FROM migration WHERE component = ?", (component,)
        ).fetchone()
        _check_version(path, component, version, len(migrations))
        for number in range(version, len(migrations)):
            for statement in filter(str.strip, migrations[number].split(";")):
                connection.execute(statement)
            connection.execute(
                "INSERT INTO migration VALUES (?, ?, ?)", (component, number + 1, time.time_ns() // 1_000_000)
            )
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _check_version(path: Path, component: str, version: int, known: int) -> None:
    if version > known:
        raise StoreConfigurationError(
            f"{path}: its {component} are of version {version}, this program knows {known}; "
            "use the program that wrote it or a newer one"
        )

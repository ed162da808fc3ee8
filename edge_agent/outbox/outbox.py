"""Keeps records through any kill, and through a power cut but for what was not yet synced.

`append` and `acknowledge` write to a journal, which the operating system keeps when the process is killed. `sync`
joins the journal's records into a segment and has that on the disk; what was acknowledged by then is not written.
"""

import contextlib
import logging
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from edge_agent.outbox.entries import HEAD_BYTES, encode_acknowledged, encode_journalled
from edge_agent.outbox.errors import OutboxError, OutboxWriteError
from edge_agent.outbox.grouping import joined, records_of
from edge_agent.outbox.journal import Journal
from edge_agent.outbox.lock import DirectoryLock
from edge_agent.outbox.record import Record
from edge_agent.outbox.recovery import recover, recover_journal
from edge_agent.outbox.report import OutboxReport
from edge_agent.outbox.segment import NEW_SUFFIX, OpenSegment, segments_in, sync_directory
from edge_agent.outbox.segment_log import SegmentLog
from edge_agent.outbox.states import MAX_STATE_BYTES
from wire_format.batch import DeviceRows
from wire_format.events import Event

logger = logging.getLogger(__name__)

MAX_SEGMENT_BYTES = 1024 * 1024
MIN_SEGMENT_BYTES = 4 * 1024
SEGMENTS = 16
"""How many segments a small outbox has at least, so that little is thinned or cut at once when it is full."""
MAX_JOURNAL_BYTES = 256 * 1024
MAX_JOURNAL_RECORDS = 20
"""Above 20 records, one each second, the kernel would begin to write the journal back (after 30 s by default)."""

MAX_MEMORY_RECORDS = 600
"""Of a journal in memory, which nothing writes back."""


class Outbox:
    """The records of one edge, numbered for ever. All methods may be called from any thread.

    Attributes:
        directory: the folder that it owns.
        report: what was found damaged or had to be let go.
    """

    def __init__(
        self, directory: Path, max_bytes: int, lock: DirectoryLock, journal_directory: Path | None = None
    ) -> None:
        self.directory = directory
        self.report = OutboxReport()
        self._directory_lock = lock
        self._lock = threading.Lock()
        self._sync_lock = threading.Lock()
        segments = segments_in(directory)
        recovered = recover(segments, self.report)
        segment_bytes = min(max(max_bytes // SEGMENTS, MIN_SEGMENT_BYTES), MAX_SEGMENT_BYTES)
        self._journal_bytes = min(MAX_JOURNAL_BYTES, segment_bytes)
        self._log = SegmentLog(
            directory, segments, recovered, self.report, max_bytes=max_bytes, segment_bytes=segment_bytes
        )
        self._journal = Journal(journal_directory or directory, [directory])
        self._is_journal_in_memory = journal_directory is not None
        self._journal.pending, acknowledged = recover_journal(self._journal.entries(), recovered)
        for numbers in acknowledged:
            self._log.acknowledge(range(max(numbers.start, self._log.first_number), numbers.stop))
        self._next = recovered.next_number
        self._state = recovered.state
        self._is_journal_clean = False
        with contextlib.suppress(OSError):  # a full or read-only disk: append tries again and says what is wrong
            self._clean_journal()

    @classmethod
    def open(cls, directory: Path, *, max_bytes: int, journal_directory: Path | None = None) -> Self:
        """Open or make an outbox.

        `journal_directory` is a folder of this outbox alone in memory that outlives the process (a tmpfs), which spares
        the disk; by default the journal is in the outbox's own.

        What a killed process left half written is cut off, what is damaged costs the damaged records; see `report`.

        Raises:
            OutboxError: another process uses it, the folder cannot be made or read, or a newer release wrote it.
        """
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise OutboxError(f"outbox {directory}: cannot make the folder: {problem.strerror}") from problem
        lock = DirectoryLock(directory)
        try:
            for unfinished in directory.glob(f"*{NEW_SUFFIX}"):
                with contextlib.suppress(OSError):
                    unfinished.unlink()
            return cls(directory, max_bytes, lock, journal_directory)
        except OSError as problem:
            lock.release()
            raise OutboxError(f"outbox {directory}: cannot be read: {problem.strerror}") from problem
        except OutboxError:
            lock.release()
            raise

    def append(
        self, devices: Sequence[DeviceRows], clock_source: str, state: bytes, events: Sequence[Event] = ()
    ) -> int:
        """Keep rows and events, and the agent's state with them; returns the record's number.

        The bytes are with the operating system when it returns, so a kill loses nothing. Rows too large for one batch
        become several records, of which the last number is returned.

        Raises:
            OutboxWriteError: nothing was kept.
            WireFormatError: the rows cannot be told in the wire format.
        """
        if len(state) > MAX_STATE_BYTES:
            raise OutboxError(f"a state of {len(state)} bytes; at most {MAX_STATE_BYTES}")
        with self._lock:
            try:
                if not self._is_journal_clean:
                    self._clean_journal()
                elif self._journal_is_full():
                    self._move_at_once()
                pending = records_of(devices, clock_source, self._next, events)
                changed = None if state == self._state else state
                data = b"".join(
                    encode_journalled(entry.record, changed if entry is pending[-1] else None) for entry in pending
                )
                self._log.make_room(len(data), self._journal.size)
                self._journal.append(data)
            except OSError as problem:
                raise OutboxWriteError(f"outbox {self.directory}: {problem.strerror}") from problem
            self._journal.pending += pending
            self._next += len(pending)
            self._state = state
            return self._next - 1

    def sync(self) -> None:
        """Have everything on the disk that was appended before; takes as long as the disk does.

        Raises OutboxWriteError when the disk cannot: what was not synced may be lost in a power cut.
        """
        with self._sync_lock:
            try:
                self._move()
            except OSError as problem:
                raise OutboxWriteError(f"outbox {self.directory}: {problem.strerror}") from problem
            files: list[OpenSegment] = []
            try:
                with self._lock:
                    files, deletable = self._log.files_to_sync()
                for segment in files:
                    os.fdatasync(segment.file.descriptor)
                if files and not files[-1].synced:
                    sync_directory(self.directory)
            except OSError as problem:
                with self._lock:
                    self._log.not_synced(files)
                raise OutboxWriteError(f"outbox {self.directory}: {problem.strerror}") from problem
            with self._lock:
                self._log.synced(files, deletable)

    def read(self, numbers: range) -> list[Record]:
        """The records that answer for these numbers; others are acknowledged, or lost and in the report."""
        with self._lock:
            found = self._log.read(numbers)
            # While records are being moved they may stand in both: a segment's come first.
            beyond = max(numbers.start, self._log.next_number)
            young = [*self._journal.moving, *self._journal.pending]
            return found + [entry.record for entry in young if beyond <= entry.record.number < numbers.stop]

    def acknowledge(self, numbers: range) -> None:
        """These records need not be kept any longer, in any order and again too.

        Survives a kill at once and a power cut after the next `sync`; what is forgotten is only sent again.
        The files go with the next `sync`.
        """
        with self._lock:
            known = range(max(numbers.start, self._log.first_number), min(numbers.stop, self._next))
            if not self._log.acknowledged.missing(known):
                return
            self._log.acknowledge(known)
            try:
                self._journal.append(encode_acknowledged(known))
            except OSError as problem:
                logger.warning("outbox: cannot note an acknowledgement: %s; a restart sends again", problem.strerror)

    def unacknowledged(self) -> list[range]:
        """Numbers of the records that have to be sent, ascending."""
        with self._lock:
            return self._log.acknowledged.missing(range(self._log.first_number, self._next))

    @property
    def last_state(self) -> bytes:
        """The state given with the newest record, also when that record and all others are acknowledged."""
        return self._state

    @property
    def next_number(self) -> int:
        """The number that the next record gets."""
        return self._next

    @property
    def bytes_used(self) -> int:
        """Bytes of its files."""
        with self._lock:
            return self._log.bytes_used + self._journal.size

    def close(self) -> None:
        """Sync as far as possible and let other processes in."""
        try:
            self.sync()
        except OutboxWriteError as problem:
            logger.warning("%s; not everything may be on the disk", problem)
        with self._lock:
            self._log.close()
            self._journal.close()
            self._directory_lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _move(self) -> None:
        """Join the journal's records into the newest segment; others may append meanwhile. Raises OSError."""
        with self._lock:
            if not self._is_journal_clean:
                self._clean_journal()
            self._journal.switch()
            start, stop = self._log.next_number, self._next
            wanted = [entry for entry in self._journal.moving if self._log.acknowledged.missing(entry.record.numbers)]
        try:
            records = joined(wanted, start)
            with self._lock:
                self._log.write(records, self._state, stop, self._journal.size)
                self._journal.moved()
        except BaseException:
            with self._lock:
                self._journal.switch_back()
            raise

    def _move_at_once(self) -> None:
        """The same within an append, because nobody has synced for long; not while a sync is moving."""
        if self._journal.moving:
            return
        self._journal.switch()
        try:
            self._write_moving()
        except BaseException:
            self._journal.switch_back()
            raise
        self._journal.moved()

    def _clean_journal(self) -> None:
        """Move what an earlier process has left, and empty the journal on the disk. Raises OSError."""
        self._journal.switch()
        try:
            self._write_moving()
        except BaseException:
            self._journal.switch_back()
            raise
        if self._journal.moving:
            self._log.secure()  # nothing else will have these records when the journal is empty
        self._journal.moving = []
        self._journal.empty()
        self._is_journal_clean = True

    def _write_moving(self) -> None:
        acknowledged = self._log.acknowledged
        wanted = [entry for entry in self._journal.moving if acknowledged.missing(entry.record.numbers)]
        records = joined(wanted, self._log.next_number)
        self._log.write(records, self._state, self._next, self._journal.size)

    def _journal_is_full(self) -> bool:
        byte_count = sum(len(entry.record.payload) + HEAD_BYTES for entry in self._journal.pending)
        most = MAX_MEMORY_RECORDS if self._is_journal_in_memory else MAX_JOURNAL_RECORDS
        return len(self._journal.pending) >= most or byte_count >= self._journal_bytes

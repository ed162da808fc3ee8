"""A segment log that survives any kill, and a power cut but for what was not yet synced.

`append` and `acknowledge` write at the end of the newest segment. `sync` deletes segments that are wholly acknowledged:
by then the newest, with a checkpoint that repeats what must outlive them, is on the disk.
"""

import contextlib
import logging
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import msgspec

from edge_agent.outbox.entries import (
    FORMAT,
    Kind,
    encode_acknowledged,
    encode_entry,
    encode_record_body,
)
from edge_agent.outbox.errors import OutboxError, OutboxWriteError
from edge_agent.outbox.lock import DirectoryLock
from edge_agent.outbox.record import Record
from edge_agent.outbox.recovery import lose_missing, recover
from edge_agent.outbox.report import LostRecords, OutboxReport
from edge_agent.outbox.segment import NEW_SUFFIX, OpenSegment, Place, Segment, segment_path, segments_in
from edge_agent.outbox.states import MAX_STATE_BYTES, StateWriter
from wire_format.batch import DeviceRows, split
from wire_format.codec import encode_rows
from wire_format.errors import BatchTooLargeError

logger = logging.getLogger(__name__)

MAX_SEGMENT_BYTES = 1024 * 1024
MIN_SEGMENT_BYTES = 4 * 1024
SEGMENTS = 16
"""How many segments a small outbox has at least, so that little is cut at once when it is full."""
KNOWN_SEGMENTS = 4
"""How many segments' indexes are kept in memory."""
HEADROOM_BYTES = 64
"""More than an entry's head, or an acknowledgement, takes."""
MAX_RANGES = 100_000
"""How many ranges of acknowledged records a checkpoint repeats; records of further ones are sent again."""


class Outbox:
    """The records of one edge, numbered for ever. All methods may be called from any thread.

    Attributes:
        directory: the folder that it owns.
        report: what was found damaged or had to be let go.
    """

    def __init__(self, directory: Path, max_bytes: int, lock: DirectoryLock) -> None:
        self.directory = directory
        self.report = OutboxReport()
        self._max_bytes = max_bytes
        self._segment_bytes = min(max(max_bytes // SEGMENTS, MIN_SEGMENT_BYTES), MAX_SEGMENT_BYTES)
        self._directory_lock = lock
        self._lock = threading.Lock()
        self._segments = segments_in(directory)
        recovered = recover(self._segments, self.report)
        self._next = recovered.next_number
        self._acknowledged = recovered.acknowledged
        self._state = recovered.state
        self._states = StateWriter()
        self._newest: OpenSegment | None = None
        if self._segments and not recovered.newest_is_damaged:
            with contextlib.suppress(OSError):  # a read-only disk: append tries a new segment and says what is wrong
                self._segments[-1] = self._newest = OpenSegment.resume(self._segments[-1])
        self._unsynced = self._perhaps_unsynced()
        self._known = [segment for segment in self._segments if segment.places is not None]

    @classmethod
    def open(cls, directory: Path, *, max_bytes: int) -> Self:
        """Open or make an outbox.

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
            return cls(directory, max_bytes, lock)
        except OSError as problem:
            lock.release()
            raise OutboxError(f"outbox {directory}: cannot be read: {problem.strerror}") from problem
        except OutboxError:
            lock.release()
            raise

    def append(self, devices: Sequence[DeviceRows], clock_source: str, state: bytes) -> int:
        """Keep rows, and the agent's state with them; returns the record's number.

        The bytes are with the operating system when it returns, so a kill loses nothing. Rows too large for one batch
        become several records, of which the last number is returned.

        Raises:
            OutboxWriteError: nothing was kept.
            WireFormatError: the rows cannot be told in the wire format.
        """
        if len(state) > MAX_STATE_BYTES:
            raise OutboxError(f"a state of {len(state)} bytes; at most {MAX_STATE_BYTES}")
        bodies = _bodies(devices, clock_source)
        with self._lock:
            try:
                byte_count = sum(map(len, bodies)) + len(state) + HEADROOM_BYTES * (len(bodies) + 1)
                newest = self._with_room_for(byte_count)
                return self._write(newest, bodies, state)
            except OSError as problem:
                raise OutboxWriteError(f"outbox {self.directory}: {problem.strerror}") from problem

    def sync(self) -> None:
        """Have everything on the disk that was appended before; takes as long as the disk does.

        Raises OutboxWriteError when the disk cannot: what was not synced may be lost in a power cut.
        """
        with self._lock:
            newest = self._newest
            if newest is None:
                return
            earlier, self._unsynced = self._unsynced, []
            deletable = self._deletable()
            descriptor = os.dup(newest.descriptor)
        try:
            for segment in earlier:
                os.fdatasync(segment.descriptor)
            os.fdatasync(descriptor)
            if not newest.synced:
                self._sync_directory()
        except OSError as problem:
            with self._lock:
                self._unsynced = [*earlier, *self._unsynced]
            raise OutboxWriteError(f"outbox {self.directory}: {problem.strerror}") from problem
        finally:
            os.close(descriptor)
        with self._lock:
            for segment in earlier:
                segment.close()
            newest.synced = True
            self._delete(deletable)

    def read(self, numbers: range) -> list[Record]:
        """The records of these numbers that are there; others are acknowledged, or lost and in the report."""
        found: list[Record] = []
        with self._lock:
            for position, segment in enumerate(list(self._segments)):
                end = self._end_of(position)
                wanted = range(max(numbers.start, segment.first), min(numbers.stop, end))
                if not wanted:
                    continue
                try:
                    self._learn(segment, end)
                    records = segment.read(wanted)
                except OSError as problem:
                    logger.warning("outbox: cannot read %s now: %s", segment.path, problem.strerror)
                    continue
                self._lose_unreadable(segment, wanted, records)
                found += records
        return found

    def acknowledge(self, numbers: range) -> None:
        """These records need not be kept any longer, in any order and again too.

        Survives a kill at once and a power cut after the next `sync`; what is forgotten is only sent again.
        The files go with the next `sync`.
        """
        with self._lock:
            if not self._segments:
                return
            known = range(max(numbers.start, self._segments[0].first), min(numbers.stop, self._next))
            if self._acknowledged.missing(known):
                self._let_go(known)

    def unacknowledged(self) -> list[range]:
        """Numbers of the records that have to be sent, ascending."""
        with self._lock:
            return self._unacknowledged()

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
            return self._bytes_used()

    def close(self) -> None:
        """Sync as far as possible and let other processes in."""
        try:
            self.sync()
        except OutboxWriteError as problem:
            logger.warning("%s; not everything may be on the disk", problem)
        with self._lock:
            for segment in [*self._unsynced, *([self._newest] if self._newest else [])]:
                segment.close()
            self._newest, self._unsynced = None, []
            self._directory_lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write(self, newest: OpenSegment, bodies: list[bytes], state: bytes) -> int:
        stored, whole = b"", False
        if state != self._state:
            stored, whole = self._states.next(state)
        last = len(bodies) - 1
        entries = [
            encode_entry(
                Kind.RECORD_WITH_WHOLE_STATE if whole and index == last else Kind.RECORD,
                self._next + index,
                body,
                stored if index == last else b"",
            )
            for index, body in enumerate(bodies)
        ]
        try:
            start = newest.append(b"".join(entries))
        except OSError:
            self._states = StateWriter()  # the state that later ones would have been compressed against is not there
            raise
        assert newest.places is not None  # noqa: S101  # an open segment knows its records
        for index, entry in enumerate(entries):
            newest.places[self._next + index] = Place(start, len(entry))
            start += len(entry)
        self._next += len(entries)
        self._state = state
        return self._next - 1

    def _with_room_for(self, byte_count: int) -> OpenSegment:
        """The segment to write to; the oldest are cut when the outbox is full."""
        newest = self._newest
        if newest is None or (newest.size + byte_count > self._segment_bytes and newest.places):
            newest = self._start_segment()
        while self._bytes_used() + byte_count > self._max_bytes and len(self._segments) > 1:
            self._make_room(newest)
        return newest

    def _start_segment(self) -> OpenSegment:
        states = StateWriter()
        ranges = [(numbers.start, numbers.stop) for numbers in self._acknowledged][:MAX_RANGES]
        body = msgspec.msgpack.encode((FORMAT, ranges))
        checkpoint = encode_entry(Kind.CHECKPOINT, self._next, body, states.whole(self._state))
        segment = OpenSegment.create(segment_path(self.directory, self._next), self._next, checkpoint)
        if self._newest is not None:
            self._unsynced.append(self._newest)
        if self._segments and self._segments[-1].path == segment.path:
            self._segments.pop()  # a segment without records, which the new one has replaced
        self._segments.append(segment)
        self._newest, self._states = segment, states
        return segment

    def _make_room(self, newest: OpenSegment) -> None:
        """Cut the oldest segment. Thinning it to one row each 15 minutes belongs here, before it is cut."""
        deletable = self._deletable()
        if not deletable:
            self._cut_oldest()
            deletable = self._segments[:1]
        os.fdatasync(newest.descriptor)
        if not newest.synced:
            self._sync_directory()
            newest.synced = True
        if not self._delete(deletable):
            raise OSError(None, "the outbox is full and the oldest segment cannot be deleted")

    def _cut_oldest(self) -> None:
        oldest, end = self._segments[0], self._end_of(0)
        self._learn(oldest, end)
        for numbers in self._acknowledged.missing(range(oldest.first, end)):
            records = oldest.read((numbers[0], numbers[-1]))
            times = [record.first_ms for record in records], [record.last_ms for record in records]
            cut = LostRecords(numbers, "the outbox is full", min(times[0], default=None), max(times[1], default=None))
            self.report.lost.append(cut)
            logger.error(
                "outbox %s is full: records %d to %d are lost, samples from %s to %s ms",
                *(self.directory, numbers[0], numbers[-1], cut.first_ms, cut.last_ms),
            )
        self._let_go(range(oldest.first, end))

    def _let_go(self, numbers: range) -> None:
        self._acknowledged.add(numbers)
        if self._newest is not None:
            try:
                self._newest.append(encode_acknowledged(numbers))
            except OSError as problem:
                logger.warning("outbox: cannot note an acknowledgement: %s; a restart sends again", problem.strerror)

    def _deletable(self) -> list[Segment]:
        """Segments of which all is acknowledged. The newest stays: it holds the agent's state and the next number."""
        return [
            segment
            for position, segment in enumerate(self._segments[:-1])
            if not self._acknowledged.missing(range(segment.first, self._end_of(position)))
        ]

    def _delete(self, deletable: list[Segment]) -> bool:
        """Delete segments when the newest, synced after they were found deletable, can replace them."""
        gone = set()
        for segment in deletable:
            try:
                segment.path.unlink(missing_ok=True)
                gone.add(segment.first)
            except OSError as problem:
                logger.warning("outbox: cannot delete %s: %s", segment.path, problem.strerror)
        self._segments = [segment for segment in self._segments if segment.first not in gone]
        self._known = [segment for segment in self._known if segment.first not in gone]
        self._acknowledged.remove(range(self._segments[0].first))
        return bool(gone)

    def _perhaps_unsynced(self) -> list[OpenSegment]:
        """The youngest segments that an earlier process may have left without a sync."""
        found = []
        for segment in self._segments[-2:]:
            if segment is not self._newest:
                with contextlib.suppress(OSError):
                    descriptor = os.open(segment.path, os.O_RDONLY | os.O_CLOEXEC)
                    found.append(OpenSegment(segment.path, segment.first, segment.size, descriptor))
        return found

    def _learn(self, segment: Segment, end: int) -> None:
        """Read a segment's index if it is not in memory; raises OSError."""
        if segment.places is not None:
            return
        _, damaged = segment.scan()
        if damaged and segment.path not in self.report.damaged_files:
            self.report.damaged_files.append(segment.path)
        lose_missing(segment, end, self._acknowledged, self.report)
        self._known = [known for known in self._known if known is not self._newest]
        while len(self._known) >= KNOWN_SEGMENTS:
            self._known.pop(0).places = None
        self._known.append(segment)

    def _lose_unreadable(self, segment: Segment, wanted: range, records: list[Record]) -> None:
        if len(records) == len(wanted):
            return
        assert segment.places is not None  # noqa: S101  # _learn has read it
        readable = {record.number for record in records}
        for number in set(wanted) & segment.places.keys() - readable:
            del segment.places[number]
        lose_missing(segment, self._end_of(self._segments.index(segment)), self._acknowledged, self.report)

    def _end_of(self, position: int) -> int:
        """One more than the last number that the segment at this position may hold."""
        return self._segments[position + 1].first if position + 1 < len(self._segments) else self._next

    def _unacknowledged(self) -> list[range]:
        if not self._segments:
            return []
        return self._acknowledged.missing(range(self._segments[0].first, self._next))

    def _bytes_used(self) -> int:
        return sum(segment.size for segment in self._segments)

    def _sync_directory(self) -> None:
        descriptor = os.open(self.directory, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _bodies(devices: Sequence[DeviceRows], clock_source: str) -> list[bytes]:
    if not devices:
        raise ValueError("a record without rows")
    try:
        payload = encode_rows(devices, clock_source)
    except BatchTooLargeError:
        first, second = split(devices)
        return [*_bodies(first, clock_source), *_bodies(second, clock_source)]
    times = [(rows.times_ms[0], rows.times_ms[-1]) for rows in devices]
    first_ms, last_ms = min(first for first, _ in times), max(last for _, last in times)
    row_count = sum(len(rows.times_ms) for rows in devices)
    value_count = sum(rows.value_count() for rows in devices)
    return [encode_record_body(first_ms, last_ms, row_count, value_count, payload)]

"""The segments of an outbox: what is written to the newest, read from all, thinned, cut and deleted.

Not for several threads at once; the outbox sees to that.
"""

import contextlib
import logging
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from edge_agent.outbox.append_file import AppendFile
from edge_agent.outbox.entries import FORMAT, Kind, encode_acknowledged, encode_entry, encode_group
from edge_agent.outbox.ranges import NumberRanges
from edge_agent.outbox.record import Record
from edge_agent.outbox.recovery import Recovered, lose_missing
from edge_agent.outbox.report import LostRecords, OutboxReport
from edge_agent.outbox.segment import OpenSegment, Place, Segment, segment_path, sync_directory
from edge_agent.outbox.states import StateWriter
from edge_agent.outbox.thinned_segment import thin_segment

logger = logging.getLogger(__name__)

KNOWN_SEGMENTS = 4
"""How many segments' indexes are kept in memory."""
MAX_RANGES = 100_000
"""How many ranges of acknowledged records a checkpoint repeats; records of further ones are sent again."""


class SegmentLog:
    """Segments, oldest first.

    Attributes:
        acknowledged: numbers that need not be kept, those of records that are in no segment yet included.
        next_number: one more than the last number that the segments know.
    """

    def __init__(
        self,
        directory: Path,
        segments: list[Segment],
        recovered: Recovered,
        report: OutboxReport,
        *,
        max_bytes: int,
        segment_bytes: int,
    ) -> None:
        self.acknowledged = recovered.acknowledged
        self.next_number = recovered.next_number
        self._directory = directory
        self._segments = segments
        self._report = report
        self._max_bytes = max_bytes
        self._segment_bytes = segment_bytes
        self._state = recovered.state
        self._states = StateWriter()
        self._newest: OpenSegment | None = None
        self._unnoted = NumberRanges()
        if segments and recovered.can_resume and not segments[-1].thinned:
            with contextlib.suppress(OSError):  # a read-only disk: writing tries a new segment and says what is wrong
                segments[-1] = self._newest = OpenSegment.resume(segments[-1])
        self._unsynced = self._perhaps_unsynced()
        self._dirty = self._newest is not None
        self._known = [segment for segment in segments if segment.places is not None]

    @property
    def first_number(self) -> int:
        """The first number that the segments may hold."""
        return self._segments[0].first if self._segments else self.next_number

    @property
    def bytes_used(self) -> int:
        """Bytes of its files."""
        return sum(segment.size for segment in self._segments)

    def acknowledge(self, numbers: range) -> None:
        """These need not be kept; the next `write` says so in the newest segment."""
        self.acknowledged.add(numbers)
        self._unnoted.add(numbers)

    def write(self, records: Sequence[Record], state: bytes, beyond: int, bytes_elsewhere: int) -> None:
        """Append records, a state, and what is acknowledged below `beyond`.

        Records answer for all numbers up to the last without a hole: holes are damage. Raises OSError, and then
        nothing of it counts.
        """
        # The state first: one that is newer than the records after it only counts what they would have counted.
        parts: list[tuple[bytes, range | None]] = []
        noted = [range(numbers.start, min(numbers.stop, beyond)) for numbers in self._unnoted if numbers.start < beyond]
        byte_count = sum(len(record.payload) + 100 for record in records) + 64 * len(noted) + len(state)
        if not records and not noted and state == self._state:
            return
        newest = self._with_room_for(byte_count, bytes_elsewhere, state)
        if state != self._state:
            stored, whole = self._states.next(state)
            parts.append((encode_entry(Kind.WHOLE_STATE if whole else Kind.STATE, self.next_number, b"", stored), None))
        parts += [(encode_group(record), record.numbers) for record in records]
        # Acknowledgements last: numbers that they make known are then those of records that are there.
        parts += [(encode_acknowledged(numbers), None) for numbers in noted]
        try:
            start = newest.append(b"".join(part for part, _ in parts))
        except OSError:
            self._states = StateWriter()  # the state that later ones would have been compressed against is not there
            raise
        assert newest.places is not None  # noqa: S101  # an open segment knows its records
        for part, numbers in parts:
            if numbers is not None:
                newest.places.append(Place(numbers, start, len(part)))
            start += len(part)
        self._state, self._dirty = state, True
        self._unnoted.remove(range(beyond))
        self.next_number = max([self.next_number, *(numbers.stop for numbers in noted), *_stops(records)])

    def make_room(self, byte_count: int, bytes_elsewhere: int) -> None:
        """Delete, thin, and only then cut the oldest segments until so many more bytes may be written.

        Raises OSError when the disk cannot.
        """
        if self._newest is None and self.bytes_used + bytes_elsewhere + byte_count > self._max_bytes:
            self._start_segment(self._state)
        while len(self._segments) > 1 and self.bytes_used + bytes_elsewhere + byte_count > self._max_bytes:
            if not self._delete_acknowledged() and not self._thin_oldest():
                self._cut_oldest()

    def secure(self) -> None:
        """Have the newest segment on the disk, with all that is acknowledged; raises OSError."""
        if self._newest is None:
            return
        self._note_acknowledged(self._newest)
        os.fdatasync(self._newest.file.descriptor)
        if not self._newest.synced:
            sync_directory(self._directory)
            self._newest.synced = True

    def read(self, numbers: range) -> list[Record]:
        """The records that answer for any of these numbers."""
        found: list[Record] = []
        for position, segment in enumerate(list(self._segments)):
            end = self._end_of(position)
            wanted = range(max(numbers.start, segment.first), min(numbers.stop, end))
            if not wanted:
                continue
            try:
                self._learn(segment, end)
                assert segment.places is not None  # noqa: S101  # _learn has read it
                places = [place for place in segment.places if _meet(place.numbers, wanted)]
                records = segment.read(places)
            except OSError as problem:
                logger.warning("outbox: cannot read %s now: %s", segment.path, problem.strerror)
                continue
            if len(records) < len(places):
                readable = {record.number for record in records}
                segment.places = [
                    place for place in segment.places if place not in places or place.numbers.start in readable
                ]
                lose_missing(segment, end, self.acknowledged, self._report)
            found += records
        return found

    def files_to_sync(self) -> tuple[list[OpenSegment], list[Segment]]:
        """Files that are not on the disk yet, the newest last, and segments that may go when they are.

        Without files there is nothing to do. `synced` or `not_synced` has to follow. Raises OSError.
        """
        if self._newest is None or not self._dirty:
            return [], []
        deletable = self._deletable()
        if deletable:
            self._note_acknowledged(self._newest)
        files = [*self._unsynced, self._newest]
        self._unsynced, self._dirty = [], False
        return files, deletable

    def synced(self, files: Sequence[OpenSegment], deletable: Sequence[Segment]) -> None:
        """What `files_to_sync` returned is on the disk."""
        for segment in files:
            segment.synced = True
            if segment is not self._newest and segment not in self._unsynced:
                segment.close()
        self._delete(deletable)

    def not_synced(self, files: Sequence[OpenSegment]) -> None:
        """It is not."""
        self._unsynced = [segment for segment in files if segment is not self._newest] + [
            segment for segment in self._unsynced if segment not in files
        ]
        self._dirty = True

    def close(self) -> None:
        """Let go of the files."""
        for segment in [*self._unsynced, *([self._newest] if self._newest else [])]:
            segment.close()
        self._newest, self._unsynced = None, []

    def _with_room_for(self, byte_count: int, bytes_elsewhere: int, state: bytes) -> OpenSegment:
        newest = self._newest
        if newest is None or (newest.size + byte_count > self._segment_bytes and newest.places):
            newest = self._start_segment(state)
        self.make_room(byte_count, bytes_elsewhere)
        return newest

    def _start_segment(self, state: bytes) -> OpenSegment:
        states = StateWriter()
        known = NumberRanges(self.acknowledged)
        known.remove(range(self.next_number, 2**63))
        body = msgspec.msgpack.encode((FORMAT, [(numbers.start, numbers.stop) for numbers in known][:MAX_RANGES]))
        checkpoint = encode_entry(Kind.CHECKPOINT, self.next_number, body, states.whole(state))
        path = segment_path(self._directory, self.next_number)
        segment = OpenSegment.create(path, self.next_number, checkpoint)
        if self._newest is not None:
            self._unsynced.append(self._newest)
        if self._segments and self._segments[-1].path == path:
            self._segments.pop()  # a segment without records, which the new one has replaced
        self._segments.append(segment)
        self._newest, self._states, self._state, self._dirty = segment, states, state, True
        return segment

    def _delete_acknowledged(self) -> bool:
        """Delete what is wholly acknowledged, once the newest segment says so on the disk."""
        deletable = self._deletable()
        if not deletable:
            return False
        self.secure()
        if not self._delete(deletable):
            raise OSError(None, "the outbox is full and the oldest segment cannot be deleted")
        return True

    def _note_acknowledged(self, newest: OpenSegment) -> None:
        noted = [range(numbers.start, min(numbers.stop, self.next_number)) for numbers in self._unnoted]
        newest.append(b"".join(encode_acknowledged(numbers) for numbers in noted if numbers))
        self._unnoted.remove(range(self.next_number))

    def _thin_oldest(self) -> bool:
        """Thin the oldest segment that is not thinned yet, but for the newest; false when that cannot be."""
        position = next((index for index, segment in enumerate(self._segments[:-1]) if not segment.thinned), None)
        if position is None:
            return False
        segment = self._segments[position]
        earlier = self._segments[position - 1] if position else None
        if earlier is not None and earlier.size >= self._segment_bytes:
            earlier = None
        end = self._end_of(position)
        try:
            self._learn(segment, end)
            if earlier is not None:
                self._learn(earlier, segment.first)
            self.secure()
            thinned = thin_segment(segment, earlier, end, self.acknowledged, self._report)
        except OSError as problem:
            logger.warning("outbox: %s cannot be thinned: %s", segment.path, problem.strerror)
            return False
        if thinned is None:
            self.acknowledge(range(segment.first, end))
            return True
        self._known = [known for known in self._known if known not in {segment, earlier}]
        self._segments[position - (earlier is not None) : position + 1] = [thinned]
        return True

    def _cut_oldest(self) -> None:
        oldest, end = self._segments[0], self._end_of(0)
        self._learn(oldest, end)
        assert oldest.places is not None  # noqa: S101  # _learn has read it
        left = self.acknowledged.missing(range(oldest.first, end))
        for numbers in left:
            records = oldest.read([place for place in oldest.places if _meet(place.numbers, numbers)])
            first_ms = min((record.first_ms for record in records), default=None)
            last_ms = max((record.last_ms for record in records), default=None)
            self._report.lost.append(LostRecords(numbers, "the outbox is full", first_ms, last_ms))
            logger.error(
                "outbox %s is full: records %d to %d are lost, samples from %s to %s ms",
                *(self._directory, numbers[0], numbers[-1], first_ms, last_ms),
            )
        self.acknowledge(range(oldest.first, end))
        self.secure()
        if not self._delete([oldest]):
            raise OSError(None, "the outbox is full and the oldest segment cannot be deleted")

    def _deletable(self) -> list[Segment]:
        """Segments of which all is acknowledged. The newest stays: it holds the agent's state and the next number."""
        return [
            segment
            for position, segment in enumerate(self._segments[:-1])
            if not self.acknowledged.missing(range(segment.first, self._end_of(position)))
        ]

    def _delete(self, deletable: Iterable[Segment]) -> bool:
        gone = set()
        for segment in deletable:
            try:
                segment.path.unlink(missing_ok=True)
                gone.add(segment.path)
            except OSError as problem:
                logger.warning("outbox: cannot delete %s: %s", segment.path, problem.strerror)
        self._segments = [segment for segment in self._segments if segment.path not in gone]
        self._known = [segment for segment in self._known if segment.path not in gone]
        self.acknowledged.remove(range(self.first_number))
        return bool(gone)

    def _perhaps_unsynced(self) -> list[OpenSegment]:
        """The youngest segments that an earlier process may have left without a sync."""
        found = []
        for segment in self._segments[-2:]:
            if segment is not self._newest:
                with contextlib.suppress(OSError):
                    descriptor = os.open(segment.path, os.O_RDONLY | os.O_CLOEXEC)
                    found.append(OpenSegment(segment.path, segment.first, AppendFile(descriptor, segment.size)))
        return found

    def _learn(self, segment: Segment, end: int) -> None:
        """Read a segment's index if it is not in memory; raises OSError."""
        if segment.places is not None:
            return
        _, damaged = segment.scan()
        if damaged and segment.path not in self._report.damaged_files:
            self._report.damaged_files.append(segment.path)
        lose_missing(segment, end, self.acknowledged, self._report)
        self._known = [known for known in self._known if known is not self._newest]
        while len(self._known) >= KNOWN_SEGMENTS:
            self._known.pop(0).places = None
        self._known.append(segment)

    def _end_of(self, position: int) -> int:
        """One more than the last number that the segment at this position may hold."""
        return self._segments[position + 1].first if position + 1 < len(self._segments) else self.next_number


def _meet(one: range, other: range) -> bool:
    return one.start < other.stop and other.start < one.stop


def _stops(records: Iterable[Record]) -> list[int]:
    return [record.numbers.stop for record in records]

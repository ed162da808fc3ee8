"""One file of the outbox, named by the first number that it may hold."""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from edge_agent.outbox.entries import Entry, entries_in, entry_at, is_record, record_of
from edge_agent.outbox.record import Record

_NAME = re.compile(r"segment-(\d{20})\.log")
NEW_SUFFIX = ".new"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands in its file."""

    start: int
    length: int


class Segment:
    """A file that is read. `size` counts its whole entries; what a killed process left after them does not count."""

    def __init__(self, path: Path, first: int, size: int) -> None:
        self.path = path
        self.first = first
        self.size = size
        self.places: dict[int, Place] | None = None

    def scan(self) -> tuple[list[Entry], bool]:
        """All entries, and whether something between them is damaged; learns the records' places and the size.

        Raises OSError when the file cannot be read.
        """
        entries = list(entries_in(self.path.read_bytes()))
        self.places = {
            entry.number: Place(entry.start, entry.stop - entry.start) for entry in entries if is_record(entry)
        }
        self.size = entries[-1].stop if entries else 0
        gap = sum(entry.stop - entry.start for entry in entries) != self.size
        return entries, gap

    def read(self, numbers: Iterable[int]) -> list[Record]:
        """Those of the records that can be read; raises OSError when the file cannot be opened."""
        assert self.places is not None  # noqa: S101  # its owner scans before it reads
        found = []
        descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            for number in numbers:
                place = self.places.get(number)
                entry = None if place is None else entry_at(os.pread(descriptor, place.length, place.start))
                if entry is not None and entry.number == number:
                    found.append(record_of(entry))
        finally:
            os.close(descriptor)
        return found


class OpenSegment(Segment):
    """The newest file, which is appended to. Writes go to the end of the last whole entry."""

    def __init__(self, path: Path, first: int, size: int, descriptor: int) -> None:
        super().__init__(path, first, size)
        self.descriptor = descriptor
        self.synced = False
        """Whether its beginning, with the checkpoint, is on the disk: only then may older segments go."""
        self._rest_beyond_size = False

    @classmethod
    def create(cls, path: Path, first: int, checkpoint: bytes) -> "OpenSegment":
        """A new file that has a whole checkpoint as soon as it has its name; raises OSError and leaves no file."""
        unfinished = path.with_suffix(NEW_SUFFIX)
        descriptor = os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
        try:
            segment = cls(path, first, 0, descriptor)
            segment.append(checkpoint)
            unfinished.rename(path)
        except OSError:
            os.close(descriptor)
            unfinished.unlink(missing_ok=True)
            raise
        segment.places = {}
        return segment

    @classmethod
    def resume(cls, segment: Segment) -> "OpenSegment":
        """Go on with a file of an earlier process, whose torn end is cut off; raises OSError."""
        descriptor = os.open(segment.path, os.O_RDWR | os.O_CLOEXEC)
        resumed = cls(segment.path, segment.first, segment.size, descriptor)
        resumed.places = segment.places
        resumed.cut_off_rest()
        return resumed

    def append(self, data: bytes) -> int:
        """Write at the end and return where it begins; raises OSError and leaves nothing of it."""
        start = self.size
        if self._rest_beyond_size:
            self.cut_off_rest()
        view = memoryview(data)
        written = 0
        try:
            while written < len(data):
                written += os.pwrite(self.descriptor, view[written:], start + written)
        except OSError:
            self._rest_beyond_size = True
            if written:
                self.cut_off_rest()
            raise
        self.size = start + len(data)
        return start

    def cut_off_rest(self) -> None:
        """Shorten the file to its whole entries; raises OSError."""
        if os.fstat(self.descriptor).st_size > self.size:
            os.ftruncate(self.descriptor, self.size)
        self._rest_beyond_size = False

    def close(self) -> None:
        """Let go of the file."""
        os.close(self.descriptor)


def segment_path(directory: Path, first: int) -> Path:
    """The name of a segment; names sort as numbers do."""
    return directory / f"segment-{first:020d}.log"


def segments_in(directory: Path) -> list[Segment]:
    """The segments of a folder, oldest first, not yet scanned; raises OSError."""
    found = []
    for path in directory.iterdir():
        match = _NAME.fullmatch(path.name)
        if match:
            found.append(Segment(path, int(match[1]), path.stat().st_size))
    return sorted(found, key=lambda segment: segment.first)

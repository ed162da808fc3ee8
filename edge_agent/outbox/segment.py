"""One file of the outbox, named by the first number that it may hold."""

import contextlib
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from edge_agent.outbox.append_file import AppendFile
from edge_agent.outbox.entries import Entry, entries_in, entry_at, is_record, numbers_of, record_of
from edge_agent.outbox.record import Record

_NAME = re.compile(r"(segment|thinned)-(\d{20})\.log")
NEW_SUFFIX = ".new"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the record of these numbers stands in its file."""

    numbers: range
    start: int
    length: int


class Segment:
    """A file that is read. `size` counts its whole entries; what a killed process left after them does not count.

    `thinned` files hold what thinning left of older ones, and are never appended to.
    """

    def __init__(self, path: Path, first: int, size: int) -> None:
        self.path = path
        self.first = first
        self.size = size
        self.thinned = path.name.startswith("thinned")
        self.places: list[Place] | None = None

    def scan(self) -> tuple[list[Entry], bool]:
        """All entries, and whether something between them is damaged; learns the records' places and the size.

        Raises OSError when the file cannot be read.
        """
        entries = list(entries_in(self.path.read_bytes()))
        self.places = [
            Place(numbers_of(entry), entry.start, entry.stop - entry.start) for entry in entries if is_record(entry)
        ]
        self.size = entries[-1].stop if entries else 0
        gap = sum(entry.stop - entry.start for entry in entries) != self.size
        return entries, gap

    def read(self, places: Iterable[Place]) -> list[Record]:
        """Those of the records that can be read; raises OSError when the file cannot be opened."""
        found = []
        descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            for place in places:
                entry = entry_at(os.pread(descriptor, place.length, place.start))
                if entry is not None and is_record(entry) and numbers_of(entry) == place.numbers:
                    found.append(record_of(entry))
        finally:
            os.close(descriptor)
        return found


class OpenSegment(Segment):
    """The newest file, which is appended to."""

    def __init__(self, path: Path, first: int, file: AppendFile) -> None:
        super().__init__(path, first, file.size)
        self.file = file
        self.synced = False
        """Whether its beginning, with the checkpoint, is on the disk: only then may older segments go."""

    @classmethod
    def create(cls, path: Path, first: int, checkpoint: bytes) -> "OpenSegment":
        """A new file that has a whole checkpoint as soon as it has its name; raises OSError and leaves no file."""
        unfinished = path.with_suffix(NEW_SUFFIX)
        descriptor = os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
        try:
            segment = cls(path, first, AppendFile(descriptor, 0))
            segment.append(checkpoint)
            unfinished.rename(path)
        except OSError:
            os.close(descriptor)
            unfinished.unlink(missing_ok=True)
            raise
        segment.places = []
        return segment

    @classmethod
    def resume(cls, segment: Segment) -> "OpenSegment":
        """Go on with a file of an earlier process, whose torn end is cut off; raises OSError."""
        descriptor = os.open(segment.path, os.O_RDWR | os.O_CLOEXEC)
        resumed = cls(segment.path, segment.first, AppendFile(descriptor, segment.size))
        resumed.places = segment.places
        resumed.file.cut_off_rest()
        return resumed

    def append(self, data: bytes) -> int:
        """Write at the end and return where it begins; raises OSError and leaves nothing of it."""
        start = self.file.append(data)
        self.size = self.file.size
        return start

    def close(self) -> None:
        """Let go of the file."""
        self.file.close()


def write_whole(path: Path, data: bytes) -> None:
    """Put a file in place, or in the place of another, so that a power cut leaves the one or the other.

    Raises OSError and leaves what was there.
    """
    unfinished = path.with_suffix(NEW_SUFFIX)
    descriptor = os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
    try:
        AppendFile(descriptor, 0).append(data)
        os.fsync(descriptor)
        unfinished.rename(path)
    except OSError:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Have the names of files on the disk; raises OSError."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def segment_path(directory: Path, first: int, *, thinned: bool = False) -> Path:
    """The name of a segment; names of a kind sort as numbers do."""
    return directory / f"{'thinned' if thinned else 'segment'}-{first:020d}.log"


def segments_in(directory: Path) -> list[Segment]:
    """The segments of a folder, oldest first, not yet scanned; raises OSError."""
    found: dict[int, Segment] = {}
    for path in sorted(directory.iterdir()):  # "thinned" after "segment": it takes the place of what it was made of
        match = _NAME.fullmatch(path.name)
        if match:
            segment = Segment(path, int(match[2]), path.stat().st_size)
            if segment.thinned and segment.first in found:
                with contextlib.suppress(OSError):
                    found[segment.first].path.unlink()
            found[segment.first] = segment
    return sorted(found.values(), key=lambda segment: segment.first)

"""The youngest records, each written as it comes, and moved into a segment together at the next sync.

A journal survives a kill because the operating system has it. It is not meant to reach the disk: it is emptied before
the kernel writes it back (30 s by default), so that each second costs no block of its own. In a folder in memory it
costs the file system's own journal nothing either.
"""

import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_agent.outbox.append_file import AppendFile
from edge_agent.outbox.entries import Entry, entries_in
from edge_agent.outbox.record import Record
from wire_format.batch import DeviceRows
from wire_format.events import Event

_NAMES = ("journal-0.log", "journal-1.log")


@dataclass(frozen=True, slots=True)
class Pending:
    """A record in a journal, with its rows and events at hand."""

    record: Record
    devices: Sequence[DeviceRows]
    clock_source: str
    events: Sequence[Event] = ()


class Journal:
    """Two files that take turns: one is written to while the records of the other go into a segment.

    Args:
        directory: where they are; made when missing.
        earlier: where they may have been before: read and emptied, never written to.
    """

    def __init__(self, directory: Path, earlier: Sequence[Path] = ()) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.pending: list[Pending] = []
        """Of the file that is written to."""
        self.moving: list[Pending] = []
        """Of the other one."""
        self._paths = [directory / name for name in _NAMES]
        self._earlier = [folder / name for folder in earlier if folder != directory for name in _NAMES]
        self._files: list[AppendFile | None] = [None, None]
        self._current = 0

    def entries(self) -> list[Entry]:
        """What both files hold, by number, acknowledgements last; raises OSError."""
        found = []
        for path in [*self._earlier, *self._paths]:
            with contextlib.suppress(FileNotFoundError):
                found += list(entries_in(path.read_bytes()))
        return found

    @property
    def size(self) -> int:
        """Bytes of both files."""
        return sum(file.size for file in self._files if file is not None)

    def append(self, data: bytes) -> None:
        """Write at the end; raises OSError and leaves nothing of it."""
        file = self._files[self._current]
        if file is None:
            file = self._files[self._current] = self._open(self._current)
        file.append(data)

    def switch(self) -> None:
        """Begin with the other file; `moving` are the records of this one. Only when nothing is moving."""
        assert not self.moving  # noqa: S101  # its owner moves one file at a time
        self.pending, self.moving = [], self.pending
        self._current = 1 - self._current

    def switch_back(self) -> None:
        """The records could not be moved: they are pending as before."""
        self.pending, self.moving = self.moving + self.pending, []

    def moved(self) -> None:
        """What was `moving` is in a segment: empty its file; raises OSError."""
        self.moving = []
        file = self._files[1 - self._current]
        if file is not None and file.size:
            file.clear()

    def empty(self) -> None:
        """Empty all files, on the disk too: numbers in them may be given again; raises OSError."""
        for path in self._earlier:
            path.unlink(missing_ok=True)
        for index, path in enumerate(self._paths):
            if path.exists() and path.stat().st_size:
                file = self._files[index] = self._files[index] or self._open(index)
                file.clear()
                os.fsync(file.descriptor)

    def close(self) -> None:
        """Let go of the files."""
        for file in self._files:
            if file is not None:
                file.close()
        self._files = [None, None]

    def _open(self, index: int) -> AppendFile:
        descriptor = os.open(self._paths[index], os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        return AppendFile(descriptor, os.fstat(descriptor).st_size)

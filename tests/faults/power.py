"""A disk that can lose its power: records what a program does to the files of a folder, and what may be left of it.

What was written since a file's last `fsync` is there page by page or not at all, torn at a sector, in any order, and
so is a file's length. Names (create, rename, unlink) that no `fsync` of the folder has secured are there up to any one.
"""

import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

PAGE_BYTES = 4096
SECTOR_BYTES = 512


@dataclass(slots=True, eq=False)
class _File:
    live: bytearray = field(default_factory=bytearray)
    durable: bytes = b""
    changes: list[tuple[int, bytes | None]] = field(default_factory=list)
    """Since the last sync: (offset, data), or (size, None) for a truncation."""

    def write(self, offset: int, data: bytes) -> None:
        _overwrite(self.live, offset, data)
        self.changes.append((offset, data))

    def truncate(self, size: int) -> None:
        del self.live[size:]
        self.changes.append((size, None))

    def sync(self) -> None:
        self.durable = bytes(self.live)
        self.changes.clear()

    def after_cut(self, chance: random.Random) -> bytes:
        share = chance.choice([0.0, 0.2, 0.5, 0.9, 1.0])
        left = bytearray(self.durable)
        for offset, data in self.changes:
            if data is None:
                if chance.random() < share:
                    del left[offset:]
                continue
            for start, piece in _pages(offset, data):
                if chance.random() < share:
                    is_torn = share < 1.0 and chance.random() < 0.2
                    _overwrite(
                        left,
                        start,
                        piece[: chance.randrange(0, len(piece) + 1, SECTOR_BYTES)] if is_torn else piece,
                    )
        return bytes(left)


def _overwrite(content: bytearray, offset: int, data: bytes) -> None:
    content.extend(bytes(max(0, offset - len(content))))
    content[offset : offset + len(data)] = data


def _pages(offset: int, data: bytes) -> list[tuple[int, bytes]]:
    found = []
    start = offset
    while start < offset + len(data):
        stop = min((start // PAGE_BYTES + 1) * PAGE_BYTES, offset + len(data))
        found.append((start, data[start - offset : stop - offset]))
        start = stop
    return found


class PowerSocket:
    """Records one folder from `plug_in` on; `on_change` is called after each operation that changes anything."""

    def __init__(self, directory: Path, on_change: Callable[["PowerSocket"], None]) -> None:
        self.directory = directory
        self.operations = 0
        self._on_change = on_change
        self._by_inode: dict[int, _File] = {}
        self._names: dict[str, _File] = {}
        for path in directory.iterdir():
            file = self._names[path.name] = self._by_inode[path.stat().st_ino] = _File(bytearray(path.read_bytes()))
            file.sync()
        self._durable_names = dict(self._names)
        self._name_changes: list[tuple[str, _File | None]] = []

    def after_cut(self, chance: random.Random) -> dict[str, bytes]:
        """The files that a power cut now would leave, one of many possibilities."""
        names = dict(self._durable_names)
        for name, file in self._name_changes[: chance.randrange(len(self._name_changes) + 1)]:
            if file is None:
                names.pop(name, None)
            else:
                # A renamed file has its old name no longer.
                names = {other: kept for other, kept in names.items() if kept is not file}
                names[name] = file
        return {name: file.after_cut(chance) for name, file in names.items()}

    def plug_in(self, patch: pytest.MonkeyPatch) -> None:
        """From here on operations are seen; other folders are left alone, but for syncs, which nobody needs here."""
        real_open, real_pwrite, real_ftruncate = os.open, os.pwrite, os.ftruncate
        real_rename, real_unlink = Path.rename, Path.unlink

        def opened(path: Any, flags: int, *arguments: Any, **keywords: Any) -> int:
            descriptor = real_open(path, flags, *arguments, **keywords)
            name = Path(path).name
            if Path(path).parent == self.directory and name != "lock":
                if name not in self._names:
                    file = self._names[name] = self._by_inode[os.fstat(descriptor).st_ino] = _File()
                    self._named(name, file)
                elif flags & os.O_TRUNC:
                    self._names[name].truncate(0)
                    self._changed()
            return descriptor

        def pwrite(descriptor: int, data: Any, offset: int) -> int:
            written = real_pwrite(descriptor, data, offset)
            file = self._by_inode.get(os.fstat(descriptor).st_ino)
            if file is not None:
                file.write(offset, bytes(data[:written]))
                self._changed()
            return written

        def ftruncate(descriptor: int, size: int) -> None:
            real_ftruncate(descriptor, size)
            file = self._by_inode.get(os.fstat(descriptor).st_ino)
            if file is not None:
                file.truncate(size)
                self._changed()

        def synced(descriptor: int) -> None:
            inode = os.fstat(descriptor).st_ino
            if inode == self.directory.stat().st_ino:
                self._durable_names = dict(self._names)
                self._name_changes.clear()
            elif inode in self._by_inode:
                self._by_inode[inode].sync()
            else:
                return
            self._changed()

        def rename(path: Path, target: Path) -> Path:
            moved = real_rename(path, target)
            if path.parent == self.directory:
                file = self._names[target.name] = self._names.pop(path.name)
                self._named(target.name, file)
            return moved

        def unlink(path: Path, *, missing_ok: bool = False) -> None:
            real_unlink(path, missing_ok=missing_ok)
            if path.parent == self.directory and self._names.pop(path.name, None) is not None:
                self._named(path.name, None)

        patch.setattr(os, "open", opened)
        patch.setattr(os, "pwrite", pwrite)
        patch.setattr(os, "ftruncate", ftruncate)
        patch.setattr(os, "fsync", synced)
        patch.setattr(os, "fdatasync", synced)
        patch.setattr(Path, "rename", rename)
        patch.setattr(Path, "unlink", unlink)

    def _named(self, name: str, file: _File | None) -> None:
        self._name_changes.append((name, file))
        self._changed()

    def _changed(self) -> None:
        self.operations += 1
        self._on_change(self)


def put_files(directory: Path, files: dict[str, bytes]) -> None:
    """Make a folder that holds these files and no others."""
    directory.mkdir(parents=True, exist_ok=True)
    for path in directory.iterdir():
        if path.name not in files:
            path.unlink()
    for name, data in files.items():
        (directory / name).write_bytes(data)

"""Rows for outboxes, and a recorder of what an outbox does to its files."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from edge_agent.outbox import Outbox, Record
from wire_format.batch import Column, DeviceRows
from wire_format.codec import decode_rows


def rows(value: int, device: str = "oven-meter") -> tuple[DeviceRows, ...]:
    """One row whose value and time tell which it is."""
    return (DeviceRows(device, (1000 * value,), (Column("active_power_total", "W", 0, (value,)),)),)


def values_of(record: Record) -> list[int]:
    devices, _ = decode_rows(record.payload)
    return [
        integer for entry in devices for column in entry.columns for integer in column.integers if integer is not None
    ]


def values_in(outbox: Outbox) -> list[int]:
    """The values of all records that are to be sent."""
    records = {record.number: record for numbers in outbox.unacknowledged() for record in outbox.read(numbers)}
    return [value for _, record in sorted(records.items()) for value in values_of(record)]


def abandon(outbox: Outbox) -> None:
    """Close the files of a process that is no more, without a last word."""
    outbox._log.close()
    outbox._journal.close()
    outbox._directory_lock.release()


@dataclass(frozen=True)
class Operation:
    """What was done to a file; `data` is written at `offset`."""

    kind: str
    file: int
    name: str = ""
    offset: int = 0
    data: bytes = b""


@dataclass
class Recorder:
    """Records operations on the files of one folder, and makes the folder as it was after any part of them."""

    directory: Path
    operations: list[Operation] = field(default_factory=list)
    _by_descriptor: dict[int, int] = field(default_factory=dict)
    _by_name: dict[str, int] = field(default_factory=dict)

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        real_open, real_pwrite, real_ftruncate, real_dup = os.open, os.pwrite, os.ftruncate, os.dup
        real_rename, real_unlink = Path.rename, Path.unlink

        def opened(path: Any, flags: int, *arguments: Any, **keywords: Any) -> int:
            descriptor = real_open(path, flags, *arguments, **keywords)
            name = Path(path).name
            if Path(path).parent == self.directory and name != "lock":
                if flags & os.O_TRUNC or name not in self._by_name:
                    self._by_name[name] = len(self.operations)
                    self.operations.append(Operation("create", len(self.operations), name))
                self._by_descriptor[descriptor] = self._by_name[name]
            return descriptor

        def pwrite(descriptor: int, data: Any, offset: int) -> int:
            written = real_pwrite(descriptor, data, offset)
            self.operations.append(
                Operation("write", self._by_descriptor[descriptor], "", offset, bytes(data[:written]))
            )
            return written

        def ftruncate(descriptor: int, size: int) -> None:
            real_ftruncate(descriptor, size)
            self.operations.append(Operation("truncate", self._by_descriptor[descriptor], offset=size))

        def rename(path: Path, target: Path) -> Path:
            moved = real_rename(path, target)
            self._by_name[target.name] = self._by_name.pop(path.name)
            self.operations.append(Operation("rename", self._by_name[target.name], target.name))
            return moved

        def unlink(path: Path, *, missing_ok: bool = False) -> None:
            real_unlink(path, missing_ok=missing_ok)
            self.operations.append(Operation("unlink", self._by_name.pop(path.name)))

        monkeypatch.setattr(os, "open", opened)
        monkeypatch.setattr(os, "pwrite", pwrite)
        monkeypatch.setattr(os, "ftruncate", ftruncate)
        monkeypatch.setattr(os, "dup", real_dup)
        monkeypatch.setattr(Path, "rename", rename)
        monkeypatch.setattr(Path, "unlink", unlink)

    def prefixes(self, start: int = 0) -> Iterator[tuple[int, dict[str, bytes]]]:
        """Each state of the folder: how many operations are complete, and the files with every cut of the next one."""
        for count in range(start, len(self.operations) + 1):
            files, names = self._replayed(count)
            yield count, {name: bytes(files[file]) for file, name in names.items()}
            if count == len(self.operations):
                return
            following = self.operations[count]
            if following.kind == "write":
                for cut in range(1, len(following.data)):
                    part = bytearray(files[following.file])
                    part[following.offset : following.offset + cut] = following.data[:cut]
                    cut_files = {**files, following.file: part}
                    yield count, {name: bytes(cut_files[file]) for file, name in names.items()}

    def _replayed(self, count: int) -> tuple[dict[int, bytearray], dict[int, str]]:
        files: dict[int, bytearray] = {}
        names: dict[int, str] = {}
        for operation in self.operations[:count]:
            match operation.kind:
                case "create":
                    files[operation.file], names[operation.file] = bytearray(), operation.name
                case "write":
                    end = operation.offset + len(operation.data)
                    files[operation.file][operation.offset : end] = operation.data
                case "truncate":
                    del files[operation.file][operation.offset :]
                case "rename":
                    for other in [file for file, name in names.items() if name == operation.name]:
                        del names[other]
                    names[operation.file] = operation.name
                case "unlink":
                    del names[operation.file]
        return files, names


def write_files(directory: Path, files: dict[str, bytes]) -> None:
    directory.mkdir()
    for name, data in files.items():
        (directory / name).write_bytes(data)

"""Rows that were taken while nobody knew what time it was, on the disk until somebody does.

Their times are those of the monotonic clock, so they hold for one start of the computer: each has a folder of its own.
"""

import json
import logging
import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

from edge_agent.outbox import Outbox
from wire_format.batch import DeviceRows
from wire_format.codec import decode_contents
from wire_format.errors import WireFormatError
from wire_format.events import Event

FOLDER = "undated"
OFFSET_NAME = "offset.json"
RECORDS_AT_ONCE = 60

log = logging.getLogger(__name__)


class UndatedRows:
    """An outbox whose times are ms of the monotonic clock; `settle` moves what it holds into the real one.

    Args:
        data_dir: the agent's folder.
        boot_id: the computer's present start.
        max_bytes: of its files.
    """

    def __init__(self, data_dir: Path, boot_id: str, max_bytes: int) -> None:
        self._folder = data_dir / FOLDER / (boot_id or "unknown")
        self.outbox = Outbox.open(self._folder / "outbox", max_bytes=max_bytes)

    @classmethod
    def of_earlier_process(cls, data_dir: Path, boot_id: str, max_bytes: int) -> Self | None:
        """What a process before this one has left since the computer was started; what is older never gets a time."""
        found = None
        for folder in sorted((data_dir / FOLDER).glob("*")):
            if folder.name == (boot_id or "unknown"):
                found = cls(data_dir, boot_id, max_bytes)
            else:
                log.error("readings of before the computer was started again have no times and are lost: %s", folder)
                shutil.rmtree(folder, ignore_errors=True)
        return found

    def settle(self, offset_ms: float, outbox: Outbox, clock_source: str, state: bytes) -> list[DeviceRows]:
        """Move some records, and return their rows with their times.

        The offset that was used first stays for all of them, so that a kill in between makes no row twice. The rows
        are on the disk when their undated copies are let go. Takes as long as the disk does. Raises OutboxWriteError.
        """
        shift_ms = self._offset(offset_ms)
        done: list[range] = []
        moved: list[DeviceRows] = []
        for numbers in self.outbox.unacknowledged():
            for record in self.outbox.read(numbers[:RECORDS_AT_ONCE]):
                try:
                    contents = decode_contents(record.payload)
                    devices = [_shifted(rows, shift_ms) for rows in contents.devices]
                    outbox.append(
                        devices,
                        clock_source,
                        state,
                        [replace(event, time_ms=event.time_ms + shift_ms) for event in contents.events],
                    )
                    moved += devices
                except WireFormatError as problem:
                    log.error("undated record %d is lost: %s", record.number, problem)  # noqa: TRY400  # said
                done.append(record.numbers)
            break
        outbox.sync()
        for numbers in done:
            self.outbox.acknowledge(numbers)
        return moved

    @property
    def is_empty(self) -> bool:
        """Whether everything has its time."""
        return not self.outbox.unacknowledged()

    def remove(self) -> None:
        """Delete its folder when all is settled."""
        self.outbox.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def close(self) -> None:
        """Let go of the files; what they hold gets its times after the next start."""
        self.outbox.close()

    def _offset(self, offset_ms: float) -> int:
        path = self._folder / OFFSET_NAME
        try:
            return int(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            pass
        chosen = round(offset_ms)
        unfinished = path.with_suffix(".new")
        with unfinished.open("w", encoding="utf-8") as file:
            file.write(json.dumps(chosen))
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
        return chosen


class Nobody:
    """Nothing is published without a time."""

    def notify(self, record_number: int) -> None:
        """See `Announcer.notify`."""

    def publish_unstored(self, devices: Sequence[DeviceRows], clock_source: str, events: Sequence[Event] = ()) -> None:
        """See `Announcer.publish_unstored`."""
        rows = sum(len(entry.times_ms) for entry in devices)
        log.error("%d rows and %d events are lost: they have no time (clock: %s)", rows, len(events), clock_source)


def _shifted(rows: DeviceRows, by_ms: int) -> DeviceRows:
    return replace(rows, times_ms=tuple([time_ms + by_ms for time_ms in rows.times_ms]))

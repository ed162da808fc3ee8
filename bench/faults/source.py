"""Values that everybody can work out again: record k of device d has them all, so the store can be checked whole."""

import mmap
import struct
import time
from pathlib import Path

from tests.wire_format.readings import NAMES
from wire_format.batch import Column, DeviceRows
from wire_format.quantities import QUANTITIES as CATALOGUE

QUANTITIES = len(NAMES)
STEP_MS = 60_000
"""A record a minute of its own time: so that many intervals are evaluated."""
_AGE_MS = 26 * 86_400_000
"""Old enough that all records lie in the past, young enough for SQLite's retention of 30 days."""
SITE = "bench"
EDGE = "edge-1"
TOTAL = "active_energy_import_total"

_UNITS = [(CATALOGUE[name].unit, CATALOGUE[name].exponent) for name in NAMES]


def first_ms(now_ms: int | None = None) -> int:
    """The time of record 0, on a 15-minute boundary."""
    now_ms = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    return (now_ms - _AGE_MS) // 900_000 * 900_000


def integer_of(device: int, column: int, number: int) -> int:
    """A value in steps of its column's exponent; totals count up."""
    return 1_000_003 * (device + 1) + 7919 * column + number * (column + 1)


def value_of(device: int, column: int, number: int) -> float:
    """The same in units."""
    return float(integer_of(device, column, number) / 10 ** -_UNITS[column][1])


def device_rows(start_ms: int, devices: int, number: int) -> list[DeviceRows]:
    """The rows of one record."""
    time_ms = start_ms + number * STEP_MS
    return [
        DeviceRows(
            f"meter-{device}",
            (time_ms,),
            tuple(
                Column(name, *_UNITS[column], (integer_of(device, column, number),))
                for column, name in enumerate(NAMES)
            ),
        )
        for device in range(devices)
    ]


class Progress:
    """How far the source is, in memory that outlives any kill of it.

    `intended` is written before a record is handed to the outbox and `done` after it.
    """

    _FIELDS = ("intended", "done", "stop")

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(bytes(8 * len(self._FIELDS)))
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 0)

    def get(self, name: str) -> int:
        """One of its numbers."""
        found: int = struct.unpack_from("<Q", self._memory, 8 * self._FIELDS.index(name))[0]
        return found

    def set(self, name: str, number: int) -> None:
        """Write one."""
        struct.pack_into("<Q", self._memory, 8 * self._FIELDS.index(name), number)

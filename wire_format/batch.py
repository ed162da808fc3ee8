"""A batch: what an edge publishes, and what a collector acknowledges. Shapes only; `codec` has the bytes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from msgspec import Struct

from wire_format.events import Event
from wire_format.quality import Quality


class Column(Struct, frozen=True):
    """One quantity of one device.

    A value is `integer * 10**exponent` in `unit`; None where there is none, and then `quality` says why.
    `quality` has one entry a row, or is empty when all are good. (A msgspec Struct because there is one for each
    value of a live batch, and it is made eight times faster than a frozen dataclass.)
    """

    quantity: str
    unit: str
    exponent: int
    integers: tuple[int | None, ...]
    quality: tuple[Quality, ...] = ()

    def values(self) -> list[float | None]:
        """The numbers in `unit`, each the double nearest to the decimal that was read."""
        if self.exponent >= 0:
            factor = 10**self.exponent
            return [None if integer is None else float(integer * factor) for integer in self.integers]
        divisor = 10**-self.exponent
        return [None if integer is None else integer / divisor for integer in self.integers]

    def quality_at(self, row: int) -> Quality:
        """The quality of one row."""
        return self.quality[row] if self.quality else Quality.GOOD


@dataclass(frozen=True, slots=True)
class DeviceRows:
    """Rows of one device that carry the same quantities: times in ms since 1970 UTC, ascending, and a column each.

    `thinned`: these are what is left of more rows (the one nearest each 15-minute boundary, peaks, weighings), because
    the edge's outbox was full. Totals in them are exact; what happened between them is not known.
    """

    device: str
    times_ms: tuple[int, ...]
    columns: tuple[Column, ...]
    thinned: bool = False

    def value_count(self) -> int:
        """How many numbers it carries; missing ones do not count."""
        return sum(sum(integer is not None for integer in column.integers) for column in self.columns)


class Contents(NamedTuple):
    """What a batch carries, without its id."""

    devices: tuple[DeviceRows, ...]
    clock_source: str
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True)
class BatchId:
    """`run_id` is 8 random bytes in hex, new at each start of the edge; `sequence` counts from 1 within it."""

    run_id: str
    sequence: int

    def to_bytes(self) -> bytes:
        """The Correlation Data: 8 bytes of run id, then the sequence number as 8 bytes, big endian."""
        return bytes.fromhex(self.run_id) + self.sequence.to_bytes(8, "big")

    @classmethod
    def from_bytes(cls, data: bytes) -> "BatchId":
        """Read Correlation Data; raises ValueError when it is not 16 bytes long."""
        if len(data) != 16:
            raise ValueError(f"correlation data has {len(data)} bytes, a batch id has 16")
        return cls(data[:8].hex(), int.from_bytes(data[8:], "big"))


@dataclass(frozen=True, slots=True)
class Batch:
    """Everything that one message carries. `clock_source` is one of ntp, hardware, collector, visitor, none."""

    batch_id: BatchId
    devices: tuple[DeviceRows, ...]
    clock_source: str = "none"
    events: tuple[Event, ...] = ()

    def value_count(self) -> int:
        """How many numbers it carries."""
        return sum(rows.value_count() for rows in self.devices)


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that the collector set aside in its quarantine; everything else of the batch is stored."""

    device: str
    time_ms: int
    reason: str


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """The collector's answer: `stored` (all rows but the refused are in the store) or `rejected` (unreadable).

    `collector_time_ms` is the collector's clock when it answered.
    """

    batch_id: BatchId
    stored: bool
    collector_time_ms: int
    refused: tuple[RefusedRow, ...] = field(default=())
    reason: str = ""


def merge(parts: Sequence[Sequence[DeviceRows]]) -> tuple[DeviceRows, ...]:
    """Join rows of the same device and columns, in the order given: how backlog becomes larger batches.

    Rows whose times do not go on from the ones before (the clock was set back) become an entry of their own.
    """
    groups: list[list[DeviceRows]] = []
    newest: dict[tuple[object, ...], list[DeviceRows]] = {}
    for part in parts:
        for rows in part:
            shape = (
                rows.device,
                rows.thinned,
                *((column.quantity, column.unit, column.exponent) for column in rows.columns),
            )
            group = newest.get(shape)
            if group is None or group[-1].times_ms[-1] >= rows.times_ms[0]:
                newest[shape] = group = []
                groups.append(group)
            group.append(rows)
    return tuple(group[0] if len(group) == 1 else _concatenate(group) for group in groups)


def split(devices: Sequence[DeviceRows]) -> tuple[tuple[DeviceRows, ...], tuple[DeviceRows, ...]]:
    """Make two halves of what is too large for one batch: by devices, then rows, then columns.

    Raises ValueError for a single value, which has no halves.
    """
    if len(devices) > 1:
        middle = len(devices) // 2
        return tuple(devices[:middle]), tuple(devices[middle:])
    if not devices:
        raise ValueError("no devices to split")
    (rows,) = devices
    if len(rows.times_ms) > 1:
        middle = len(rows.times_ms) // 2
        return (_rows_between(rows, 0, middle),), (_rows_between(rows, middle, len(rows.times_ms)),)
    if len(rows.columns) > 1:
        middle = len(rows.columns) // 2
        return (
            (DeviceRows(rows.device, rows.times_ms, rows.columns[:middle], rows.thinned),),
            (DeviceRows(rows.device, rows.times_ms, rows.columns[middle:], rows.thinned),),
        )
    raise ValueError(f"a single value of {rows.device} cannot be split")


def _rows_between(rows: DeviceRows, start: int, end: int) -> DeviceRows:
    columns = [
        Column(
            column.quantity, column.unit, column.exponent, column.integers[start:end], _marks(column.quality[start:end])
        )
        for column in rows.columns
    ]
    return DeviceRows(rows.device, rows.times_ms[start:end], tuple(columns), rows.thinned)


def _marks(quality: tuple[Quality, ...]) -> tuple[Quality, ...]:
    return quality if any(quality) else ()


def _concatenate(group: list[DeviceRows]) -> DeviceRows:
    columns = []
    for index, first in enumerate(group[0].columns):
        pieces = [rows.columns[index] for rows in group]
        quality: tuple[Quality, ...] = ()
        if any(piece.quality for piece in pieces):
            quality = tuple(
                mark for piece in pieces for mark in (piece.quality or (Quality.GOOD,) * len(piece.integers))
            )
        integers = tuple(integer for piece in pieces for integer in piece.integers)
        columns.append(Column(first.quantity, first.unit, first.exponent, integers, quality))
    times_ms = tuple(time for rows in group for time in rows.times_ms)
    return DeviceRows(group[0].device, times_ms, tuple(columns), group[0].thinned)

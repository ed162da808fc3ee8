"""Collects the rows of all lines and hands them to the outbox as columns, once a second."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from edge_agent.event_log import EventLog, event_of
from edge_agent.outbox.errors import OutboxError, OutboxWriteError
from edge_agent.samples import Sample, Shape
from edge_agent.totals import Totals
from wire_format.batch import Column, DeviceRows
from wire_format.errors import WireFormatError
from wire_format.events import Event
from wire_format.quality import Quality

BATCH_INTERVAL_S = 1.0
STATE_INTERVAL_FLUSHES = 10
"""The state of totals is renewed for every tenth record, and for each one that changes an offset or a weighing.

In between the same bytes go out, which cost the outbox next to nothing: last readings that are a few seconds old
recognise a reset as well.
"""

SAID_EVERY = 600
"""How many failed writes, one a second, are one line of the log."""
MAXIMUM_PENDING_ROWS = 10_000

log = logging.getLogger(__name__)


class RecordSink(Protocol):
    """What takes the rows: the outbox."""

    def append(
        self, devices: Sequence[DeviceRows], clock_source: str, state: bytes, events: Sequence[Event] = ()
    ) -> int:
        """Keep a record; returns its number."""
        ...


class Announcer(Protocol):
    """What is told of new records: the publisher."""

    def notify(self, record_number: int) -> None:
        """Records up to this number are new."""
        ...

    def publish_unstored(self, devices: Sequence[DeviceRows], clock_source: str, events: Sequence[Event] = ()) -> None:
        """Publish what could not be kept."""
        ...


@dataclass(slots=True)
class DeviceCounts:
    """What one device has given since the start; `missing` are cells without a number."""

    rows: int = 0
    values: int = 0
    missing: int = 0


@dataclass(slots=True)
class BatcherStatistics:
    """Counts since the start, of what the outbox has taken; after a failed write the rows go out live all the same."""

    rows: int = 0
    values_sampled: int = 0
    write_failures: int = 0
    devices: dict[str, DeviceCounts] = field(default_factory=dict)


class Batcher:
    """Rows come in with `add`, from any line, events with `events.note`; `flush` makes one record of them.

    Without `dated` the rows have no times yet: they belong to no day.
    """

    def __init__(
        self,
        sink: RecordSink,
        totals: Totals,
        announcer: Announcer,
        clock_source: Callable[[], str],
        *,
        dated: bool = True,
    ) -> None:
        self.statistics = BatcherStatistics()
        self.events = EventLog()
        self._sink = sink
        self._totals = totals
        self._announcer = announcer
        self._clock_source = clock_source
        self._dated = dated
        self._failing = 0
        self._pending: dict[tuple[str, Shape], list[list[Sample]]] = {}
        self._pending_rows = 0
        self._flushes = 0
        self._state = b""

    def add(self, sample: Sample) -> None:
        """Take a row. It costs no more than a list entry: devices are asked one after the other meanwhile."""
        groups = self._pending.setdefault((sample.device, sample.shape), [])
        # Times ascend within a group, also when the clock was set back.
        if not groups or groups[-1][-1].time_ms >= sample.time_ms:
            groups.append([])
        groups[-1].append(sample)
        self._pending_rows += 1
        if self._pending_rows >= MAXIMUM_PENDING_ROWS:
            self.flush()

    def announce(self, record_number: int, rows: Sequence[DeviceRows]) -> None:
        """These rows have come into the outbox otherwise, up to this record."""
        for device in rows:
            self._totals.days.count(device)
        self._announcer.notify(record_number)

    def flush(self) -> None:
        """Hand over what has come since the last time."""
        while self._totals.events:
            self.events.note(event_of(self._totals.events.popleft()))
        if self._dated:
            for event in self._totals.days.over():
                self.events.note(event, again=True)
        events = self.events.take()
        if not self._pending and not events:
            return
        rows = [
            device_rows(device, shape, group) for (device, shape), groups in self._pending.items() for group in groups
        ]
        self._pending.clear()
        self._pending_rows = 0
        self._flushes += 1
        if self._totals.must_go_out or self._flushes % STATE_INTERVAL_FLUSHES == 0:
            self._state = self._totals.encode()
        try:
            self._append(rows, events)
        except WireFormatError:
            # One device says something that no batch can carry: the others must not suffer from it.
            parts: list[tuple[list[DeviceRows], list[Event]]] = [([device], []) for device in rows]
            for part in [*parts, *[([], [event]) for event in events]]:
                try:
                    self._append(*part)
                except WireFormatError as problem:
                    self._failed(*part, problem)

    def _append(self, rows: Sequence[DeviceRows], events: Sequence[Event]) -> None:
        try:
            number = self._sink.append(rows, self._clock_source(), self._state, events)
        except (OutboxError, OutboxWriteError) as problem:
            self._failed(rows, events, problem)
            self._announcer.publish_unstored(rows, self._clock_source(), events)
            return
        if self._failing:
            log.warning("the outbox can be written again; %d records went out live only", self._failing)
            self._failing = 0
        for device in rows:
            self._count(device)
            if self._dated:
                self._totals.days.count(device)
        self._announcer.notify(number)

    def _failed(self, rows: Sequence[DeviceRows], events: Sequence[Event], problem: Exception) -> None:
        self.statistics.write_failures += 1
        self._failing += 1
        if self._failing % SAID_EVERY != 1:
            return
        names = sorted({*(entry.device for entry in rows), *(event.device for event in events)})
        log.error("rows or events of %s could not be kept: %s", ", ".join(names), problem)

    def _count(self, rows: DeviceRows) -> None:
        values = rows.value_count()
        counts = self.statistics.devices.setdefault(rows.device, DeviceCounts())
        counts.rows += len(rows.times_ms)
        counts.values += values
        counts.missing += len(rows.times_ms) * len(rows.columns) - values
        self.statistics.rows += len(rows.times_ms)
        self.statistics.values_sampled += values


def device_rows(device: str, shape: Shape, samples: Sequence[Sample]) -> DeviceRows:
    """Turn rows of one device and shape into columns."""
    columns = []
    for index, column in enumerate(shape):
        integers = tuple(sample.integers[index] for sample in samples)
        marks = tuple(sample.quality[index] for sample in samples)
        quality = () if all(mark is Quality.GOOD for mark in marks) else marks
        columns.append(Column(column.quantity, column.unit, column.exponent, integers, quality))
    return DeviceRows(device, tuple(sample.time_ms for sample in samples), tuple(columns))

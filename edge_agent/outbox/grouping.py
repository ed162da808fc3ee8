"""Joins records of some seconds to fewer and larger ones, which take a third of the room."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from edge_agent.outbox.journal import Pending
from edge_agent.outbox.record import Record
from wire_format.batch import DeviceRows, merge, split
from wire_format.codec import decode_contents, encode_rows
from wire_format.errors import BatchTooLargeError, WireFormatError
from wire_format.events import Event


def records_of(
    devices: Sequence[DeviceRows], clock_source: str, number: int, events: Sequence[Event] = ()
) -> list[Pending]:
    """The records of one append, more than one when one batch cannot hold it all; raises WireFormatError."""
    if not devices and not events:
        raise ValueError("a record without rows and events")
    try:
        payload = encode_rows(devices, clock_source, events)
    except BatchTooLargeError:
        found: list[Pending] = []
        for part, part_events in halves(devices, events):
            found += records_of(part, clock_source, number + len(found), part_events)
        return found
    return [Pending(_record(devices, events, payload, range(number, number + 1)), devices, clock_source, events)]


def halves(
    devices: Sequence[DeviceRows], events: Sequence[Event]
) -> list[tuple[Sequence[DeviceRows], Sequence[Event]]]:
    """Make two of what is too large for one batch; raises ValueError for what has no halves."""
    if devices and events:
        return [((), events), (devices, ())]
    if devices:
        return [(part, ()) for part in split(devices)]
    if len(events) == 1:
        raise ValueError("a single event cannot be split")
    return [((), part) for part in (events[: len(events) // 2], events[len(events) // 2 :])]


def pending_of(record: Record) -> Pending:
    """A record with its rows and events; raises WireFormatError."""
    return Pending(record, *decode_contents(record.payload))


def joined(pending: Iterable[Pending], start: int) -> list[Record]:
    """Records that answer for all numbers from `start` to the last one that is pending, without a hole.

    Numbers in between that are not pending are acknowledged already: whoever finds a hole may take it for damage.
    """
    found: list[Record] = []
    for _, alike in groupby(pending, lambda entry: entry.clock_source):
        for part in _joined(list(alike)):
            numbers = range(found[-1].numbers.stop if found else start, part.numbers.stop)
            found.append(numbered(part, numbers))
    return found


def _joined(pending: list[Pending]) -> list[Record]:
    if len(pending) == 1:
        return [pending[0].record]
    devices = merge([entry.devices for entry in pending])
    events = [event for entry in pending for event in entry.events]
    try:
        payload = encode_rows(devices, pending[0].clock_source, events)
    except WireFormatError:
        middle = len(pending) // 2
        return _joined(pending[:middle]) + _joined(pending[middle:])
    return [_record(devices, events, payload, range(pending[0].record.number, pending[-1].record.numbers.stop))]


def one_for(
    devices: Sequence[DeviceRows], clock_source: str, numbers: range, events: Sequence[Event] = ()
) -> list[Record]:
    """Records that answer for all these numbers together; raises WireFormatError."""
    parts = records_of(devices, clock_source, numbers.stop, events)
    start = numbers.start
    found = []
    for place, part in enumerate(parts):
        stop = numbers.stop - (len(parts) - 1 - place)
        found.append(numbered(part.record, range(start, stop)))
        start = stop
    return found


def _record(devices: Sequence[DeviceRows], events: Sequence[Event], payload: bytes, numbers: range) -> Record:
    # Without rows it has its events' times: those of rows tell what is thinned together.
    times_ms = [time for rows in devices for time in (rows.times_ms[0], rows.times_ms[-1])] or [
        event.time_ms for event in events
    ]
    return Record(
        numbers.start,
        min(times_ms),
        max(times_ms),
        sum(len(rows.times_ms) for rows in devices),
        sum(rows.value_count() for rows in devices),
        payload,
        len(numbers),
    )


def numbered(record: Record, numbers: range) -> Record:
    """The same rows, answering for other numbers."""
    return Record(
        numbers.start,
        record.first_ms,
        record.last_ms,
        record.row_count,
        record.value_count,
        record.payload,
        len(numbers),
    )

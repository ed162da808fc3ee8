"""Joins records of some seconds to fewer and larger ones, which take a third of the room."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from edge_agent.outbox.journal import Pending
from edge_agent.outbox.record import Record
from wire_format.batch import DeviceRows, merge, split
from wire_format.codec import decode_rows, encode_rows
from wire_format.errors import BatchTooLargeError, WireFormatError


def records_of(devices: Sequence[DeviceRows], clock_source: str, number: int) -> list[Pending]:
    """The records of one append, more than one when one batch cannot hold the rows; raises WireFormatError."""
    if not devices:
        raise ValueError("a record without rows")
    try:
        record = _record(devices, encode_rows(devices, clock_source), range(number, number + 1))
    except BatchTooLargeError:
        halves = split(devices)
        first = records_of(halves[0], clock_source, number)
        return first + records_of(halves[1], clock_source, number + len(first))
    return [Pending(record, devices, clock_source)]


def pending_of(record: Record) -> Pending:
    """A record with its rows; raises WireFormatError."""
    devices, clock_source = decode_rows(record.payload)
    return Pending(record, devices, clock_source)


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
    try:
        payload = encode_rows(devices, pending[0].clock_source)
    except WireFormatError:
        middle = len(pending) // 2
        return _joined(pending[:middle]) + _joined(pending[middle:])
    return [_record(devices, payload, range(pending[0].record.number, pending[-1].record.numbers.stop))]


def one_for(devices: Sequence[DeviceRows], clock_source: str, numbers: range) -> list[Record]:
    """Records of rows that answer for all these numbers together; raises WireFormatError."""
    parts = records_of(devices, clock_source, numbers.stop)
    start = numbers.start
    found = []
    for place, part in enumerate(parts):
        stop = numbers.stop - (len(parts) - 1 - place)
        found.append(numbered(part.record, range(start, stop)))
        start = stop
    return found


def _record(devices: Sequence[DeviceRows], payload: bytes, numbers: range) -> Record:
    return Record(
        numbers.start,
        min(rows.times_ms[0] for rows in devices),
        max(rows.times_ms[-1] for rows in devices),
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

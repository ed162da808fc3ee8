"""Makes larger batches of records that could not be sent when they were new."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from edge_agent.outbox import Outbox, Record
from wire_format.batch import merge
from wire_format.codec import decode_contents, encode_rows
from wire_format.errors import BatchTooLargeError, WireFormatError

logger = logging.getLogger(__name__)

MAX_RECORDS = 600
MAX_RECORD_BYTES = 512 * 1024
"""Of all records of a batch together; merged they shrink to a third or so."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What a batch will carry: `payload` without a batch id. `numbers` are the records that it answers for."""

    numbers: range
    payload: bytes
    row_count: int
    value_count: int
    oldest_ms: int


def rows_of_record(record: Record) -> Rows:
    """One record as it is."""
    return Rows(
        record.numbers,
        record.payload,
        record.row_count,
        record.value_count,
        record.first_ms,
    )


def rows_of_backlog(outbox: Outbox, numbers: range, span_ms: int) -> Rows | None:
    """Merge records from the beginning of `numbers`, of up to `span_ms` of time, into what fits a batch.

    None when none of these records is there any more. Takes long enough to be called in a thread.
    """
    records = outbox.read(numbers)
    if not records:
        return None
    records = _mergeable(records, span_ms)
    while len(records) > 1:
        try:
            return _merged(numbers, records)
        except BatchTooLargeError:
            records = records[: len(records) // 2]
        except WireFormatError as problem:
            # Sent by itself, the collector says what it thinks of it, and it is kept aside.
            logger.warning("records %d to %d cannot be merged: %s", records[0].number, records[-1].number, problem)
            records = records[:1]
    rows = rows_of_record(records[0])
    return Rows(range(numbers.start, rows.numbers.stop), rows.payload, rows.row_count, rows.value_count, rows.oldest_ms)


def _mergeable(records: Sequence[Record], span_ms: int) -> list[Record]:
    first_ms = last_ms = records[0].first_ms
    byte_count = 0
    for index, record in enumerate(records):
        first_ms, last_ms = min(first_ms, record.first_ms), max(last_ms, record.last_ms)
        byte_count += len(record.payload)
        if index and (last_ms - first_ms > span_ms or byte_count > MAX_RECORD_BYTES):
            return list(records[:index])
    return list(records)


def _merged(numbers: range, records: list[Record]) -> Rows:
    contents = [decode_contents(record.payload) for record in records]
    clock_source = contents[0].clock_source
    parts = list(takewhile(lambda part: part.clock_source == clock_source, contents))
    used = records[: len(parts)]
    return Rows(
        range(numbers.start, used[-1].numbers.stop),
        encode_rows(
            merge([part.devices for part in parts]), clock_source, [event for part in parts for event in part.events]
        ),
        sum(record.row_count for record in used),
        sum(record.value_count for record in used),
        min(record.first_ms for record in used),
    )

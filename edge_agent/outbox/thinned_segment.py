"""Puts what thinning leaves of a segment in its place."""

import logging
from collections.abc import Iterable

from edge_agent.outbox.entries import encode_group
from edge_agent.outbox.grouping import numbered, one_for, pending_of
from edge_agent.outbox.journal import Pending
from edge_agent.outbox.ranges import NumberRanges
from edge_agent.outbox.record import Record
from edge_agent.outbox.report import OutboxReport
from edge_agent.outbox.segment import Segment, segment_path, write_whole
from edge_agent.outbox.thinning import thin
from wire_format.errors import WireFormatError

logger = logging.getLogger(__name__)

MAX_SPAN_MS = 86_400_000
"""Rows of so much time become one record."""


def thin_segment(
    segment: Segment, earlier: Segment | None, end: int, acknowledged: NumberRanges, report: OutboxReport
) -> Segment | None:
    """Thin a segment whose index is known; what is left goes on after what was left of `earlier`, which it replaces.

    Events stay. None, and no file is changed, when nothing is left: no row had any value. A power cut in between leaves
    the segments as they were, or both: then some rows are sent twice. Raises OSError.
    """
    before = [] if earlier is None else _read(earlier, range(earlier.first, segment.first), acknowledged)
    records = _read(segment, range(segment.first, end), acknowledged)
    first = segment.first if earlier is None else earlier.first
    kept: list[Record] = before[:-1]
    start = kept[-1].numbers.stop if kept else first
    rows_before = sum(record.row_count for record in before[-1:] + records)
    chunks = list(_chunks(before[-1:] + records))
    for place, chunk in enumerate(chunks):
        stop = end if place == len(chunks) - 1 else chunk[-1].record.numbers.stop
        devices = thin(rows for pending in chunk for rows in pending.devices)
        events = [event for pending in chunk for event in pending.events]
        if devices or events:
            found = one_for(devices, chunk[0].clock_source, range(start, stop), events)
            kept += found
            start = stop
    if not kept:
        return None
    kept[-1] = numbered(kept[-1], range(kept[-1].number, end))
    path = segment_path(segment.path.parent, first, thinned=True)
    data = b"".join(map(encode_group, kept))
    write_whole(path, data)
    segment.path.unlink(missing_ok=True)
    _report(records, rows_before - sum(record.row_count for record in kept[max(len(before) - 1, 0) :]), report, path)
    return Segment(path, first, len(data))


def _read(segment: Segment, numbers: range, acknowledged: NumberRanges) -> list[Record]:
    assert segment.places is not None  # noqa: S101  # its index is known
    wanted = [place for place in segment.places if acknowledged.missing(place.numbers)]
    return [record for record in segment.read(wanted) if record.number in numbers]


def _chunks(records: Iterable[Record]) -> Iterable[list[Pending]]:
    """Records that may become one: of one clock source and within a day."""
    chunk: list[Pending] = []
    for record in records:
        try:
            pending = pending_of(record)
        except WireFormatError as problem:
            logger.error("outbox: record %d cannot be thinned and is lost: %s", record.number, problem)  # noqa: TRY400
            continue
        if chunk and (
            pending.clock_source != chunk[0].clock_source
            or not 0 <= record.last_ms - chunk[0].record.first_ms <= MAX_SPAN_MS
        ):
            yield chunk
            chunk = []
        chunk.append(pending)
    if chunk:
        yield chunk


def _report(records: list[Record], rows_gone: int, report: OutboxReport, path: object) -> None:
    if not records:
        return
    first_ms, last_ms = min(record.first_ms for record in records), max(record.last_ms for record in records)
    if not report.thinned_rows:
        logger.error(
            "the outbox is full: rows from %d ms on are thinned to one each 15 minutes (%s); totals stay exact",
            *(first_ms, path),
        )
    report.thinned_rows += rows_gone
    report.thinned_first_ms = min(first_ms, first_ms if report.thinned_first_ms is None else report.thinned_first_ms)
    report.thinned_last_ms = max(last_ms, last_ms if report.thinned_last_ms is None else report.thinned_last_ms)

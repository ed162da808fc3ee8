"""What an outbox learns from its files when it is opened."""

import logging
from dataclasses import dataclass, field

import msgspec

from edge_agent.outbox.entries import (
    FORMAT,
    Checkpoint,
    Entry,
    Kind,
    acknowledged_of,
    checkpoint_of,
    is_record,
)
from edge_agent.outbox.errors import OutboxError
from edge_agent.outbox.ranges import NumberRanges
from edge_agent.outbox.report import LostRecords, OutboxReport
from edge_agent.outbox.segment import Segment
from edge_agent.outbox.states import StateReader

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Recovered:
    """The state of an outbox: the next number, what is acknowledged, the agent's newest state."""

    next_number: int = 1
    acknowledged: NumberRanges = field(default_factory=NumberRanges)
    state: bytes = b""
    newest_is_damaged: bool = False


def recover(segments: list[Segment], report: OutboxReport) -> Recovered:
    """Replay from the newest segment that begins with a checkpoint; usually that is the newest, and the only one read.

    Segments without anything that can be read are taken off the list. Raises OutboxError when a newer release wrote
    them or they cannot be read.
    """
    recovered = Recovered()
    if segments:
        recovered.next_number = segments[-1].first
    scanned = _back_to_checkpoint(segments, report)
    recovered.newest_is_damaged = bool(report.damaged_files)
    for position, (segment, entries) in enumerate(scanned):
        last = position == len(scanned) - 1
        _replay(segment, entries, recovered)
        end = recovered.next_number if last else max(scanned[position + 1][0].first, segment.first)
        lose_missing(segment, end, recovered.acknowledged, report)
    return recovered


def lose_missing(segment: Segment, end: int, acknowledged: NumberRanges, report: OutboxReport) -> None:
    """Give up the numbers of a scanned segment that are neither there nor acknowledged: nothing can be sent of them."""
    assert segment.places is not None  # noqa: S101  # it has been scanned
    for gap in acknowledged.missing(range(segment.first, end)):
        absent = NumberRanges([gap])
        for number in gap:
            if number in segment.places:
                absent.remove(range(number, number + 1))
        for numbers in absent:
            report.lost.append(LostRecords(numbers, f"{segment.path.name} is damaged"))
            acknowledged.add(numbers)
            logger.error("outbox: records %d to %d of %s are damaged and lost", numbers[0], numbers[-1], segment.path)


def _back_to_checkpoint(segments: list[Segment], report: OutboxReport) -> list[tuple[Segment, list[Entry]]]:
    scanned: list[tuple[Segment, list[Entry]]] = []
    for segment in reversed(list(segments)):
        size_on_disk = segment.size
        try:
            entries, damaged = segment.scan()
        except OSError as problem:
            raise OutboxError(f"outbox: cannot read {segment.path}: {problem.strerror}") from problem
        newest = segment is segments[-1]
        if newest:
            report.torn_bytes += size_on_disk - segment.size
        if damaged or (not newest and size_on_disk != segment.size):
            report.damaged_files.append(segment.path)
            logger.error("outbox: %s is damaged; what can be read of it is kept", segment.path)
        if not entries:
            segments.remove(segment)
            continue
        scanned.insert(0, (segment, entries))
        if _checkpoint(entries[0]) is not None:
            break
    return scanned


def _checkpoint(entry: Entry) -> Checkpoint | None:
    if entry.kind != Kind.CHECKPOINT:
        return None
    try:
        checkpoint = checkpoint_of(entry)
    except msgspec.DecodeError:
        return None
    if checkpoint.format > FORMAT:
        raise OutboxError(f"outbox: written by a newer release (format {checkpoint.format}); install that release")
    return checkpoint


def _replay(segment: Segment, entries: list[Entry], recovered: Recovered) -> None:
    states = StateReader()
    for entry in entries:
        checkpoint = _checkpoint(entry)
        if checkpoint is not None:
            recovered.next_number = max(recovered.next_number, entry.number)
            for start, stop in checkpoint.acknowledged:
                recovered.acknowledged.add(range(start, stop))
        elif is_record(entry):
            recovered.next_number = max(recovered.next_number, entry.number + 1)
        elif entry.kind == Kind.ACKNOWLEDGED:
            numbers = acknowledged_of(entry)
            recovered.acknowledged.add(numbers)
            recovered.next_number = max(recovered.next_number, numbers.stop)
        if entry.state:
            state = states.next(entry.state) if entry.kind == Kind.RECORD else states.whole(entry.state)
            if state is None:
                logger.warning("outbox: %s: a state cannot be read; the one before it is used", segment.path)
            else:
                recovered.state = state

"""What an outbox learns from its files when it is opened."""

import logging
from dataclasses import dataclass, field

import msgspec

from edge_agent.outbox.entries import (
    FORMAT,
    Checkpoint,
    Entry,
    Kind,
    checkpoint_of,
    is_record,
    journalled_state,
    numbers_of,
    record_of,
)
from edge_agent.outbox.errors import OutboxError
from edge_agent.outbox.grouping import pending_of
from edge_agent.outbox.journal import Pending
from edge_agent.outbox.ranges import NumberRanges
from edge_agent.outbox.report import LostRecords, OutboxReport
from edge_agent.outbox.segment import Segment
from edge_agent.outbox.states import StateReader
from wire_format.errors import WireFormatError

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Recovered:
    """The state of an outbox: the next number, what is acknowledged, the agent's newest state.

    `can_resume`: the newest segment is whole and of this release's format, so it may be appended to.
    """

    next_number: int = 1
    acknowledged: NumberRanges = field(default_factory=NumberRanges)
    state: bytes = b""
    can_resume: bool = True


def recover(segments: list[Segment], report: OutboxReport) -> Recovered:
    """Replay from the newest segment that begins with a checkpoint; usually that is the newest, and the only one read.

    Segments without anything that can be read are taken off the list. Raises OutboxError when a newer release wrote
    them or they cannot be read.
    """
    recovered = Recovered()
    if segments:
        recovered.next_number = segments[-1].first
    scanned = _back_to_checkpoint(segments, report)
    recovered.can_resume = not report.damaged_files
    for position, (segment, entries) in enumerate(scanned):
        last = position == len(scanned) - 1
        _replay(segment, entries, recovered)
        end = recovered.next_number if last else max(scanned[position + 1][0].first, segment.first)
        lose_missing(segment, end, recovered.acknowledged, report)
    return recovered


def recover_journal(entries: list[Entry], recovered: Recovered) -> tuple[list[Pending], list[range]]:
    """Records of a journal that are in no segment yet, by number, and numbers that it says are acknowledged.

    Numbers between them that are nowhere count as acknowledged.

    After a power cut a journal holds what happened to reach the disk: what is whole in it is as good as anything, and
    what is missing was promised to nobody.
    """
    # Acknowledgements beyond what is there are of records that a power cut took: their numbers are given again.
    recovered.acknowledged.remove(range(recovered.next_number, 2**63))
    pending: list[Pending] = []
    newest: dict[int, Entry] = {}
    for entry in entries:
        if entry.kind == Kind.JOURNALLED and entry.number >= recovered.next_number:
            newest[entry.number] = entry
    for number, entry in sorted(newest.items()):
        try:
            pending.append(pending_of(record_of(entry)))
        except WireFormatError as problem:
            logger.error("outbox: record %d of the journal cannot be read: %s", number, problem)  # noqa: TRY400  # said
            continue
        recovered.acknowledged.add(range(recovered.next_number, number))
        recovered.next_number = number + 1
        state = journalled_state(entry)
        if state is not None:
            recovered.state = state
    acknowledged = [numbers_of(entry) for entry in entries if entry.kind == Kind.ACKNOWLEDGED]
    return pending, [range(numbers.start, min(numbers.stop, recovered.next_number)) for numbers in acknowledged]


def lose_missing(segment: Segment, end: int, acknowledged: NumberRanges, report: OutboxReport) -> None:
    """Give up the numbers of a scanned segment that are neither there nor acknowledged: nothing can be sent of them."""
    assert segment.places is not None  # noqa: S101  # it has been scanned
    absent = NumberRanges(acknowledged.missing(range(segment.first, end)))
    for place in segment.places:
        absent.remove(place.numbers)
    for numbers in list(absent):
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
            recovered.can_resume = recovered.can_resume and checkpoint.format == FORMAT
            for start, stop in checkpoint.acknowledged:
                recovered.acknowledged.add(range(start, stop))
        elif is_record(entry) or entry.kind == Kind.ACKNOWLEDGED:
            numbers = numbers_of(entry)
            recovered.next_number = max(recovered.next_number, numbers.stop)
            if entry.kind == Kind.ACKNOWLEDGED:
                recovered.acknowledged.add(numbers)
        if entry.state:
            follows = entry.kind in {Kind.RECORD, Kind.STATE}
            state = states.next(entry.state) if follows else states.whole(entry.state)
            if state is None:
                logger.warning("outbox: %s: a state cannot be read; the one before it is used", segment.path)
            else:
                recovered.state = state

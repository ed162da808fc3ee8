"""Bytes of a segment: entries one after the other, each with a checksum of its own.

    entry      = magic (4) kind (1) body length (4) state length (4) number (8) CRC-32 (4) body state
    record     = first_ms (8) last_ms (8) rows (4) values (4) payload      number: of the record
    checkpoint = MessagePack [format, acknowledged ranges]                number: of the next record
    acknowledged = count (8)                                               number: of the first record

Big endian. The checksum covers everything but itself. `state` is the agent's state, zstd with the last whole state
of the segment as dictionary (kind RECORD), or without one (CHECKPOINT, RECORD_WITH_WHOLE_STATE); without bytes it is
the same as before.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import msgspec

from edge_agent.outbox.record import Record

FORMAT = 1
MAGIC = b"\xf1LMe"
MAX_ENTRY_BYTES = 4 * 1024 * 1024

_HEADER = struct.Struct(">4sBIIQ")
_CHECKSUM = struct.Struct(">I")
_HEAD_BYTES = _HEADER.size + _CHECKSUM.size
_RECORD = struct.Struct(">QQII")
_COUNT = struct.Struct(">Q")


class Kind(IntEnum):
    """What an entry is."""

    CHECKPOINT = 1
    RECORD = 2
    RECORD_WITH_WHOLE_STATE = 3
    ACKNOWLEDGED = 4


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry whose checksum is right; `start` and `stop` are its place in the segment."""

    kind: int
    number: int
    body: bytes
    state: bytes
    start: int
    stop: int


class Checkpoint(msgspec.Struct, array_like=True):
    """Stands at the beginning of each segment, so that older segments need not be read at start."""

    format: int
    acknowledged: list[tuple[int, int]]


def encode_entry(kind: Kind, number: int, body: bytes, state: bytes = b"") -> bytes:
    """One entry."""
    header = _HEADER.pack(MAGIC, kind, len(body), len(state), number)
    checksum = zlib.crc32(state, zlib.crc32(body, zlib.crc32(header)))
    return b"".join((header, _CHECKSUM.pack(checksum), body, state))


def encode_record_body(first_ms: int, last_ms: int, row_count: int, value_count: int, payload: bytes) -> bytes:
    """The body of a record."""
    return _RECORD.pack(first_ms, last_ms, row_count, value_count) + payload


def encode_acknowledged(numbers: range) -> bytes:
    """An entry that says that these records need not be kept any longer."""
    return encode_entry(Kind.ACKNOWLEDGED, numbers.start, _COUNT.pack(len(numbers)))


def record_of(entry: Entry) -> Record:
    """The record in an entry."""
    first_ms, last_ms, row_count, value_count = _RECORD.unpack_from(entry.body)
    return Record(entry.number, first_ms, last_ms, row_count, value_count, entry.body[_RECORD.size :])


def acknowledged_of(entry: Entry) -> range:
    """The numbers in an ACKNOWLEDGED entry."""
    return range(entry.number, entry.number + _COUNT.unpack(entry.body)[0])


def checkpoint_of(entry: Entry) -> Checkpoint:
    """The checkpoint in an entry."""
    return msgspec.msgpack.decode(entry.body, type=Checkpoint)


def is_record(entry: Entry) -> bool:
    """Whether it is a record of either kind."""
    return entry.kind in {Kind.RECORD, Kind.RECORD_WITH_WHOLE_STATE}


def entry_at(data: bytes, start: int = 0) -> Entry | None:
    """The entry that begins there, None where there is no whole one."""
    if len(data) - start < _HEAD_BYTES:
        return None
    magic, kind, body_length, state_length, number = _HEADER.unpack_from(data, start)
    body_start = start + _HEAD_BYTES
    stop = body_start + body_length + state_length
    if magic != MAGIC or stop > len(data) or stop - start > MAX_ENTRY_BYTES:
        return None
    body = data[body_start : body_start + body_length]
    state = data[body_start + body_length : stop]
    checksum = zlib.crc32(state, zlib.crc32(body, zlib.crc32(data[start : start + _HEADER.size])))
    if _CHECKSUM.unpack_from(data, start + _HEADER.size)[0] != checksum:
        return None
    return Entry(kind, number, body, state, start, stop)


def entries_in(data: bytes) -> Iterator[Entry]:
    """All whole entries; what lies between them is damaged, and what follows the last one is torn."""
    start = 0
    while start >= 0:
        entry = entry_at(data, start)
        if entry is not None:
            yield entry
            start = entry.stop
        else:
            start = data.find(MAGIC, start + 1)

"""Bytes of segments and journals: entries one after the other, each with a checksum of its own.

    entry        = magic (4) kind (1) body length (4) state length (4) number (8) CRC-32 (4) body state
    rows         = first_ms (8) last_ms (8) rows (4) values (4) payload
    checkpoint   = MessagePack [format, acknowledged ranges]       number: of the next record
    group        = count (8) rows                                  number: the first of `count` that it answers for
    acknowledged = count (8)                                       number: the first
    state        = no body                                         number: of the next record
    journalled   = rows                                            number: its own

Big endian. The checksum covers everything but itself. `state` is the agent's state: of STATE zstd with the last whole
state of the segment as dictionary; of WHOLE_STATE and CHECKPOINT zstd without one; of JOURNALLED a byte and the plain
state, or no bytes when it is the same as before. Format 1 had no groups and no journals: its segments hold RECORD
(a state like that of STATE) and RECORD_WITH_WHOLE_STATE, each with `rows` as body.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import msgspec

from edge_agent.outbox.record import Record

FORMAT = 2
MAGIC = b"\xf1LMe"
MAX_ENTRY_BYTES = 4 * 1024 * 1024

_HEADER = struct.Struct(">4sBIIQ")
_CHECKSUM = struct.Struct(">I")
HEAD_BYTES = _HEADER.size + _CHECKSUM.size
_ROWS = struct.Struct(">QQII")
_COUNT = struct.Struct(">Q")


class Kind(IntEnum):
    """What an entry is."""

    CHECKPOINT = 1
    RECORD = 2
    RECORD_WITH_WHOLE_STATE = 3
    ACKNOWLEDGED = 4
    GROUP = 5
    STATE = 6
    WHOLE_STATE = 7
    JOURNALLED = 8


_RECORDS = frozenset({Kind.RECORD, Kind.RECORD_WITH_WHOLE_STATE, Kind.GROUP, Kind.JOURNALLED})


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry whose checksum is right; `start` and `stop` are its place in the file."""

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


def encode_group(record: Record) -> bytes:
    """An entry with the rows of one or more numbers."""
    return encode_entry(Kind.GROUP, record.number, _COUNT.pack(record.count) + _encode_rows(record))


def encode_journalled(record: Record, state: bytes | None) -> bytes:
    """An entry of a journal; `state` is None when it is the same as before."""
    stored = b"" if state is None else b"\x01" + state
    return encode_entry(Kind.JOURNALLED, record.number, _encode_rows(record), stored)


def encode_acknowledged(numbers: range) -> bytes:
    """An entry that says that these records need not be kept any longer."""
    return encode_entry(Kind.ACKNOWLEDGED, numbers.start, _COUNT.pack(len(numbers)))


def _encode_rows(record: Record) -> bytes:
    return _ROWS.pack(record.first_ms, record.last_ms, record.row_count, record.value_count) + record.payload


def record_of(entry: Entry) -> Record:
    """The record in an entry."""
    start, count = 0, 1
    if entry.kind == Kind.GROUP:
        start, count = _COUNT.size, _COUNT.unpack_from(entry.body)[0]
    first_ms, last_ms, row_count, value_count = _ROWS.unpack_from(entry.body, start)
    return Record(entry.number, first_ms, last_ms, row_count, value_count, entry.body[start + _ROWS.size :], count)


def numbers_of(entry: Entry) -> range:
    """The numbers that a record or acknowledgement is about; empty for other entries."""
    if entry.kind in {Kind.GROUP, Kind.ACKNOWLEDGED}:
        return range(entry.number, entry.number + _COUNT.unpack_from(entry.body)[0])
    return range(entry.number, entry.number + is_record(entry))


def journalled_state(entry: Entry) -> bytes | None:
    """The state with an entry of a journal, None when it is the same as before."""
    return entry.state[1:] if entry.state else None


def checkpoint_of(entry: Entry) -> Checkpoint:
    """The checkpoint in an entry."""
    return msgspec.msgpack.decode(entry.body, type=Checkpoint)


def is_record(entry: Entry) -> bool:
    """Whether it holds rows."""
    return entry.kind in _RECORDS


def entry_at(data: bytes, start: int = 0) -> Entry | None:
    """The entry that begins there, None where there is no whole one."""
    if len(data) - start < HEAD_BYTES:
        return None
    magic, kind, body_length, state_length, number = _HEADER.unpack_from(data, start)
    body_start = start + HEAD_BYTES
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

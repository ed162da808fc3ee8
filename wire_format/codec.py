"""Bytes of batches and acknowledgements, as docs/wire-format.md specifies them.

A message is a version byte, the batch id, and a zstd frame of MessagePack. The rows of a batch do not contain
its id, so what the outbox keeps (a message without its id) becomes a batch by `frame_batch`, without decoding.
"""

import re
import threading
from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from typing import Annotated, TypeVar

import zstandard
from msgspec import Meta, MsgspecError, Struct, msgpack

from wire_format.batch import Acknowledgement, Batch, BatchId, Column, Contents, DeviceRows, RefusedRow
from wire_format.deltas import decode_deltas, encode_deltas
from wire_format.errors import BatchTooLargeError, WireFormatError
from wire_format.events import EncodedEvent, Event, decode_events, encode_events
from wire_format.limits import (
    MAX_CELLS,
    MAX_COLUMNS,
    MAX_DEVICES,
    MAX_EXPONENT,
    MAX_INTEGER,
    MAX_MESSAGE_BYTES,
    MAX_REASON_CHARACTERS,
    MAX_REFUSED_ROWS,
    MAX_ROWS,
    MAX_TIME_MS,
    MAX_UNPACKED_BYTES,
    MIN_INTEGER,
)
from wire_format.quality import Quality
from wire_format.topics import SLUG

VERSION = 1
CLOCK_SOURCES = ("ntp", "hardware", "collector", "visitor", "none")

_ID_BYTES = 16
_QUANTITY = re.compile(r"[a-z][a-z0-9_]{0,63}")
_QUALITIES = {int(quality): quality for quality in Quality}
_GOOD = Quality.GOOD

_Integer = Annotated[int, Meta(ge=MIN_INTEGER, le=MAX_INTEGER)]
_Time = Annotated[int, Meta(ge=0, le=MAX_TIME_MS)]


class _ColumnName(Struct, array_like=True, frozen=True):
    quantity: Annotated[str, Meta(pattern=rf"\A{_QUANTITY.pattern}\Z")]
    unit: Annotated[str, Meta(min_length=1, max_length=16)]
    exponent: Annotated[int, Meta(ge=-MAX_EXPONENT, le=MAX_EXPONENT)]


class _DeviceEntry(Struct, array_like=True):
    device: Annotated[str, Meta(pattern=rf"\A{SLUG.pattern}\Z")]
    layout: Annotated[int, Meta(ge=0)]
    first_ms: _Time
    time_deltas: Annotated[list[Annotated[int, Meta(gt=0, le=MAX_TIME_MS)]], Meta(max_length=MAX_ROWS - 1)]
    cells: Annotated[list[_Integer | None], Meta(max_length=MAX_CELLS)]
    runs: Annotated[list[list[Annotated[int, Meta(ge=0)]]], Meta(max_length=MAX_COLUMNS)] = []
    thinned: bool = False


class _Extras(Struct, frozen=True):
    events: list[EncodedEvent] = []


class _Body(Struct, array_like=True):
    clock_source: str
    layouts: Annotated[list[Annotated[list[_ColumnName], Meta(max_length=MAX_COLUMNS)]], Meta(max_length=MAX_DEVICES)]
    devices: Annotated[list[_DeviceEntry], Meta(max_length=MAX_DEVICES)]
    extras: _Extras = _Extras()


class _Refused(Struct, array_like=True):
    device: str
    time_ms: int
    reason: str


class _Answer(Struct, array_like=True):
    stored: bool
    collector_time_ms: _Time
    refused: Annotated[list[_Refused], Meta(max_length=MAX_REFUSED_ROWS)] = []
    reason: str = ""


class _Tools(threading.local):
    """A zstd context must not be used by two threads at once."""

    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor(level=3)
        self.decompressor = zstandard.ZstdDecompressor()


_tools = _Tools()
_encoder = msgpack.Encoder()
_body_decoder = msgpack.Decoder(_Body)
_answer_decoder = msgpack.Decoder(_Answer)

_EncodedEntry = tuple[str, int, int, list[int], list[int | None], list[list[int]]]
_Decoded = TypeVar("_Decoded")
_Decode = Callable[[bytes], Contents]


def encode_rows(devices: Sequence[DeviceRows], clock_source: str, events: Sequence[Event] = ()) -> bytes:
    """A message without a batch id: what the outbox keeps.

    Raises:
        BatchTooLargeError: it exceeds a bound; `wire_format.batch.split` it.
        WireFormatError: it cannot be told in the format; the message names device and column.
    """
    if clock_source not in CLOCK_SOURCES:
        raise WireFormatError(f"clock source {clock_source!r} is none of {', '.join(CLOCK_SOURCES)}")
    if len(devices) > MAX_DEVICES:
        raise BatchTooLargeError(f"{len(devices)} devices in a batch, at most {MAX_DEVICES}")
    layouts: dict[tuple[tuple[str, str, int], ...], int] = {}
    entries = []
    cell_count = 0
    for rows in devices:
        layout = tuple([(column.quantity, column.unit, column.exponent) for column in rows.columns])
        if layout not in layouts:
            _check_layout(layout, f"device {rows.device}")
        number = layouts.setdefault(layout, len(layouts))
        entry = _entry(rows, number)
        cell_count += len(entry[4])
        entries.append(entry)
    if cell_count > MAX_CELLS:
        raise BatchTooLargeError(f"{cell_count} values in a batch, at most {MAX_CELLS}")
    body: tuple[object, ...] = (clock_source, list(layouts), entries)
    if events:
        body += ({"events": encode_events(events)},)
    return bytes([VERSION]) + _compress(_encoder.encode(body))


def decode_rows(data: bytes) -> tuple[tuple[DeviceRows, ...], str]:
    """Rows and clock source alone of a message without a batch id; raises WireFormatError."""
    return decode_contents(data)[:2]


def decode_contents(data: bytes) -> Contents:
    """All that a message without a batch id carries; raises WireFormatError."""
    return _decoder_of(data)(data[1:])


def frame_batch(batch_id: BatchId, rows: bytes) -> bytes:
    """Make a batch of what `encode_rows` returned, without decoding it."""
    return rows[:1] + batch_id.to_bytes() + rows[1:]


def encode_batch(batch: Batch) -> bytes:
    """The payload of a published batch; raises as `encode_rows` does."""
    return frame_batch(batch.batch_id, encode_rows(batch.devices, batch.clock_source, batch.events))


def batch_id_of(data: bytes) -> BatchId:
    """The id alone, which can be told even when the rest cannot be read; raises WireFormatError."""
    if len(data) <= _ID_BYTES:
        raise WireFormatError(f"message of {len(data)} bytes has no batch id")
    return BatchId.from_bytes(data[1 : 1 + _ID_BYTES])


def decode_batch(data: bytes) -> Batch:
    """Read the payload of a published batch; raises WireFormatError for anything else, whatever it is."""
    decode = _decoder_of(data)
    batch_id = batch_id_of(data)
    return Batch(batch_id, *decode(data[1 + _ID_BYTES :]))


def encode_acknowledgement(acknowledgement: Acknowledgement) -> bytes:
    """The payload of an answer. Rows beyond MAX_REFUSED_ROWS are left out, reasons cut to MAX_REASON_CHARACTERS."""
    refused = [
        (row.device, row.time_ms, row.reason[:MAX_REASON_CHARACTERS])
        for row in acknowledgement.refused[:MAX_REFUSED_ROWS]
    ]
    body = (
        acknowledgement.stored,
        acknowledgement.collector_time_ms,
        refused,
        acknowledgement.reason[:MAX_REASON_CHARACTERS],
    )
    return bytes([VERSION]) + acknowledgement.batch_id.to_bytes() + _compress(_encoder.encode(body))


def decode_acknowledgement(data: bytes) -> Acknowledgement:
    """Read the payload of an answer; raises WireFormatError for anything else, whatever it is."""
    _decoder_of(data)
    batch_id = batch_id_of(data)
    answer = _unpack(_answer_decoder, data[1 + _ID_BYTES :], "acknowledgement")
    refused = tuple([RefusedRow(row.device, row.time_ms, row.reason) for row in answer.refused])
    return Acknowledgement(batch_id, answer.stored, answer.collector_time_ms, refused, answer.reason)


def _check_layout(layout: tuple[tuple[str, str, int], ...], where: str) -> None:
    if len(layout) > MAX_COLUMNS:
        raise BatchTooLargeError(f"{where}: {len(layout)} columns, at most {MAX_COLUMNS}")
    for quantity, unit, exponent in layout:
        if not _QUANTITY.fullmatch(quantity) or not 1 <= len(unit) <= 16 or abs(exponent) > MAX_EXPONENT:
            raise WireFormatError(
                f"{where}: column {quantity!r} with unit {unit!r} and exponent {exponent}: a quantity is "
                f"{_QUANTITY.pattern}, a unit has 1 to 16 characters, an exponent is within +-{MAX_EXPONENT}"
            )
    _check_distinct(layout, where)


def _check_distinct(layout: Sequence[tuple[str, str, int]], where: str) -> None:
    if len({quantity for quantity, _, _ in layout}) != len(layout):
        raise WireFormatError(f"{where}: two columns of the same quantity")


def _entry(rows: DeviceRows, layout: int) -> _EncodedEntry | tuple[*_EncodedEntry, bool]:
    times = rows.times_ms
    count = len(times)
    if not SLUG.fullmatch(rows.device) or not count:
        raise WireFormatError(f"device {rows.device!r} with {count} rows: a device is a slug and has a row at least")
    if count > MAX_ROWS:
        raise BatchTooLargeError(f"device {rows.device}: {count} rows, at most {MAX_ROWS}")
    time_deltas = [later - earlier for earlier, later in pairwise(times)]
    if times[0] < 0 or times[-1] > MAX_TIME_MS or (time_deltas and min(time_deltas) <= 0):
        raise WireFormatError(f"device {rows.device}: times are not ascending milliseconds from 0 to {MAX_TIME_MS}")
    cells: list[int | None] = []
    runs = []
    for index, column in enumerate(rows.columns):
        if len(column.integers) != count or (column.quality and len(column.quality) != count):
            raise WireFormatError(f"device {rows.device}, {column.quantity}: not one value and quality a row")
        if count == 1:
            cells.append(column.integers[0])
        else:
            cells += _deltas(column, rows.device)
        if column.quality and any(column.quality):
            runs.append([index, *_run_lengths(column.quality)])
    if count == 1:
        _check_bits(cells, rows)
    entry = (rows.device, layout, times[0], time_deltas, cells, runs)
    return (*entry, True) if rows.thinned else entry


def _deltas(column: Column, device: str) -> list[int | None]:
    try:
        return encode_deltas(column.integers)
    except OverflowError as error:
        raise WireFormatError(f"device {device}, {column.quantity}: {error}") from None


def _check_bits(cells: list[int | None], rows: DeviceRows) -> None:
    present = [cell for cell in cells if cell is not None]
    if present and not MIN_INTEGER <= min(present) <= max(present) <= MAX_INTEGER:
        for column in rows.columns:
            _deltas(column, rows.device)


def _run_lengths(qualities: Sequence[Quality]) -> list[int]:
    runs = [int(qualities[0]), 0]
    for quality in qualities:
        if quality != runs[-2]:
            runs += [int(quality), 0]
        runs[-1] += 1
    return runs


def _compress(packed: bytes) -> bytes:
    if len(packed) > MAX_UNPACKED_BYTES:
        raise BatchTooLargeError(f"message of {len(packed)} bytes before compression, at most {MAX_UNPACKED_BYTES}")
    compressed = _tools.compressor.compress(packed)
    if len(compressed) + 1 + _ID_BYTES > MAX_MESSAGE_BYTES:
        raise BatchTooLargeError(f"message of {len(compressed)} bytes compressed, at most {MAX_MESSAGE_BYTES}")
    return compressed


def _decoder_of(data: bytes) -> _Decode:
    if not data:
        raise WireFormatError("empty message")
    if len(data) > MAX_MESSAGE_BYTES:
        raise WireFormatError(f"message of {len(data)} bytes, at most {MAX_MESSAGE_BYTES}")
    decode = _DECODERS.get(data[0])
    if decode is None:
        known = ", ".join(str(version) for version in _DECODERS)
        raise WireFormatError(f"version {data[0]} of the wire format; this program reads {known}")
    return decode


def _unpack(decoder: "msgpack.Decoder[_Decoded]", frame: bytes, what: str) -> _Decoded:
    """Decompress and decode; the declared size is checked before any memory is taken for it."""
    try:
        size = zstandard.frame_content_size(frame)
        if not 0 <= size <= MAX_UNPACKED_BYTES:
            raise WireFormatError(f"{what}: zstd frame declares no size or more than {MAX_UNPACKED_BYTES} bytes")
        return decoder.decode(_tools.decompressor.decompress(frame, allow_extra_data=False))
    except zstandard.ZstdError as error:
        raise WireFormatError(f"{what}: no zstd frame: {error}") from None
    except (MsgspecError, UnicodeDecodeError) as error:
        raise WireFormatError(f"{what}: {error}") from None
    except RecursionError:
        raise WireFormatError(f"{what}: nested too deeply") from None


def _decode_version_1(frame: bytes) -> Contents:
    body = _unpack(_body_decoder, frame, "batch")
    if body.clock_source not in CLOCK_SOURCES:
        raise WireFormatError(f"batch: clock source {body.clock_source[:40]!r} is unknown")
    layouts = [[(name.quantity, name.unit, name.exponent) for name in layout] for layout in body.layouts]
    for index, layout in enumerate(layouts):
        _check_distinct(layout, f"batch: layout {index}")
    if sum(len(entry.cells) for entry in body.devices) > MAX_CELLS:
        raise WireFormatError(f"batch: more than {MAX_CELLS} values")
    devices = tuple([_rows(entry, layouts) for entry in body.devices])
    return Contents(devices, body.clock_source, decode_events(body.extras.events))


def _rows(entry: _DeviceEntry, layouts: list[list[tuple[str, str, int]]]) -> DeviceRows:
    where = f"batch: device {entry.device}"
    if entry.layout >= len(layouts):
        raise WireFormatError(f"{where}: layout {entry.layout} of {len(layouts)}")
    layout = layouts[entry.layout]
    count = len(entry.time_deltas) + 1
    cells = entry.cells
    if len(cells) != count * len(layout):
        raise WireFormatError(f"{where}: {len(cells)} values for {count} rows of {len(layout)} columns")
    times = tuple(accumulate(entry.time_deltas, initial=entry.first_ms))
    if times[-1] > MAX_TIME_MS:
        raise WireFormatError(f"{where}: time {times[-1]} ms is after {MAX_TIME_MS}")
    marks = {run[0]: _qualities(run, count, where) for run in entry.runs if run}
    if len(marks) != len(entry.runs) or (marks and max(marks) >= len(layout)):
        raise WireFormatError(f"{where}: quality of a column that does not exist or has it already")
    if count == 1:
        columns = [
            Column(quantity, unit, exponent, (cell,), marks.get(index, ()) if marks else ())
            for index, ((quantity, unit, exponent), cell) in enumerate(zip(layout, cells, strict=True))
        ]
    else:
        columns = [
            Column(
                quantity,
                unit,
                exponent,
                decode_deltas(cells[index * count : (index + 1) * count]),
                marks.get(index, ()),
            )
            for index, (quantity, unit, exponent) in enumerate(layout)
        ]
    return DeviceRows(entry.device, times, tuple(columns), entry.thinned)


def _qualities(run: list[int], count: int, where: str) -> tuple[Quality, ...]:
    lengths = run[2::2]
    if len(run) % 2 == 0 or sum(lengths) != count or min(lengths, default=0) < 1:
        raise WireFormatError(f"{where}: quality runs of column {run[0]} do not cover its {count} rows")
    qualities: list[Quality] = []
    for code, length in zip(run[1::2], lengths, strict=True):
        quality = _QUALITIES.get(code)
        if quality is None:
            raise WireFormatError(f"{where}: quality {code} is unknown")
        qualities += [quality] * length
    return tuple(qualities) if any(qualities) else ()


# A receiver reads the version that it writes and the one before; this one is the first.
_DECODERS: dict[int, _Decode] = {VERSION: _decode_version_1}

"""How rows of readings stand in SQLite: one blob of little-endian doubles a row, NaN where there is no value."""

import json
import math
import sqlite3
import struct
from collections.abc import Iterable, Sequence
from functools import lru_cache

from wire_format.batch import Column, DeviceRows

NAN = math.nan
NAN_BYTES = struct.pack("<d", NAN)
VALUE_BYTES = 8

StoredRow = tuple[int, bytes, bytes | None]
"""Time in ms, packed values, and the quality codes of the row or None when all are good."""


@lru_cache(maxsize=1024)
def layout_struct(count: int) -> struct.Struct:
    """The packing of a row of `count` values."""
    return struct.Struct(f"<{count}d")


def pack_rows(rows: DeviceRows) -> list[StoredRow]:
    """Pack rows; those that say nothing at all are left out."""
    pack = layout_struct(len(rows.columns)).pack
    packed = [pack(*values) for values in zip(*map(_floats, rows.columns), strict=True)]
    if any(column.quality for column in rows.columns):
        codes: Iterable[bytes | None] = _codes(rows)
    else:
        codes = [None] * len(packed)
    nothing = NAN_BYTES * len(rows.columns)
    return [
        (time_ms, values, code)
        for time_ms, values, code in zip(rows.times_ms, packed, codes, strict=True)
        if code is not None or values != nothing
    ]


def merge_values(old: bytes, new: bytes) -> bytes:
    """One row of the same quantities and time written twice: a new value counts, a missing one changes nothing."""
    pairs = zip(_cells(new), _cells(old), strict=True)
    return b"".join(earlier if later == NAN_BYTES else later for later, earlier in pairs)


def merge_quality(old: bytes | None, new: bytes | None) -> bytes | None:
    """The same for quality codes, where 0 (good) changes nothing."""
    if old is None or new is None:
        return new or old
    return bytes([later or earlier for later, earlier in zip(new, old, strict=True)])


def count_values(packed: bytes) -> int:
    """How many values a row carries."""
    count = len(packed) // VALUE_BYTES
    if NAN_BYTES not in packed:
        return count
    return sum(value == value for value in layout_struct(count).unpack(packed))  # noqa: PLR0124  # NaN is not itself


def unpack_doubles(pieces: Sequence[bytes]) -> tuple[float, ...]:
    """Single values, 8 bytes each."""
    return struct.unpack(f"<{len(pieces)}d", b"".join(pieces))


def layouts_with(connection: sqlite3.Connection, key: tuple[str, str, str]) -> list[tuple[int, int]]:
    """Layouts of a device that hold a quantity: their ids and its place in the row, the latest made last."""
    site, device, quantity = key
    found = []
    for layout_id, quantities in connection.execute(
        "SELECT id, quantities FROM layout WHERE site = ? AND device = ? ORDER BY id", (site, device)
    ):
        names = json.loads(quantities)
        if quantity in names:
            found.append((layout_id, names.index(quantity)))
    return found


def _floats(column: Column) -> Sequence[float]:
    values = column.values()
    if None in values:
        return [NAN if value is None else value for value in values]
    return values  # type: ignore[return-value]  # there is no None among them


def _codes(rows: DeviceRows) -> list[bytes | None]:
    good = (0,) * len(rows.times_ms)
    columns = [column.quality or good for column in rows.columns]
    return [bytes(codes) if any(codes) else None for codes in zip(*columns, strict=True)]


def _cells(packed: bytes) -> list[bytes]:
    return [packed[start : start + VALUE_BYTES] for start in range(0, len(packed), VALUE_BYTES)]

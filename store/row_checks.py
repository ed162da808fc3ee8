"""What no store takes: the same answer from each of them, before anything is written."""

import math
from collections.abc import Sequence
from operator import attrgetter

from store.protocol import IntervalRow, StoreError
from store.schema import EARLIEST_MS, LATEST_MS, NUMERIC_FIELDS
from wire_format.batch import Column, DeviceRows, RefusedRow
from wire_format.events import Event

# 64-bit integers times 10**18 are far from the end of a double; only larger ones need a closer look.
_SAFE_EXPONENT = 18
_SAFE_INTEGER = 2**64

_NUMBERS = attrgetter(*NUMERIC_FIELDS)


def sift(devices: Sequence[DeviceRows]) -> tuple[Sequence[DeviceRows], list[RefusedRow]]:
    """Split rows into those that can be stored and those that never can, each with its reason.

    Refused are times before 2000 or from 2100 on, and values beyond what a 64-bit float holds.
    """
    if all(_is_plain(rows) for rows in devices):
        return devices, []
    accepted: list[DeviceRows] = []
    refused: list[RefusedRow] = []
    for rows in devices:
        reasons = [_reason(rows, index) for index in range(len(rows.times_ms))]
        refused += [
            RefusedRow(rows.device, time_ms, reason)
            for time_ms, reason in zip(rows.times_ms, reasons, strict=True)
            if reason
        ]
        kept = [index for index, reason in enumerate(reasons) if not reason]
        if len(kept) == len(reasons):
            accepted.append(rows)
        elif kept:
            accepted.append(_take(rows, kept))
    return accepted, refused


def sift_events(events: Sequence[Event]) -> tuple[list[Event], tuple[RefusedRow, ...]]:
    """The same for events: their times are all that can be wrong with them."""
    accepted = [event for event in events if EARLIEST_MS <= event.time_ms < LATEST_MS]
    refused = [
        RefusedRow(event.device, event.time_ms, f"event {event.kind}: its time is not within 2000 to 2099")
        for event in events
        if not EARLIEST_MS <= event.time_ms < LATEST_MS
    ]
    return accepted, tuple(refused)


def check_finite(rows: Sequence[IntervalRow]) -> None:
    """Raise StoreError when an interval or day has a number that is none, before anything is written."""
    for row in rows:
        for name, value in zip(NUMERIC_FIELDS, _NUMBERS(row), strict=True):
            if value is not None and not math.isfinite(value):
                raise StoreError(f"{name} of point {row.point} at {row.start_ms} ms is {value}, not a finite number")


def _is_plain(rows: DeviceRows) -> bool:
    times = rows.times_ms
    if not times:
        return True
    if min(times) < EARLIEST_MS or max(times) >= LATEST_MS:
        return False
    for column in rows.columns:
        if not -_SAFE_EXPONENT <= column.exponent <= _SAFE_EXPONENT:
            return False
        integers = [integer for integer in column.integers if integer is not None]
        if integers and (max(integers) >= _SAFE_INTEGER or min(integers) <= -_SAFE_INTEGER):
            return False
    return True


def _reason(rows: DeviceRows, index: int) -> str:
    if not EARLIEST_MS <= rows.times_ms[index] < LATEST_MS:
        return f"time {rows.times_ms[index]} ms is not between the years 2000 and 2100"
    for column in rows.columns:
        if not _fits(column.integers[index], column.exponent):
            return f"{column.quantity} is not a finite 64-bit float"
    return ""


def _fits(integer: int | None, exponent: int) -> bool:
    if integer is None:
        return True
    try:
        return math.isfinite(float(f"{integer}e{exponent}"))
    except ValueError:
        # More digits than Python converts.
        return False


def _take(rows: DeviceRows, kept: Sequence[int]) -> DeviceRows:
    columns = [
        Column(
            column.quantity,
            column.unit,
            column.exponent,
            tuple([column.integers[index] for index in kept]),
            tuple([column.quality[index] for index in kept]) if column.quality else (),
        )
        for column in rows.columns
    ]
    return DeviceRows(rows.device, tuple([rows.times_ms[index] for index in kept]), tuple(columns), rows.thinned)

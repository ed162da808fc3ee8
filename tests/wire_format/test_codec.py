import contextlib
import random
from typing import Any

import msgspec
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wire_format.golden import FIRST_ID, ONE_ROW, SHARED_LAYOUT
from tests.wire_format.readings import seconds_of_meters
from wire_format import limits
from wire_format.batch import Acknowledgement, Batch, BatchId, Column, DeviceRows, RefusedRow, split
from wire_format.codec import (
    batch_id_of,
    decode_acknowledgement,
    decode_batch,
    decode_contents,
    decode_rows,
    encode_acknowledgement,
    encode_batch,
    encode_rows,
    frame_batch,
)
from wire_format.errors import BatchTooLargeError, WireFormatError
from wire_format.events import RESERVED_NAMES, Event
from wire_format.quality import Quality

integers = st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1), st.integers(-1000, 1000))


@st.composite
def device_rows(draw: st.DrawFn) -> DeviceRows:
    count = draw(st.integers(1, 6))
    times = sorted(draw(st.sets(st.integers(0, limits.MAX_TIME_MS), min_size=count, max_size=count)))
    names = draw(st.lists(st.from_regex(r"\A[a-z][a-z0-9_]{0,20}\Z"), unique=True, max_size=4))
    columns = []
    for name in names:
        quality = tuple(draw(st.lists(st.sampled_from(Quality), min_size=count, max_size=count)))
        columns.append(
            Column(
                name,
                draw(st.text(min_size=1, max_size=16)),
                draw(st.integers(-18, 18)),
                tuple(draw(st.lists(integers, min_size=count, max_size=count))),
                quality if any(quality) else (),
            )
        )
    return DeviceRows(draw(st.from_regex(r"\A[a-z0-9][a-z0-9-]{0,62}\Z")), tuple(times), tuple(columns))


names = st.from_regex(r"\A[a-z][a-z0-9_]{0,20}\Z").filter(lambda name: name not in RESERVED_NAMES)
events = st.builds(
    Event,
    st.from_regex(r"\A[a-z0-9][a-z0-9-]{0,62}\Z"),
    names,
    st.integers(0, limits.MAX_TIME_MS),
    st.one_of(st.just(""), names),
    st.text(max_size=50),
    st.dictionaries(names, st.floats(allow_nan=False, allow_infinity=False), max_size=4),
)


@settings(deadline=None)
@given(st.lists(device_rows(), max_size=5), st.integers(1, 2**64 - 1), st.lists(events, max_size=3))
def test_a_batch_comes_back_as_it_was(devices: list[DeviceRows], sequence: int, happened: list[Event]) -> None:
    batch = Batch(BatchId("a1b2c3d4e5f60718", sequence), tuple(devices), "hardware", tuple(happened))
    message = encode_batch(batch)
    assert decode_batch(message) == batch
    assert message == frame_batch(batch.batch_id, encode_rows(devices, "hardware", happened))
    assert decode_rows(encode_rows(devices, "hardware", happened)) == (batch.devices, "hardware")
    assert decode_contents(encode_rows(devices, "hardware", happened)) == (batch.devices, "hardware", batch.events)


@pytest.mark.parametrize(
    "event",
    [
        Event("Oven", "outage", 0),
        Event("oven", "no kind", 0),
        Event("oven", "outage", -1),
        Event("oven", "outage", limits.MAX_TIME_MS + 1),
        Event("oven", "outage", 0, "Energy"),
        Event("oven", "outage", 0, text="x" * 501),
        Event("oven", "outage", 0, numbers={"text": 1.0}),
        Event("oven", "outage", 0, numbers={"before": float("nan")}),
        Event("oven", "outage", 0, numbers={f"n{index}": 1.0 for index in range(17)}),
    ],
)
def test_an_event_that_cannot_be_told_is_refused_on_both_sides(event: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WireFormatError, match="event"):
        encode_rows([], "ntp", [event])
    with monkeypatch.context() as patched:
        patched.setattr("wire_format.events._check", lambda _: None)
        message = encode_rows([], "ntp", [event])
    with pytest.raises(WireFormatError, match="event"):
        decode_contents(message)


def test_too_many_events_ask_to_be_split() -> None:
    with pytest.raises(BatchTooLargeError, match="1001 events"):
        encode_rows([], "ntp", [Event("oven", "outage", number) for number in range(1001)])


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_garbage_is_a_wire_format_error(data: bytes) -> None:
    for message in (data, b"\x01" + data, encode_batch(ONE_ROW)[:17] + data):
        for decode in (decode_batch, decode_rows, decode_acknowledgement):
            with pytest.raises(WireFormatError):
                decode(message)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_flipped_bits_never_raise_anything_else(data: st.DataObject) -> None:
    message = bytearray(encode_batch(SHARED_LAYOUT))
    for _ in range(data.draw(st.integers(1, 3))):
        message[data.draw(st.integers(0, len(message) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with contextlib.suppress(WireFormatError):
        decode_batch(bytes(message))


def body(**replaced: Any) -> list[Any]:
    """The MessagePack of a good batch, with elements of its device replaced."""
    device: dict[str, Any] = {
        "device": "oven",
        "layout": 0,
        "first_ms": 1000,
        "time_deltas": [1000],
        "cells": [1, 2],
        "runs": [],
    }
    layouts = replaced.pop("layouts", [[["voltage_l1_n", "V", -2]]])
    clock = replaced.pop("clock", "ntp")
    return [clock, layouts, [[*{**device, **replaced}.values()]]]


def message_of(body: object, version: int = 1) -> bytes:
    frame = zstandard.ZstdCompressor().compress(msgspec.msgpack.encode(body))
    return bytes([version]) + FIRST_ID.to_bytes() + frame


def test_the_body_that_the_bad_ones_start_from_is_good() -> None:
    assert decode_batch(message_of(body())).devices[0].columns[0].integers == (1, 3)


@pytest.mark.parametrize(
    ("bad", "where"),
    [
        ({"clock": "sundial"}, "clock source 'sundial'"),
        ({"device": "Oven 1"}, r"\$\[2\]"),
        ({"device": "oven\n"}, r"\$\[2\]"),
        ({"layout": 1}, "oven: layout 1 of 1"),
        ({"layout": -1}, r"\$\[2\]"),
        ({"first_ms": -1}, r"\$\[2\]"),
        ({"first_ms": limits.MAX_TIME_MS}, "oven: time"),
        ({"time_deltas": [0]}, r"\$\[2\]\[0\]\[3\]"),
        ({"time_deltas": [-5]}, r"\$\[2\]\[0\]\[3\]"),
        ({"time_deltas": [1] * limits.MAX_ROWS, "cells": [0] * (limits.MAX_ROWS + 1)}, r"\$\[2\]\[0\]\[3\]"),
        ({"cells": [1]}, "oven: 1 values for 2 rows of 1 columns"),
        ({"cells": [1, 2.5]}, r"\$\[2\]\[0\]\[4\]"),
        ({"cells": [1, "2"]}, r"\$\[2\]\[0\]\[4\]"),
        ({"cells": [1, 2**63]}, r"\$\[2\]\[0\]\[4\]"),
        ({"runs": [[0, 3, 1]]}, "runs of column 0 do not cover its 2 rows"),
        ({"runs": [[0, 3, 1, 0, 0, 3, 1]]}, "runs of column 0"),
        ({"runs": [[0, 3]]}, "runs of column 0"),
        ({"runs": [[0, 99, 2]]}, "quality 99 is unknown"),
        ({"runs": [[1, 3, 2]]}, "quality of a column that does not exist"),
        ({"runs": [[0, 3, 2], [0, 3, 2]]}, "or has it already"),
        ({"runs": [[]]}, "quality of a column"),
        ({"layouts": [[["voltage_l1_n", "V", -2], ["voltage_l1_n", "V", -1]]], "cells": [1, 2, 3, 4]}, "layout 0: two"),
        ({"layouts": [[["Voltage", "V", -2]]]}, r"\$\[1\]"),
        ({"layouts": [[["voltage_l1_n", "", -2]]]}, r"\$\[1\]"),
        ({"layouts": [[["voltage_l1_n", "V", 19]]]}, r"\$\[1\]"),
    ],
)
def test_a_bad_batch_names_the_place(bad: dict[str, Any], where: str) -> None:
    with pytest.raises(WireFormatError, match=where):
        decode_batch(message_of(body(**bad)))


def test_versions_that_are_not_understood_are_named() -> None:
    with pytest.raises(WireFormatError, match="version 9 of the wire format; this program reads 1"):
        decode_batch(message_of(body(), version=9))
    with pytest.raises(WireFormatError, match="version 0"):
        decode_acknowledgement(message_of([True, 1], version=0))


def test_the_id_is_told_even_when_the_rest_cannot_be_read() -> None:
    assert batch_id_of(encode_batch(SHARED_LAYOUT)[:20]) == SHARED_LAYOUT.batch_id
    with pytest.raises(WireFormatError, match="no batch id"):
        batch_id_of(b"\x01short")


def test_a_decompression_bomb_is_refused_by_its_declared_size() -> None:
    bomb = zstandard.ZstdCompressor().compress(bytes(limits.MAX_UNPACKED_BYTES + 1))
    assert len(bomb) < 1000
    with pytest.raises(WireFormatError, match="declares"):
        decode_batch(b"\x01" + FIRST_ID.to_bytes() + bomb)


def test_a_bomb_without_a_declared_size_is_refused() -> None:
    bomb = zstandard.ZstdCompressor(write_content_size=False).compress(bytes(limits.MAX_UNPACKED_BYTES * 2))
    with pytest.raises(WireFormatError, match="declares"):
        decode_batch(b"\x01" + FIRST_ID.to_bytes() + bomb)


def test_more_values_than_a_batch_may_have_are_refused() -> None:
    many = body()
    many[2] = [["oven", 0, 1, [1] * 9_999, [0] * 10_000]] * 101
    with pytest.raises(WireFormatError, match="more than 1000000 values"):
        decode_batch(message_of(many))


@pytest.mark.parametrize("packed", [b"\x91" * 1_000_000, b"\x93\xa3ntp" + b"\x91" * 1_000_000, b"\xdd\xff\xff\xff\xff"])
def test_nesting_and_lying_lengths_are_refused(packed: bytes) -> None:
    with pytest.raises(WireFormatError):
        decode_batch(b"\x01" + FIRST_ID.to_bytes() + zstandard.ZstdCompressor().compress(packed))


def test_deep_nesting_where_elements_are_ignored_is_refused() -> None:
    packed = msgspec.msgpack.encode(["ntp", [], []])
    deep = b"\x95" + packed[1:] + b"\x80" + b"\x91" * 1_000_000 + b"\x01"
    with pytest.raises(WireFormatError, match="nested too deeply"):
        decode_batch(b"\x01" + FIRST_ID.to_bytes() + zstandard.ZstdCompressor().compress(deep))


def test_bytes_after_the_frame_are_refused() -> None:
    with pytest.raises(WireFormatError):
        decode_batch(encode_batch(ONE_ROW) + b"x")


def test_a_message_above_the_bound_is_refused_unread() -> None:
    with pytest.raises(WireFormatError, match="at most 131072"):
        decode_batch(encode_batch(ONE_ROW) + bytes(limits.MAX_MESSAGE_BYTES))


def rows(integers: tuple[int | None, ...] = (1, 2), **changed: Any) -> DeviceRows:
    times = changed.get("times_ms", tuple(range(1000, 1000 + len(integers))))
    column = Column(changed.get("quantity", "voltage_l1_n"), changed.get("unit", "V"), -2, integers)
    return DeviceRows(changed.get("device", "oven"), times, (column,))


@pytest.mark.parametrize(
    ("devices", "message"),
    [
        (rows((1, 2**63)), "oven, voltage_l1_n: 9223372036854775808 does not fit"),
        (rows((2**63,)), "oven, voltage_l1_n: 9223372036854775808 does not fit"),
        (rows((-(2**63) - 1, None)), "oven, voltage_l1_n: -9223372036854775809 does not fit"),
        (rows(times_ms=(5, 5)), "oven: times are not ascending"),
        (rows(times_ms=(5, 4)), "oven: times are not ascending"),
        (rows(times_ms=(-1, 4)), "oven: times are not ascending"),
        (rows(times_ms=()), "with 0 rows"),
        (rows(device="Oven"), "device 'Oven'"),
        (rows(quantity="Voltage"), "column 'Voltage'"),
        (rows(unit=""), "unit ''"),
        (rows((1, 2), times_ms=(1, 2, 3)), "not one value and quality a row"),
    ],
)
def test_what_cannot_be_told_is_refused_on_encoding(devices: DeviceRows, message: str) -> None:
    with pytest.raises(WireFormatError, match=message):
        encode_rows([devices], "ntp")


def test_an_unknown_clock_source_is_refused_on_encoding() -> None:
    with pytest.raises(WireFormatError, match="sundial"):
        encode_rows([rows()], "sundial")


def test_what_is_too_large_can_be_split_until_it_fits() -> None:
    noise = random.Random(1)  # incompressible numbers, no secret
    columns = tuple(
        Column(f"q{number}", "1", 0, tuple(noise.getrandbits(62) for _ in range(100))) for number in range(400)
    )
    whole = (DeviceRows("oven", tuple(range(100)), columns),)
    waiting: list[tuple[DeviceRows, ...]] = [whole]
    parts = []
    while waiting:
        part = waiting.pop()
        try:
            parts.append(decode_rows(encode_rows(part, "ntp"))[0])
        except BatchTooLargeError:
            waiting.extend(split(part))
    assert len(parts) > 2
    assert sum(entry.value_count() for part in parts for entry in part) == 40_000


def test_too_many_rows_or_devices_ask_to_be_split() -> None:
    with pytest.raises(BatchTooLargeError):
        encode_rows([rows((0,) * (limits.MAX_ROWS + 1))], "ntp")
    with pytest.raises(BatchTooLargeError):
        encode_rows([rows()] * (limits.MAX_DEVICES + 1), "ntp")


def test_an_acknowledgement_names_a_bounded_number_of_refused_rows() -> None:
    refused = tuple(RefusedRow("oven", time, "x" * 1000) for time in range(limits.MAX_REFUSED_ROWS + 5))
    message = encode_acknowledgement(Acknowledgement(FIRST_ID, stored=True, collector_time_ms=1, refused=refused))
    read = decode_acknowledgement(message)
    assert len(message) < limits.MAX_MESSAGE_BYTES
    assert len(read.refused) == limits.MAX_REFUSED_ROWS
    assert read.refused[0].reason == "x" * limits.MAX_REASON_CHARACTERS


@pytest.mark.parametrize(("seconds", "bytes_per_value"), [(1, 4.2), (10, 1.75), (60, 1.45)])
def test_bytes_a_value(seconds: int, bytes_per_value: float) -> None:
    message = encode_rows(seconds_of_meters(10, seconds), "ntp")
    assert len(message) / (10 * 26 * seconds) <= bytes_per_value

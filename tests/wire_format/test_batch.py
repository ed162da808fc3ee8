from dataclasses import replace

import pytest

from tests.wire_format.readings import seconds_of_meter
from wire_format.batch import BatchId, Column, DeviceRows, merge, split
from wire_format.codec import decode_rows, encode_rows
from wire_format.quality import Quality


def second(device: str, time_ms: int, power: int | None, quality: tuple[Quality, ...] = ()) -> DeviceRows:
    return DeviceRows(device, (time_ms,), (Column("active_power_total", "W", 0, (power,), quality),))


def test_rows_of_the_same_device_are_joined() -> None:
    parts = [
        [second("a", 1000, 1), second("b", 1010, 7)],
        [second("a", 2000, None, (Quality.LINK_ERROR,)), second("b", 2010, 8)],
    ]
    marks = (Quality.GOOD, Quality.LINK_ERROR)
    assert merge(parts) == (
        DeviceRows("a", (1000, 2000), (Column("active_power_total", "W", 0, (1, None), marks),)),
        DeviceRows("b", (1010, 2010), (Column("active_power_total", "W", 0, (7, 8)),)),
    )


def test_a_clock_set_back_starts_a_new_entry() -> None:
    merged = merge([[second("a", time, time)] for time in (5000, 6000, 2000, 3000, 6000)])
    assert [entry.times_ms for entry in merged] == [(5000, 6000), (2000, 3000, 6000)]


def test_a_repeated_time_starts_a_new_entry() -> None:
    assert [entry.times_ms for entry in merge([[second("a", 1, 1)], [second("a", 1, 2)]])] == [(1,), (1,)]


def test_other_columns_are_another_entry() -> None:
    tier = DeviceRows("a", (1500,), (Column("frequency", "Hz", -3, (50_000,)),))
    assert len(merge([[second("a", 1000, 1)], [tier], [second("a", 2000, 1)]])) == 2


def test_split_halves_devices_then_rows_then_columns() -> None:
    a, b = second("a", 1, 1), second("b", 1, 1)
    assert split([a, b]) == ((a,), (b,))
    whole = merge([[second("a", 1, 1)], [second("a", 2, None, (Quality.LINK_ERROR,))]])
    assert split(whole) == ((second("a", 1, 1),), (second("a", 2, None, (Quality.LINK_ERROR,)),))
    wide = DeviceRows("a", (1,), (Column("x", "1", 0, (1,)), Column("y", "1", 0, (2,))))
    assert split([wide]) == (
        (DeviceRows("a", (1,), (Column("x", "1", 0, (1,)),)),),
        (DeviceRows("a", (1,), (Column("y", "1", 0, (2,)),)),),
    )
    with pytest.raises(ValueError, match="cannot be split"):
        split([a])


def test_batch_id_bytes() -> None:
    batch_id = BatchId("00000000000000ff", 258)
    assert batch_id.to_bytes() == b"\0" * 7 + b"\xff" + b"\0" * 6 + b"\x01\x02"
    assert BatchId.from_bytes(batch_id.to_bytes()) == batch_id
    with pytest.raises(ValueError, match="3 bytes"):
        BatchId.from_bytes(b"abc")


def test_thinned_rows_stay_apart_and_stay_thinned() -> None:
    whole = seconds_of_meter("a", 2, 1000, seed=1)
    thinned = replace(seconds_of_meter("a", 2, 10_000, seed=1), thinned=True)
    later = replace(seconds_of_meter("a", 2, 20_000, seed=1), thinned=True)
    first, second = merge([(whole,), (thinned,), (later,)])
    assert (first, second.thinned, len(second.times_ms)) == (whole, True, 4)
    assert all(half[0].thinned for half in split([second]))
    assert decode_rows(encode_rows([first, second], "ntp"))[0] == (first, second)

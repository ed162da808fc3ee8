import struct

import pytest

from device_profiles.profile import Encoding, Register
from edge_agent.doubts import FrozenWatch, WordOrderWatch
from tests.edge_agent.registers import register
from wire_format.quality import Quality

VOLTAGE = register(0, 2, quantity="voltage_l1_n", unit="V", exponent=-1)
FREQUENCY = register(2, 2, quantity="frequency", unit="Hz", exponent=-2)
POWER = register(4, 2, quantity="active_power_total", unit="W", exponent=0, encoding=Encoding.S32)
IMPORT = register(6, 2, quantity="active_energy_import_total", unit="kWh", exponent=-2)
EXPORT = register(8, 2, quantity="active_energy_export_total", unit="kWh", exponent=-2)


class Meter:
    """Rows of a meter at one a second, as a FrozenWatch is given them."""

    def __init__(self, *registers: Register, after_s: float = 60.0) -> None:
        self.watch = FrozenWatch(registers, after_s)
        self.time_ms = 0

    def say(self, *integers: int, seconds: int = 1) -> bool:
        for _ in range(seconds):
            self.time_ms += 1000
            self.watch.update([struct.pack(f">{len(integers)}q", *integers)], integers, self.time_ms)
        return self.watch.is_frozen


def test_power_that_moves_no_total_is_not_believed_after_a_while() -> None:
    meter = Meter(POWER, IMPORT)
    assert not meter.say(36_000, 100)
    assert not meter.say(36_000, 101)  # 0.01 kWh a second
    assert not meter.say(36_000, 101, seconds=59)
    assert meter.say(36_000, 101, seconds=2)
    assert not meter.say(36_000, 700)


def test_exported_energy_counts_too() -> None:
    meter = Meter(POWER, IMPORT, EXPORT)
    meter.say(-36_000, 100, 7)
    meter.say(-36_000, 100, 8)
    assert meter.say(-36_000, 100, 8, seconds=70)


@pytest.mark.parametrize(
    ("registers", "first", "then"),
    [
        # A machine that is off, behind a contactor: all zeros, whatever it was before.
        ((VOLTAGE, FREQUENCY, POWER, IMPORT), (2301, 5001, 40_000, 100), (0, 0, 0, 101)),
        # A meter that shows whole kilowatt hours of a small load: nothing new for an hour.
        ((POWER, IMPORT), (1000, 100), (1000, 200)),
        # Volts and tenths of hertz: a quiet grid may well show the same for long.
        (
            (register(0, quantity="voltage_l1_n"), register(1, quantity="frequency"), IMPORT),
            (230, 499, 100),
            (231, 500, 101),
        ),
        # It was never seen to move: nothing tells how finely it shows.
        ((VOLTAGE, FREQUENCY, POWER, IMPORT), (2301, 5001, 90_000, 100), (2301, 5001, 90_000, 100)),
        # What a meter gives away and does not count.
        ((POWER, IMPORT), (-36_000, 100), (-36_000, 101)),
    ],
)
def test_what_may_be_true_is_believed(
    registers: tuple[Register, ...], first: tuple[int, ...], then: tuple[int, ...]
) -> None:
    meter = Meter(*registers)
    meter.say(*first)
    assert not meter.say(*then, seconds=600)


def test_a_grid_that_stands_still_to_the_last_digit_is_not_believed() -> None:
    meter = Meter(VOLTAGE, FREQUENCY, POWER, IMPORT)
    meter.say(2301, 5001, 0, 100)
    meter.say(2302, 5000, 0, 100)
    assert not meter.say(2303, 5001, 0, 100, seconds=60)
    assert meter.say(2303, 5001, 0, 100, seconds=2)
    # Silence in between proves nothing.
    meter.watch.update([Quality.LINK_ERROR], (None,) * 4, meter.time_ms + 1000)
    assert meter.watch.is_frozen


def test_polls_that_are_far_apart_must_repeat_themselves_as_well() -> None:
    meter = Meter(POWER, IMPORT, after_s=1.0)
    meter.say(36_000, 100)
    meter.say(36_000, 101)
    meter.time_ms += 900_000
    assert not meter.say(36_000, 101, seconds=2)
    assert meter.say(36_000, 101)


OUT, GOOD = Quality.OUT_OF_RANGE, Quality.GOOD
WIDE = [VOLTAGE, FREQUENCY, POWER, IMPORT, EXPORT]
NARROW = register(10, 1, quantity="voltage_l2_n", unit="V")


def test_one_impossible_number_is_wrong_in_its_own_cell() -> None:
    assert not WordOrderWatch(WIDE).update([None, 5000, 1, 2, 3], [OUT, GOOD, GOOD, GOOD, GOOD])


def test_a_row_that_is_turned_round_loses_its_wide_values_until_it_is_right() -> None:
    watch = WordOrderWatch([*WIDE, NARROW])
    assert watch.update([None, None, 1, 2, 0, 230], [OUT, OUT, GOOD, GOOD, GOOD, GOOD])
    # By chance only one is impossible in this one.
    integers: list[int | None] = [None, 7, 1, 2, 0, 230]
    quality = [OUT, GOOD, GOOD, GOOD, GOOD, GOOD]
    assert watch.update(integers, quality)
    watch.spoil(integers, quality)
    assert integers == [None] * 5 + [230]
    assert quality == [OUT] * 5 + [GOOD]
    assert watch.update([None] * 6, [Quality.LINK_ERROR] * 6)
    assert not watch.update([2301, 5000, 1, 2, 0, 230], [GOOD] * 6)


def test_a_device_that_shows_a_grid_may_hold_rubbish_elsewhere() -> None:
    assert not WordOrderWatch(WIDE).update([2301, None, None, 0, 0], [GOOD, OUT, OUT, GOOD, GOOD])
    assert WordOrderWatch(WIDE).update([301, None, None, 0, 0], [GOOD, OUT, OUT, GOOD, GOOD])


def test_a_value_outside_of_the_profiles_own_range_says_nothing_about_the_others() -> None:
    assert not WordOrderWatch(WIDE).update([9999, 9999, 1, 2, 3], [OUT, OUT, GOOD, GOOD, GOOD])

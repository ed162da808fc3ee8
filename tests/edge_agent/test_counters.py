import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.counters import Counter, CounterEventKind, CounterState, is_monotonic_total, rescaled
from wire_format.quality import Quality

ENERGY = "active_energy_import_total"


def run(counter: Counter, readings: list[int], start_s: int = 0) -> tuple[list[int | None], list[CounterEventKind]]:
    """Feeds a reading a second; returns the totals and what happened."""
    totals, events = [], []
    for second, raw in enumerate(readings, start_s):
        update = counter.update(raw, second * 1000)
        totals.append(update.total)
        if update.event is not None:
            events.append(update.event.kind)
    return totals, events


def energy_counter(modulus: int | None = None, state: CounterState | None = None) -> Counter:
    return Counter("oven-meter", ENERGY, -3, modulus, state)


def test_a_total_is_the_meters_display() -> None:
    assert run(energy_counter(), [5000, 5000, 5001, 5003]) == ([5000, 5000, 5001, 5003], [])


def test_a_transient_zero_is_held_back_and_forgotten() -> None:
    totals, events = run(energy_counter(), [5000, 0, 5001, 5002])
    assert totals == [5000, None, 5001, 5002]
    assert events == [CounterEventKind.TRANSIENT]


def test_a_single_reading_far_above_is_no_spike() -> None:
    totals, events = run(energy_counter(), [5000, 0xFFFFFFFF, 5001])
    assert totals == [5000, None, 5001]
    assert events == [CounterEventKind.TRANSIENT]


def test_a_held_reading_is_a_device_error() -> None:
    counter = energy_counter()
    counter.update(5000, 0)
    assert counter.update(0, 1000).quality is Quality.DEVICE_ERROR


def test_a_reset_goes_on_from_the_last_total() -> None:
    totals, events = run(energy_counter(), [500_000, 500_001, 0, 1, 2, 3])
    assert totals == [500_000, 500_001, None, None, 500_003, 500_004]
    assert events == [CounterEventKind.RESET]


def test_a_wrap_counts_through() -> None:
    totals, events = run(energy_counter(modulus=100_000_000), [99_999_998, 99_999_999, 1, 2, 3])
    assert totals == [99_999_998, 99_999_999, None, None, 100_000_003]
    assert events == [CounterEventKind.WRAP]


def test_a_reset_in_the_middle_of_the_range_is_no_wrap() -> None:
    _, events = run(energy_counter(modulus=100_000_000), [50_000_000, 0, 1, 2])
    assert events == [CounterEventKind.RESET]


@pytest.mark.parametrize("other_meter", [300_000, 900_000_000])
def test_another_meter_adds_nothing_for_the_time_in_between(other_meter: int) -> None:
    readings = [500_000, other_meter, other_meter + 1, other_meter + 2, other_meter + 3]
    totals, events = run(energy_counter(), readings)
    assert totals == [500_000, None, None, 500_002, 500_003]
    assert events == [CounterEventKind.STEP]


def test_a_slight_step_back_repeats_the_last_total_and_is_told_once() -> None:
    totals, events = run(energy_counter(), [5000, 4999, 4999, 5000, 5002])
    assert totals == [5000, 5000, 5000, 5000, 5002]
    assert events == [CounterEventKind.JITTER]


def test_a_meter_that_starts_up_shows_zero_for_a_moment() -> None:
    assert run(energy_counter(), [0, 0, 5000, 5001]) == ([None, None, 5000, 5001], [])


def test_a_new_meter_stands_at_zero() -> None:
    assert run(energy_counter(), [0, 0, 0, 1]) == ([None, None, 0, 1], [])


def test_what_was_used_while_the_agent_was_off_counts() -> None:
    counter = energy_counter(state=CounterState(500_000, 7, -3, time_ms=0))
    # 40 kWh in an hour are a rate that a factory has, though not in a second.
    assert counter.update(540_000, 3_600_000).total == 540_007


def test_a_reset_while_the_agent_was_off_is_seen() -> None:
    counter = energy_counter(state=CounterState(500_000, 0, -3, time_ms=0))
    totals, events = run(counter, [100, 101, 102], start_s=3600)
    assert totals == [None, None, 500_102]
    assert events == [CounterEventKind.RESET]


def test_a_clock_set_back_holds_nothing_up() -> None:
    counter = energy_counter(state=CounterState(500_000, 0, -3, time_ms=10**12))
    assert counter.update(540_000, 0).total == 540_000


def test_the_quality_of_a_reading_stays_with_it() -> None:
    assert energy_counter().update(5000, 0, Quality.OUT_OF_RANGE).quality is Quality.OUT_OF_RANGE


def test_state_in_another_resolution_keeps_the_total_from_going_back() -> None:
    state = CounterState(last=12_345, offset=678, exponent=-3, time_ms=9)
    assert rescaled(state, -4) == CounterState(123_450, 6780, -4, 9)
    coarse = rescaled(state, -2)
    assert (coarse.last + coarse.offset) * 10 >= 12_345 + 678
    assert rescaled(state, -3) is state


@given(
    st.lists(st.integers(min_value=0, max_value=2**32), min_size=1, max_size=80),
    st.sampled_from([None, 2**32, 10**6]),
)
@settings(deadline=None)
def test_nothing_that_a_meter_says_makes_a_total_go_back(readings: list[int], modulus: int | None) -> None:
    totals, _ = run(energy_counter(modulus), readings)
    present = [total for total in totals if total is not None]
    assert present == sorted(present)


def test_net_totals_may_go_down() -> None:
    assert is_monotonic_total(ENERGY)
    assert is_monotonic_total("water_volume_forward")
    assert not is_monotonic_total("active_energy_net_total")
    assert not is_monotonic_total("water_volume_net_signed")
    assert not is_monotonic_total("active_power_total")

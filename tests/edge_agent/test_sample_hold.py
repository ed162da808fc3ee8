import itertools

from edge_agent.clock import SteadyClock
from edge_agent.sample_hold import EARLIEST_TIME_MS, MAXIMUM_HELD_SAMPLES, SampleHold
from edge_agent.samples import ColumnShape, Sample
from tests.edge_agent.clocks import ManualClock
from wire_format.quality import Quality

SHAPE = (ColumnShape("active_power_total", "W", 0),)
IN_1970_MS = 5_000_000.0
TODAY_MS = 1_795_000_000_000.0


def sample(clock: ManualClock, value: int, age_ms: float = 0.0) -> Sample:
    return Sample("oven", SHAPE, round(clock.wall_ms() - age_ms), (value,), (Quality.GOOD,))


def test_samples_wait_for_the_time_and_get_the_ones_at_which_they_were_taken() -> None:
    clock, given = ManualClock(IN_1970_MS), list[Sample]()
    hold = SampleHold(clock, given.append, lambda: "none")
    for second in range(5):
        hold.add(sample(clock, second, age_ms=200))
        clock.advance(1)
    assert (given, hold.count) == ([], 5)
    clock.step_wall_ms(TODAY_MS - clock.wall_ms())
    hold.add(sample(clock, 5, age_ms=200))
    assert [row.integers[0] for row in given] == [0, 1, 2, 3, 4, 5]
    assert [row.time_ms for row in given] == [round(TODAY_MS) - 200 - 1000 * (5 - second) for second in range(6)]
    assert hold.count == 0


def test_an_early_time_that_somebody_vouches_for_is_a_time() -> None:
    clock, given = ManualClock(IN_1970_MS), list[Sample]()
    SampleHold(clock, given.append, lambda: "hardware").add(sample(clock, 1))
    assert len(given) == 1


def test_a_likely_time_is_a_time() -> None:
    clock, given = ManualClock(EARLIEST_TIME_MS), list[Sample]()
    SampleHold(clock, given.append, lambda: "none").add(sample(clock, 1))
    assert len(given) == 1


def test_what_waits_is_bounded() -> None:
    clock = ManualClock(IN_1970_MS)
    hold = SampleHold(clock, list[Sample]().append, lambda: "none")
    row = sample(clock, 1)
    for _ in range(MAXIMUM_HELD_SAMPLES + 10):
        hold.add(row)
    assert hold.count == MAXIMUM_HELD_SAMPLES


def test_a_clock_set_back_a_little_repeats_no_time_and_catches_up() -> None:
    system = ManualClock(TODAY_MS)
    steady, told_ms = SteadyClock(system), []
    for second in range(30):
        told_ms.append(steady.wall_ms())
        system.advance(1)
        if second == 5:
            system.step_wall_ms(-5000)
    assert all(later > earlier for earlier, later in itertools.pairwise(told_ms))
    assert told_ms[8] - told_ms[7] == 500
    assert steady.wall_ms() == system.wall_ms()


def test_a_clock_set_back_by_hours_is_followed() -> None:
    system = ManualClock(TODAY_MS)
    steady = SteadyClock(system)
    steady.wall_ms()
    system.step_wall_ms(-7_200_000)
    assert steady.wall_ms() == system.wall_ms()


def test_a_clock_set_forward_is_followed() -> None:
    system = ManualClock(TODAY_MS)
    steady = SteadyClock(system)
    steady.wall_ms()
    system.step_wall_ms(7_200_000)
    assert steady.wall_ms() == system.wall_ms()

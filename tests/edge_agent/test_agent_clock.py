import itertools
import json
from pathlib import Path

import pytest

from edge_agent.agent_clock import EARLIEST_TIME_MS, AgentClock, boot_id
from edge_agent.clock import SteadyClock
from edge_agent.visitor_clock import REQUEST_NAME, give_time, take_time
from tests.edge_agent.clocks import ManualClock

IN_1970_MS = 5_000_000.0
TODAY_MS = 1_795_000_000_000.0


def clock_of(system: ManualClock, source: str = "none", boot: str = "boot-1") -> AgentClock:
    return AgentClock(system, lambda: source, lambda: boot)


@pytest.mark.parametrize(
    ("wall_ms", "source", "known", "told"),
    [
        (IN_1970_MS, "none", False, "none"),
        (IN_1970_MS, "hardware", False, "none"),  # its battery is empty
        (IN_1970_MS, "ntp", True, "ntp"),
        (EARLIEST_TIME_MS, "none", True, "none"),
        (TODAY_MS, "hardware", True, "hardware"),
    ],
)
def test_a_time_is_known_when_somebody_vouches_for_it_or_it_is_likely(
    wall_ms: float, source: str, known: bool, told: str
) -> None:
    clock = clock_of(ManualClock(wall_ms), source)
    assert (clock.is_known, clock.source) == (known, told)


def test_a_computer_without_a_battery_goes_on_where_it_was_switched_off_and_is_not_believed() -> None:
    clock = clock_of(ManualClock(TODAY_MS), boot="boot-2")
    clock.remember(round(TODAY_MS) - 5000, "boot-1")
    known = [clock.is_known]
    assert clock.adopt("collector", TODAY_MS + 7_200_000, 0.0)
    assert [*known, clock.is_known] == [False, True]
    assert clock.wall_ms() == TODAY_MS + 7_200_000
    assert clock.source == "collector"


def test_a_clock_behind_the_last_sign_of_life_is_not_believed() -> None:
    clock = clock_of(ManualClock(TODAY_MS))
    clock.remember(round(TODAY_MS) + 120_000, "boot-1")
    assert not clock.is_known


def test_the_collector_is_believed_before_a_visitor_and_the_network_time_before_both() -> None:
    system, source = ManualClock(IN_1970_MS), ["none"]
    clock = AgentClock(system, lambda: source[0], lambda: "boot-1")
    assert clock.adopt("visitor", TODAY_MS, 0.0)
    told = [clock.source]
    assert clock.adopt("collector", TODAY_MS + 60_000, 0.0)
    assert not clock.adopt("visitor", TODAY_MS, 0.0)
    assert clock.wall_ms() == TODAY_MS + 60_000
    told.append(clock.source)
    source[0] = "ntp"
    system.step_wall_ms(TODAY_MS + 61_000 - system.wall_ms())
    assert clock.check_source()
    told.append(clock.source)
    assert told == ["visitor", "collector", "ntp"]
    assert not clock.adopt("collector", TODAY_MS + 500_000, 0.0)
    assert clock.offset_ms == 0.0


def test_an_answer_that_was_under_way_for_a_while_moves_no_clock() -> None:
    clock = clock_of(ManualClock(TODAY_MS))
    assert clock.adopt("collector", TODAY_MS - 3000, 0.0)
    assert (clock.source, clock.offset_ms) == ("collector", 0.0)


def test_a_collector_that_has_no_time_itself_is_not_believed() -> None:
    clock = clock_of(ManualClock(IN_1970_MS))
    assert not clock.adopt("collector", 1.0, 0.0)
    assert not clock.is_known


def test_a_visitors_time_holds_for_the_moment_at_which_it_was_given(tmp_path: Path) -> None:
    give_time(tmp_path, TODAY_MS)
    given = json.loads((tmp_path / REQUEST_NAME).read_text(encoding="utf-8"))
    system = ManualClock(IN_1970_MS)
    system.advance(given["monotonic_s"] + 30)
    clock = clock_of(system, boot=boot_id())
    take_time(tmp_path, clock)
    assert clock.wall_ms() == pytest.approx(TODAY_MS + 30_000)
    assert not (tmp_path / REQUEST_NAME).exists()
    take_time(tmp_path, clock)


def test_a_time_that_was_given_before_the_computer_was_started_again_is_of_no_use(tmp_path: Path) -> None:
    give_time(tmp_path, TODAY_MS)
    clock = clock_of(ManualClock(IN_1970_MS), boot="another")
    take_time(tmp_path, clock)
    assert not clock.is_known
    (tmp_path / REQUEST_NAME).write_bytes(b"\xff rubbish")
    take_time(tmp_path, clock)


def test_a_clock_set_back_a_little_repeats_no_time_and_catches_up() -> None:
    system = ManualClock(TODAY_MS)
    steps: list[float] = []
    steady, told_ms = SteadyClock(system, steps.append), []
    for second in range(30):
        told_ms.append(steady.wall_ms())
        system.advance(1)
        if second == 5:
            system.step_wall_ms(-5000)
    assert all(later > earlier for earlier, later in itertools.pairwise(told_ms))
    assert told_ms[8] - told_ms[7] == 500
    assert steady.wall_ms() == system.wall_ms()
    assert steps == [-5000.0]


@pytest.mark.parametrize("by_ms", [-7_200_000, 7_200_000])
def test_a_clock_set_by_hours_is_followed_and_told(by_ms: float) -> None:
    system, steps = ManualClock(TODAY_MS), list[float]()
    steady = SteadyClock(system, steps.append)
    steady.wall_ms()
    system.step_wall_ms(by_ms)
    assert steady.wall_ms() == system.wall_ms()
    assert steps == [by_ms]

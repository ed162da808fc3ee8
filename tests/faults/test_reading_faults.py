"""Every fault of `reading.yaml`: the agent takes no wrong value, marks what is missing, and goes on when it is over."""

import asyncio
import itertools
from pathlib import Path

import pytest

from leanmeter.simulate.scenario_check import Outcome, check_scenario
from simulators.scenario import FAULT_KINDS, load_scenario
from wire_format.quality import Quality

SCENARIO = load_scenario(Path(__file__).with_name("reading.yaml"))


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """The whole scenario once."""
    return asyncio.run(check_scenario(SCENARIO, tmp_path_factory.mktemp("scenario")))


@pytest.mark.parametrize("device", SCENARIO.expected)
def test_the_agent_does_the_right_thing(device: str, outcome: Outcome) -> None:
    assert outcome.differences[device] == []


def test_every_kind_of_fault_is_in_the_scenario_and_expected() -> None:
    assert {fault.kind for fault in SCENARIO.faults} == set(FAULT_KINDS)
    assert set(SCENARIO.expected) == {device.id for line in SCENARIO.lines for device in line.devices}


def test_a_value_that_is_not_there_costs_its_own_cell_only(outcome: Outcome) -> None:
    for device in ("nan", "sentinel"):
        spoilt = {
            quantity
            for quantity, reading in outcome.readings[device].items()
            if Quality.DEVICE_ERROR in reading.qualities[len(reading.qualities) // 5 :]
        }
        assert "active_power_total" in spoilt
        assert {name for name in spoilt if "power" in name} == {"active_power_total"}


def test_a_silent_neighbour_takes_no_more_than_one_timeout_a_cycle(outcome: Outcome) -> None:
    for device in ("neighbour-1", "neighbour-2"):
        times_s = outcome.readings[device]["active_power_total"].times_s
        assert max(after - before for before, after in itertools.pairwise(times_s)) < 1.6


def test_a_turned_transformer_shows_as_negative_power_of_its_phase(outcome: Outcome) -> None:
    reading = outcome.readings["ct-turned"]["active_power_l1"]
    during = [value for time_s, value in zip(reading.times_s, reading.values, strict=True) if 2.0 < time_s < 2.8]
    assert during
    assert all(value is not None and value < 0 for value in during)

"""Every fault of `weighing.yaml`: no weighing is lost or counted twice, and what was not heard is marked."""

import asyncio
from pathlib import Path

import pytest

from leanmeter.simulate.scenario_check import Outcome, check_scenario
from simulators.errors import SimulatorError
from simulators.scenario import TELEGRAM_FAULTS, Scenario, load_scenario
from simulators.scenario_run import ScenarioRun

SCENARIO = load_scenario(Path(__file__).with_name("weighing.yaml"))


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """The whole scenario once."""
    return asyncio.run(check_scenario(SCENARIO, tmp_path_factory.mktemp("scenario")))


@pytest.mark.parametrize("device", SCENARIO.expected)
def test_the_agent_does_the_right_thing(device: str, outcome: Outcome) -> None:
    assert outcome.differences[device] == []


def test_every_kind_of_fault_is_tried_on_both_kinds_of_scales() -> None:
    for start in ("asked", "sending"):
        assert {fault.kind for fault in SCENARIO.faults if str(fault.device).startswith(start)} == TELEGRAM_FAULTS
    assert set(SCENARIO.expected) == {device.id for line in SCENARIO.lines for device in line.devices}


@pytest.mark.parametrize(
    ("line", "faults", "said"),
    [
        ({"transport": "rtu_over_tcp"}, [], "a scale has a line for itself"),
        ({}, [{"device": "scale", "kind": "wrong_unit", "unit_id": 3}], "device 'scale': wrong_unit: a scale can have"),
    ],
)
async def test_what_a_scale_cannot_have_is_told(
    line: dict[str, str], faults: list[dict[str, object]], said: str, tmp_path: Path
) -> None:
    devices = [{"id": "scale", "profile": "scales/mt-sics"}]
    scenario = Scenario.model_validate({"lines": [{"id": "one", "devices": devices, **line}], "faults": faults})
    with pytest.raises(SimulatorError, match=said):
        await ScenarioRun(scenario, tmp_path).__aenter__()

import json
from pathlib import Path

import pytest

from leanmeter.command_line import main

SITE = """
site: bakery
lines:
  - id: rs485-1
    serial: {port: /dev/ttyUSB0, baud: 9600}
    devices:
      - {id: oven-meter, profile: eastron/sdm630, unit_id: 1}
      - {id: mixer-meter, profile: schneider/iem3155, unit_id: 2}
  - id: pv
    tcp: {host: 192.168.1.30}
    devices: [{id: pv-inverter, profile: sunspec/inverter}]
  - id: scale
    tcp: {host: 192.168.1.40, port: 4305}
    devices: [{id: packing-scale, profile: scales/mt-sics}]
"""


@pytest.fixture
def site_file(tmp_path: Path) -> Path:
    path = tmp_path / "site.yaml"
    path.write_text(SITE, encoding="utf-8")
    return path


def test_the_plan_tells_requests_and_bus_time(site_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["edge", "plan", "--config", str(site_file), "--json"]) == 0
    serial, pv, scale = json.loads(capsys.readouterr().out)
    assert [serial["line"], pv["line"], scale["line"]] == ["rs485-1", "pv", "scale"]
    assert 0.2 < serial["cycle_s"] < serial["longest_cycle_s"] < 2
    oven = serial["devices"][0]
    names = [quantity for request in oven["requests"] for quantity in request["quantities"]]
    assert {"active_power_total", "active_energy_import_total"} <= set(names)
    assert len(names) == len(set(names))
    assert {request["function_code"] for request in oven["requests"]} == {4}
    assert pv["devices"][0]["addresses"] == "from the start of the SunSpec model"
    assert scale["devices"][0]["requests"] == []


def test_the_plan_for_people(site_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["edge", "plan", "--config", str(site_file)]) == 0
    text = capsys.readouterr().out
    assert "rs485-1: /dev/ttyUSB0 at 9600 8N1: 6" in text
    assert "oven-meter (eastron/sdm630, unit 1): 3" in text
    assert "ms a poll, " in text
    assert "ms every 10 s" in text
    assert "  ! mixer-meter is delivered at 19200 8E1; set it to the line's\n" in text


def test_a_line_that_is_too_slow_is_told_what_helps(site_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = site_file.read_text()
    for poll_interval_s, advice in (
        (0.5, "too slow, polls will be skipped; 19200 baud would take"),
        (0.7, "nearly full, so slow quantities come late and cost a poll now and then; 19200 baud would take"),
        (0.1, "too slow, polls will be skipped; raise poll_interval_s, or divide the devices between two lines"),
    ):
        site_file.write_text(f"poll_interval_s: {poll_interval_s}\n{text}")
        assert main(["edge", "plan", "--config", str(site_file)]) == 0
        assert advice in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--config", "missing.yaml"], "missing.yaml"),
        (["--config", "SITE", "--profiles", "/nowhere/at/all"], "--profiles /nowhere/at/all"),
    ],
)
def test_a_users_mistake_is_one_line_and_exit_code_2(
    site_file: Path, arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [str(site_file) if word == "SITE" else word for word in arguments]
    assert main(["edge", "plan", *words]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1

"""docs/simulators.md says what is so: its commands are commands, its examples run, and no fault is left out."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from leanmeter.command_line import _Parser
from leanmeter.edge import edge_command
from leanmeter.profiles import profiles_command
from leanmeter.simulate import simulate_command
from simulators.factory.plant_files import ready_plants
from simulators.scenario import FAULT_KINDS, VALUE_FAULTS, load_scenario
from tests.servers.processes import Processes

PAGE = Path("docs/simulators.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^    (leanmeter (?:[^\n\\]|\\\n)+)", PAGE, re.MULTILINE)
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL)


def block(kind: str, word: str) -> str:
    found: str = next(text for language, text in BLOCKS if language == kind and word in text)
    return found


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_is_one(command: str) -> None:
    parser = _Parser(prog="leanmeter")
    subparsers = parser.add_subparsers(required=True)
    for module in (edge_command, profiles_command, simulate_command):
        module.add_arguments(subparsers)
    words = shlex.split(command.replace("\\\n", " "), comments=True)
    assert callable(parser.parse_args(words[1:]).handler)


def test_each_fault_and_plant_is_told_of() -> None:
    table = {row.split("|")[1]: row.split("|")[3] for row in PAGE.splitlines() if row.startswith("| `")}
    told = {kind: takes for kinds, takes in table.items() for kind in re.findall(r"`(\w+)`", kinds)}
    for kind, settings in FAULT_KINDS.items():
        assert kind in told
        assert all(f"`{name.rstrip('?')}`" in told[kind] for name in settings), kind
    last = [kind for kind in told if kind in FAULT_KINDS][-len(VALUE_FAULTS) :]
    assert set(last) == VALUE_FAULTS
    assert all(f"`{plant}`" in PAGE for plant in ready_plants())


def test_the_scenario_is_one(tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_text(block("yaml", "expected:"))
    assert [device.id for device in load_scenario(path).lines[0].devices] == ["oven", "mixer"]


def test_the_software_of_the_first_page_reads_two_meters_and_a_scale(tmp_path: Path, processes: Processes) -> None:
    software = block("python", "ModbusTcpClient").replace("range(10)", "range(2)")
    for command, place in zip(COMMANDS[:2], ("5020", "4001"), strict=True):
        words = shlex.split(command.replace(f":{place}", ":0").replace(" --view", ""))
        process = processes.start_leanmeter(*words[1:])
        software = software.replace(place, process.wait_for_log(r"listening on 127\.0\.0\.1:(\d+)")[1])
    (tmp_path / "my_software.py").write_text(software)
    command = [sys.executable, tmp_path / "my_software.py"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert ran.returncode == 0, ran.stderr
    assert re.fullmatch(r"( +\d+\.\d W +\d+\.\d W S [SD] \d+\.\d{3} kg\n){2}", ran.stdout)


def test_the_three_lines_of_the_plugin_run(tmp_path: Path) -> None:
    (tmp_path / "my_software.py").write_text("def power_w(host, port, unit_id):\n    return 5000\n")
    (tmp_path / "test_it.py").write_text("import my_software\n\n\n" + block("python", "def test_my_software"))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:asyncio"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert "1 passed" in ran.stdout, ran.stdout + ran.stderr

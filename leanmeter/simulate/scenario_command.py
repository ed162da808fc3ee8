"""`leanmeter simulate scenario`: serve a scenario file's devices, or let the agent read them and compare."""

import argparse
import asyncio
import contextlib
import logging
import sys
import tempfile
from pathlib import Path
from typing import Any

from leanmeter.signals import stop_on_signals
from leanmeter.simulate.simulate_places import add_ready, needing, wait_or_show
from simulators.errors import SimulatorError
from simulators.scenario import Scenario, load_scenario
from simulators.scenario_run import ScenarioRun
from simulators.terminal_view import view_for


def add_arguments(kinds: "argparse._SubParsersAction[Any]") -> None:
    """Add `scenario` to the kinds of simulations."""
    scenario = kinds.add_parser(
        "scenario",
        help="devices with faults, by a file that also says what a reader should make of them",
        description="Simulates the devices of a scenario file, and writes a site file that an agent reads them with. "
        "With --check the agent reads them here, and what it kept is compared with what the file expects.",
    )
    scenario.add_argument("file", type=Path, metavar="FILE", help="the scenario, YAML")
    scenario.add_argument("--directory", type=Path, help="gets site.yaml and the serial lines' links")
    scenario.add_argument("--mqtt-port", type=int, default=1883, help="of the broker that site.yaml names")
    scenario.add_argument("--check", action="store_true", help="read, compare, end; exit code 1 when something differs")
    add_ready(scenario)
    scenario.set_defaults(handler=_run)


def _run(arguments: argparse.Namespace) -> int:
    scenario = load_scenario(arguments.file)
    with contextlib.ExitStack() as cleaning:
        directory: Path | None = arguments.directory
        if directory is None:
            directory = Path(cleaning.enter_context(tempfile.TemporaryDirectory(prefix="leanmeter-scenario-")))
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise SimulatorError(f"--directory {directory}: cannot be made: {problem.strerror}") from problem
        if arguments.check:
            return _check(scenario, directory.absolute())
        asyncio.run(_serve(scenario, arguments, directory.absolute()))
    return 0


async def _serve(scenario: Scenario, arguments: argparse.Namespace, directory: Path) -> None:
    stop = stop_on_signals()
    view = view_for(scenario.name or "scenario", sys.stdout, wanted=arguments.view)
    async with ScenarioRun(scenario, directory, arguments.mqtt_port) as run:
        for device in run.viewed():
            if view is not None:
                view.add(device)
        asyncio.get_running_loop().call_later(scenario.duration_s, stop.set)
        if any(fault.is_of_the_clock for fault in scenario.system_faults):
            sys.stderr.write(
                "leanmeter: clock_step: only --check can set the agent's clock; this run leaves it alone\n"
            )
        where = f"the places of {run.site_file} for {scenario.duration_s:g} s"
        await wait_or_show(arguments, view, where, {"site_file": str(run.site_file)}, stop)


def _check(scenario: Scenario, directory: Path) -> int:
    logging.basicConfig(level=logging.ERROR, format="%(levelname)s %(message)s")
    if scenario.system_faults:
        with needing("--check of system_faults", "demo"):
            from leanmeter.simulate import whole_scenario  # noqa: PLC0415  # simulators install without all the others
        differences = whole_scenario.differences(scenario, asyncio.run(whole_scenario.run_whole(scenario, directory)))
    else:
        with needing("--check", "edge"):
            from leanmeter.simulate.scenario_check import check_scenario  # noqa: PLC0415  # simulators install without the agent
        differences = asyncio.run(check_scenario(scenario, directory)).differences
    for device, found in differences.items():
        sys.stdout.write(f"{'as expected' if not found else 'DIFFERS':<12} {device}\n")
        sys.stdout.writelines(f"             {difference}\n" for difference in found)
    return 1 if any(differences.values()) else 0

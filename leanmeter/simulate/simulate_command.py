"""`leanmeter simulate`: a device or a whole workshop that engineers can read before they have hardware."""

import argparse
import asyncio
import sys
from pathlib import Path

from leanmeter.signals import stop_on_signals
from leanmeter.simulate import (
    case_command,
    replay_command,
    scenario_command,
    simulate_device,
    simulate_plant,
    simulate_scale,
)
from leanmeter.simulate.simulate_places import add_ready, port, wait_or_show
from simulators.terminal_view import view_for
from simulators.workshop_servers import run_workshop


def add_arguments(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `simulate` and its kinds to the command line."""
    parser = subparsers.add_parser("simulate", help="stand-ins for meters, scales and a whole workshop")
    kinds = parser.add_subparsers(required=True, metavar="what")
    simulate_device.add_arguments(kinds)
    simulate_scale.add_arguments(kinds)
    workshop = kinds.add_parser(
        "workshop",
        help="a bakery: five electricity meters, water, solar roof, scale",
        description="Simulates a bakery on loopback ports and a pseudo-terminal until it is stopped, and writes the "
        "site file that an agent reads it with.",
    )
    workshop.add_argument("--directory", type=Path, required=True, help="gets site.yaml and the serial line's link")
    workshop.add_argument("--site", default="workshop", metavar="SLUG", help="the site's id (default workshop)")
    workshop.add_argument("--mqtt-port", type=port, default=1883, help="of the broker that site.yaml names")
    workshop.add_argument("--seed", type=int, default=1, help="the same seed gives the same data")
    workshop.add_argument("--truth", type=Path, metavar="FILE", help="at the end write the true totals, as JSON")
    add_ready(workshop)
    workshop.set_defaults(handler=_run_workshop)
    simulate_plant.add_arguments(kinds)
    scenario_command.add_arguments(kinds)
    replay_command.add_arguments(kinds)
    case_command.add_arguments(kinds)


def _run_workshop(arguments: argparse.Namespace) -> int:
    directory: Path = arguments.directory.absolute()

    view = view_for("the workshop", sys.stdout, wanted=arguments.view)

    async def run() -> None:
        stop = stop_on_signals()
        await run_workshop(
            directory,
            site=arguments.site,
            mqtt_port=arguments.mqtt_port,
            seed=arguments.seed,
            truth=arguments.truth,
            watch=(lambda _device: None) if view is None else view.add,
            when_ready=lambda path: wait_or_show(
                arguments, view, f"the workshop of {path}", {"site_file": str(path)}, stop
            ),
        )

    asyncio.run(run())
    return 0

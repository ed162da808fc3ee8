"""`leanmeter edge`: run the agent of a site file, or tell beforehand what it will ask for."""

import argparse
import asyncio
import json
import logging
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from edge_agent.agent import Agent
from edge_agent.bus_plan import plan_line
from edge_agent.errors import AgentConfigurationError
from edge_agent.installation import installed_lines
from edge_agent.visitor_clock import give_time
from leanmeter import service_manager
from leanmeter.edge import edge_status_command, edge_trace_command
from leanmeter.edge.bus_plan_pages import plan_as_json, plan_as_text
from leanmeter.edge.reloading_agent import ReloadingAgent
from site_config.schema import load_site

log = logging.getLogger(__name__)


def add_arguments(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Add `edge` with its subcommands; each sets `handler`."""
    edge = subparsers.add_parser("edge", help="read meters and scales, keep the readings, publish them")
    commands = edge.add_subparsers(required=True, metavar="command")

    run = _command(commands, "run", "read, keep and publish until Ctrl-C or SIGTERM")
    run.add_argument("--summary", type=Path, metavar="FILE", help="at the end write what was counted, as JSON")
    run.set_defaults(handler=_run)

    plan = _command(commands, "plan", "the requests that a site file leads to, and the bus time that they take")
    plan.add_argument("--json", action="store_true", help="write JSON")
    plan.set_defaults(handler=_plan)

    clock = _command(commands, "set-clock", "tell the agent of this computer what time it is, where it cannot know")
    clock.add_argument("--time", metavar="TIME", help="such as 2026-11-26T14:05:00+01:00; left out: this computer's")
    clock.set_defaults(handler=_set_clock)

    edge_status_command.add_arguments(_command(commands, "status", "how the running agent does, as a table"))
    edge_trace_command.add_arguments(_command(commands, "trace", "the last frames of each line of the running agent"))


def _command(commands: "argparse._SubParsersAction[Any]", name: str, text: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    command.add_argument("--config", type=Path, required=True, metavar="site.yaml", help="the site file")
    command.add_argument(
        "--profiles",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="a folder with profiles of your own, <maker>/<model>.yaml; may be given several times",
    )
    return command


def _run(arguments: argparse.Namespace) -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    directories = _directories(arguments)
    agent = Agent(load_site(arguments.config), profile_directories=directories)
    if arguments.summary is not None:
        _check_writable(arguments.summary)
    agents = ReloadingAgent(agent, lambda: load_site(arguments.config), directories)
    _event_loop_runner(_run_until_signal(agents))
    if arguments.summary is not None:
        _write_summary(arguments.summary, agents.agent.summary())
    return 0


def _plan(arguments: argparse.Namespace) -> int:
    site = load_site(arguments.config)
    plans = [plan_line(line) for line in installed_lines(site, _directories(arguments))]
    if arguments.json:
        sys.stdout.write(json.dumps([plan_as_json(plan, site) for plan in plans], indent=2) + "\n")
    else:
        sys.stdout.write("".join(plan_as_text(plan, site) for plan in plans))
    return 0


def _set_clock(arguments: argparse.Namespace) -> int:
    data_dir = load_site(arguments.config).data_dir
    try:
        given = datetime.now(UTC) if arguments.time is None else datetime.fromisoformat(arguments.time)
    except ValueError as problem:
        raise AgentConfigurationError(f"--time {arguments.time}: {problem}") from None
    if given.tzinfo is None:
        raise AgentConfigurationError(f"--time {arguments.time}: say of which zone, such as {arguments.time}+02:00")
    try:
        give_time(data_dir, given.timestamp() * 1000)
    except OSError as problem:
        raise AgentConfigurationError(
            f"data_dir {data_dir}: {problem.strerror}; run this on the agent's computer, as its user"
        ) from problem
    sys.stdout.write(
        f"{given.isoformat(timespec='seconds')}: used where neither network time nor a collector tells it\n"
    )
    return 0


def _directories(arguments: argparse.Namespace) -> Sequence[Path]:
    directories: list[Path] = arguments.profiles
    for directory in directories:
        if not directory.is_dir():
            raise AgentConfigurationError(f"--profiles {directory}: there is no such folder")
    return directories


async def _run_until_signal(agents: ReloadingAgent) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, agents.stop)
    loop.add_signal_handler(signal.SIGHUP, agents.reload)
    async with service_manager.service():
        await agents.run()


def _event_loop_runner(main: Any) -> None:
    try:
        import uvloop  # noqa: PLC0415  # quicker where it exists; it has no wheels for every platform
    except ImportError:
        asyncio.run(main)
    else:
        uvloop.run(main)


def _check_writable(path: Path) -> None:
    """Before hours of readings, not after them."""
    if not path.parent.is_dir():
        raise AgentConfigurationError(f"--summary {path}: there is no folder {path.parent}")


def _write_summary(path: Path, summary: dict[str, object]) -> None:
    unfinished = path.with_name(path.name + ".new")
    try:
        unfinished.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
        unfinished.replace(path)
    except OSError as problem:
        raise AgentConfigurationError(f"--summary {path}: cannot be written: {problem.strerror}") from problem

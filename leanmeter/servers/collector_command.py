"""`leanmeter collector`: takes what edges publish into the store."""

import argparse
import asyncio
import logging
import signal
from pathlib import Path

from collector.collector import run
from leanmeter import service_manager
from leanmeter.servers.collector_status import show_status
from leanmeter.servers.quarantine_command import add_quarantine
from store.server_file import ServerFile, load_server_file


def add_arguments(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `collector` to the command line."""
    parser = subparsers.add_parser("collector", help="take what edges publish into the store")
    commands = parser.add_subparsers(required=True, metavar="command")
    start = commands.add_parser("run", help="run until Ctrl-C or SIGTERM")
    start.add_argument("--config", type=Path, required=True, metavar="FILE", help="server.yaml")
    start.set_defaults(handler=_run)
    status = commands.add_parser("status", help="how collector and edges stand")
    status.add_argument("--config", type=Path, required=True, metavar="FILE", help="server.yaml")
    status.add_argument("--json", action="store_true", help="for machines")
    status.set_defaults(handler=show_status)
    add_quarantine(commands)


def _run(arguments: argparse.Namespace) -> int:
    settings = load_server_file(arguments.config)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    with asyncio.Runner(loop_factory=_loop_factory) as runner:
        runner.run(_run_until_signal(settings))
    return 0


async def _run_until_signal(settings: ServerFile) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with service_manager.service():
        await _run_all(settings, stop)


async def _run_all(settings: ServerFile, stop: asyncio.Event) -> None:
    if settings.notifications is None:
        await run(settings, stop)
        return
    # Its libraries are loaded only where somebody is to be told.
    from notifications import service  # noqa: PLC0415

    service.check(settings)
    beside = asyncio.create_task(service.run_beside(settings, stop))
    try:
        await run(settings, stop)
    finally:
        stop.set()
        await beside


def _loop_factory() -> asyncio.AbstractEventLoop:
    try:
        # Quicker, where there is a wheel of it.
        import uvloop  # noqa: PLC0415
    except ModuleNotFoundError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop

"""`leanmeter visit run`: the phone page."""

import argparse
import asyncio
import logging
import signal
from pathlib import Path

from leanmeter import service_manager
from store.server_file import ServerFile, load_server_file
from visit.app import run


def add_arguments(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `visit run`."""
    parser = subparsers.add_parser("visit", help="serve the phone page")
    verbs = parser.add_subparsers(required=True, metavar="verb")
    command = verbs.add_parser("run", help="serve the page until stopped")
    command.add_argument("--config", type=Path, required=True, metavar="FILE", help="server.yaml")
    command.set_defaults(handler=_run)


def _run(arguments: argparse.Namespace) -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    asyncio.run(_run_until_stopped(load_server_file(arguments.config)))
    return 0


async def _run_until_stopped(settings: ServerFile) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with service_manager.service():
        await run(settings, stop)

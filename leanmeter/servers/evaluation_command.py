"""`leanmeter evaluation run`: from readings to 15-minute intervals and days."""

import argparse
import asyncio
import logging
import signal
from pathlib import Path

from evaluation.worker import run
from leanmeter import service_manager
from store.server_file import ServerFile, load_server_file


def add_arguments(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `evaluation run`."""
    parser = subparsers.add_parser("evaluation", help="turn readings into 15-minute intervals and days")
    verbs = parser.add_subparsers(required=True, metavar="verb")
    command = verbs.add_parser("run", help="evaluate new readings until stopped")
    command.add_argument("--config", type=Path, required=True, metavar="FILE", help="server.yaml")
    command.add_argument("--once", action="store_true", help="evaluate what is new, then end")
    command.set_defaults(handler=_run)


def _run(arguments: argparse.Namespace) -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    settings = load_server_file(arguments.config)
    asyncio.run(_run_until_stopped(settings, once=arguments.once))
    return 0


async def _run_until_stopped(settings: ServerFile, *, once: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with service_manager.service():
        await run(settings, stop, once=once)

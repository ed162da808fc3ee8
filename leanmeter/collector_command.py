"""`leanmeter collector`: takes what edges publish into the store."""

import argparse
import asyncio
import json
import logging
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

from collector.collector import run
from collector.quarantine import Quarantine, QuarantineEntry
from site_config.errors import ConfigurationError
from store.server_file import ServerFile, load_server_file


def add_arguments(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `collector` to the command line."""
    parser = subparsers.add_parser("collector", help="take what edges publish into the store")
    commands = parser.add_subparsers(required=True, metavar="command")
    start = commands.add_parser("run", help="run until Ctrl-C or SIGTERM")
    start.add_argument("--config", type=Path, required=True, metavar="FILE", help="server.yaml")
    start.set_defaults(handler=_run)
    quarantine = commands.add_parser("quarantine", help="what could not be stored, and why")
    actions = quarantine.add_subparsers(required=True, metavar="action")
    listing = actions.add_parser("list", help="the newest entries")
    listing.add_argument("--config", type=Path, required=True, metavar="FILE", help="server.yaml")
    listing.add_argument("--limit", type=int, default=100, help="at most so many (default 100)")
    listing.add_argument("--json", action="store_true", help="for machines")
    listing.set_defaults(handler=_list_quarantine)


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
    await run(settings, stop)


def _loop_factory() -> asyncio.AbstractEventLoop:
    try:
        # Quicker, where there is a wheel of it.
        import uvloop  # noqa: PLC0415
    except ModuleNotFoundError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


def _list_quarantine(arguments: argparse.Namespace) -> int:
    settings = load_server_file(arguments.config)
    if not settings.entities.exists():
        raise ConfigurationError(f"{arguments.config}: entities: {settings.entities} does not exist yet")
    entries = asyncio.run(_entries(settings.entities, arguments.limit))
    if arguments.json:
        sys.stdout.write(json.dumps([_as_json(entry) for entry in entries], indent=2) + "\n")
        return 0
    for entry in entries:
        what = f"{entry.bytes} bytes" if entry.device is None else f"{entry.device} {_when(entry.time_ms)}"
        times = f" ({entry.seen} times)" if entry.seen > 1 else ""
        sys.stdout.write(
            f"{entry.number}  {_when(entry.at_ms)}  {entry.topic}  {entry.batch_id}  {what}: {entry.reason}{times}\n"
        )
    return 0


async def _entries(path: Path, limit: int) -> tuple[QuarantineEntry, ...]:
    quarantine = Quarantine(path)
    try:
        return await quarantine.entries(limit)
    finally:
        await quarantine.close()


def _as_json(entry: QuarantineEntry) -> dict[str, object]:
    return {
        "number": entry.number,
        "at": _when(entry.at_ms),
        "topic": entry.topic,
        "batch_id": entry.batch_id,
        "device": entry.device,
        "time": None if entry.time_ms is None else _when(entry.time_ms),
        "reason": entry.reason,
        "bytes": entry.bytes,
        "seen": entry.seen,
    }


def _when(time_ms: int | None) -> str:
    if time_ms is None:
        return ""
    try:
        return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds")
    except (ValueError, OverflowError, OSError):
        return f"{time_ms} ms"

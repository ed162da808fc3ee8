"""`leanmeter collector quarantine`: what could not be stored, why, and another try."""

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from collector.collector import open_parts
from collector.quarantine import Quarantine, QuarantineEntry
from collector.quarantine_retry import retry
from site_config.errors import ConfigurationError
from store.protocol import StoreConfigurationError, StoreUnavailableError
from store.server_file import ServerFile, load_server_file
from wire_format.codec import decode_batch
from wire_format.errors import WireFormatError

_SHOWN_BYTES = 512
_SHOWN_ROWS = 20


def add_quarantine(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `quarantine` to the commands of `leanmeter collector`."""
    quarantine = commands.add_parser("quarantine", help="what could not be stored, and why")
    actions = quarantine.add_subparsers(required=True, metavar="action")
    listing = actions.add_parser("list", help="the newest entries")
    listing.add_argument("--limit", type=int, default=100, help="at most so many (default 100)")
    listing.add_argument("--json", action="store_true", help="for machines")
    listing.set_defaults(handler=_list)
    show = actions.add_parser("show", help="one entry with what it holds")
    show.add_argument("number", type=int, help="from the list")
    show.add_argument("--output", type=Path, metavar="FILE", help="write what it holds, as it came, to a file")
    show.set_defaults(handler=_show)
    again = actions.add_parser("retry", help="store entries after their cause was mended")
    again.add_argument("number", type=int, nargs="*", help="from the list")
    again.add_argument("--all", action="store_true", help="every entry")
    again.set_defaults(handler=_retry)
    for action in (listing, show, again):
        action.add_argument("--config", type=Path, required=True, metavar="FILE", help="server.yaml")


def _list(arguments: argparse.Namespace) -> int:
    entries = asyncio.run(_entries(_settings(arguments), arguments.limit))
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


def _show(arguments: argparse.Namespace) -> int:
    entry, payload = asyncio.run(_entry(_settings(arguments), arguments.number))
    if arguments.output is not None:
        try:
            arguments.output.write_bytes(payload)
        except OSError as problem:
            raise ConfigurationError(f"{arguments.output}: cannot be written: {problem.strerror}") from None
    for name, value in _as_json(entry).items():
        sys.stdout.write(f"{name}: {value}\n")
    sys.stdout.write("\n".join(_content(entry, payload)) + "\n")
    return 0


def _retry(arguments: argparse.Namespace) -> int:
    if bool(arguments.number) == arguments.all:
        raise ConfigurationError("quarantine retry: give numbers from the list, or --all")
    try:
        return asyncio.run(_retry_all(_settings(arguments), arguments.number))
    except StoreUnavailableError as problem:
        raise StoreConfigurationError(f"the store cannot be reached, nothing is changed: {problem}") from problem


async def _retry_all(settings: ServerFile, numbers: Sequence[int]) -> int:
    kept = 0
    async with open_parts(settings) as parts:
        every = [entry.number for entry in reversed(await parts.quarantine.entries(limit=-1))]
        for number in numbers or every:
            outcome = await retry(number, parts.quarantine, parts.ingest)
            if outcome is None:
                raise ConfigurationError(f"quarantine: there is no entry {number}; 'quarantine list' names them")
            kept += bool(outcome.reason)
            text = f"{'stored' if outcome.stored else 'still not stored'} {outcome.reason}".rstrip()
            sys.stdout.write(f"{number}: {text}\n")
    return 1 if kept else 0


def _settings(arguments: argparse.Namespace) -> ServerFile:
    settings = load_server_file(arguments.config)
    if not settings.entities.exists():
        raise ConfigurationError(f"{arguments.config}: entities: {settings.entities} does not exist yet")
    return settings


@asynccontextmanager
async def _opened(settings: ServerFile) -> AsyncIterator[Quarantine]:
    quarantine = Quarantine(settings.entities)
    try:
        yield quarantine
    finally:
        await quarantine.close()


async def _entries(settings: ServerFile, limit: int) -> tuple[QuarantineEntry, ...]:
    async with _opened(settings) as quarantine:
        return await quarantine.entries(limit)


async def _entry(settings: ServerFile, number: int) -> tuple[QuarantineEntry, bytes]:
    async with _opened(settings) as quarantine:
        entry, payload = await quarantine.entry(number), await quarantine.payload(number)
    if entry is None or payload is None:
        raise ConfigurationError(f"quarantine: there is no entry {number}; 'quarantine list' names them")
    return entry, payload


def _content(entry: QuarantineEntry, payload: bytes) -> list[str]:
    if entry.device is not None:
        return [payload.decode(errors="replace")]
    try:
        batch = decode_batch(payload)
    except WireFormatError:
        return [payload[start : start + 16].hex(" ") for start in range(0, min(len(payload), _SHOWN_BYTES), 16)]
    lines = [f"a batch of {batch.value_count()} values:"]
    for rows in batch.devices[:_SHOWN_ROWS]:
        names = ", ".join(column.quantity for column in rows.columns)
        lines.append(f"{rows.device}: {len(rows.times_ms)} rows from {_when(rows.times_ms[0])}: {names}")
    return lines


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

"""`leanmeter notifications`: tell people what is wrong, and how their week was."""

import argparse
import asyncio
import logging
import sys
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path

from languages.texts import LanguageError, languages, texts
from leanmeter.signals import stop_on_signals
from notifications.channels.errors import ChannelError
from notifications.content import Content, Destination, Message
from notifications.courier import Channel
from notifications.ledger import Ledger, MessageEntry
from notifications.service import open_channels, run, section_of
from notifications.site_reader import SiteReader
from notifications.trial import trial_message
from notifications.watch import open_alarm_titles
from notifications.week_message import week_message
from site_config.errors import ConfigurationError
from site_config.notification_settings import NotificationsSection
from store.edge_ledger import EdgeLedger
from store.entities import SiteEntry
from store.factory import open_entities, open_readings
from store.server_file import ServerFile, load_server_file


def add_arguments(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `notifications` to the command line."""
    parser = subparsers.add_parser("notifications", help="tell people what is wrong, and how their week was")
    commands = parser.add_subparsers(required=True, metavar="command")
    start = commands.add_parser("run", help="watch and send until stopped; `collector run` does it too")
    start.set_defaults(handler=_run)
    test = commands.add_parser("test", help="send a test message to every recipient by every channel")
    test.add_argument("--recipient", metavar="ID", action="append", help="only to this one; may be given several times")
    test.set_defaults(handler=_test)
    preview = commands.add_parser("preview", help="write last week's picture and sentences to files")
    preview.add_argument("--site", help="which one, where there are several")
    preview.add_argument("--language", default="en", help=f"one of {', '.join(languages())} (default en)")
    preview.add_argument("--output", type=Path, default=Path(), metavar="DIR", help="default: the current directory")
    preview.set_defaults(handler=_preview)
    listing = commands.add_parser("list", help="the newest messages and what became of them")
    listing.add_argument("--limit", type=int, default=50, help="at most so many (default 50)")
    listing.set_defaults(handler=_list)
    for command in (start, test, preview, listing):
        command.add_argument("--config", type=Path, required=True, metavar="FILE", help="server.yaml")


def _run(arguments: argparse.Namespace) -> int:
    settings = load_server_file(arguments.config)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")

    async def until_stopped() -> None:
        await run(settings, stop_on_signals())

    asyncio.run(until_stopped())
    return 0


def _test(arguments: argparse.Namespace) -> int:
    settings = load_server_file(arguments.config)
    section = section_of(settings)
    recipients = {recipient.id: recipient for recipient in section.recipients}
    if not recipients:
        raise ConfigurationError(f"{arguments.config}: notifications.recipients: name somebody who is to be told")
    for name in arguments.recipient or ():
        if name not in recipients:
            raise ConfigurationError(f"--recipient {name}: there are {', '.join(recipients)}")
    chosen = {name: recipients[name] for name in arguments.recipient or recipients}
    contents = {name: trial_message(texts(one.language), one.sites) for name, one in chosen.items()}
    channels = {to: channel for to, channel in open_channels(section).items() if to.recipient in chosen}
    for line in asyncio.run(_unknown_sites(settings, section)):
        sys.stdout.write(f"note: {line}\n")
    outcomes = asyncio.run(_send_all(channels, contents))
    for destination, problem in outcomes.items():
        told = "sent" if problem is None else f"not sent: {problem}"
        sys.stdout.write(f"{destination.recipient} by {destination.channel}: {told}\n")
    return 1 if any(outcomes.values()) else 0


async def _unknown_sites(settings: ServerFile, section: NotificationsSection) -> list[str]:
    """What is known only once a collector has imported its sites."""
    if not settings.entities.exists():
        return []
    entities = open_entities(settings.entities)
    try:
        known = [entry.site for entry in await entities.sites()]
    finally:
        await entities.close()
    return section.unknown_sites(known) if known else []


async def _send_all(
    channels: dict[Destination, Channel], contents: dict[str, Content]
) -> dict[Destination, str | None]:
    async def attempt(destination: Destination, channel: Channel) -> str | None:
        now_ms = time.time_ns() // 1_000_000
        content = contents[destination.recipient]
        message = Message(str(uuid.uuid4()), destination.recipient, destination.channel, "", now_ms, content)
        try:
            await channel.send(message)
        except ChannelError as problem:
            return str(problem)
        return None

    problems = await asyncio.gather(*(attempt(*entry) for entry in channels.items()))
    return dict(zip(channels, problems, strict=True))


def _preview(arguments: argparse.Namespace) -> int:
    settings = load_server_file(arguments.config)
    if not settings.entities.exists():
        raise ConfigurationError(f"{arguments.config}: entities: {settings.entities} does not exist yet")
    try:
        texts(arguments.language)
    except LanguageError as problem:
        raise ConfigurationError(f"--language: {problem}") from None
    content = asyncio.run(_last_week(settings, arguments.site, arguments.language))
    folder: Path = arguments.output
    files = {
        "week.png": content.picture or b"",
        "week.txt": content.text.encode(),
        "week.html": content.html.replace("cid:picture", "week.png").encode(),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            (folder / name).write_bytes(data)
            sys.stdout.write(f"{folder / name}\n")
    except OSError as problem:
        raise ConfigurationError(f"--output {folder}: {problem.strerror}") from problem
    return 0


async def _last_week(settings: ServerFile, site: str | None, language: str) -> Content:
    readings, entities = open_readings(settings.store), open_entities(settings.entities)
    edges, ledger = EdgeLedger(settings.entities), Ledger(settings.entities)
    try:
        entry = _chosen(await entities.sites(), site)
        reader = SiteReader(readings, entities, edges)
        names = await reader.names(entry)
        week = await reader.last_week(entry, time.time_ns() // 1_000_000)
        alarms = open_alarm_titles(texts(language), names, await ledger.alarms(entry.site))
        return week_message(texts(language), names, week, alarms)
    finally:
        for opened in (ledger, edges, entities, readings):
            await opened.close()


def _chosen(entries: tuple[SiteEntry, ...], site: str | None) -> SiteEntry:
    named = {entry.site: entry for entry in entries}
    if site is None and len(entries) == 1:
        return entries[0]
    if site not in named:
        raise ConfigurationError(f"--site: name one of {', '.join(named) or 'none: the collector imports them'}")
    return named[site]


def _list(arguments: argparse.Namespace) -> int:
    settings = load_server_file(arguments.config)
    if not settings.entities.exists():
        raise ConfigurationError(f"{arguments.config}: entities: {settings.entities} does not exist yet")

    async def newest() -> tuple[MessageEntry, ...]:
        ledger = Ledger(settings.entities)
        try:
            return await ledger.messages(arguments.limit)
        finally:
            await ledger.close()

    entries = asyncio.run(newest())
    if not entries:
        sys.stdout.write("no message yet; `leanmeter notifications test` sends one to everybody\n")
    for entry in entries:
        created = datetime.fromtimestamp(entry.created_ms / 1000, UTC).isoformat(timespec="seconds")
        attempts = f" ({entry.attempts} attempts)" if entry.attempts > 1 else ""
        why = f": {entry.problem}" if entry.problem and entry.state != "sent" else ""
        sys.stdout.write(
            f"{created}  {entry.destination.recipient} by {entry.destination.channel}  {entry.state}{attempts}{why}  "
            f"{entry.subject}\n"
        )
    return 0

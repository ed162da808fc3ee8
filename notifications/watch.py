"""Looks at every site, keeps what is wrong, and writes the messages that are due."""

import asyncio
import logging
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from languages.texts import Texts, texts
from notifications.alarm import Alarm, AlarmKey, Notice, Stage
from notifications.alarm_book import decide
from notifications.alarm_message import alarm_message
from notifications.alarm_texts import AlarmWriter
from notifications.content import Content, Destination
from notifications.day_spans import end_of_span_around, local_day, moment_ms
from notifications.ledger import Addressed, Ledger
from notifications.site_names import SiteNames
from notifications.site_reader import SiteReader
from notifications.week import DAYS
from notifications.week_message import week_message
from site_config.notification_settings import AlarmKind, NotificationsSection, RecipientSettings, WeeklySettings
from store.entities import Entities, SiteEntry
from store.protocol import StoreError

logger = logging.getLogger(__name__)

_UTC = ZoneInfo("UTC")
_CHECKS_TO_BE_KNOWN = 2

# The weightiest first: what the week's third sentence points to.
_WEIGHT = (
    AlarmKind.NO_DATA,
    AlarmKind.NIGHT_FLOW,
    AlarmKind.OVER_EXPECTED,
    AlarmKind.OVER_PEAK,
    AlarmKind.DEVICE_SILENT,
    AlarmKind.OUTBOX_FILLING,
    AlarmKind.RECONCILIATION,
    AlarmKind.QUARANTINE,
)


def destinations_of(recipient: RecipientSettings) -> tuple[Destination, ...]:
    """The ways to reach a recipient."""
    ways = {"email": recipient.email, "telegram": recipient.telegram, "webhook": recipient.webhook}
    return tuple(Destination(recipient.id, way) for way, address in ways.items() if address is not None)


class Watch:
    """Checks all sites. It may be killed at any moment and started again.

    Args:
        section: who is told what.
        entities: the sites there are.
        reader: what is stored of them.
        ledger: what is wrong, and what was said of it.
    """

    def __init__(self, section: NotificationsSection, entities: Entities, reader: SiteReader, ledger: Ledger) -> None:
        self._section = section
        self._entities = entities
        self._reader = reader
        self._ledger = ledger
        self._troubled: set[str] = set()
        self._unknown: Counter[str] = Counter()

    async def check(self, now_ms: int) -> None:
        """Judge every site once and write what is due. A site that cannot be read is left for the next time."""
        entries = {entry.site: entry for entry in await self._entities.sites()}
        for site, entry in entries.items():
            try:
                await self._judge(entry, now_ms)
                await self._write_week(entry, now_ms)
            except StoreError as problem:
                if site not in self._troubled:
                    logger.warning("site %s cannot be judged now, trying again: %s", site, problem)
                self._troubled.add(site)
            else:
                self._troubled.discard(site)
        for site in set(await self._ledger.sites_with_alarms()) - entries.keys():
            await self._ledger.keep(site, decide(await self._ledger.alarms(site), (), now_ms, 0), ())
        for recipient in self._section.recipients:
            for destination in destinations_of(recipient):
                await self._write_alarms(recipient, destination, entries, now_ms)
        if entries:
            self._warn_of_unknown(entries.keys())

    def _warn_of_unknown(self, known: Collection[str]) -> None:
        for line in self._section.unknown_sites(known):
            self._unknown[line] += 1
            # At the first check a collector that has just been started may not have imported all its sites yet.
            if self._unknown[line] == _CHECKS_TO_BE_KNOWN:
                logger.warning(line)

    async def _judge(self, entry: SiteEntry, now_ms: int) -> None:
        limits = self._section.alarms_of(entry.site)
        verdicts = await self._reader.verdicts(entry, limits, now_ms)
        decision = decide(await self._ledger.alarms(entry.site), verdicts, now_ms, round(limits.settle_s * 1000))
        if decision.changed or decision.over or decision.notices:
            addressed = list(self._address(entry, decision.notices, now_ms))
            given_up = await self._ledger.keep(entry.site, decision, addressed)
            for notice in decision.notices:
                logger.info("site %s: %s %s %s", entry.site, notice.kind, notice.subject, notice.stage)
            if given_up:
                logger.error("too many alarms wait to be told: the %d oldest are given up", given_up)

    def _address(self, entry: SiteEntry, notices: Iterable[Notice], now_ms: int) -> Iterable[Addressed]:
        # What is well again in the same few minutes is one message.
        gather_ms = round(self._section.alarms_of(entry.site).settle_s * 1000)
        for notice in notices:
            for recipient in self._recipients(entry.site):
                if notice.kind in recipient.alarms:
                    due_ms = _due_ms(recipient, notice, entry, now_ms, gather_ms)
                    for destination in destinations_of(recipient):
                        yield Addressed(destination, notice, due_ms)

    async def _write_alarms(
        self, recipient: RecipientSettings, destination: Destination, entries: Mapping[str, SiteEntry], now_ms: int
    ) -> None:
        by_site: dict[str, list[tuple[int, Notice]]] = {}
        for waiting in await self._ledger.waiting(destination, now_ms):
            by_site.setdefault(waiting.site, []).append((waiting.number, waiting.notice))
        for site, numbered in by_site.items():
            entry = entries.get(site)
            names = SiteNames(site, site, _UTC) if entry is None else await self._reader.names(entry)
            content = alarm_message(texts(recipient.language), names, [notice for _, notice in numbered])
            await self._ledger.put(destination, site, content, now_ms, notices=[number for number, _ in numbered])

    async def _write_week(self, entry: SiteEntry, now_ms: int) -> None:
        first, due_ms = last_week_due(self._section.weekly, entry, now_ms)
        contents: dict[str, Content] = {}
        for recipient in self._recipients(entry.site):
            if not recipient.weekly:
                continue
            since_ms = await self._ledger.weekly_since(entry.site, recipient.id, now_ms)
            if now_ms < due_ms or due_ms < since_ms or _quiet_until_ms(recipient, entry, now_ms) is not None:
                continue
            keys = {
                destination: f"week.{entry.site}.{first.isoformat()}.{recipient.id}.{destination.channel}"
                for destination in destinations_of(recipient)
            }
            missing = [destination for destination, key in keys.items() if not await self._ledger.knows(key)]
            if not missing:
                continue
            if recipient.language not in contents:
                contents[recipient.language] = await self._week_content(entry, texts(recipient.language), now_ms)
            content = contents[recipient.language]
            for destination in missing:
                await self._ledger.put(destination, entry.site, content, now_ms, key=keys[destination])

    async def _week_content(self, entry: SiteEntry, language: Texts, now_ms: int) -> Content:
        names = await self._reader.names(entry)
        week = await self._reader.last_week(entry, now_ms)
        titles = open_alarm_titles(language, names, await self._ledger.alarms(entry.site))
        # Drawing takes a second on a Pi, and the collector's event loop has other things to do.
        return await asyncio.to_thread(week_message, language, names, week, titles)

    def _recipients(self, site: str) -> Iterable[RecipientSettings]:
        return (one for one in self._section.recipients if not one.sites or site in one.sites)


def last_week_due(weekly: WeeklySettings, entry: SiteEntry, now_ms: int) -> tuple[date, int]:
    """The Monday of the last week that is over, and when it is to be told of."""
    today = local_day(now_ms, entry.time_zone)
    monday = today - timedelta(days=today.weekday())
    due = monday + timedelta(days=weekly.day - 1)
    return monday - timedelta(days=DAYS), moment_ms(due, weekly.at, entry.time_zone)


def open_alarm_titles(language: Texts, names: SiteNames, alarms: Mapping[AlarmKey, Alarm]) -> list[str]:
    """What is wrong at a site now, the weightiest first."""
    writer = AlarmWriter(language, names)
    ordered = sorted(alarms.values(), key=lambda alarm: (_WEIGHT.index(alarm.kind), alarm.subject))
    return [
        writer.write(Notice(alarm.kind, alarm.subject, Stage.BEGAN, alarm.began_ms, None, alarm.facts)).title
        for alarm in ordered
    ]


def _due_ms(recipient: RecipientSettings, notice: Notice, entry: SiteEntry, now_ms: int, gather_ms: int) -> int:
    """At once, or when quiet hours are over; only the beginning of what is urgent passes them."""
    if notice.stage is Stage.BEGAN and notice.kind in recipient.through_quiet_hours:
        return now_ms
    due_ms = now_ms
    if notice.stage is Stage.ENDED and gather_ms > 0:
        due_ms += gather_ms - now_ms % gather_ms
    return _quiet_until_ms(recipient, entry, due_ms) or due_ms


def _quiet_until_ms(recipient: RecipientSettings, entry: SiteEntry, now_ms: int) -> int | None:
    if recipient.quiet_hours is None:
        return None
    return end_of_span_around(recipient.quiet_hours, entry.time_zone, now_ms)

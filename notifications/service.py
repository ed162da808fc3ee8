"""Composition root: stores, ledger, watch and courier, under a lease so that only one process sends."""

import asyncio
import contextlib
import logging
import time
from contextlib import AsyncExitStack

from languages.texts import LanguageError, texts
from notifications.channels.email import EmailChannel
from notifications.channels.telegram import TelegramChannel
from notifications.channels.webhook import WebhookChannel
from notifications.content import Destination
from notifications.courier import Channel, Courier
from notifications.ledger import LEASE, Ledger
from notifications.site_reader import SiteReader
from notifications.watch import Watch, destinations_of
from site_config.errors import ConfigurationError
from site_config.notification_settings import NotificationsSection
from store.edge_ledger import EdgeLedger
from store.factory import open_entities, open_readings
from store.held_lease import RENEW_AFTER_S, HeldLease, LeaseLostError
from store.protocol import StoreError, StoreUnavailableError
from store.server_file import ServerFile
from store.server_health import HEALTH_INTERVAL_S, ServerHealth

logger = logging.getLogger(__name__)

DEVICE = "notifications"
_TURN_S = 0.5
_FORGET_S = 3600.0
_END_S = 5.0


def section_of(settings: ServerFile) -> NotificationsSection:
    """The section; raises ConfigurationError when there is none, or a language of it is not known."""
    section = settings.notifications
    if section is None:
        raise ConfigurationError("notifications: is missing; say there who is to be told (docs/notifications.md)")
    for index, recipient in enumerate(section.recipients):
        try:
            texts(recipient.language)
        except LanguageError as problem:
            raise ConfigurationError(f"notifications.recipients[{index}].language: {problem}") from None
    return section


def open_channels(section: NotificationsSection) -> dict[Destination, Channel]:
    """A channel for each way to each recipient; raises ConfigurationError when a secret cannot be read."""
    channels: dict[Destination, Channel] = {}
    for recipient in section.recipients:
        for destination in destinations_of(recipient):
            if recipient.email is not None and section.smtp is not None and destination.channel == "email":
                channels[destination] = EmailChannel(section.smtp, recipient.email)
            elif recipient.telegram is not None and section.telegram is not None and destination.channel == "telegram":
                channels[destination] = TelegramChannel(section.telegram, recipient.telegram)
            elif recipient.webhook is not None and destination.channel == "webhook":
                channels[destination] = WebhookChannel(recipient.webhook, recipient.id)
    return channels


async def run(settings: ServerFile, stop: asyncio.Event) -> None:
    """Watch and send until `stop` is set; may be killed at any moment.

    Of several processes on one entities' file one works, and the others wait for it to end. Raises ConfigurationError
    or StoreConfigurationError when something cannot be used as configured.
    """
    section = section_of(settings)
    channels = open_channels(section)
    async with AsyncExitStack() as at_the_end:
        readings = open_readings(settings.store)
        at_the_end.push_async_callback(readings.close)
        entities = open_entities(settings.entities)
        at_the_end.push_async_callback(entities.close)
        edges = EdgeLedger(settings.entities)
        at_the_end.push_async_callback(edges.close)
        lease = HeldLease(entities, LEASE)
        ledger = Ledger(settings.entities, lease.owner)
        at_the_end.push_async_callback(ledger.close)
        health = ServerHealth(readings, section.metrics_port, "notifications.metrics_port")
        at_the_end.callback(health.close)
        courier = Courier(ledger, channels, lease.hold, _now_ms)
        service = _Service(section, Watch(section, entities, SiteReader(readings, entities, edges), ledger), courier,
                           ledger, lease, health)  # fmt: skip
        try:
            await service.run(stop)
        finally:
            await courier.end(_END_S)
            with contextlib.suppress(StoreUnavailableError):
                await lease.release()


def check(settings: ServerFile) -> None:
    """Raise ConfigurationError as `run` does, before anything is started."""
    open_channels(section_of(settings))


async def run_beside(settings: ServerFile, stop: asyncio.Event) -> None:
    """`run` beside something that must go on whatever happens here."""
    try:
        await run(settings, stop)
    except Exception:
        # The task's edge: readings are worth more than messages about them.
        logger.exception("notifications have ended, nobody is told anything any more; restart when this is mended")


class _Service:
    def __init__(
        self,
        section: NotificationsSection,
        watch: Watch,
        courier: Courier,
        ledger: Ledger,
        lease: HeldLease,
        health: ServerHealth,
    ) -> None:
        self._section = section
        self._watch = watch
        self._courier = courier
        self._ledger = ledger
        self._lease = lease
        self._health = health
        self._due_s = {"check": 0.0, "forget": 0.0, "health": 0.0}
        self._waiting = False

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            pause_s = _TURN_S
            try:
                if await self._lease.acquire():
                    self._waiting = False
                    await self._turn()
                else:
                    await self._wait_for_lease()
                    pause_s = RENEW_AFTER_S
            except (LeaseLostError, StoreUnavailableError) as problem:
                await self._courier.cancel()
                logger.warning("notifications wait, trying again: %s", problem)
                pause_s = RENEW_AFTER_S
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause_s)

    async def _wait_for_lease(self) -> None:
        await self._courier.cancel()
        if not self._waiting:
            logger.warning("another process sends notifications; waiting for it to end")
        self._waiting = True

    async def _turn(self) -> None:
        if self._is_due("forget", _FORGET_S):
            gone = await self._ledger.give_up_others(self._configured(), _now_ms())
            if gone:
                logger.warning("%d messages are given up: their recipients are no longer configured", gone)
            await self._ledger.forget(_now_ms())
        if self._is_due("check", self._section.check_interval_s):
            await self._watch.check(_now_ms())
        await self._courier.start_due()
        if self._is_due("health", HEALTH_INTERVAL_S):
            await self._publish()

    async def _publish(self) -> None:
        waiting, oldest_ms = await self._ledger.backlog()
        now_ms = _now_ms()
        counts = self._courier.counts
        numbers = {
            "messages_waiting": float(waiting),
            "oldest_message_age_s": 0.0 if oldest_ms is None else (now_ms - oldest_ms) / 1000,
            "destinations_failing": float(len(self._courier.failing)),
            "messages_sent_total": float(counts.sent),
            "send_failures_total": float(counts.failures),
            "messages_given_up_total": float(counts.given_up),
        }
        try:
            await self._health.publish({DEVICE: numbers}, now_ms)
        except StoreError as problem:
            logger.debug("health is not stored: %s", problem)

    def _configured(self) -> list[Destination]:
        return [one for recipient in self._section.recipients for one in destinations_of(recipient)]

    def _is_due(self, what: str, every_s: float) -> bool:
        now_s = time.monotonic()
        if now_s < self._due_s[what]:
            return False
        self._due_s[what] = now_s + every_s
        return True


def _now_ms() -> int:
    return time.time_ns() // 1_000_000

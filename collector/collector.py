"""Wires the collector: stores, quarantine, ingest, subscriber."""

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Any

from collector.housekeeping import keep_retention, mark_recomputations
from collector.ingest import Ingest
from collector.quarantine import Quarantine
from collector.subscriber import Subscriber
from site_config.errors import SiteFileError
from site_config.schema import load_site
from store.factory import open_entities, open_readings
from store.protocol import StoreUnavailableError
from store.server_file import ServerFile

logger = logging.getLogger(__name__)

AUTHOR = "collector"


async def run(settings: ServerFile, stop: asyncio.Event) -> None:
    """Run until `stop` is set.

    Raises ConfigurationError or StoreConfigurationError when a file, the store or the broker's settings cannot be
    used. A store or broker that is merely out of reach is waited for.
    """
    sites = [load_site(path) for path in settings.collector.sites]
    async with AsyncExitStack() as at_the_end:
        readings = open_readings(settings.store)
        at_the_end.push_async_callback(readings.close)
        entities = open_entities(settings.entities)
        at_the_end.push_async_callback(entities.close)
        quarantine = Quarantine(settings.entities)
        at_the_end.push_async_callback(quarantine.close)
        for path, site in zip(settings.collector.sites, sites, strict=True):
            try:
                imported = await entities.import_site(site, AUTHOR)
            except SiteFileError as problem:
                raise SiteFileError(f"{path}: {problem}") from problem
            logger.info("site %s: %d changes imported", site.site, imported.changes)
        try:
            await readings.check()
        except StoreUnavailableError as problem:
            logger.warning("batches wait until the store can be reached: %s", problem)
        subscriber = Subscriber(settings.collector.mqtt, Ingest(readings, entities, quarantine))
        work = [subscriber.run(), mark_recomputations(entities, readings)]
        days = settings.retention_days()
        if days is not None:
            work.append(keep_retention(readings, days))
        await _run_until(stop, work)


async def _run_until(stop: asyncio.Event, work: list[Coroutine[Any, Any, None]]) -> None:
    """Run all at once until `stop` is set; what one of them raises ends the others and is raised."""
    tasks = [asyncio.create_task(part) for part in work]
    stopped = asyncio.create_task(stop.wait())
    pending: set[asyncio.Task[Any]] = {*tasks, stopped}
    try:
        while not stopped.done():
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
    finally:
        for task in (*tasks, stopped):
            task.cancel()
        await asyncio.gather(*tasks, stopped, return_exceptions=True)

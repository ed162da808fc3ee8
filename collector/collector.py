"""Wires the collector: stores, quarantine, ingest, subscriber."""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collector.counts import Counts
from collector.health import CollectorHealth
from collector.housekeeping import keep_retention, mark_recomputations
from collector.ingest import Ingest
from collector.quarantine import Quarantine
from collector.reconciliation import Reconciler
from collector.series_limits import SeriesLimits
from collector.subscriber import Subscriber
from site_config.errors import SiteFileError
from site_config.schema import Site, load_site
from store.edge_ledger import EdgeLedger
from store.entities import Entities
from store.factory import open_entities, open_readings
from store.protocol import OperatedReadingStore, StoreUnavailableError
from store.server_file import ServerFile
from store.server_health import ServerHealth

logger = logging.getLogger(__name__)

AUTHOR = "collector"


@dataclass(frozen=True, slots=True)
class Parts:
    """What takes batches into the store."""

    readings: OperatedReadingStore
    entities: Entities
    quarantine: Quarantine
    ledger: EdgeLedger
    counts: Counts
    ingest: Ingest


@asynccontextmanager
async def open_parts(settings: ServerFile) -> AsyncIterator[Parts]:
    """Open the stores for the length of a block; raises as `run` does."""
    async with AsyncExitStack() as at_the_end:
        readings = open_readings(settings.store)
        at_the_end.push_async_callback(readings.close)
        entities = open_entities(settings.entities)
        at_the_end.push_async_callback(entities.close)
        quarantine = Quarantine(settings.entities)
        at_the_end.push_async_callback(quarantine.close)
        ledger = EdgeLedger(settings.entities)
        at_the_end.push_async_callback(ledger.close)
        counts = Counts()
        limits = SeriesLimits(settings.collector.limits, ledger, await ledger.series())
        ingest = Ingest(readings, entities, quarantine, ledger, limits, counts)
        yield Parts(readings, entities, quarantine, ledger, counts, ingest)


async def run(settings: ServerFile, stop: asyncio.Event) -> None:
    """Run until `stop` is set.

    Raises ConfigurationError or StoreConfigurationError when a file, the store or the broker's settings cannot be
    used. A store or broker that is merely out of reach is waited for.
    """
    sites = _load_sites(settings.collector.sites)
    async with open_parts(settings) as parts:
        for path, site in zip(settings.collector.sites, sites, strict=True):
            try:
                imported = await parts.entities.import_site(site, AUTHOR)
            except SiteFileError as problem:
                raise SiteFileError(f"{path}: {problem}") from problem
            logger.info("site %s: %d changes imported", site.site, imported.changes)
        try:
            await parts.readings.check()
        except StoreUnavailableError as problem:
            logger.warning("batches wait until the store can be reached: %s", problem)
        subscriber = Subscriber(settings.collector.mqtt, parts.ingest, settings.collector.limits, parts.counts)
        own = settings.collector
        server = ServerHealth(parts.readings, own.metrics_port, "collector.metrics_port")
        health = CollectorHealth(own.name, parts.counts, parts.ledger, parts.quarantine, server)
        days = settings.retention_days()
        reconciler = Reconciler(parts.ledger, parts.readings, days)
        work = [
            subscriber.run(),
            mark_recomputations(parts.entities, parts.readings),
            health.run(),
            reconciler.run(),
        ]
        if days is not None:
            work.append(keep_retention(parts.readings, days))
        try:
            await _run_until(stop, work)
            await health.note_last_batches()
        finally:
            server.close()


def _load_sites(paths: Sequence[Path]) -> list[Site]:
    """Each from its file; a second file of a site would retire what the first declares."""
    found: dict[str, Path] = {}
    sites = []
    for path in paths:
        site = load_site(path)
        if site.site in found:
            raise SiteFileError(
                f"collector.sites: {found[site.site]} and {path} both declare site {site.site!r}; a site has one file"
            )
        found[site.site] = path
        sites.append(site)
    return sites


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

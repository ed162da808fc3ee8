"""Composition root of the evaluation: takes dirty marks, has their sites evaluated, and clears the marks."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Mapping, Sequence

from evaluation.evaluator import Evaluator
from evaluation.health import Counts, EvaluationHealth
from evaluation.judging.freezing import Freezer
from evaluation.lease import EvaluationLease, LeaseLostError
from evaluation.rederiving import Rederiving
from evaluation.site_model import SiteModel, load_model
from store.dirty_marks import DirtyMark
from store.entities import Entities, SiteEntry
from store.factory import open_entities, open_readings
from store.protocol import IntervalRow, ReadingStore, StoreUnavailableError
from store.server_file import ServerFile
from store.server_health import HEALTH_INTERVAL_S, ServerHealth

logger = logging.getLogger(__name__)

# A share of what waits: the intervals of now come first, and are not held up by a long backlog.
MARKS_AT_ONCE = 1000
MARKS_WITHOUT_NOW = 20_000
"""Where nothing is live that could be held up."""
DAYS_AT_ONCE = 16


async def run(settings: ServerFile, stop: asyncio.Event, *, once: bool = False) -> None:
    """Evaluate until `stop` is set, or with `once` until no mark is left.

    It may be killed at any moment: marks are cleared after their rows are written, and only those that were not set
    again meanwhile. A store that does not answer is tried again. Raises StoreConfigurationError or ConfigurationError
    when the stores cannot be used as configured.
    """
    readings = open_readings(settings.store)
    try:
        entities = open_entities(settings.entities)
        try:
            worker = Worker(readings, entities, gap_limit_ms=round(settings.evaluation.gap_limit_s * 1000))
            health = EvaluationHealth(
                worker.counts,
                entities,
                ServerHealth(readings, None if once else settings.evaluation.metrics_port, "evaluation.metrics_port"),
            )
            try:
                async with health.published(every_s=None if once else HEALTH_INTERVAL_S):
                    await worker.work(settings.evaluation.interval_s, stop, once=once)
            finally:
                with contextlib.suppress(StoreUnavailableError):
                    await worker.release()
        finally:
            await entities.close()
    finally:
        await readings.close()


class Worker:
    """Evaluates what is marked, under the lease.

    Args:
        readings: the store of readings, intervals and days.
        entities: where marks, points and assignments are.
        gap_limit_ms: see `Evaluator`.
    """

    def __init__(self, readings: ReadingStore, entities: Entities, *, gap_limit_ms: int) -> None:
        self._readings = readings
        self._entities = entities
        self._gap_limit_ms = gap_limit_ms
        self._lease = EvaluationLease(entities)
        self._freezer = Freezer(readings, entities)
        self._billed: dict[str, dict[tuple[str, int], IntervalRow]] = {}
        self._waiting = False
        self._marks_at_once = MARKS_AT_ONCE
        self.counts = Counts()

    async def work(self, interval_s: float, stop: asyncio.Event, *, once: bool) -> None:
        """Evaluate every `interval_s` seconds, and at once again while more is marked than was taken."""
        is_failing = False
        self._marks_at_once = MARKS_WITHOUT_NOW if once else MARKS_AT_ONCE
        while not stop.is_set():
            try:
                more = await self.cycle()
            except (StoreUnavailableError, LeaseLostError) as problem:
                if not is_failing:
                    logger.warning("not evaluated, trying again: %s", problem)
                is_failing = True
                self.counts.failures += 1
                more = None
            else:
                if is_failing:
                    logger.warning("evaluated again")
                is_failing = False
            if more is False and once:
                return
            if not more:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), interval_s)

    async def cycle(self) -> bool | None:
        """Evaluate the marks of the latest intervals. Returns whether more wait; None when another process evaluates.

        Raises StoreUnavailableError or LeaseLostError; what was not cleared stays marked.
        """
        if not await self._lease.acquire():
            if not self._waiting:
                logger.warning("another process evaluates; waiting for it to end")
            self._waiting = True
            self.counts.evaluating = False
            return None
        self._waiting = False
        began_s = time.monotonic()
        sites = {entry.site: entry for entry in await self._entities.sites()}
        devices = [len(await self._entities.devices(site)) for site in sites]
        limit = self._marks_at_once + 2 * sum(devices)
        marks = await self._entities.dirty(limit)
        by_site: dict[str, list[DirtyMark]] = {}
        for mark in marks:
            by_site.setdefault(mark.site, []).append(mark)
        for site, mine in by_site.items():
            if site in sites:
                await self._evaluate(await load_model(self._entities, sites[site]), mine)
            # Readings of a site that nobody has declared have no points; declaring it marks them again.
            await self._entities.clear(mine)
        more = len(marks) >= limit
        if not more:
            more = await self._derive(sites)
        self.counts.evaluated(time.monotonic() - began_s)
        return more

    async def release(self) -> None:
        """Let another process evaluate."""
        await self._lease.release()

    async def _derive(self, sites: Mapping[str, SiteEntry]) -> bool:
        """Days that a changed plan has made out of date, some at a time, and then baselines whose time has come.

        Returns whether more wait. Marks of new readings come before.
        """
        for waiting in await self._entities.plans.rederivations():
            if waiting.site in sites:
                model = await load_model(self._entities, sites[waiting.site])
                evaluator = self._evaluator(model)
                last_day = await Rederiving(self._readings, evaluator, model, DAYS_AT_ONCE).newest_days(waiting)
                await self._entities.plans.shorten(waiting, last_day)
                return True
            await self._entities.plans.shorten(waiting, None)
        frozen = False
        for entry in sites.values():
            frozen |= await self._freezer.freeze_what_is_due(entry)
        return frozen

    def _evaluator(self, model: SiteModel) -> Evaluator:
        billed = self._billed.setdefault(model.site, {})
        return Evaluator(self._readings, model, self._gap_limit_ms, self._lease.hold, self._entities.plans, billed)

    async def _evaluate(self, model: SiteModel, marks: Sequence[DirtyMark]) -> None:
        dirty: dict[str, set[int]] = {}
        for mark in marks:
            dirty.setdefault(mark.device, set()).add(mark.interval_start_ms)
        written = await self._evaluator(model).evaluate(dirty)
        self.counts.intervals += written
        logger.debug("site %s: %d marks, %d intervals written", model.site, len(marks), written)

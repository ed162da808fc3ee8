"""What the evaluation tells of itself, every few seconds."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from store.entities import Entities
from store.protocol import StoreError
from store.server_health import ServerHealth

logger = logging.getLogger(__name__)

NAME = "evaluation"


@dataclass(slots=True)
class Counts:
    """What one process has done since it started. `evaluating`: it, and not another, has the lease."""

    evaluating: bool = False
    cycles: int = 0
    intervals: int = 0
    failures: int = 0
    last_cycle_s: float = 0.0

    def evaluated(self, duration_s: float) -> None:
        """A cycle is over."""
        self.evaluating = True
        self.cycles += 1
        self.last_cycle_s = duration_s


class EvaluationHealth:
    """Publishes the evaluation's health.

    Args:
        counts: that the worker writes.
        entities: tell how many marks wait.
        health: where to.
    """

    def __init__(self, counts: Counts, entities: Entities, health: ServerHealth) -> None:
        self._counts = counts
        self._entities = entities
        self._health = health

    @contextlib.asynccontextmanager
    async def published(self, every_s: float | None) -> AsyncIterator[None]:
        """Publish every so many seconds for the length of a block; None: not at all."""
        task = asyncio.create_task(self._run(every_s), name="health") if every_s is not None else None
        try:
            yield
        finally:
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            self._health.close()

    async def _run(self, every_s: float) -> None:
        while True:
            try:
                await self._publish()
            except StoreError as problem:
                logger.debug("health is not stored: %s", problem)
            await asyncio.sleep(every_s)

    async def _publish(self) -> None:
        counts = self._counts
        if not counts.evaluating:
            return  # another process evaluates, and its numbers stand under this name
        measured = {
            "marks_waiting": float(await self._entities.dirty_count()),
            "cycles_total": float(counts.cycles),
            "cycle_duration_s": counts.last_cycle_s,
            "intervals_written_total": float(counts.intervals),
            "failures_total": float(counts.failures),
        }
        await self._health.publish({NAME: measured}, time.time_ns() // 1_000_000)

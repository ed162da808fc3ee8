"""What the collector tells of itself and of every edge, every few seconds."""

import asyncio
import logging
import time
from collections.abc import Mapping

from collector.counts import Counts
from collector.quarantine import Quarantine
from store.edge_ledger import EdgeLedger, LastBatch, Reconciliation
from store.protocol import StoreError
from store.server_health import HEALTH_INTERVAL_S, Health, ServerHealth
from wire_format.topics import EdgeAddress

logger = logging.getLogger(__name__)

COMPARED_DAYS = 7
_DAY_MS = 86_400_000


class CollectorHealth:
    """Keeps the ledger up to date and publishes the collector's health.

    Args:
        name: the device under which this collector's own numbers stand.
    """

    def __init__(
        self,
        name: str,
        counts: Counts,
        ledger: EdgeLedger,
        quarantine: Quarantine,
        health: ServerHealth,
    ) -> None:
        self._name = name
        self._counts = counts
        self._ledger = ledger
        self._quarantine = quarantine
        self._health = health

    async def run(self) -> None:
        """Publish every HEALTH_INTERVAL_S until cancelled."""
        while True:
            await self.publish()
            await asyncio.sleep(HEALTH_INTERVAL_S)

    async def publish(self) -> None:
        """Publish once. A store that does not take it is tried next time."""
        await self.note_last_batches()
        now_ms = time.time_ns() // 1_000_000
        try:
            await self._health.publish(await self._measure(now_ms), now_ms)
            self._counts.writes += 1
        except StoreError as problem:
            logger.debug("health is not stored: %s", problem)

    async def note_last_batches(self) -> None:
        """Bring the ledger up to date."""
        noted, self._counts.last = self._counts.last, {}
        try:
            await self._ledger.note_batches(noted)
        except StoreError as problem:
            self._counts.last = noted | self._counts.last
            logger.warning("the edges' last batches are not noted yet: %s", problem)

    async def _measure(self, now_ms: int) -> Health:
        counts = self._counts
        set_aside = await self._quarantine.by_topic()
        own = {
            "broker_connected": float(counts.connected),
            "store_available": float(counts.store_available),
            "batches_waiting": float(counts.waiting),
            "batches_received_total": float(counts.received),
            "batches_stored_total": float(counts.stored_batches),
            "values_stored_total": float(counts.stored_values),
            "batches_left_total": float(counts.left),
            "messages_rejected_total": float(counts.rejected_messages),
            "rows_refused_total": float(counts.refused_rows),
            "quarantine_entries": float(sum(entries for entries, _ in set_aside.values())),
            "quarantine_bytes": float(sum(size for _, size in set_aside.values())),
        }
        compared = await self._ledger.reconciliations(now_ms - (COMPARED_DAYS + 1) * _DAY_MS)
        edges = {
            f"{edge.site}.{edge.edge}": _edge(edge, last, compared, set_aside, now_ms)
            for edge, last in (await self._ledger.last_batches()).items()
        }
        return {self._name: own, **edges}


def _edge(
    edge: EdgeAddress,
    last: LastBatch,
    compared: tuple[Reconciliation, ...],
    set_aside: Mapping[str, tuple[int, int]],
    now_ms: int,
) -> dict[str, float]:
    mine = [one for one in compared if (one.site, one.edge) == (edge.site, edge.edge)]
    return {
        "last_batch_age_s": (now_ms - last.stored_ms) / 1000,
        "newest_reading_age_s": (now_ms - last.reading_ms) / 1000,
        "quarantine_entries": float(set_aside.get(edge.topic("batch"), (0, 0))[0]),
        "days_compared": float(len({one.day_ms for one in mine})),
        "days_with_mismatch": float(len({one.day_ms for one in mine if not one.agrees})),
        "values_missing": float(sum(one.missing for one in mine)),
    }

"""What the collector does beside taking batches: marks after changed assignments, and the retention of raw readings."""

import asyncio
import logging
import time

from collector.backoff import Backoff
from store.dirty_marks import Recomputation
from store.entities import Entities
from store.protocol import ReadingStore, StoreError
from store.schema import EARLIEST_MS, INTERVAL_MS, LATEST_MS

logger = logging.getLogger(__name__)

RETENTION_INTERVAL_S = 3600.0
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
_DAY_MS = 86_400_000


async def mark_recomputations(entities: Entities, readings: ReadingStore) -> None:
    """Mark the intervals that changed assignments have made wrong; tries until the store can tell which these are."""
    backoff = Backoff(FIRST_PAUSE_S, LONGEST_PAUSE_S)
    while True:
        try:
            for recomputation in await entities.recomputations():
                await entities.mark_recomputation(recomputation, await _starts_ms(recomputation, readings))
        except StoreError as problem:
            logger.warning("changed assignments are not marked yet: %s", problem)
            await asyncio.sleep(backoff.pause_s())
        else:
            return


async def keep_retention(readings: ReadingStore, days: int) -> None:
    """Delete raw readings older than so many days, every hour, until cancelled."""
    while True:
        try:
            await readings.delete_readings_before(time.time_ns() // 1_000_000 - days * _DAY_MS)
        except StoreError as problem:
            logger.warning("old readings are not deleted yet: %s", problem)
        await asyncio.sleep(RETENTION_INTERVAL_S)


async def _starts_ms(recomputation: Recomputation, readings: ReadingStore) -> range:
    """Starts of the intervals between the first and the last reading in the range."""
    series = (recomputation.site, recomputation.device, recomputation.quantity)
    from_ms = EARLIEST_MS if recomputation.from_ms is None else recomputation.from_ms
    to_ms = LATEST_MS if recomputation.to_ms is None else recomputation.to_ms
    first = await readings.first_after(*series, from_ms)
    last = await readings.last_before(*series, to_ms)
    if first is None or last is None:
        return range(0)
    return range(first.time_ms - first.time_ms % INTERVAL_MS, last.time_ms + 1, INTERVAL_MS)

"""Compares what edges have told of each day with what the store holds, so that a loss is seen and not believed away."""

import asyncio
import logging
import math
import time

from collector.seldom import Seldom
from store.edge_ledger import EdgeLedger, Reconciliation, ToldDay
from store.protocol import ReadingStore, StoreError
from wire_format.events import VALUES, Event, EventKind
from wire_format.topics import EdgeAddress

logger = logging.getLogger(__name__)

INTERVAL_S = 300.0
DAYS = 8
DAYS_KEPT = 400
_DAY_MS = 86_400_000
LATE_MS = 3 * _DAY_MS


def told_day(edge: EdgeAddress, event: Event) -> ToldDay:
    """What an event `day_counted` tells."""
    rises = {name: number for name, number in event.numbers.items() if name != VALUES}
    return ToldDay(edge.site, edge.edge, event.time_ms, event.device, round(event.numbers.get(VALUES, 0.0)), rises)


class Reconciler:
    """Compares the days of the last week until each agrees.

    Args:
        ledger: what was told, and gets what was found.
        readings: where the values should be.
        retention_days: days older than these are not in the store any more; None: all are.
    """

    def __init__(self, ledger: EdgeLedger, readings: ReadingStore, retention_days: int | None) -> None:
        self._ledger = ledger
        self._readings = readings
        self._days = DAYS if retention_days is None else min(DAYS, retention_days - 1)
        self._seldom = Seldom(interval_s=86_400.0)

    async def run(self) -> None:
        """Compare every INTERVAL_S until cancelled."""
        while True:
            try:
                await self.compare(time.time_ns() // 1_000_000)
            except StoreError as problem:
                logger.warning("days are not compared yet: %s", problem)
            await asyncio.sleep(INTERVAL_S)

    async def compare(self, now_ms: int) -> None:
        """Compare what is not known to agree; raises StoreError when the store does not answer."""
        await self._ledger.forget_days_before(now_ms - DAYS_KEPT * _DAY_MS)
        for told in await self._ledger.to_compare(now_ms - self._days * _DAY_MS):
            compared = await self._compare(told)
            await self._ledger.note_compared([compared])
            if not compared.agrees and self._seldom.due((told.site, told.edge, told.day_ms)):
                # It may still wait at the edge, whose network was down; not for days.
                logger.log(
                    logging.ERROR if now_ms - told.day_ms > LATE_MS else logging.WARNING,
                    "%s/%s: %s told of %d values on the UTC day that began at %d ms, the store holds %d%s; "
                    "what still waits in the edge's outbox or stands in the quarantine is among them",
                    *(told.site, told.edge, told.device, told.values, told.day_ms, compared.stored),
                    f", and other rises of {', '.join(compared.wrong_totals)}" if compared.wrong_totals else "",
                )

    async def _compare(self, told: ToldDay) -> Reconciliation:
        end_ms = told.day_ms + _DAY_MS
        stored = await self._readings.count_of(told.site, told.device, told.day_ms, end_ms)
        wrong = [name for name, rise in told.rises.items() if not await self._rises_so(told, name, rise)]
        short = stored < told.values or bool(wrong)
        thinned = short and await self._was_thinned(told)
        return Reconciliation(
            told.site, told.edge, told.day_ms, told.device, told.values, stored, tuple(wrong), thinned=thinned
        )

    async def _rises_so(self, told: ToldDay, quantity: str, rise: float) -> bool:
        series = (told.site, told.device, quantity)
        first = await self._readings.first_after(*series, told.day_ms)
        last = await self._readings.last_before(*series, told.day_ms + _DAY_MS - 1)
        if first is None or last is None or first.time_ms > last.time_ms:
            return False
        return math.isclose(last.value - first.value, rise, rel_tol=1e-9, abs_tol=1e-9 * max(abs(last.value), 1.0))

    async def _was_thinned(self, told: ToldDay) -> bool:
        """Whether the edge has told that its outbox was full, and that rows of the day were among those it thinned."""
        edge = EdgeAddress(told.site, told.edge).device
        events = await self._readings.events(
            told.site, told.day_ms, told.day_ms + DAYS_KEPT * _DAY_MS, EventKind.OUTBOX_THINNED
        )
        return any(
            event.device == edge
            and event.numbers.get("first_ms", math.inf) < told.day_ms + _DAY_MS
            and event.numbers.get("last_ms", -math.inf) >= told.day_ms
            for event in events
        )

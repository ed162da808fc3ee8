"""Months of a simulated plant's readings in the store: through the collector's ingest, then evaluated."""

import asyncio
import time
from contextlib import aclosing

from collector.collector import open_parts
from collector.housekeeping import mark_recomputations
from collector.ingest import Answer, Incoming
from evaluation.worker import Worker
from leanmeter.simulate.plant_payloads import made_payloads
from simulators.errors import SimulatorError
from simulators.factory.plant import Plant
from simulators.factory.plant_site import site_document
from site_config.schema import Site, SiteFile
from store.server_file import ServerFile
from wire_format.topics import EdgeAddress

_AUTHOR = "simulate history"
_SHORTEST_GAP_S = 60.0
_GAP_LIMIT_INTERVALS = 3
_UNDER_WAY = 20
"""Batches that wait for the store: each holds a day of a device."""


async def write_history(
    plant: Plant,
    settings: ServerFile,
    start_s: float,
    end_s: float,
    *,
    interval_s: float = 60.0,
    site: str | None = None,
    evaluate: bool = True,
) -> dict[str, float]:
    """Import the site, store the readings of [start, end) and, if asked, compute intervals and days.

    Args:
        plant: what is recorded.
        settings: where it is stored.
        start_s: seconds since 1970 UTC, not before the plant's first day.
        end_s: the same.
        interval_s: between two rows of a device.
        site: the site's slug, the plant's id if None.
        evaluate: whether to wait for intervals and days.

    Returns:
        How many batches and values were written, and in how many seconds.

    Raises:
        SimulatorError: the collector refused something, such as a time before the year 2000.
    """
    declared = Site(SiteFile.model_validate(site_document(plant.file, site=site)))
    began_s = time.monotonic()
    async with open_parts(settings) as parts:
        await parts.entities.import_site(declared, _AUTHOR)
        # Before the readings: left to the next collector's start, new assignments would have all of them marked again.
        await mark_recomputations(parts.entities, parts.readings)
        topic = EdgeAddress(declared.site, declared.edge).topic("batch")
        batches = values = 0
        under_way: set[asyncio.Task[Answer | None]] = set()
        async with aclosing(made_payloads(plant, start_s, end_s, interval_s)) as made:
            async for payload, count in made:
                if len(under_way) >= _UNDER_WAY:
                    under_way = await _some_taken(under_way)
                # Several at a time: the store commits together what waits, while the next is being made.
                under_way.add(asyncio.create_task(parts.ingest.take(Incoming(topic, payload))))
                batches, values = batches + 1, values + count
                await asyncio.sleep(0)
        while under_way:
            under_way = await _some_taken(under_way)
        written_s = time.monotonic() - began_s
        facts = {"batches": float(batches), "values": float(values), "seconds_to_write": round(written_s, 1)}
        if evaluate:
            gap_limit_s = max(_SHORTEST_GAP_S, interval_s * _GAP_LIMIT_INTERVALS)
            worker = Worker(parts.readings, parts.entities, gap_limit_ms=round(gap_limit_s * 1000))
            try:
                await worker.work(1.0, asyncio.Event(), once=True)
            finally:
                await worker.release()
            facts["seconds_to_evaluate"] = round(time.monotonic() - began_s - written_s, 1)
    return facts


async def _some_taken(under_way: set[asyncio.Task[Answer | None]]) -> set[asyncio.Task[Answer | None]]:
    """Wait for the collector; returns what it has not answered yet."""
    answered, waiting = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
    for task in answered:
        answer = task.result()
        if answer is None or not answer.acknowledgement.stored or answer.acknowledgement.refused:
            for other in waiting:
                other.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
            raise SimulatorError(f"the collector did not take all rows: {_reason(answer)}")
    return waiting


def _reason(answer: Answer | None) -> str:
    if answer is None:
        return "it gave no answer"
    refused = answer.acknowledgement.refused
    return f"{refused[0].device} {refused[0].reason}" if refused else answer.acknowledgement.reason

"""A broker that forgets, batches that come twice and in any order: stored once, whatever came when."""

import asyncio
from pathlib import Path

from tests.collector.conftest import StartCollector
from tests.collector.edge import connected_edge
from tests.collector.test_collector import stored
from tests.faults.fleet import (
    QUANTITIES,
    SITE,
    START_MS,
    Outcome,
    a_moment,
    fleet,
    measuring,
    outcome_of,
    record_of,
    seeded,
)
from tests.faults.test_influxdb import stored_more
from tests.scale import scaled
from tests.servers.mosquitto import Mosquitto


async def broker_killed(times: int, folder: Path, broker: Mosquitto, run_collector: StartCollector) -> Outcome:
    """Kill -9 of the broker, which keeps nothing on disk, while edges publish live."""
    chance, _ = seeded()
    async with run_collector(broker) as settings, fleet(folder, broker.port) as edges, measuring(edges):
        for _ in range(times):
            await stored_more(edges[0])
            await a_moment(chance, 0.3)
            broker.kill()
            await a_moment(chance, 0.3)
            broker.start()
    return await outcome_of("broker killed, without persistence", times, settings.store, edges)


async def duplicated_and_reordered(
    times: int, broker: Mosquitto, run_collector: StartCollector, rows: int = 3
) -> Outcome:
    """Every batch comes two to four times, in any order, with copies of others in between."""
    chance, _ = seeded()
    async with run_collector(broker) as settings, connected_edge(broker, SITE) as edge:
        batches = [
            edge.batch(record_of("edge-1-meter-0", START_MS + 1000 * rows * number, rows)) for number in range(times)
        ]
        copies = [batch for batch in batches for _ in range(chance.randrange(2, 5))]
        chance.shuffle(copies)
        for start in range(0, len(copies), 100):
            await asyncio.gather(*[edge.publish(batch) for batch in copies[start : start + 100]])
        answers = await edge.answers_to(batches)
        assert all(answer.stored for answer in answers.values())
        count = await stored(settings, SITE)
    values = times * rows * len(QUANTITIES)
    return Outcome("batches twice and in any order", times, values, values - count.values, count.duplicates)


async def test_killed_without_persistence(tmp_path: Path, broker: Mosquitto, run_collector: StartCollector) -> None:
    outcome = await broker_killed(scaled(2, 200), tmp_path, broker, run_collector)
    assert outcome.is_whole, outcome


async def test_batches_twice_and_in_any_order(broker: Mosquitto, run_collector: StartCollector) -> None:
    outcome = await duplicated_and_reordered(scaled(100, 5000), broker, run_collector)
    assert outcome.is_whole, outcome


async def test_a_row_that_grows(broker: Mosquitto, run_collector: StartCollector) -> None:
    """Slow quantities of a time may come in another batch, before or after the fast ones."""
    async with run_collector(broker) as settings, connected_edge(broker, SITE) as edge:
        rows = record_of("edge-1-meter-0", START_MS, 2)
        fast = edge.batch(type(rows)(rows.device, rows.times_ms, rows.columns[:10]))
        slow = edge.batch(type(rows)(rows.device, rows.times_ms, rows.columns[10:]))
        for batch in (slow, fast, slow, edge.batch(rows), fast):
            await edge.publish(batch)
            assert (await edge.answer()).stored
        count = await stored(settings, SITE)
        assert count.values == 2 * len(QUANTITIES)

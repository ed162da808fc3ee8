"""A collector that is killed at any moment, in particular between store and answer: all is stored, once."""

import asyncio
import sys
from pathlib import Path

from store.entities import Entities
from store.schema import INTERVAL_MS
from store.settings import StoreSettings
from tests.faults.dying_collector import PLACES
from tests.faults.fleet import (
    QUANTITIES,
    START_MS,
    FleetEdge,
    Outcome,
    a_moment,
    collector_file,
    fleet,
    measuring,
    outcome_of,
    seeded,
    start_collector,
)
from tests.scale import scaled
from tests.servers.mosquitto import Mosquitto
from tests.servers.processes import Processes
from tests.servers.waiting import eventually_async

HERE = Path(__file__).parent


async def killed_at_random_moments(
    times: int, folder: Path, processes: Processes, broker: Mosquitto, collectors: int = 1, rows: int = 1
) -> Outcome:
    """One of the collectors is killed and started again, so many times, while edges publish live."""
    chance, _ = seeded()
    store: dict[str, object] = {"sqlite": str(folder / "readings.sqlite")}
    config = collector_file(folder, broker.port, store)
    running = [start_collector(processes, config) for _ in range(collectors)]
    async with fleet(folder, broker.port) as edges, measuring(edges, rows):
        for _ in range(times):
            await one_more_acknowledgement(edges[0])
            await a_moment(chance, 0.3)
            victim = chance.choice(running)
            victim.kill()
            victim.start()
    for collector in running:
        collector.kill()  # one may have been started a moment ago
    return await outcome_of("collector killed", times, StoreSettings.model_validate(store), edges)


async def killed_between_store_and_answer(
    times: int, folder: Path, processes: Processes, broker: Mosquitto, rows: int = 1
) -> Outcome:
    """Collectors die on one of their first batches, in each place of their work in turn; the last one lives."""
    chance, _ = seeded()
    store: dict[str, object] = {"sqlite": str(folder / "readings.sqlite")}
    config = collector_file(folder, broker.port, store)
    async with fleet(folder, broker.port) as edges, measuring(edges, rows):
        for place in PLACES * times:
            victim = processes.start(
                sys.executable, HERE / "dying_collector.py", place, str(chance.randrange(1, 15)), "collector", "run",
                "--config", config,
            )  # fmt: skip
            assert await asyncio.to_thread(victim.wait, 30.0) == -9, victim.log()
        last = start_collector(processes, config)
    assert last.stop() == 0, last.log()
    name = "collector killed between store and answer"
    return await outcome_of(name, times * len(PLACES), StoreSettings.model_validate(store), edges)


async def one_more_acknowledgement(edge: FleetEdge) -> None:
    before = edge.publisher.statistics().batches_acknowledged
    await eventually_async(
        lambda: edge.publisher.statistics().batches_acknowledged > before, timeout_s=30.0, what="an acknowledgement"
    )


async def test_at_random_moments(tmp_path: Path, processes: Processes, mosquitto: Mosquitto) -> None:
    outcome = await killed_at_random_moments(scaled(2, 1000), tmp_path, processes, mosquitto)
    assert outcome.is_whole, outcome


async def test_one_of_two_that_share_the_edges(tmp_path: Path, processes: Processes, mosquitto: Mosquitto) -> None:
    outcome = await killed_at_random_moments(scaled(2, 200), tmp_path, processes, mosquitto, collectors=2)
    assert outcome.is_whole, outcome


async def test_in_the_middle_of_a_batch(tmp_path: Path, processes: Processes, mosquitto: Mosquitto) -> None:
    outcome = await killed_between_store_and_answer(scaled(1, 50), tmp_path, processes, mosquitto)
    assert outcome.is_whole, outcome
    # Whatever is stored is marked for evaluation: a kill between the two was not acknowledged.
    entities = Entities(tmp_path / "entities.sqlite")
    marked = {(mark.device, mark.interval_start_ms) for mark in await entities.dirty(100)}
    await entities.close()
    seconds = outcome.values // len(QUANTITIES) // 4
    starts = range(START_MS // INTERVAL_MS * INTERVAL_MS, START_MS + 1000 * (seconds - 1), INTERVAL_MS)
    assert marked == {(f"edge-{edge}-meter-{meter}", at) for edge in (0, 1) for meter in (0, 1) for at in starts}

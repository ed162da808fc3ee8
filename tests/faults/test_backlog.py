"""Days without a network, and everybody back at once: live readings come first, and all of it arrives, once."""

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path

from tests.collector.conftest import StartCollector
from tests.faults.fleet import DRAIN_S, FleetEdge, Outcome, fleet, measuring, outcome_of
from tests.scale import scaled
from tests.servers.mosquitto import Mosquitto
from tests.servers.proxy import proxy_to
from tests.servers.waiting import eventually_async

LIVE_LIMIT_S = 10.0


async def days_drained(
    seconds: int, folder: Path, broker: Mosquitto, run_collector: StartCollector, devices: int = 2
) -> tuple[Outcome, float]:
    """An outbox with so many seconds of readings meets the collector again while it goes on measuring.

    Returns the outcome, and how long a live reading took in the worst case, in seconds.
    """
    edge = FleetEdge(folder / "outbox", broker.port, "edge-0", devices, timeout_s=5.0)
    while edge.kept < seconds:
        edge.measure(min(60, seconds - edge.kept), notify=False)
        edge.outbox.sync()
        await asyncio.sleep(0)
    edge.outbox.close()
    edge = FleetEdge(folder / "outbox", broker.port, "edge-0", devices, timeout_s=5.0)
    edge.kept = seconds
    slowest_s = 0.0
    async with run_collector(broker) as settings, edge.running():
        while sum(map(len, edge.outbox.unacknowledged())) > 10:
            before = time.monotonic()
            edge.measure(1)
            await answered(edge, edge.outbox.next_number - 1)
            slowest_s = max(slowest_s, time.monotonic() - before)
            await asyncio.sleep(0.05)
        assert await edge.publisher.drain(DRAIN_S)
    return await outcome_of("a week's outbox drained", 1, settings.store, [edge]), slowest_s


async def answered(edge: FleetEdge, number: int) -> None:
    await eventually_async(
        lambda: not any(number in numbers for numbers in edge.outbox.unacknowledged()),
        timeout_s=60.0,
        what="a live reading's answer",
    )


async def all_at_once(
    agents: int, folder: Path, broker: Mosquitto, run_collector: StartCollector, times: int = 1
) -> tuple[Outcome, float]:
    """So many edges lose their connections and come back together, each with a backlog, while they go on measuring.

    Returns the outcome, and the seconds in which all had been heard live again.
    """
    slowest_s = 0.0
    async with AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(proxy_to(broker.port))
        settings = await stack.enter_async_context(run_collector(broker))
        edges = await stack.enter_async_context(fleet(folder, proxy.port, agents, devices=1))
        # As slowly as one process can play so many.
        await stack.enter_async_context(measuring(edges, every_s=max(1.0, agents / 20)))
        for _ in range(times):
            await all_heard(edges)
            proxy.hold()
            proxy.reset()
            await asyncio.sleep(2.0)  # an outage's length
            began_s = time.monotonic()
            proxy.release()
            proxy.reset()
            await all_heard(edges)
            slowest_s = max(slowest_s, time.monotonic() - began_s)
    return await outcome_of(f"{agents} agents reconnect at once", times, settings.store, edges), slowest_s


async def all_heard(edges: list[FleetEdge]) -> None:
    before = [edge.publisher.statistics().batches_acknowledged for edge in edges]
    await eventually_async(
        lambda: all(
            edge.publisher.statistics().batches_acknowledged > count for edge, count in zip(edges, before, strict=True)
        ),
        timeout_s=300.0,
        what="an acknowledgement of every edge",
    )


async def test_a_long_outage(tmp_path: Path, broker: Mosquitto, run_collector: StartCollector) -> None:
    """7 days at scale 100; with two devices of 25 quantities."""
    outcome, slowest_s = await days_drained(scaled(3600, 7 * 86_400), tmp_path, broker, run_collector)
    assert outcome.is_whole, outcome
    assert slowest_s < LIVE_LIMIT_S, f"a live reading took {slowest_s:.1f} s"


async def test_everybody_comes_back_at_once(tmp_path: Path, broker: Mosquitto, run_collector: StartCollector) -> None:
    outcome, slowest_s = await all_at_once(scaled(30, 200), tmp_path, broker, run_collector)
    assert outcome.is_whole, outcome
    assert slowest_s < 60.0, f"all were heard again after {slowest_s:.1f} s"

"""A network and a broker that fail in every way: what the agent has arrives, however often it has to be sent."""

import asyncio
import random
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.edge_agent.collector_double import CollectorDouble, running, stored
from tests.faults.agents import LightAgent, stored_of
from tests.scale import scaled
from tests.servers.mosquitto import Mosquitto
from tests.servers.proxy import proxy_to
from tests.servers.waiting import eventually_async
from wire_format.batch import Acknowledgement, Batch


async def test_delay(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """Longer than a second's batch takes, so that many are on their way."""
    async with (
        proxy_to(mosquitto.port) as proxy,
        running(CollectorDouble(), mosquitto.host, mosquitto.port) as collector,
    ):
        proxy.delay_s = 0.15
        agent = LightAgent(tmp_path / "outbox", proxy.port)
        async with agent.running():
            agent.measure(*range(100))
            assert await agent.publisher.drain(30)
    assert stored_of(collector) == set(range(100))
    assert agent.publisher.statistics().timeouts == 0


async def test_resets_at_random_moments(tmp_path: Path, mosquitto: Mosquitto) -> None:
    chance = random.Random(5)
    resets = scaled(5, 200)
    async with (
        proxy_to(mosquitto.port) as proxy,
        running(CollectorDouble(), mosquitto.host, mosquitto.port) as collector,
    ):
        proxy.delay_s = 0.002
        agent = LightAgent(tmp_path / "outbox", proxy.port)
        async with agent.running():
            for number in range(resets):
                connections = proxy.accepted
                agent.measure(*range(10 * number, 10 * number + 10))
                await asyncio.sleep(chance.uniform(0.0, 0.2))  # the moment itself is what is tried out
                proxy.reset()
                await eventually_async(lambda before=connections: proxy.accepted > before)  # type: ignore[misc]
            assert await agent.publisher.drain(60)
    assert stored_of(collector) == set(range(10 * resets))
    assert agent.publisher.statistics().rows_acknowledged >= 10 * resets


async def test_a_half_open_connection_is_noticed_and_left(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with (
        proxy_to(mosquitto.port) as proxy,
        running(CollectorDouble(), mosquitto.host, mosquitto.port) as collector,
    ):
        agent = LightAgent(tmp_path / "outbox", proxy.port)
        async with agent.running():
            agent.measure(1)
            assert await agent.publisher.drain(10)
            proxy.forget()
            agent.measure(*range(2, 50))
            assert await agent.publisher.drain(30)
            assert proxy.accepted == 2
    assert stored_of(collector) == set(range(1, 50))


async def test_a_cable_that_is_out_for_a_while(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with (
        proxy_to(mosquitto.port) as proxy,
        running(CollectorDouble(), mosquitto.host, mosquitto.port) as collector,
    ):
        agent = LightAgent(tmp_path / "outbox", proxy.port)
        async with agent.running():
            agent.measure(1)
            assert await agent.publisher.drain(10)
            proxy.hold()
            agent.measure(*range(2, 50))
            assert not await agent.publisher.drain(2.5)
            proxy.release()
            assert await agent.publisher.drain(30)
    assert stored_of(collector) == set(range(1, 50))


async def test_acknowledgements_that_get_lost(tmp_path: Path, mosquitto: Mosquitto) -> None:
    chance = random.Random(9)

    def answers(batch: Batch) -> list[Acknowledgement]:
        return stored(batch) if chance.random() < 0.7 else []

    double = CollectorDouble(answers)
    async with running(double, mosquitto.host, mosquitto.port) as collector:
        agent = LightAgent(tmp_path / "outbox", mosquitto.port)
        async with agent.running():
            agent.measure(*range(40))
            assert await agent.publisher.drain(60)
    assert stored_of(collector) == set(range(40))
    assert agent.publisher.statistics().timeouts > 0


async def test_two_agents_with_one_id_lose_nothing_and_say_so(
    tmp_path: Path, mosquitto: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(CollectorDouble(), mosquitto.host, mosquitto.port) as collector:
        one = LightAgent(tmp_path / "one", mosquitto.port)
        other = LightAgent(tmp_path / "other", mosquitto.port)
        async with one.running(), other.running():
            one.measure(*range(50))
            other.measure(*range(100, 150))
            await eventually_async(lambda: "another agent" in caplog.text, timeout_s=20)
            assert await one.publisher.drain(60)
            assert await other.publisher.drain(60)
    assert stored_of(collector) == {*range(50), *range(100, 150)}


async def test_many_agents_at_once_after_the_broker_comes_back(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """Spread in time, and from each the newest value first."""
    count = scaled(40, 200)
    async with running(CollectorDouble(), mosquitto.host, mosquitto.port) as collector, AsyncExitStack() as stack:
        agents = [LightAgent(tmp_path / f"{number}", mosquitto.port, f"edge-{number}") for number in range(count)]
        for agent in agents:
            await stack.enter_async_context(agent.running())
            agent.measure(1)
        for agent in agents:
            assert await agent.publisher.drain(60)
        collector.connected.clear()
        mosquitto.kill()
        await eventually_async(lambda: not any(agent.publisher.statistics().connected for agent in agents))
        for agent in agents:
            agent.measure(*range(2, 62))
        mosquitto.start()
        await asyncio.wait_for(collector.connected.wait(), 20)
        before = len(collector.batches)
        for agent in agents:
            assert await agent.publisher.drain(120)
        for agent in agents:
            assert stored_of(collector, agent.edge) == set(range(1, 62))
        first_of: dict[str, Batch] = {}
        for message, batch in zip(collector.messages[before:], collector.batches[before:], strict=True):
            first_of.setdefault(message.topic.value, batch)
        newest_first = [batch.devices[-1].columns[0].integers[-1] == 61 for batch in first_of.values()]
        assert len(newest_first) == count
        assert all(newest_first)


async def test_an_outbox_of_days_is_drained(tmp_path: Path, mosquitto: Mosquitto) -> None:
    """A quarter of an hour of seconds in a quick run, a week of them in a full one."""
    seconds = scaled(900, 7 * 86_400)
    async with running(CollectorDouble(), mosquitto.host, mosquitto.port) as collector:
        agent = LightAgent(tmp_path / "outbox", mosquitto.port)
        for start in range(0, seconds, 100):
            agent.measure(*range(start, start + 100))
        async with agent.running():
            agent.measure(seconds)
            assert await agent.publisher.drain(1800)
    assert stored_of(collector) == set(range(seconds + 1))

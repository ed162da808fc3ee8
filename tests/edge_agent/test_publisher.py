import asyncio
import contextlib
import json
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiomqtt
import pytest

from edge_agent.outbox import Outbox
from edge_agent.publisher import Publisher
from leanmeter.demo.embedded_broker import configure_broker
from site_config.schema import MqttSettings
from tests.edge_agent.collector_double import CollectorDouble, running, stored
from tests.edge_agent.outbox_helpers import rows
from tests.servers.mosquitto import Mosquitto
from tests.servers.ports import LOOPBACK, accepts_connections, free_port
from tests.servers.processes import Processes
from tests.servers.waiting import eventually, eventually_async
from wire_format.batch import Acknowledgement, Batch, BatchId, DeviceRows
from wire_format.topics import EdgeAddress

ADDRESS = EdgeAddress("workshop", "edge-1")
RUN_ID = "0123456789abcdef"


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with Outbox.open(tmp_path / "outbox", max_bytes=10_000_000) as opened:
        yield opened


def now_rows(value: int) -> tuple[DeviceRows, ...]:
    (entry,) = rows(value)
    return (DeviceRows(entry.device, (time.time_ns() // 1_000_000,), entry.columns),)


def publisher_of(outbox: Outbox, port: int, run_id: str = RUN_ID) -> Publisher:
    settings = MqttSettings(host=LOOPBACK, port=port)
    return Publisher(outbox, ADDRESS, settings, run_id=run_id, acknowledgement_timeout_s=1.0)


@contextlib.asynccontextmanager
async def publishing(publisher: Publisher) -> AsyncIterator[Publisher]:
    task = asyncio.create_task(publisher.run())
    try:
        yield publisher
        assert not task.done(), task.exception()
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def publish(outbox: Outbox, publisher: Publisher, *values: int) -> None:
    for value in values:
        publisher.notify(outbox.append(now_rows(value), "ntp", b""))


async def test_backlog_and_live_are_released_when_they_are_acknowledged(outbox: Outbox, mosquitto: Mosquitto) -> None:
    for value in range(1, 301):
        outbox.append(rows(value), "ntp", b"")
    publisher = publisher_of(outbox, mosquitto.port)
    async with running(CollectorDouble(), mosquitto.host, mosquitto.port) as collector, publishing(publisher):
        publish(outbox, publisher, 301, 302)
        assert await publisher.drain(10)
    assert sorted(value for value in collector.values() if value) == list(range(1, 303))
    assert collector.values()[0] == 301, "live goes first"
    assert len(collector.batches) < 10, "backlog is merged"
    statistics = publisher.statistics()
    assert (statistics.rows_acknowledged, statistics.values_acknowledged) == (302, 302)
    assert statistics.batches_acknowledged == len(collector.batches)
    assert 0 < (statistics.delay_median_ms or 0) < 5000
    assert outbox.unacknowledged() == []


async def test_properties_of_a_batch(outbox: Outbox, mosquitto: Mosquitto) -> None:
    publisher = publisher_of(outbox, mosquitto.port)
    async with running(CollectorDouble(), mosquitto.host, mosquitto.port) as collector, publishing(publisher):
        publish(outbox, publisher, 1)
        assert await publisher.drain(10)
    (message,) = collector.messages
    assert message.topic.value == "leanmeter/v1/workshop/edge-1/batch"
    assert message.qos == 1
    assert message.properties is not None
    assert getattr(message.properties, "ResponseTopic", None) == "leanmeter/v1/workshop/edge-1/ack"
    assert getattr(message.properties, "CorrelationData", None) == BatchId(RUN_ID, 1).to_bytes()
    assert getattr(message.properties, "MessageExpiryInterval", None) == 1


async def test_withheld_answers_send_the_same_bytes_again(outbox: Outbox, mosquitto: Mosquitto) -> None:
    double = CollectorDouble(answers=lambda _: [])
    publisher = publisher_of(outbox, mosquitto.port)
    async with running(double, mosquitto.host, mosquitto.port) as collector, publishing(publisher):
        publish(outbox, publisher, 1, 2, 3)
        await eventually_async(lambda: len(collector.batches) >= 3)
        assert set(collector.payloads) == {collector.payloads[0]}, "one probe, unaltered"
        statistics = publisher.statistics()
        assert statistics.timeouts >= 2
        assert statistics.silent_for_s > 1
        assert outbox.unacknowledged() == [range(1, 4)]
        double.answers = stored
        assert await publisher.drain(10)
    assert publisher.statistics().rows_acknowledged == 3


async def test_nothing_is_lost_when_the_broker_is_killed(outbox: Outbox, mosquitto: Mosquitto) -> None:
    publisher = publisher_of(outbox, mosquitto.port)
    async with running(CollectorDouble(), mosquitto.host, mosquitto.port) as collector, publishing(publisher):
        publish(outbox, publisher, 1)
        assert await publisher.drain(10)
        mosquitto.kill()
        publish(outbox, publisher, *range(2, 51))
        await eventually_async(lambda: not publisher.statistics().connected)
        assert not await publisher.drain(0.2)
        collector.connected.clear()
        mosquitto.start()
        await asyncio.wait_for(collector.connected.wait(), 10)
        publish(outbox, publisher, 51)
        assert await publisher.drain(20)
    assert set(collector.values()) == set(range(1, 52))
    assert publisher.statistics().rows_acknowledged == 51


async def test_duplicate_reordered_and_foreign_answers(outbox: Outbox, mosquitto: Mosquitto) -> None:
    held: list[Acknowledgement] = []

    def answers(batch: Batch) -> list[Acknowledgement]:
        if batch.batch_id.sequence == 1:
            return stored(batch)  # opens the window
        held.extend(stored(batch))
        if len(held) < 2:
            return []
        foreign = Acknowledgement(BatchId("ff" * 8, batch.batch_id.sequence), stored=True, collector_time_ms=1)
        answered = [foreign, *reversed(held), *held]
        held.clear()
        return answered

    publisher = publisher_of(outbox, mosquitto.port)
    async with running(CollectorDouble(answers), mosquitto.host, mosquitto.port) as collector, publishing(publisher):
        publish(outbox, publisher, 1)
        assert await publisher.drain(10)
        publish(outbox, publisher, 2, 3)
        assert await publisher.drain(10)
    assert set(collector.values()) == {1, 2, 3}
    statistics = publisher.statistics()
    assert (statistics.batches_acknowledged, statistics.rows_acknowledged, statistics.in_flight) == (3, 3, 0)


async def test_garbage_and_mismatched_answers_release_nothing(
    outbox: Outbox, mosquitto: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    publisher = publisher_of(outbox, mosquitto.port)
    double = CollectorDouble(answers=lambda _: [])
    async with running(double, mosquitto.host, mosquitto.port) as collector, publishing(publisher):
        publish(outbox, publisher, 1)
        await eventually_async(lambda: collector.batches)
        async with aiomqtt.Client(mosquitto.host, mosquitto.port) as other:
            await other.publish(ADDRESS.topic("ack"), b"\x01garbage", qos=1)
            await other.publish(ADDRESS.topic("ack"), b"", qos=1)
        await eventually_async(lambda: caplog.text.count("not understood") == 2)
        assert outbox.unacknowledged() == [range(1, 2)]


async def test_a_restart_sends_what_was_not_acknowledged(outbox: Outbox, mosquitto: Mosquitto) -> None:
    double = CollectorDouble(answers=lambda _: [])
    first = publisher_of(outbox, mosquitto.port)
    async with running(double, mosquitto.host, mosquitto.port) as collector:
        async with publishing(first):
            publish(outbox, first, 1, 2, 3)
            await eventually_async(lambda: collector.batches)
        double.answers = lambda batch: [*stored(collector.batches[0]), *stored(batch)]
        second = publisher_of(outbox, mosquitto.port, run_id="fedcba9876543210")
        async with publishing(second):
            assert await second.drain(10)
    assert collector.batches[-1].batch_id.run_id == "fedcba9876543210"
    assert set(collector.values()) == {1, 2, 3}


async def test_status_is_retained_and_a_last_will(outbox: Outbox, mosquitto: Mosquitto, processes: Processes) -> None:
    states: list[bool] = []

    async def watch() -> None:
        async with aiomqtt.Client(mosquitto.host, mosquitto.port) as watcher:
            await watcher.subscribe(ADDRESS.topic("status"), qos=1)
            async for message in watcher.messages:
                online = json.loads(message.payload)["online"]
                states.append(online)

    watching = asyncio.create_task(watch())
    async with publishing(publisher_of(outbox, mosquitto.port)):
        await eventually_async(lambda: states == [True])
    await eventually_async(lambda: states == [True, False])
    program = (
        "import asyncio, sys, pathlib\n"
        "from edge_agent.outbox import Outbox\n"
        "from edge_agent.publisher import Publisher\n"
        "from site_config.schema import MqttSettings\n"
        "from wire_format.topics import EdgeAddress\n"
        "async def main():\n"
        "    outbox = Outbox.open(pathlib.Path(sys.argv[2]), max_bytes=1000000)\n"
        "    mqtt = MqttSettings(host='127.0.0.1', port=int(sys.argv[1]))\n"
        "    await Publisher(outbox, EdgeAddress('workshop', 'edge-1'), mqtt, run_id='00' * 8).run()\n"
        "asyncio.run(main())\n"
    )
    killed = processes.start(sys.executable, "-c", program, str(mosquitto.port), outbox.directory / "other")
    await eventually_async(lambda: states == [True, False, True])
    killed.kill()
    await eventually_async(lambda: states == [True, False, True, False])
    watching.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watching


async def test_rows_that_the_outbox_cannot_take_go_out_live(outbox: Outbox, mosquitto: Mosquitto) -> None:
    publisher = publisher_of(outbox, mosquitto.port)
    async with running(CollectorDouble(), mosquitto.host, mosquitto.port) as collector, publishing(publisher):
        publisher.publish_unstored(now_rows(7), "ntp")
        assert await publisher.drain(10)
    assert collector.values() == [7]


async def test_an_unreachable_broker_is_said_once_and_tried_again(
    outbox: Outbox, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher = publisher_of(outbox, free_port())
    tries: list[float] = []
    real = publisher._client

    def count_and_connect() -> aiomqtt.Client:
        tries.append(time.monotonic())
        return real()

    monkeypatch.setattr(publisher, "_client", count_and_connect)
    async with publishing(publisher):
        publish(outbox, publisher, 1)
        await eventually_async(lambda: len(tries) >= 3)
    assert 0.2 < tries[1] - tries[0] < tries[2] - tries[0]
    assert caplog.text.count("trying again, everything stays in the outbox") == 1
    assert outbox.unacknowledged() == [range(1, 2)]


async def test_iotcore(outbox: Outbox, tmp_path: Path, processes: Processes) -> None:
    port = free_port()
    configuration = configure_broker(tmp_path / "broker", port)
    processes.start(sys.executable, "-m", "leanmeter.demo.embedded_broker", configuration)
    eventually(lambda: accepts_connections(LOOPBACK, port))
    for value in range(1, 201):
        outbox.append(rows(value), "ntp", b"")
    publisher = publisher_of(outbox, port)
    async with running(CollectorDouble(), LOOPBACK, port) as collector, publishing(publisher):
        for value in range(201, 231):
            publish(outbox, publisher, value)
        assert await publisher.drain(20)
    assert set(collector.values()) == set(range(1, 231))
    assert publisher.statistics().rows_acknowledged == 230

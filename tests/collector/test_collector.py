"""The collector on a real broker and real stores."""

import asyncio
import time
from pathlib import Path

import pytest

from collector.quarantine import Quarantine
from store.factory import open_entities, open_readings
from store.protocol import StoreConfigurationError, StoredCount
from store.schema import INTERVAL_MS
from store.server_file import ServerFile
from tests.collector.conftest import StartCollector
from tests.collector.edge import connected_edge
from tests.servers.influxdb import InfluxDBProcess
from tests.servers.mosquitto import Mosquitto
from tests.servers.waiting import eventually_async
from tests.store.rows import START_MS, column, powers, rows
from wire_format.batch import BatchId
from wire_format.codec import encode_batch


async def stored(settings: ServerFile, site: str = "bakery") -> StoredCount:
    readings = open_readings(settings.store)
    try:
        return await readings.count(site)
    finally:
        await readings.close()


async def quarantined(settings: ServerFile) -> list[tuple[str, str, str | None]]:
    quarantine = Quarantine(settings.entities)
    try:
        return [(entry.topic, entry.reason, entry.device) for entry in await quarantine.entries()]
    finally:
        await quarantine.close()


async def test_a_batch_is_stored_marked_and_then_answered(broker: Mosquitto, run_collector: StartCollector) -> None:
    async with run_collector(broker) as settings, connected_edge(broker) as edge:
        batch = edge.batch(powers("oven", {0: 10, 1: 20, 1000: 30}), powers("mixer", {0: 10}))
        before_ms = time.time_ns() // 1_000_000
        await edge.publish(batch)
        answer = await edge.answer()
        # Read by a connection of its own: the answer came after the disk had it.
        assert await stored(settings) == StoredCount(4, 0, {"oven": 3, "mixer": 1})
        assert answer.batch_id == batch.batch_id
        assert answer.stored
        assert answer.refused == ()
        assert before_ms <= answer.collector_time_ms <= time.time_ns() // 1_000_000
        entities = open_entities(settings.entities)
        marks = {(mark.site, mark.device, mark.interval_start_ms) for mark in await entities.dirty(100)}
        await entities.close()
        start = START_MS - START_MS % INTERVAL_MS
        late = START_MS + 1_000_000
        late -= late % INTERVAL_MS
        assert marks == {("bakery", "oven", start), ("bakery", "oven", late), ("bakery", "mixer", start)}


async def test_the_same_batch_again_is_answered_again_and_stored_once(
    broker: Mosquitto, run_collector: StartCollector
) -> None:
    async with run_collector(broker) as settings, connected_edge(broker) as edge:
        batch = edge.batch(powers("oven", {0: 10}))
        for _ in range(3):
            await edge.publish(batch)
            assert (await edge.answer()).stored
        assert await stored(settings) == StoredCount(1, 0, {"oven": 1})


async def test_refused_rows_are_named_and_kept_and_the_others_stored(
    broker: Mosquitto, run_collector: StartCollector
) -> None:
    async with run_collector(broker) as settings, connected_edge(broker) as edge:
        await edge.publish(edge.batch(rows("oven", [7, START_MS], column("active_power_total", 10, 20))))
        answer = await edge.answer()
        assert answer.stored
        assert [(row.device, row.time_ms) for row in answer.refused] == [("oven", 7)]
        assert (await stored(settings)).values == 1
        ((topic, reason, device),) = await quarantined(settings)
        assert (topic, device) == ("leanmeter/v1/bakery/edge-1/batch", "oven")
        assert reason == answer.refused[0].reason
        quarantine = Quarantine(settings.entities)
        kept = await quarantine.payload(1)
        await quarantine.close()
        assert kept == (
            b'{"device":"oven","time_ms":7,"columns":[{"quantity":"active_power_total","unit":"W","exponent":-1,'
            b'"integer":10,"quality":0}]}'
        )


async def test_an_unreadable_payload_is_kept_and_rejected(broker: Mosquitto, run_collector: StartCollector) -> None:
    async with run_collector(broker) as settings, connected_edge(broker) as edge:
        claimed = BatchId("00112233445566ff", 9)
        await edge.publish_bytes(b"\x01this is no batch, but has a batch's length", claimed.to_bytes())
        answer = await edge.answer()
        assert (answer.batch_id, answer.stored) == (claimed, False)
        assert answer.reason
        assert await quarantined(settings) == [("leanmeter/v1/bakery/edge-1/batch", answer.reason, None)]
        await edge.publish(edge.batch(powers("oven", {0: 10})))
        assert (await edge.answer()).stored


@pytest.mark.parametrize("response_topic", ["leanmeter/v1/laundry/edge-1/ack", "leanmeter/v1/bakery/edge-1/batch"])
async def test_a_response_topic_of_another_is_rejected_on_the_own_one(
    broker: Mosquitto, run_collector: StartCollector, response_topic: str
) -> None:
    async with (
        run_collector(broker) as settings,
        connected_edge(broker) as edge,
        connected_edge(broker, "laundry") as other,
    ):
        batch = edge.batch(powers("oven", {0: 10}))
        await edge.publish_bytes(encode_batch(batch), batch.batch_id.to_bytes(), response_topic)
        answer = await edge.answer()
        assert (answer.batch_id, answer.stored) == (batch.batch_id, False)
        assert "response topic" in answer.reason
        assert (await stored(settings)).values == 0
        assert other.answers.empty()


async def test_correlation_data_of_another_batch_is_rejected(broker: Mosquitto, run_collector: StartCollector) -> None:
    async with run_collector(broker), connected_edge(broker) as edge:
        batch, other = edge.batch(powers("oven", {0: 10})), edge.batch()
        await edge.publish_bytes(encode_batch(batch), other.batch_id.to_bytes())
        answer = await edge.answer()
        assert (answer.batch_id, answer.stored) == (other.batch_id, False)


async def test_a_topic_without_slugs_is_kept_and_answered_to_nobody(
    broker: Mosquitto, run_collector: StartCollector
) -> None:
    async with run_collector(broker) as settings, connected_edge(broker) as edge:
        batch = edge.batch(powers("oven", {0: 10}))
        topic = "leanmeter/v1/Bakery Uno/edge-1/batch"
        await edge.publish_bytes(encode_batch(batch), batch.batch_id.to_bytes(), topic=topic)
        await eventually_async(lambda: quarantined(settings))
        assert [kept[0] for kept in await quarantined(settings)] == [topic]
        assert edge.answers.empty()


async def test_a_flood_of_batches_of_many_edges_is_all_stored_and_answered(
    broker: Mosquitto, run_collector: StartCollector
) -> None:
    async with (
        run_collector(broker) as settings,
        connected_edge(broker) as one,
        connected_edge(broker, edge="b") as two,
    ):
        batches = {edge: [edge.batch(powers(edge.address.edge, {n: n})) for n in range(400)] for edge in (one, two)}
        for edge, published in batches.items():
            await asyncio.gather(*[edge.publish(batch) for batch in published])
            await edge.publish_bytes(b"damaged", None)
        for edge, published in batches.items():
            assert all(answer.stored for answer in (await edge.answers_to(published)).values())
        assert await stored(settings) == StoredCount(800, 0, {"edge-1": 400, "b": 400})


async def test_two_collectors_share_the_batches(broker: Mosquitto, run_collector: StartCollector) -> None:
    async with run_collector(broker) as settings, run_collector(broker), connected_edge(broker) as edge:
        batches = [edge.batch(powers("oven", {n: n})) for n in range(50)]
        await asyncio.gather(*[edge.publish(batch) for batch in batches])
        await edge.answers_to(batches)
        assert (await stored(settings)).values == 50
        assert edge.answers.empty()


async def test_the_collector_comes_back_when_the_broker_does(broker: Mosquitto, run_collector: StartCollector) -> None:
    async with run_collector(broker) as settings:
        subscriptions = broker.log().count("Received SUBSCRIBE")
        broker.kill()
        broker.start()
        await eventually_async(lambda: broker.log().count("Received SUBSCRIBE") > subscriptions)
        async with connected_edge(broker) as edge:
            await edge.publish(edge.batch(powers("oven", {0: 10})))
            assert (await edge.answer()).stored
        assert (await stored(settings)).values == 1


async def test_nothing_is_answered_or_lost_while_influxdb_is_down(
    broker: Mosquitto, run_collector: StartCollector, influxdb_process: InfluxDBProcess, tmp_path: Path
) -> None:
    influxdb_process.create_bucket("factory")
    token_file = tmp_path / "token"
    token_file.write_text(influxdb_process.token)
    influx = {
        "url": influxdb_process.url,
        "org": influxdb_process.org,
        "bucket": "factory",
        "token_file": token_file,
    }
    async with run_collector(broker, store={"influx": influx}) as settings, connected_edge(broker) as edge:
        await edge.publish(edge.batch(powers("oven", {0: 10})))
        assert (await edge.answer()).stored
        influxdb_process.kill()
        waiting = [edge.batch(powers("oven", {n: n})) for n in range(1, 11)]
        for batch in [*waiting, *waiting]:
            await edge.publish(batch)
        with pytest.raises(TimeoutError):
            await edge.answer(timeout_s=1.0)
        await asyncio.to_thread(influxdb_process.start)
        answers = await edge.answers_to(waiting, timeout_s=30.0)
        assert all(answer.stored for answer in answers.values())
        assert await stored(settings) == StoredCount(11, 0, {"oven": 11})
        # A batch that came twice while it waited was answered once.
        assert edge.answers.empty()


async def test_a_wrong_token_ends_the_start_with_one_clear_line(
    broker: Mosquitto, run_collector: StartCollector, influxdb_process: InfluxDBProcess
) -> None:
    influx = {"url": influxdb_process.url, "org": influxdb_process.org, "bucket": "factory", "token": "wrong"}
    with pytest.raises(StoreConfigurationError, match=r"^InfluxDB at .* check store\.influx\.token$"):
        async with run_collector(broker, store={"influx": influx}):
            pass


async def test_stored_and_answered_well_within_a_second(broker: Mosquitto, run_collector: StartCollector) -> None:
    async with run_collector(broker), connected_edge(broker) as edge:
        delays_s = []
        for second in range(100):
            started = time.perf_counter()
            await edge.publish(edge.batch(powers("oven", {second: 10})))
            await edge.answer()
            delays_s.append(time.perf_counter() - started)
        assert sorted(delays_s)[98] < 1.0, f"seconds from publishing to the answer: {sorted(delays_s)[-5:]}"

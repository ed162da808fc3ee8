"""InfluxDB that is down, slow, overloaded or rude: nothing is answered before it is stored, and all is, once."""

import asyncio
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from store.settings import StoreSettings
from tests.collector.conftest import StartCollector
from tests.collector.edge import connected_edge
from tests.collector.test_collector import quarantined, stored
from tests.faults.fleet import (
    QUANTITIES,
    SITE,
    START_MS,
    FleetEdge,
    Outcome,
    a_moment,
    fleet,
    measuring,
    outcome_of,
    record_of,
    seeded,
)
from tests.scale import scaled
from tests.servers.http_proxy import HttpProxy, http_proxy_to
from tests.servers.influxdb import InfluxDB, InfluxDBProcess
from tests.servers.mosquitto import Mosquitto
from tests.servers.waiting import eventually_async

TIMEOUT_S = 0.5


def overloaded(proxy: HttpProxy) -> None:
    proxy.refuse = 429


def unavailable(proxy: HttpProxy) -> None:
    proxy.refuse = 503


def failing(proxy: HttpProxy) -> None:
    proxy.refuse = 500


def too_slow(proxy: HttpProxy) -> None:
    """It stores, and the answer comes when the collector has given up."""
    proxy.delay_s = 2 * TIMEOUT_S


def slow(proxy: HttpProxy) -> None:
    proxy.delay_s = 0.3 * TIMEOUT_S


def hangs_up(proxy: HttpProxy) -> None:
    """It stores, and nobody learns of it."""
    proxy.hang_up = True


FAULTS: list[Callable[[HttpProxy], None]] = [overloaded, unavailable, failing, too_slow, slow, hangs_up]


async def influxdb_fails(
    times: int, folder: Path, broker: Mosquitto, run_collector: StartCollector, server: InfluxDB, rows: int = 1
) -> Outcome:
    """Every fault in turn, so many times, while edges publish live."""
    chance, seed = seeded()
    server.create_bucket(bucket := f"faults-{seed}-{chance.randrange(10**9)}")
    influx = {"org": server.org, "bucket": bucket, "token": server.token}
    async with http_proxy_to(server.url) as proxy:
        given = {"influx": {**influx, "url": proxy.url, "timeout_s": TIMEOUT_S}}
        async with run_collector(broker, store=given), fleet(folder, broker.port) as edges, measuring(edges, rows):
            for fault in FAULTS * times:
                await stored_more(edges[0])
                await meet(fault, proxy)
                await a_moment(chance, 0.5)
                proxy.refuse, proxy.delay_s, proxy.hang_up = None, 0.0, False
        assert proxy.answered[429], proxy.answered
    direct = StoreSettings.model_validate({"influx": {**influx, "url": server.url}})
    return await outcome_of("InfluxDB slow, 429, 500, 503, hangs up", times * len(FAULTS), direct, edges)


async def meet(fault: Callable[[HttpProxy], None], proxy: HttpProxy) -> None:
    before = proxy.disturbed
    fault(proxy)
    await eventually_async(lambda: proxy.disturbed > before, timeout_s=30.0, what="a write that meets the fault")


async def stored_more(edge: FleetEdge) -> None:
    before = edge.publisher.statistics().batches_acknowledged
    await eventually_async(
        lambda: edge.publisher.statistics().batches_acknowledged > before, timeout_s=30.0, what="an acknowledgement"
    )


async def influxdb_killed(
    times: int,
    folder: Path,
    broker: Mosquitto,
    run_collector: StartCollector,
    server: InfluxDBProcess,
    chance: random.Random,
) -> Outcome:
    """Kill -9 of InfluxDB while edges publish live."""
    server.create_bucket("faults")
    store = {"influx": {"url": server.url, "org": server.org, "bucket": "faults", "token": server.token}}
    async with run_collector(broker, store=store), fleet(folder, broker.port) as edges, measuring(edges):
        for _ in range(times):
            await stored_more(edges[0])
            await a_moment(chance, 0.3)
            server.kill()
            await a_moment(chance, 0.3)
            await asyncio.to_thread(server.start)
    return await outcome_of("InfluxDB killed", times, StoreSettings.model_validate(store), edges)


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses of a test's length."""
    monkeypatch.setattr("collector.ingest.LONGEST_PAUSE_S", 0.5)


async def test_every_fault_in_turn(
    tmp_path: Path, broker: Mosquitto, run_collector: StartCollector, influxdb: InfluxDB
) -> None:
    outcome = await influxdb_fails(scaled(1, 100), tmp_path, broker, run_collector, influxdb)
    assert outcome.is_whole, outcome


async def test_killed(
    tmp_path: Path, broker: Mosquitto, run_collector: StartCollector, influxdb_process: InfluxDBProcess
) -> None:
    chance, _ = seeded()
    outcome = await influxdb_killed(scaled(1, 30), tmp_path, broker, run_collector, influxdb_process, chance)
    assert outcome.is_whole, outcome


async def test_a_batch_at_which_it_always_fails_costs_nobody_else_anything(
    broker: Mosquitto,
    run_collector: StartCollector,
    influxdb: InfluxDB,
    influxdb_bucket: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It answers 500 to whatever this batch is in: that goes to the quarantine, and its edge's others are stored."""
    monkeypatch.setattr("collector.ingest.LONGEST_STAY_S", 3.0)
    async with http_proxy_to(influxdb.url) as proxy:
        proxy.poison = b"device=poison"
        influx = {"url": proxy.url, "org": influxdb.org, "bucket": influxdb_bucket, "token": influxdb.token}
        async with (
            run_collector(broker, store={"influx": influx}) as settings,
            connected_edge(broker, SITE) as edge,
            connected_edge(broker, SITE, "edge-2") as other,
        ):
            poison = edge.batch(record_of("poison", START_MS, 1), record_of("victim", START_MS, 1))
            await edge.publish(poison)
            answers = {}
            number = 0
            while poison.batch_id not in answers:
                number += 1
                batches = [
                    one.batch(record_of(name, START_MS + 1000 * number, 1)) for one, name in ((edge, "a"), (other, "b"))
                ]
                for one, batch in zip((edge, other), batches, strict=True):
                    await one.publish(batch)
                began_s = time.monotonic()
                await other.answers_to(batches[1:])
                assert time.monotonic() - began_s < 2.5
                while batches[0].batch_id not in answers:
                    answer = await edge.answer()
                    answers[answer.batch_id] = answer
            assert not answers.pop(poison.batch_id).stored
            assert all(answer.stored for answer in answers.values())
            ((_, reason, _),) = await quarantined(settings)
            assert "panic: index out of range" in reason
            assert (await stored(settings, SITE)).by_device == {
                "a": number * len(QUANTITIES),
                "b": number * len(QUANTITIES),
            }

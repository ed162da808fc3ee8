"""What the collector tells of itself and of edges: in the store, at Prometheus, and as a table."""

import asyncio
import json
import time
import urllib.request
from pathlib import Path

import pytest

from store.edge_ledger import EdgeLedger, Reconciliation, ToldDay
from tests.collector.conftest import StartCollector
from tests.collector.edge import connected_edge
from tests.faults.test_poison import server_file
from tests.servers.mosquitto import Mosquitto
from tests.servers.ports import free_port
from tests.servers.processes import Processes
from tests.servers.waiting import eventually_async
from tests.store.rows import powers

DAY_MS = 86_400_000


async def metrics(port: int) -> str:
    def fetch() -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            text: str = answer.read().decode()
        return text

    return await asyncio.to_thread(fetch)


async def test_health_of_collector_and_edges(
    tmp_path: Path,
    broker: Mosquitto,
    run_collector: StartCollector,
    processes: Processes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("collector.health.HEALTH_INTERVAL_S", 0.1)
    port = free_port()
    keys = {"mqtt": {"host": broker.host, "port": broker.port}, "metrics_port": port}
    async with run_collector(broker, collector=keys) as settings:
        async with connected_edge(broker) as edge:
            await edge.publish(edge.batch(powers("oven", {0: 10, 1: 20})))
            assert (await edge.answer()).stored
            await edge.publish_bytes(b"damaged", edge.batch().batch_id.to_bytes())
            assert not (await edge.answer()).stored
        now_ms = time.time_ns() // 1_000_000
        day_ms = now_ms - now_ms % DAY_MS - DAY_MS
        ledger = EdgeLedger(settings.entities)
        for device, told, found in (("mixer", 2, 2), ("oven", 10, 7)):
            await ledger.note_told([ToldDay("bakery", "edge-1", day_ms, device, told)])
            await ledger.note_compared([Reconciliation("bakery", "edge-1", day_ms, device, told, found)])
        await ledger.close()

        async def told_all() -> bool:
            told = await metrics(port)
            return all(
                line in told
                for line in (
                    'leanmeter_broker_connected{device="collector"} 1.0',
                    'leanmeter_values_stored_total{device="collector"} 2.0',
                    'leanmeter_messages_rejected_total{device="collector"} 1.0',
                    'leanmeter_quarantine_entries{device="bakery.edge-1"} 1.0',
                    'leanmeter_values_missing{device="bakery.edge-1"} 3.0',
                    'leanmeter_days_with_mismatch{device="bakery.edge-1"} 1.0',
                )
            )

        await eventually_async(told_all)
        path = server_file(tmp_path, settings)
        shown = await asyncio.to_thread(processes.run_leanmeter, "collector", "status", "--config", path)
        assert shown.returncode == 0, shown.stderr
        first, _, headings, row = shown.stdout.splitlines()
        assert first == "collector: connected, store available, 0 batches waiting, 2 values stored since its start"
        assert headings.split("  ")[0] == "EDGE"
        assert row.startswith("bakery/edge-1  ")
        assert row.endswith("ntp    1          1 of 1 WRONG, 3 values missing")
        shown = await asyncio.to_thread(processes.run_leanmeter, "collector", "status", "--config", path, "--json")
        (listed,) = json.loads(shown.stdout)["edges"]
        assert [(day["device"], day["told"], day["stored"]) for day in listed["days"]] == [
            ("mixer", 2, 2),
            ("oven", 10, 7),
        ]

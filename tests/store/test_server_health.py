from pathlib import Path

import pytest

from site_config.errors import ConfigurationError
from store.protocol import OperatedReadingStore
from store.schema import SERVER_SITE
from store.server_health import ServerHealth
from store.sqlite_readings import SqliteReadings
from tests.collector.test_health import metrics
from tests.servers.ports import free_port
from tests.store.rows import START_MS

HEALTH = {"collector": {"batches_waiting": 3.0, "values_stored_total": 1e9}, "bakery.edge-1": {"delay_s": 1.25}}


async def test_the_same_numbers_stand_in_the_store_and_at_prometheus(store: OperatedReadingStore) -> None:
    port = free_port()
    health = ServerHealth(store, port, "collector.metrics_port")
    await health.publish({"gone": {"delay_s": 9.0}}, START_MS)
    await health.publish(HEALTH, START_MS + 1)
    latest = await store.latest(SERVER_SITE, START_MS + 1)
    assert {pair: one.value for pair, one in latest.items()} == {
        ("collector", "batches_waiting"): 3.0,
        ("collector", "values_stored_total"): 1e9,
        ("bakery.edge-1", "delay_s"): 1.25,
    }
    lines = (await metrics(port)).splitlines()
    assert [line for line in lines if not line.startswith("#")] == [
        'leanmeter_batches_waiting{device="collector"} 3.0',
        'leanmeter_values_stored_total{device="collector"} 1e+09',
        'leanmeter_delay_s{device="bakery.edge-1"} 1.25',
    ]
    assert "# TYPE leanmeter_values_stored_total counter" in lines
    with pytest.raises(ConfigurationError, match=f"evaluation.metrics_port: {port}: Address already in use"):
        ServerHealth(store, port, "evaluation.metrics_port")
    health.close()
    ServerHealth(store, port, "collector.metrics_port").close()


async def test_without_a_port_only_the_store_is_told(tmp_path: Path) -> None:
    readings = SqliteReadings(tmp_path / "readings.sqlite")
    health = ServerHealth(readings, None, "collector.metrics_port")
    await health.publish(HEALTH, START_MS)
    assert (await readings.count(SERVER_SITE)).values == 3
    health.close()
    await readings.close()

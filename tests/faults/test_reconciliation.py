"""What an edge kept is compared with what is stored, day by day: a loss is seen, and nothing else looks like one."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from collector.reconciliation import Reconciler
from edge_agent.batcher import Batcher
from edge_agent.outbox import Outbox
from edge_agent.publisher import Publisher
from edge_agent.samples import ColumnShape, Sample
from edge_agent.totals import Totals
from site_config.schema import MqttSettings
from store.edge_ledger import EdgeLedger, Reconciliation, ToldDay
from store.protocol import OperatedReadingStore
from store.sqlite_readings import SqliteReadings
from tests.collector.conftest import StartCollector
from tests.servers.mosquitto import Mosquitto
from tests.store.conftest import settings, store
from tests.store.rows import column, rows
from wire_format.events import Event, EventKind
from wire_format.quality import Quality
from wire_format.topics import EdgeAddress

__all__ = ["settings", "store"]  # fixtures: an empty store of each kind

DAY_MS = 86_400_000
MIDNIGHT_MS = 1_795_000_000_000 // DAY_MS * DAY_MS
ENERGY = "active_energy_import_total"
SHAPE = (ColumnShape("active_power_total", "W", -1), ColumnShape(ENERGY, "kWh", -2))
EDGE = EdgeAddress("bakery", "edge-1")


class Edge:
    """Batcher, outbox and publisher, as the agent wires them."""

    def __init__(self, folder: Path, broker: Mosquitto) -> None:
        self.outbox = Outbox.open(folder, max_bytes=100_000_000)
        mqtt = MqttSettings(host=broker.host, port=broker.port)
        self.publisher = Publisher(self.outbox, EDGE, mqtt, run_id=secrets.token_hex(8), acknowledgement_timeout_s=2.0)
        totals = Totals()
        totals.restore(self.outbox.last_state)
        self.batcher = Batcher(self.outbox, totals, self.publisher, lambda: "ntp")

    def measure(self, device: str, offset_ms: int, energy: int) -> None:
        good = (Quality.GOOD, Quality.GOOD)
        self.batcher.add(Sample(device, SHAPE, MIDNIGHT_MS + offset_ms, (5000, energy), good))
        self.batcher.flush()

    @asynccontextmanager
    async def online(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.publisher.run())
        try:
            yield
            assert await self.publisher.drain(30)
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            self.outbox.close()


async def test_days_that_arrived_whole_agree_and_what_is_taken_away_is_seen(
    tmp_path: Path, broker: Mosquitto, run_collector: StartCollector
) -> None:
    edge = Edge(tmp_path / "outbox", broker)
    async with run_collector(broker) as given:
        async with edge.online():
            for second in range(-30, 90, 2):
                edge.measure("oven", second * 1000, 100_000 + second)
                edge.measure("mixer", second * 1000 + 7, 5)
        ledger, readings = EdgeLedger(given.entities), SqliteReadings(tmp_path / "readings.sqlite")
        reconciler = Reconciler(ledger, readings, retention_days=None)
        await reconciler.compare(MIDNIGHT_MS + 1)
        whole = [
            Reconciliation("bakery", "edge-1", MIDNIGHT_MS - DAY_MS, device, 30, 30) for device in ("mixer", "oven")
        ]
        assert await ledger.reconciliations(0) == tuple(whole)
        # They are not events for the store's readers.
        assert await readings.events("bakery", 0, MIDNIGHT_MS + DAY_MS) == []
        # A store that loses rows: the first of the day, of one device.
        await ledger.note_told([ToldDay("bakery", "edge-1", MIDNIGHT_MS - DAY_MS, "oven", 30, {ENERGY: 0.28})])
        await readings._thread.write(
            lambda connection: connection.execute(
                "DELETE FROM reading WHERE time_ms = ? AND layout_id = "
                "(SELECT id FROM layout WHERE site = 'bakery' AND device = 'oven')",
                (MIDNIGHT_MS - 30_000,),
            )
        )
        await reconciler.compare(MIDNIGHT_MS + 1)
        found = {one.device: one for one in await ledger.reconciliations(0)}
        assert (found["oven"].stored, found["oven"].missing, found["oven"].wrong_totals) == (28, 2, (ENERGY,))
        assert found["mixer"].agrees
        await ledger.close()
        await readings.close()


async def test_a_killed_edge_tells_no_more_than_there_is(
    tmp_path: Path, broker: Mosquitto, run_collector: StartCollector
) -> None:
    edge = Edge(tmp_path / "outbox", broker)
    for second in range(-60, -37):
        edge.measure("oven", second * 1000, 100_000 + second)
    edge.outbox.close()  # without the state of the last seconds, as after a kill
    edge = Edge(tmp_path / "outbox", broker)
    async with run_collector(broker) as given:
        async with edge.online():
            for second in range(-10, 90):
                edge.measure("oven", second * 1000, 100_000 + second)
        ledger, readings = EdgeLedger(given.entities), SqliteReadings(tmp_path / "readings.sqlite")
        await Reconciler(ledger, readings, retention_days=None).compare(MIDNIGHT_MS + 1)
        (one,) = await ledger.reconciliations(0)
        assert one.agrees, one
        assert one.stored == 66
        assert 46 <= one.told <= 66
        await ledger.close()
        await readings.close()


@pytest.mark.parametrize("first_ms", [MIDNIGHT_MS - 5000, MIDNIGHT_MS + 1])
async def test_a_thinned_day_is_no_loss(tmp_path: Path, store: OperatedReadingStore, first_ms: int) -> None:
    ledger = EdgeLedger(tmp_path / "entities.sqlite")
    day_ms = MIDNIGHT_MS - DAY_MS
    await store.write("bakery", [rows("oven", [day_ms, MIDNIGHT_MS - 1000], column(ENERGY, 10, 25))])
    # InfluxDB and SQLite count alike, within the day only.
    await store.write("bakery", [rows("oven", [day_ms - 1, MIDNIGHT_MS], column(ENERGY, 9, 26))])
    await store.write("bakery", [rows("mixer", [day_ms], column("a", 1), column("b", 2))])
    numbers = {"first_ms": float(first_ms), "last_ms": float(first_ms + 10)}
    thinned = Event(EDGE.device, EventKind.OUTBOX_THINNED, MIDNIGHT_MS + 50, "", "full", numbers)
    await store.write_events("bakery", [thinned])
    await ledger.note_told(
        [
            ToldDay("bakery", "edge-1", day_ms, "oven", 40, {ENERGY: 1.5}),
            ToldDay("bakery", "edge-1", day_ms, "mixer", 2),
        ]
    )
    await Reconciler(ledger, store, retention_days=30).compare(MIDNIGHT_MS + 1)
    mixer, oven = await ledger.reconciliations(0)
    assert (mixer.stored, mixer.agrees, oven.stored, oven.wrong_totals) == (2, True, 2, ())
    assert (oven.thinned, oven.missing) == ((True, 0) if first_ms < MIDNIGHT_MS else (False, 38))
    await ledger.close()

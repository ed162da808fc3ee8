"""A loss of mains, from the agent's event to the interval, in both stores; and thinned rows as what they are."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from collector.collector import open_parts
from collector.ingest import Incoming
from evaluation.worker import run
from site_config.schema import load_site
from store.server_file import ServerFile
from store.settings import StoreSettings
from tests.store.conftest import settings as store_settings
from wire_format.batch import Batch, BatchId, Column, DeviceRows
from wire_format.codec import encode_batch
from wire_format.events import Event, EventKind

settings = store_settings
"""The fixture: both stores."""

SITE_FILE = """
site: bakery
lines: [{id: cabinet, tcp: {host: 127.0.0.1}, devices: [{id: oven-meter, profile: eastron/sdm630}]}]
points: [{id: oven, name: Oven, resource: electricity, measured_by: oven-meter}]
"""
TOPIC = "leanmeter/v1/bakery/edge-1/batch"
MINUTE_MS = 60_000
START_MS = 1_794_960_000_000
"""A quarter of an hour begins."""


def readings(minutes: range, first_kwh: float, *, thinned: bool = False) -> DeviceRows:
    times = tuple(START_MS + minute * MINUTE_MS for minute in minutes)
    integers = tuple(round(first_kwh * 1000) + 100 * (minute - minutes.start) for minute in minutes)
    return DeviceRows("oven-meter", times, (Column("active_energy_import_total", "kWh", -3, integers),), thinned)


async def evaluated(folder: Path, settings: StoreSettings, *batches: Batch) -> list[list[str]]:
    """The qualities of the oven's intervals after each batch has been stored and evaluated."""
    assert START_MS % (15 * MINUTE_MS) == 0
    (folder / "site.yaml").write_text(SITE_FILE, encoding="utf-8")
    server = ServerFile(store=settings, entities=folder / "entities.sqlite")
    found: list[list[str]] = []
    async with open_parts(server) as parts:
        await parts.entities.import_site(load_site(folder / "site.yaml"), "test")
        for number, batch in enumerate(batches, 1):
            given = replace(batch, batch_id=BatchId("00112233445566ff", number))
            answer = await parts.ingest.take(Incoming(TOPIC, encode_batch(given)))
            assert answer is not None
            assert answer.acknowledgement.stored
            await run(server, asyncio.Event(), once=True)
            rows = await parts.readings.intervals("bakery", START_MS, START_MS + 200 * MINUTE_MS, "oven")
            found.append([row.quality for row in rows])
    return found


@pytest.mark.timeout(120)
async def test_an_outage_that_is_told_after_its_readings_were_evaluated(
    tmp_path: Path, settings: StoreSettings
) -> None:
    rows = (readings(range(21), 5.0), readings(range(70, 91), 7.02))
    told = Event("agent-edge-1", EventKind.OUTAGE, START_MS + 20 * MINUTE_MS, "agent")
    ended = replace(told, numbers={"until_ms": float(START_MS + 70 * MINUTE_MS)})
    empty = BatchId("0" * 16, 1)
    before, after = await evaluated(tmp_path, settings, Batch(empty, rows, "ntp"), Batch(empty, (), "ntp", (ended,)))
    assert before[1:5] == ["interpolated"] * 4
    assert after[:6] == ["measured", *["outage"] * 4, "measured"]


@pytest.mark.timeout(120)
async def test_readings_that_a_full_outbox_has_thinned(tmp_path: Path, settings: StoreSettings) -> None:
    thin = readings(range(0, 61, 15), 5.0, thinned=True)
    (found,) = await evaluated(tmp_path, settings, Batch(BatchId("0" * 16, 1), (thin,), "ntp"))
    assert found[:4] == ["thinned"] * 4

"""An InfluxDB bucket with simulated plants, as the dashboards will find it."""

import asyncio
import multiprocessing
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evaluation.plan.plan_file import PlanFile
from evaluation.worker import run
from leanmeter.demo.demo_plan import SHORTEST_DAYS, DemoHistory, plan_document
from leanmeter.simulate.plant_history import write_history
from simulators.factory.plant import Measure, Plant
from simulators.factory.plant_files import load_plant, ready_plants
from store.factory import open_entities, open_readings
from store.protocol import IntervalRow, OperatedReadingStore
from store.schema import INTERVAL_MS, SERVER_SITE
from store.server_file import ServerFile
from tests.dashboards.grafana import Target, render
from tests.scale import scaled
from tests.servers.influxdb import InfluxDB
from wire_format.batch import Column, DeviceRows
from wire_format.events import Event

NOW = datetime(2026, 11, 25, 15, 40, tzinfo=UTC)
"""A Wednesday: every plant works, and the sun shines on most."""
NOW_S = round(NOW.timestamp())
NOW_MS = NOW_S * 1000
DAY_S = 86_400
FULL_SIZE = scaled(0, 1) == 1
DAYS = scaled(3, 90)
ROW_INTERVAL_S = scaled(300, 60)
PLANTS_AT_ONCE = 2
LIVE_S = 900
LIVE_INTERVAL_S = 15.0
OUTAGE_MS = NOW_MS - 3 * 3_600_000
SITES = tuple(ready_plants()) if FULL_SIZE else ("bakery", "metal-parts")
"""Between them they have sun, a generator, fuel, water, material, product by mass and by piece, and waste."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A bucket with all ready plants up to `NOW`."""

    influxdb: InfluxDB
    bucket: str

    def rows(self, target: Target, shown: str | None = None, **chosen: str | list[str]) -> list[dict[str, Any]]:
        """What a panel gets, at `NOW`."""
        return self.ask(render(target, chosen, NOW_MS, shown))

    def ask(self, influxql: str) -> list[dict[str, Any]]:
        return self.influxdb.query(self.bucket, influxql)

    def anywhere(self, target: Target, **chosen: str) -> list[dict[str, Any]]:
        """What a panel gets at the first site that has something for it."""
        for site in SITES:
            rows = self.rows(target, site=site, **chosen)
            if has_values(rows):
                return rows
        return []


def has_values(rows: list[dict[str, Any]]) -> bool:
    """Whether there is anything beside times, tags and nulls."""
    tags = {"time", "site", "point", "device", "resource", "kind"}
    return any(value is not None for row in rows for key, value in row.items() if key not in tags)


def fill(influxdb: InfluxDB, bucket: str, folder: Path) -> None:
    """Write all ready plants into a bucket that exists; `folder` gets a file of entities for each."""
    store = {"influx": {"url": influxdb.url, "org": influxdb.org, "bucket": bucket, "token": influxdb.token}}
    work = [(name, {"store": store, "entities": str(folder / f"{name}.sqlite")}) for name in SITES]
    if FULL_SIZE:
        with ProcessPoolExecutor(PLANTS_AT_ONCE, multiprocessing.get_context("spawn")) as pool:
            list(pool.map(_fill_site, *zip(*work, strict=True)))
    else:
        for name, settings in work:
            _fill_site(name, settings)
    asyncio.run(_server_health(ServerFile.model_validate(work[0][1])))


def _fill_site(name: str, settings: Mapping[str, Any]) -> None:
    asyncio.run(_fill(name, ServerFile.model_validate(settings)))


async def _fill(name: str, settings: ServerFile) -> None:
    first = datetime.fromtimestamp(NOW_S - DAYS * DAY_S, UTC).date()
    history = DemoHistory(load_plant(name), first, DAYS)
    measures = [Measure(measure, history.measure_day) for measure in history.plant.measures] if FULL_SIZE else []
    plant = Plant(history.plant, 1, first, measures)
    live_s = NOW_S - LIVE_S
    await write_history(plant, settings, plant.start_s, live_s, interval_s=ROW_INTERVAL_S)
    await write_history(plant, settings, live_s, NOW_S, interval_s=LIVE_INTERVAL_S)
    await _plan(settings, history if FULL_SIZE else DemoHistory(history.plant, first, SHORTEST_DAYS))
    readings = open_readings(settings.store)
    try:
        if not FULL_SIZE:
            await _judge(readings, name)
        await _tell(readings, name)
    finally:
        await readings.close()


async def _plan(settings: ServerFile, history: DemoHistory) -> None:
    """Give a site the demo's plan and evaluate it: what is expected, goals, costs."""
    entities = open_entities(settings.entities)
    try:
        plan = PlanFile.model_validate(plan_document(history, history.plant.id))
        await entities.plans.put(history.plant.id, plan.model_dump(mode="json", by_alias=True), {}, "test")
    finally:
        await entities.close()
    await run(settings, asyncio.Event(), once=True)


async def _judge(readings: OperatedReadingStore, site: str) -> None:
    """Expected values, as the evaluation writes them under a baseline, for a few days that are too few for one."""
    end_ms = NOW_MS + 1
    days = await readings.days(site, 0, end_ms)
    await readings.write_days(_judged(days))
    await readings.write_intervals(_judged(await readings.intervals(site, end_ms - DAY_S * 1000, end_ms)))


def _judged(rows: list[IntervalRow]) -> list[IntervalRow]:
    found = []
    for index, row in enumerate(rows):
        expected = row.amount * (1.02 + 0.01 * (index % 7))
        found.append(replace(row, expected=expected, lower=expected * 0.9, upper=expected * 1.1, goal=expected * 0.93))
    return found


async def _tell(readings: OperatedReadingStore, site: str) -> None:
    outage = Event("agent-edge-1", "outage", OUTAGE_MS, text="no mains", numbers={"until_ms": OUTAGE_MS + 900_000.0})
    await readings.write_events(site, [outage])
    start_ms = OUTAGE_MS - OUTAGE_MS % INTERVAL_MS
    for quality, since_ms in (("outage", start_ms), ("interpolated", start_ms - 4 * INTERVAL_MS)):
        rows = await readings.intervals(site, since_ms, since_ms + INTERVAL_MS)
        await readings.write_intervals(replace(row, quality=quality) for row in rows)
    await _health(readings, site, {"agent-edge-1": _AGENT}, tuple(range(NOW_MS - 3_600_000, NOW_MS, 60_000)))


_AGENT = {
    "devices_installed": 9.0,
    "devices_alive": 9.0,
    "outbox_use_percent": 0.4,
    "outbox_oldest_age_s": 1.0,
    "delay_p99_s": 1.1,
    "bus_use_percent": 43.0,
    "disk_free_bytes": 2.1e10,
    "clock_source": 4.0,
}


async def _server_health(settings: ServerFile) -> None:
    """Ten minutes of what collector and evaluation tell; names as in docs/observability.md, which a test compares."""
    devices = {
        "collector": {
            "batches_waiting": 2.0,
            "values_stored_total": 1e6,
            "quarantine_entries": 1.0,
            "store_available": 1.0,
        },
        "evaluation": {"marks_waiting": 3.0, "cycle_duration_s": 0.2},
    }
    for site in SITES:
        devices[f"{site}.edge-1"] = {
            "last_batch_age_s": 1.0,
            "newest_reading_age_s": 1.5,
            "quarantine_entries": 0.0,
            "days_compared": 6.0,
            "days_with_mismatch": 0.0,
            "values_missing": 0.0,
        }
    readings = open_readings(settings.store)
    try:
        await _health(readings, SERVER_SITE, devices, tuple(range(NOW_MS - 600_000, NOW_MS, 10_000)))
    finally:
        await readings.close()


async def _health(
    readings: OperatedReadingStore, site: str, devices: Mapping[str, Mapping[str, float]], times_ms: tuple[int, ...]
) -> None:
    rows = [
        DeviceRows(
            device,
            times_ms,
            tuple(
                Column(name, "1", -3, _course(value, len(times_ms), grows=name.endswith("_total")))
                for name, value in numbers.items()
            ),
        )
        for device, numbers in devices.items()
    ]
    await readings.write(site, rows)


def _course(value: float, length: int, *, grows: bool) -> tuple[int, ...]:
    return tuple(round(value * 1000) + (step * 1_000_000 if grows else 0) for step in range(length))

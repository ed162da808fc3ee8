"""The same readings give the same intervals, days and page, whichever store holds them."""

from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from evaluation.evaluator import Evaluator
from evaluation.site_model import SiteModel
from site_config.points import Assignment, Point, Resource, Role
from store.factory import open_readings
from store.protocol import IntervalRow
from store.schema import INTERVAL_MS
from store.settings import StoreSettings
from tests.evaluation.coarse_meter import ENERGY, RATE, CoarseMeter
from tests.servers.influxdb import InfluxDB
from tests.visit.bakery import SITE, Bakery
from visit.live import LiveView
from visit.reader import LiveReader, NamedSite
from wire_format.batch import Column, DeviceRows


def rounded(rows: list[IntervalRow]) -> list[IntervalRow]:
    return [
        replace(row, amount=round(row.amount, 6), demand=None if row.demand is None else round(row.demand, 6))
        for row in rows
    ]


async def everything(bakery: Bakery) -> tuple[list[IntervalRow], list[IntervalRow], LiveView, tuple[float | None, ...]]:
    await bakery.declare()
    await bakery.fill(hours=30, every_s=30, skip=("mixer-meter",))
    await bakery.fill(hours=0.6, every_s=30)
    await bakery.evaluate()
    start_ms, end_ms = bakery.now_ms - 40 * 3_600_000, bakery.now_ms + 1
    intervals = await bakery.readings.intervals(SITE, start_ms, end_ms)
    days = await bakery.readings.days(SITE, start_ms, end_ms)

    async def load() -> NamedSite | None:
        entry = await bakery.entities.site(SITE)
        assert entry is not None
        points, assignments = await bakery.entities.points(SITE), await bakery.entities.assignments(SITE)
        return NamedSite(entry.name, SiteModel(SITE, entry.time_zone, points, assignments))

    reader = LiveReader(bakery.readings, SITE, load, now_ms=lambda: bakery.now_ms)
    await reader.refresh()
    curve = tuple(None if value is None else round(value, 6) for value in reader.curve.site_kw)
    await bakery.close()
    return rounded(intervals), rounded(days), reader.view, curve


async def test_sqlite_and_influxdb_agree(tmp_path: Path, influxdb: InfluxDB, influxdb_bucket: str) -> None:
    (tmp_path / "sqlite").mkdir()
    (tmp_path / "influx").mkdir()
    influx = {"url": influxdb.url, "token": influxdb.token, "org": influxdb.org, "bucket": influxdb_bucket}
    first = Bakery(tmp_path / "sqlite")
    second = Bakery(tmp_path / "influx", first.now_ms, {"influx": influx})

    intervals, days, view, curve = await everything(first)
    other_intervals, other_days, other_view, other_curve = await everything(second)

    assert len(intervals) > 120 * 7
    assert intervals == other_intervals
    assert days == other_days
    assert curve == other_curve
    assert view.site_power_kw == pytest.approx(other_view.site_power_kw)
    assert [line.id for line in view.points] == [line.id for line in other_view.points]


COARSE_START_MS = 1_795_000_000_000 // INTERVAL_MS * INTERVAL_MS


async def coarse_intervals(meter: CoarseMeter, store: dict[str, object]) -> list[IntervalRow]:
    rows = []
    for quantity, unit, exponent in ((RATE, "W", -1), (ENERGY, "kWh", -1)):
        cells = [(time_ms, value) for name, time_ms, value in meter.cells(0, 5400) if name == quantity]
        column = Column(quantity, unit, exponent, tuple(round(value / 10**exponent) for _, value in cells))
        rows.append(DeviceRows("meter", tuple(time_ms for time_ms, _ in cells), (column,)))
    readings = open_readings(StoreSettings.model_validate(store))
    try:
        await readings.write(SITE, rows)
        point = Point("packing", "Packing", Resource.ELECTRICITY, Role.PART)
        model = SiteModel(SITE, ZoneInfo("UTC"), (point,), (Assignment("meter", "packing", ENERGY, RATE),))
        marks = range(COARSE_START_MS, COARSE_START_MS + 6 * INTERVAL_MS, INTERVAL_MS)
        await Evaluator(readings, model, 60_000).evaluate({"meter": marks})
        return await readings.intervals(SITE, COARSE_START_MS, COARSE_START_MS + 7 * INTERVAL_MS)
    finally:
        await readings.close()


async def test_a_coarse_total_has_the_same_shape(tmp_path: Path, influxdb: InfluxDB, influxdb_bucket: str) -> None:
    influx = {"url": influxdb.url, "token": influxdb.token, "org": influxdb.org, "bucket": influxdb_bucket}
    meter = CoarseMeter(lambda second: 300.0 if second % 1000 < 500 else 900.0, COARSE_START_MS)

    rows = await coarse_intervals(meter, {"sqlite": str(tmp_path / "readings.sqlite")})
    other_rows = await coarse_intervals(meter, {"influx": influx})

    truth = meter.true_amounts(list(range(0, 5401, 900)))
    assert [row.amount for row in rows] == pytest.approx(truth, rel=0.03)
    assert rounded(rows) == rounded(other_rows)

"""The same readings give the same intervals, days and page, whichever store holds them."""

from dataclasses import replace
from pathlib import Path

import pytest

from evaluation.evaluator import SiteModel
from store.protocol import IntervalRow
from tests.servers.influxdb import InfluxDB
from tests.visit.bakery import SITE, Bakery
from visit.live import LiveView
from visit.reader import LiveReader, NamedSite


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

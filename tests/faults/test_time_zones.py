"""Days on which the clocks change, wherever a site is: no energy is lost, doubled or booked on another day."""

from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from evaluation.evaluator import Evaluator
from evaluation.site_model import SiteModel
from site_config.points import Assignment, Point, Resource, Role
from store.protocol import OperatedReadingStore
from store.schema import INTERVAL_MS
from tests.store.conftest import settings, store
from wire_format.batch import Column, DeviceRows

__all__ = ["settings", "store"]  # fixtures: an empty store of each kind

ENERGY = "active_energy_import_total"
STEP_MS = 300_000
HOURS = {
    ("Europe/Madrid", date(2026, 3, 29)): 23,
    ("Europe/Madrid", date(2026, 10, 25)): 25,
    ("Australia/Lord_Howe", date(2026, 4, 5)): 24.5,
    ("Australia/Lord_Howe", date(2026, 10, 4)): 23.5,
    ("America/Santiago", date(2026, 9, 6)): 23,  # from midnight to one o'clock: the day begins at one
    ("Asia/Kathmandu", date(2026, 3, 29)): 24,  # an offset of 5:45
}


@pytest.mark.parametrize(("zone", "day"), HOURS)
async def test_a_day_has_the_hours_that_it_has(store: OperatedReadingStore, zone: str, day: date) -> None:
    place = ZoneInfo(zone)
    midnights_ms = [
        round(datetime.combine(day + timedelta(days=number), datetime.min.time(), place).timestamp() * 1000)
        for number in (-1, 0, 1, 2)
    ]
    # 1 kW throughout: 0.001 kWh are 3.6 s.
    times = tuple(range(midnights_ms[0], midnights_ms[-1] + STEP_MS, STEP_MS))
    energy = Column(ENERGY, "kWh", -6, tuple((time_ms - times[0]) * 10 // 36 for time_ms in times))
    await store.write("plant", [DeviceRows("meter", times, (energy,))])
    point = Point("main", "Main", Resource.ELECTRICITY, Role.MAIN)
    model = SiteModel("plant", place, (point,), (Assignment("meter", "main", ENERGY, None),))
    marks = set(range(times[0] // INTERVAL_MS * INTERVAL_MS, times[-1], INTERVAL_MS))
    await Evaluator(store, model, STEP_MS * 2).evaluate({"meter": marks})

    days = [row for row in await store.days("plant", times[0], times[-1]) if row.point == "main"]
    hours = [(end - start) / 3_600_000 for start, end in pairwise(midnights_ms)]
    assert hours[1] == HOURS[zone, day]
    assert [row.start_ms for row in days] == midnights_ms[:-1]
    assert [row.amount for row in days] == pytest.approx(hours)
    intervals = [row for row in await store.intervals("plant", midnights_ms[1], midnights_ms[2]) if row.point == "main"]
    assert len(intervals) == hours[1] * 4
    assert sum(row.amount for row in intervals) == pytest.approx(hours[1])
    assert {row.quality for row in intervals} == {"measured"}

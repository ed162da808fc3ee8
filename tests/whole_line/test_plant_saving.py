"""A simulated factory whose saving is known: from readings to a baseline, and the band holds the truth."""

import asyncio
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from evaluation.judging.standing import Standings
from evaluation.plan.plan_file import PlanFile
from evaluation.site_model import load_model
from evaluation.worker import Worker
from leanmeter.demo.demo_plan import DemoHistory, plan_document
from leanmeter.simulate.plant_history import write_history
from simulators.factory.meters import PlantMeters
from simulators.factory.plant import Measure, Plant
from simulators.factory.plant_files import load_plant
from store.factory import open_entities, open_readings
from store.server_file import ServerFile

DAYS = 60
INTERVAL_S = 900.0
POINTS = ("main", "gas", "water", "stamped", "turned")


@pytest.mark.timeout(300)
async def test_the_band_holds_the_true_saving(tmp_path: Path) -> None:
    whole = load_plant("metal-parts")
    # Its parts are measured elsewhere in the tests; without them this takes seconds.
    file = whole.model_copy(update={"points": {name: whole.points[name] for name in POINTS}})
    zone = ZoneInfo(file.time_zone)
    today = datetime.fromtimestamp(time.time(), UTC).astimezone(zone).date()
    history = DemoHistory(file, today - timedelta(days=DAYS), DAYS)
    plant = Plant(file, 1, history.first, [Measure(name, history.measure_day) for name in file.measures])
    settings = ServerFile.model_validate(
        {"store": {"sqlite": tmp_path / "readings.sqlite"}, "entities": tmp_path / "entities.sqlite"}
    )
    start_s, end_s = (_midnight_s(day, zone) for day in (history.first, today))
    # The last day is whole when something has been read after it.
    until_s = end_s + 2 * INTERVAL_S
    await write_history(plant, settings, start_s, until_s, interval_s=INTERVAL_S, site="works", evaluate=False)

    readings, entities = open_readings(settings.store), open_entities(settings.entities)
    try:
        plan = PlanFile.model_validate(plan_document(history, "works"))
        await entities.plans.put("works", plan.model_dump(mode="json", by_alias=True), {}, "ana", rederive=False)
        worker = Worker(readings, entities, gap_limit_ms=round(3 * INTERVAL_S * 1000))
        await worker.work(1.0, asyncio.Event(), once=True)
        entry = await entities.site("works")
        assert entry is not None
        standings = await Standings(readings, entities.plans).of_site(await load_model(entities, entry), today)
    finally:
        await readings.close()
        await entities.close()

    measured = history.first + timedelta(days=history.measure_day + 1)
    for standing in standings:
        assert standing.savings is not None
        assert standing.judged == (today - measured).days
        saved = _true_saving(plant, standing.series, _midnight_s(measured, zone), end_s)
        assert abs(standing.savings.savings - saved) < standing.savings.half_width, standing.text
        assert standing.savings.proven, standing.text


def _true_saving(plant: Plant, series: str, start_s: float, end_s: float) -> float:
    """What the same plant, with the same chance and no measure, would have used more."""
    weights = {
        "site.energy": {"main": 1.0, "gas": 10.5},
        "site.electricity": {"main": 1.0},
        "site.water": {"water": 1.0},
    }
    without = Plant(plant.file, plant.seed, plant.calendar.first)

    def used(measured: Plant) -> float:
        meters = PlantMeters(measured)
        return sum(
            weight * (meters.amounts(name, (end_s,))[0] - meters.amounts(name, (start_s,))[0])
            for name, weight in weights[series].items()
        )

    return used(without) - used(plant)


def _midnight_s(day: date, zone: ZoneInfo) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()

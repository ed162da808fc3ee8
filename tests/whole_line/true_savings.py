"""Days of a simulated plant in a store, as the evaluation would have written them, beside what was truly saved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from evaluation.judging.freezing import Freezer
from evaluation.judging.standing import Standing, Standings
from evaluation.plan.plan_file import PlanFile
from evaluation.site_model import load_model
from leanmeter.demo.demo_plan import DemoHistory, plan_document
from simulators.factory.plant import Measure, Plant
from simulators.factory.plant_files import load_plant
from simulators.factory.plant_site import site_document
from simulators.factory.truth import truth
from site_config.schema import Site, SiteFile
from store.factory import open_entities, open_readings
from store.protocol import IntervalRow
from store.server_file import ServerFile
from wire_format.batch import Column, DeviceRows

SITE = "works"
HOUR_MS = 3_600_000
SERIES = ("site.energy", "site.electricity")
LONG_OUTAGE_MIN = 144.0
"""A tenth of a day without mains: such a day is none like others."""


@dataclass(frozen=True, slots=True)
class Lived:
    """A plant's days with all its measures taken on one of them, and the hours' temperatures outside."""

    history: DemoHistory
    days: Sequence[Mapping[str, Any]]
    hourly_degc: Sequence[Sequence[float]]

    def amounts(self, series: str, key: str) -> list[float]:
        """kWh of each day: `amount` as it was, `without_measures` as it would have been."""
        points = self.history.plant.points
        fuel_kwh = {each["point"]: each["kwh_a_unit"] for each in plan_document(self.history, SITE)["calorific_values"]}
        electric = [
            name
            for name, point in points.items()
            if point.resource.value == "electricity" and point.role.value in {"main", "generation"}
        ]
        weights = dict.fromkeys(electric, 1.0) | (fuel_kwh if series == "site.energy" else {})
        return [
            sum(
                weight * day["points"][name].get(key, day["points"][name]["amount"]) for name, weight in weights.items()
            )
            for day in self.days
        ]

    def saved(self, series: str, first: date, last: date) -> float:
        """What was truly saved from the first day to the last."""
        pairs = zip(self.days, self.amounts(series, "amount"), self.amounts(series, "without_measures"), strict=True)
        return sum(
            without - used
            for day, used, without in pairs
            if first.isoformat() <= day["date"] <= last.isoformat() and day["outage_min"] < LONG_OUTAGE_MIN
        )


def live(name: str, seed: int, first: date, days: int) -> Lived:
    """Let a plant live so many days."""
    history = DemoHistory(load_plant(name), first, days)
    plant = Plant(history.plant, seed, first, [Measure(each, history.measure_day) for each in history.plant.measures])
    lived = truth(plant, plant.start_s, plant.calendar.day(days).window.start_s)["days"]
    hourly = [plant.weather.hourly_degc(plant.calendar.day(number).date)[:24] for number in range(days)]
    return Lived(history, lived, hourly)


async def verdicts(lived: Lived, folder: Path, document: Mapping[str, Any] | None = None) -> list[Standing]:
    """What is said of the plant's energy by its demo's plan, or by another, the day after the last."""
    settings = ServerFile.model_validate(
        {"store": {"sqlite": folder / "readings.sqlite"}, "entities": folder / "entities.sqlite"}
    )
    given = dict(document or plan_document(lived.history, SITE))
    given["baselines"] = [entry for entry in given["baselines"] if entry["series"] in SERIES]
    plan = PlanFile.model_validate(given)
    readings, entities = open_readings(settings.store), open_entities(settings.entities)
    try:
        await entities.import_site(Site(SiteFile.model_validate(site_document(lived.history.plant, site=SITE))), "ana")
        await entities.plans.put(SITE, plan.model_dump(mode="json", by_alias=True), {}, "ana", rederive=False)
        await readings.write_days(_rows(lived))
        await readings.write(SITE, [_temperatures(lived)])
        entry = await entities.site(SITE)
        assert entry is not None
        assert await Freezer(readings, entities).freeze_what_is_due(entry)
        today = lived.history.first + timedelta(days=lived.history.days)
        return await Standings(readings, entities.plans).of_site(await load_model(entities, entry), today)
    finally:
        await readings.close()
        await entities.close()


def _rows(lived: Lived) -> list[IntervalRow]:
    points = lived.history.plant.points
    columns = {series: lived.amounts(series, "amount") for series in SERIES}
    for name, point in points.items():
        if point.resource.value == "product":
            columns[name] = [day["points"][name]["amount"] for day in lived.days]
    return [
        IntervalRow(
            SITE,
            name,
            _midnight_ms(lived, number),
            amount,
            None,
            1.0,
            "outage" if lived.days[number]["outage_min"] >= LONG_OUTAGE_MIN else "measured",
            name.removeprefix("site.") if name in SERIES else "product",
        )
        for name, amounts in columns.items()
        for number, amount in enumerate(amounts)
    ]


def _temperatures(lived: Lived) -> DeviceRows:
    times = [
        _midnight_ms(lived, number) + hour * HOUR_MS
        for number, hours in enumerate(lived.hourly_degc)
        for hour in range(len(hours))
    ]
    values = [round(degc * 100) for hours in lived.hourly_degc for degc in hours]
    return DeviceRows("outdoor-meter", tuple(times), (Column("temperature", "degC", -2, tuple(values)),))


def _midnight_ms(lived: Lived, number: int) -> int:
    local = lived.history.first + timedelta(days=number)
    zone = ZoneInfo(lived.history.plant.time_zone)
    return round(datetime(local.year, local.month, local.day, tzinfo=zone).timestamp() * 1000)

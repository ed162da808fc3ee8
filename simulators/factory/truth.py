"""What really happened: use by point and day with and without the measures, production, weather."""

from collections.abc import Mapping
from typing import Any

from simulators.factory.meters import PlantMeters
from simulators.factory.plant import Plant

_UNITS = {"electricity": "kWh", "water": "m3", "fuel": "m3", "product": "kg", "material": "kg", "waste": "kg"}


def truth(plant: Plant, start_s: float, end_s: float) -> dict[str, Any]:
    """The truth of the whole local days in [start, end), to be written as JSON.

    The saving of a measure is the difference to the same plant with the same chance in which no measure was taken:
    exact, not estimated.
    """
    twin = Plant(plant.file, plant.seed, plant.calendar.first) if plant.measures else plant
    with_measures, without = PlantMeters(plant), PlantMeters(twin)
    days = []
    number = plant.calendar.number_of(start_s)
    if plant.calendar.day(number).window.start_s < start_s:
        number += 1
    begin = _totals(with_measures, number), _totals(without, number)
    first, last_totals = begin, begin
    while plant.calendar.day(number).window.end_s <= end_s:
        following = _totals(with_measures, number + 1), _totals(without, number + 1)
        days.append(_day(plant, number, last_totals, following))
        last_totals, number = following, number + 1
    saved = {
        point: round((last_totals[1][point] - first[1][point]) - (last_totals[0][point] - first[0][point]), 6)
        for point in plant.file.points
    }
    return {
        "plant": plant.file.id,
        "seed": plant.seed,
        "first_day": plant.calendar.first.isoformat(),
        "time_zone": plant.file.time_zone,
        "measures": [
            {"name": measure.name, "date": plant.calendar.day(measure.day).date.isoformat()}
            for measure in plant.measures
        ],
        "points": {
            name: {"unit": "pieces" if point.resource == "product" and not point.weighs else _UNITS[point.resource]}
            for name, point in plant.file.points.items()
        },
        "saved": saved if plant.measures else {},
        "days": days,
    }


def _totals(meters: PlantMeters, number: int) -> dict[str, float]:
    """What each point had used when a day began."""
    time_s = (meters.plant.calendar.day(number).window.start_s,)
    return {name: meters.amounts(name, time_s)[0] for name in meters.points}


def _day(
    plant: Plant,
    number: int,
    before: tuple[Mapping[str, float], Mapping[str, float]],
    after: tuple[Mapping[str, float], Mapping[str, float]],
) -> dict[str, Any]:
    day = plant.calendar.day(number)
    sums, following = plant.sums_before(number), plant.sums_before(number + 1)
    production = {
        line: {
            flow: round(following[f"{line}/{flow}"][0] - sums.get(f"{line}/{flow}", (0.0, 0.0))[0], 6)
            for flow in plant.day(number).flows[line]
        }
        for line in plant.file.lines
    }
    points = {}
    for name in plant.file.points:
        used = after[0][name] - before[0][name]
        points[name] = {"amount": round(used, 6)}
        if plant.measures:
            points[name]["without_measures"] = round(after[1][name] - before[1][name], 6)
    return {
        "date": day.date.isoformat(),
        "outside_temperature_degc": round(plant.weather.mean_degc(day.date), 3),
        "outage_min": round(sum(end - start for start, end in plant.day(number).outages) / 60, 2),
        "production": production,
        "points": points,
    }

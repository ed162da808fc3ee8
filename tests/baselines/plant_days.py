"""Days of the simulated plants, whose truth is known: they are no straight lines and have no normal errors."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from baselines.observations import Observations
from baselines.weather_model import Temperatures
from simulators.factory.plant import Measure, Plant
from simulators.factory.plant_files import load_plant
from simulators.factory.truth import truth
from tests.baselines.plants import observed

GAS_KWH_A_M3 = 10.55
# Each with a measure that is taken halfway through.
PLANTS = {
    "garment": "led_lighting",
    "hotel-laundry": "fix_air_leak",
    "bakery": "lower_oven_temperature",
    "metal-parts": "fix_air_leak",
    "plastics": "insulate_barrels",
}


@dataclass(frozen=True)
class PlantDays:
    """All energy of each day in kWh, as it was and as it would have been without the measure; product by line."""

    used: tuple[float, ...]
    without: tuple[float, ...]
    product: dict[str, tuple[float, ...]]
    temperatures: tuple[float, ...]

    def rows(self, energy: tuple[float, ...]) -> Observations:
        return observed(energy, **self.product)

    def temperatures_of(self, rows: range) -> Temperatures:
        """The mean outside temperature of each of these days."""
        return Temperatures(tuple((self.temperatures[row],) for row in rows), (1.0,) * len(rows))


def plant_days(name: str, seed: int, days: int) -> PlantDays:
    """So many days of a plant, whose measure is taken halfway through."""
    simulated = Plant(load_plant(name), seed, date(2026, 1, 5), [Measure(PLANTS[name], days // 2)])
    found = truth(simulated, simulated.start_s, simulated.calendar.day(days).window.start_s)["days"]
    return PlantDays(
        tuple(_all_energy_kwh(day, "amount") for day in found),
        tuple(_all_energy_kwh(day, "without_measures") for day in found),
        {line: tuple(day["production"][line]["product"] for day in found) for line in found[0]["production"]},
        tuple(day["outside_temperature_degc"] for day in found),
    )


def _all_energy_kwh(day: dict[str, Any], key: str) -> float:
    amounts: dict[str, float] = {point: entry[key] for point, entry in day["points"].items()}
    own = sum(amounts.get(point, 0.0) for point in ("main", "solar", "generator"))
    return own + GAS_KWH_A_M3 * sum(amount for point, amount in amounts.items() if "gas" in point)

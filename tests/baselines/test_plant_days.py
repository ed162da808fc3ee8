"""Days of the simulated plants, whose truth is known: they are no straight lines and have no normal errors.

`LEANMETER_TEST_SCALE=100` tries five seeds of all five plants over 280 days: 2,000 comparisons, half an hour.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pytest

from baselines.linear_model import fit
from baselines.observations import Observations
from baselines.savings import savings
from baselines.weather_model import DegreeTerm, Temperatures, fit_weather
from simulators.factory.plant import Measure, Plant
from simulators.factory.plant_files import load_plant
from simulators.factory.truth import truth
from tests.baselines.plants import observed
from tests.scale import scaled

GAS_KWH_A_M3 = 10.55
DAYS = scaled(84, 280)
SPLITS = 80
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


TRIED = [(name, seed) for seed in range(1, 6) for name in PLANTS][: scaled(1, 25)]


@pytest.fixture(scope="module", params=TRIED, ids=[f"{name}-{seed}" for name, seed in TRIED])
def plant(request: pytest.FixtureRequest) -> PlantDays:
    name, seed = request.param
    simulated = Plant(load_plant(name), seed, date(2026, 1, 5), [Measure(PLANTS[name], DAYS // 2)])
    days = truth(simulated, simulated.start_s, simulated.calendar.day(DAYS).window.start_s)["days"]
    return PlantDays(
        tuple(all_energy_kwh(day, "amount") for day in days),
        tuple(all_energy_kwh(day, "without_measures") for day in days),
        {line: tuple(day["production"][line]["product"] for day in days) for line in days[0]["production"]},
        tuple(day["outside_temperature_degc"] for day in days),
    )


def all_energy_kwh(day: dict[str, Any], key: str) -> float:
    amounts: dict[str, float] = {point: entry[key] for point, entry in day["points"].items()}
    own = sum(amounts.get(point, 0.0) for point in ("main", "solar", "generator"))
    return own + GAS_KWH_A_M3 * sum(amount for point, amount in amounts.items() if "gas" in point)


def test_bands_hold_when_days_of_a_plant_are_compared_with_others(plant: PlantDays) -> None:
    """Baseline and reporting days are drawn from the same months, and nothing was saved."""
    rows = plant.rows(plant.without)
    chance = np.random.default_rng(1)
    inside = wrong = 0
    for _ in range(SPLITS):
        order = chance.permutation(DAYS).tolist()
        before, after = sorted(order[: DAYS // 2]), sorted(order[DAYS // 2 : 3 * DAYS // 4])
        found = savings(fit(rows.select(before), list(plant.product)), rows.select(after), granularity="day")
        inside += abs(found.savings) <= found.half_width
        wrong += found.proven
    # Splits of the same days have much in common: allow for more than their number's chance.
    assert inside / SPLITS >= 0.8
    assert wrong / SPLITS <= 0.1


def test_a_measures_true_saving_lies_in_the_band(plant: PlantDays, request: pytest.FixtureRequest) -> None:
    """The season goes on while the measure works: without the weather the band would be of another plant."""
    if "garment-1" not in request.node.name:
        pytest.skip("the other plants' measures save less than days of two seasons scatter")
    true = sum(plant.without[DAYS // 2 :]) - sum(plant.used[DAYS // 2 :])
    rows, half = plant.rows(plant.used), range(DAYS // 2)
    rest = range(DAYS // 2, DAYS)
    model = fit_weather(rows.select(half), list(plant.product), means(plant, half), [DegreeTerm("cooling")])
    found = savings(model.model, model.observe(rows.select(rest), means(plant, rest)), granularity="day")
    assert true > 0.0
    assert abs(found.savings - true) <= found.widening * found.half_width


def means(plant: PlantDays, rows: range) -> Temperatures:
    return Temperatures(tuple((plant.temperatures[row],) for row in rows), (1.0,) * len(rows))

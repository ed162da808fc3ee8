"""Work that moves from one carrier to another, and a day without mains, are no saving of energy."""

import random
from collections.abc import Mapping

import pytest

from baselines.linear_model import fit
from baselines.observations import Observations
from baselines.savings import Savings, savings
from evaluation.metering.site_series import SiteSums
from site_config.points import Point, Resource, Role
from store.protocol import IntervalRow

MAIN = Point("main", "Main", Resource.ELECTRICITY, Role.MAIN)
OVEN = Point("oven", "Oven", Resource.ELECTRICITY, Role.PART, parent="main")
GENSET = Point("genset", "Generator", Resource.ELECTRICITY, Role.GENERATION)
GAS = Point("gas", "Gas", Resource.FUEL, Role.MAIN)
DIESEL = Point("diesel", "Diesel", Resource.FUEL, Role.MAIN)
KWH_A_M3, KWH_A_LITRE = 10.5, 10.0
BASELINE_DAYS, DAYS = 42, 56


def day_use(bread_kg: float, chance: random.Random, *, moved: float = 0.0) -> dict[str, float]:
    """A day's use by point; `moved` is the share of the oven's work that gas does."""
    oven = 30.0 + 0.1 * bread_kg + chance.gauss(0.0, 1.0)
    return {"main": 60.0 + oven * (1.0 - moved), "oven": oven * (1.0 - moved), "gas": oven * moved / KWH_A_M3 + 1.0}


def on_generator(use: Mapping[str, float], *, with_fuel: bool) -> dict[str, float]:
    """The same day without mains: a third of diesel's energy becomes electricity."""
    found = {**use, "main": 0.0, "genset": use["main"]}
    return {**found, "diesel": 3.0 * use["main"] / KWH_A_LITRE} if with_fuel else found


def savings_of(series: str, uses: list[dict[str, float]], bread: list[float], points: list[Point]) -> Savings:
    energy = []
    for number, use in enumerate(uses):
        rows = {
            point.id: IntervalRow(
                "site", point.id, number, use.get(point.id, 0.0), None, 1.0, "measured", point.resource.value
            )
            for point in points
        }
        fuelled = frozenset({"genset"} if DIESEL in points else ())
        sums = SiteSums(points, fuelled).rows(rows, {"gas": KWH_A_M3, "diesel": KWH_A_LITRE})
        energy.append(next(row.amount for row in sums if row.point == series))
    labels = tuple(f"day {number}" for number in range(len(uses)))
    observed = Observations(labels, tuple(energy), {"bread": tuple(bread)})
    model = fit(observed.select(range(BASELINE_DAYS)), ["bread"])
    return savings(model, observed.select(range(BASELINE_DAYS, DAYS)), granularity="day")


def test_a_fifth_of_the_ovens_work_on_gas_is_no_saving() -> None:
    chance = random.Random(3)
    bread = [chance.uniform(300, 700) for _ in range(DAYS)]
    uses = [day_use(kg, chance, moved=0.2 if day >= BASELINE_DAYS else 0.0) for day, kg in enumerate(bread)]
    points = [MAIN, OVEN, GAS]

    energy = savings_of("site.energy", uses, bread, points)
    assert not energy.proven
    assert abs(energy.savings) < energy.half_width
    assert savings_of("site.electricity", uses, bread, points).proven, "electricity alone would look like a saving"


@pytest.mark.parametrize("with_fuel", [True, False], ids=["fuel measured", "fuel not measured"])
def test_days_on_the_generator_are_no_saving_and_are_not_counted_twice(with_fuel: bool) -> None:  # a parameter
    chance = random.Random(4)
    bread = [chance.uniform(300, 700) for _ in range(DAYS)]
    uses = [day_use(kg, chance) for kg in bread]
    for day in (BASELINE_DAYS + 2, BASELINE_DAYS + 9):
        uses[day] = on_generator(uses[day], with_fuel=with_fuel)
    points = [MAIN, OVEN, GENSET, GAS, *([DIESEL] if with_fuel else [])]

    found = savings_of("site.energy", uses, bread, points)

    assert not found.proven
    # Measured, the diesel is counted as what it is: more than the electricity that it made, and never both.
    of_generator = sum(uses[day]["genset"] for day in (BASELINE_DAYS + 2, BASELINE_DAYS + 9))
    assert found.savings == pytest.approx(-2 * of_generator if with_fuel else 0.0, abs=found.half_width)

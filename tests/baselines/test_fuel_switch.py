"""The energy goal is on all energy: what merely moves from one carrier to another is no saving."""

from datetime import date, timedelta

import numpy as np
import pytest

from baselines.calorific_values import CalorificValue, energy_kwh
from baselines.carriers import CarrierUse
from baselines.linear_model import fit
from baselines.savings import Savings, savings
from tests.baselines.plants import observed

FIRST = date(2026, 1, 1)
DAYS, BEFORE = 90, 60
VALUES = [
    CalorificValue("gas", "m3", 10.55, "gross", FIRST, "supplier's bill"),
    CalorificValue("diesel", "l", 10.7, "gross", FIRST, "supplier"),
]
GAS_OVEN_EFFICIENCY = 0.8
GENERATOR_KWH_A_LITRE = 3.3


def judged(energy: list[float], pieces: list[float]) -> Savings:
    rows = observed(energy, pieces=pieces)
    model = fit(rows.select(range(BEFORE)), ["pieces"])
    return savings(model, rows.select(range(BEFORE, DAYS)), granularity="day")


def plant() -> tuple[np.random.Generator, np.ndarray, np.ndarray, np.ndarray]:
    chance = np.random.default_rng(12)
    pieces = chance.uniform(200, 600, DAYS)
    oven = 50.0 + 0.5 * pieces + 5.0 * chance.normal(size=DAYS)
    rest = 100.0 + 0.2 * pieces + 5.0 * chance.normal(size=DAYS)
    return chance, pieces, oven, rest


def test_a_fifth_of_an_ovens_work_moved_to_gas_is_no_saving() -> None:
    _, pieces, oven, rest = plant()
    moved = np.where(np.arange(DAYS) < BEFORE, 0.0, 0.2)
    electricity = (rest + (1.0 - moved) * oven).tolist()
    gas_m3 = (moved * oven / GAS_OVEN_EFFICIENCY / 10.55).tolist()
    all_energy = [
        energy_kwh([CarrierUse("electricity", "kWh", day, kwh), CarrierUse("gas", "m3", day, m3)], VALUES, "gross")
        for day, kwh, m3 in zip((FIRST + timedelta(days=n) for n in range(DAYS)), electricity, gas_m3, strict=True)
    ]
    by_electricity = judged(electricity, pieces.tolist())
    assert by_electricity.proven
    assert by_electricity.savings_fraction == pytest.approx(0.12, abs=0.02)
    of_all = judged(all_energy, pieces.tolist())
    assert not of_all.proven
    # The gas oven needs a quarter more for the same bread.
    assert of_all.savings == pytest.approx(-0.25 * 0.2 * oven[BEFORE:].sum(), abs=of_all.half_width)


def test_a_generator_day_is_no_saving() -> None:
    """On a day without mains the generator's diesel is in the sum, and its electricity is not counted twice."""
    _, pieces, oven, rest = plant()
    use = oven + rest
    dead = {65, 66, 80}
    mains = [0.0 if day in dead else float(use[day]) for day in range(DAYS)]
    diesel_l = [float(use[day]) / GENERATOR_KWH_A_LITRE if day in dead else 0.0 for day in range(DAYS)]
    all_energy = [
        energy_kwh(
            [CarrierUse("electricity", "kWh", day, kwh), CarrierUse("diesel", "l", day, litres)], VALUES, "gross"
        )
        for day, kwh, litres in zip((FIRST + timedelta(days=n) for n in range(DAYS)), mains, diesel_l, strict=True)
    ]
    assert judged(mains, pieces.tolist()).proven
    of_all = judged(all_energy, pieces.tolist())
    assert not of_all.proven
    assert of_all.savings < 0.0

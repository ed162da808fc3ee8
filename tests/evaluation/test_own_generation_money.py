"""What own generation emits by a factor of its own, and what it keeps out of the grid."""

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from evaluation.accounting.day_money import DayMoney
from evaluation.plan.plan_file import PlanFile
from site_config.points import Point, Resource, Role
from store.protocol import IntervalRow

POINTS = (
    Point("main", "Main", Resource.ELECTRICITY, Role.MAIN),
    Point("solar", "Solar", Resource.ELECTRICITY, Role.GENERATION),
    Point("diesel-set", "Diesel set", Resource.ELECTRICITY, Role.GENERATION),
    Point("diesel", "Diesel", Resource.FUEL, Role.MAIN),
)
GRID = {"of": "electricity", "kg_a_unit": 0.4, "source": "test"}
SOLAR = {"of": "solar", "kg_a_unit": 0.05, "source": "test"}
DIESEL_SET = {"of": "diesel-set", "kg_a_unit": 0.9, "source": "test"}


def money(*factors: dict[str, Any], **plan: Any) -> DayMoney:
    document = {"site": "site", "emission_factors": list(factors), **plan}
    return DayMoney(PlanFile.model_validate(document), (), POINTS, date(2026, 6, 1), ZoneInfo("UTC"))


def emitted(found: DayMoney) -> float | None:
    """Of a site that takes 10 kWh from the grid, and 4 and 2 from its own generation."""
    amounts = {"main": 10.0, "solar": 4.0, "diesel-set": 2.0}
    rows = {
        name: [IntervalRow("site", name, 0, amount, None, 1.0, "measured", "electricity")]
        for name, amount in amounts.items()
    }
    by_point = {name: found.of_series(name, mine) for name, mine in rows.items()}
    return found.of_site("electricity", by_point).co2e


def test_own_generation_avoids_the_grids_emissions_less_its_own() -> None:
    assert money(GRID, SOLAR).avoided_kg_a_kwh() == {"solar": pytest.approx(0.35)}


def test_what_emits_more_than_the_grid_avoids_nothing_and_its_emissions_count() -> None:
    found = money(GRID, SOLAR, DIESEL_SET)
    assert found.avoided_kg_a_kwh()["diesel-set"] == 0.0
    assert emitted(found) == pytest.approx(10 * 0.4 + 4 * 0.05 + 2 * 0.9)


def test_a_generator_whose_fuel_is_counted_neither_emits_a_second_time_nor_avoids() -> None:
    found = money(GRID, DIESEL_SET, generators=[{"point": "diesel-set", "fuel": "diesel"}])
    assert found.avoided_kg_a_kwh() == {}
    assert emitted(found) == pytest.approx(10 * 0.4)


def test_a_factor_ends_and_without_the_grids_nothing_is_avoided() -> None:
    assert money(GRID, {**SOLAR, "to": "2026-06-01"}).avoided_kg_a_kwh() == {}
    assert money(SOLAR).avoided_kg_a_kwh() == {}

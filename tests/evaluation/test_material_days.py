from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from baselines.materials import Stream
from evaluation.accounting.material_days import MaterialDays
from evaluation.plan.plan_file import PlanFile
from site_config.points import Assignment, Point, Resource, Role
from store.protocol import IntervalRow

DAY = date(2026, 6, 1)
FLOUR = Point("flour", "Flour", Resource.MATERIAL, Role.PART, line="bread")
BREAD = Point("bread", "Bread", Resource.PRODUCT, Role.OUTPUT, line="bread")
BIN = Point("bin", "Bin", Resource.WASTE, Role.WASTE, line="bread")
ROLLS = Point("rolls", "Rolls", Resource.PRODUCT, Role.OUTPUT, line="rolls")
SUGAR = Point("sugar", "Sugar", Resource.MATERIAL, Role.PART, line="rolls")
FEED = Point("feed", "Feed", Resource.WASTE, Role.WASTE)
POINTS = (FLOUR, BREAD, BIN, SUGAR, ROLLS, FEED)
BREAD_LINE = {"flour": 500.0, "bread": 420.0, "bin": 30.0}
ALL = {**BREAD_LINE, "sugar": 100.0, "rolls": 2000.0, "feed": 10.0}
ROLLS_WEIGH = [{"point": "rolls", "kg_a_piece": 0.04, "source": "test"}]


def days_of(
    amounts: Mapping[str, float], points: tuple[Point, ...] = POINTS, **plan: Any
) -> tuple[MaterialDays, dict[str, IntervalRow]]:
    """A site's balances and a day's rows; rolls are counted, all else is weighed."""
    assignments = [
        Assignment(f"{point.id}-meter", point.id, "counter_1" if point.id == "rolls" else "weighed_mass_total")
        for point in points
    ]
    resources = {point.id: point.resource.value for point in points}
    days = {
        name: IntervalRow("site", name, 0, amount, None, 1.0, "measured", resources[name], month="2026-06")
        for name, amount in amounts.items()
    }
    return MaterialDays(points, assignments, PlanFile.model_validate({"site": "site", **plan})), days


def rows_of(
    amounts: Mapping[str, float], points: tuple[Point, ...] = POINTS, day: date = DAY, **plan: Any
) -> dict[str, IntervalRow]:
    """What is said of a day."""
    materials, days = days_of(amounts, points, **plan)
    return {row.point: row for row in materials.rows(days, day)}


def test_materials_wasted_are_what_came_in_less_product_on_lines_that_weigh_both() -> None:
    found = rows_of(ALL)

    # Rolls are counted: without the mass of one, their line has no balance, and is none of the site's.
    assert {name: row.amount for name, row in found.items()} == {
        "bread.materials_wasted": 80.0,
        "site.materials_wasted": 80.0,
    }
    whole = found["site.materials_wasted"]
    assert (whole.resource, whole.month, whole.cost) == ("materials_wasted", "2026-06", None)


def test_pieces_weigh_what_the_plan_says_on_the_day() -> None:
    balances = [
        {"id": "bread", "inputs": ["flour"], "products": ["bread"], "wastes": ["bin"]},
        {"id": "rolls", "inputs": ["sugar"], "products": ["rolls"]},
    ]
    lighter = {"point": "rolls", "kg_a_piece": 0.03, "from": "2026-06-02", "source": "test"}
    plan: dict[str, Any] = {"material_balances": balances, "piece_masses": [*ROLLS_WEIGH, lighter]}

    assert rows_of(ALL, **plan)["rolls.materials_wasted"].amount == pytest.approx(20.0)
    later = rows_of(ALL, day=date(2026, 6, 2), **plan)
    assert later["rolls.materials_wasted"].amount == pytest.approx(40.0)
    assert later["site.materials_wasted"].amount == pytest.approx(120.0)
    unknown = rows_of(ALL, material_balances=balances)
    assert "site.materials_wasted" not in unknown
    assert unknown["bread.materials_wasted"].amount == 80.0


def test_losses_cost_their_material_and_the_handling_of_waste() -> None:
    prices = [{"point": "flour", "price": 0.8}, {"point": "bin", "price": 0.1}]

    assert rows_of(BREAD_LINE, prices=prices)["site.materials_wasted"].cost == pytest.approx(80 * 0.8 + 30 * 0.1)
    assert rows_of(BREAD_LINE, prices=prices[:1])["site.materials_wasted"].cost is None


def test_a_part_is_in_its_parents_amount_already() -> None:
    part = Point("rye", "Rye", Resource.MATERIAL, Role.PART, parent="flour", line="bread")

    assert rows_of({**BREAD_LINE, "rye": 50.0}, (*POINTS, part))["site.materials_wasted"].amount == 80.0


@pytest.mark.parametrize("missing", ["flour", "bread"])
def test_without_material_or_product_nothing_is_said(missing: str) -> None:
    amounts = {name: amount for name, amount in BREAD_LINE.items() if name != missing}

    assert rows_of(amounts) == {}


def test_without_its_waste_the_cost_of_losses_is_not_known() -> None:
    amounts = {name: amount for name, amount in BREAD_LINE.items() if name != "bin"}
    prices = [{"point": name, "price": 1} for name in ("flour", "bin")]

    found = rows_of(amounts, prices=prices)["site.materials_wasted"]
    assert (found.amount, found.cost) == (80.0, None)


def test_waste_goes_where_the_plan_sends_it_on_the_day() -> None:
    destinations = [
        {"point": "bin", "disposed": 1, "to": "2026-06-02", "source": "test"},
        {"point": "bin", "recycled": 0.5, "recovered": 0.3, "disposed": 0.2, "from": "2026-06-02", "source": "test"},
        {"point": "feed", "reused": 1, "source": "test"},
    ]
    before = rows_of(ALL, waste_destinations=destinations)
    after = rows_of(ALL, day=date(2026, 6, 2), waste_destinations=destinations)
    names = ("reused", "recycled", "recovered", "disposed")

    assert [before[f"site.waste_{name}"].amount for name in names] == [10.0, 0.0, 0.0, 30.0]
    assert [after[f"site.waste_{name}"].amount for name in names] == pytest.approx([10.0, 15.0, 9.0, 6.0])
    unsaid = rows_of(ALL, waste_destinations=destinations[1:])
    assert not any(name.startswith("site.waste") for name in unsaid)


def test_streams_are_priced_and_waste_is_parted_by_its_destinations() -> None:
    plan: dict[str, Any] = {
        "prices": [{"point": "flour", "price": 0.8}, {"point": "bin", "price": 0.5}],
        "waste_destinations": [{"point": "bin", "reused": 0.75, "disposed": 0.25, "source": "test"}],
    }
    materials, days = days_of(BREAD_LINE, **plan)

    assert materials.streams(days, DAY) == [
        Stream("flour", "input", 500.0, 400.0),
        Stream("bread", "product", 420.0),
        Stream("bin", "waste", 22.5, 11.25, "reused"),
        Stream("bin", "waste", 7.5, 3.75, "disposed"),
    ]
    unsaid, days = days_of(BREAD_LINE)
    assert (unsaid.streams(days, DAY) or [])[-1] == Stream("bin", "waste", 30.0, cost=None, destination=None)
    del days["bin"]
    assert unsaid.streams(days, DAY) is None

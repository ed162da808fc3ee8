from evaluation.metering.site_series import SiteSums, addable
from site_config.points import Assignment, Point, Resource, Role
from store.protocol import IntervalRow

ELECTRICITY, FUEL = Resource.ELECTRICITY, Resource.FUEL
MAIN = Point("main", "Main", ELECTRICITY, Role.MAIN)
OVEN = Point("oven", "Oven", ELECTRICITY, Role.PART, parent="main")
SOLAR = Point("pv", "Solar", ELECTRICITY, Role.GENERATION)
DIESEL_SET = Point("genset", "Generator", ELECTRICITY, Role.GENERATION)
BATTERY = Point("battery", "Battery", ELECTRICITY, Role.STORAGE)
GAS = Point("gas", "Gas", FUEL, Role.MAIN)
DIESEL = Point("diesel", "Diesel", FUEL, Role.MAIN)
WATER = Point("water", "Water", Resource.WATER, Role.MAIN)
BREAD = Point("bread", "Bread", Resource.PRODUCT, Role.OUTPUT)
WASTE = Point("bin", "Bin", Resource.WASTE, Role.WASTE)


def row(point: Point, amount: float, quality: str = "measured", coverage: float = 1.0) -> IntervalRow:
    demand = None if quality == "partial" else amount * 4
    return IntervalRow("site", point.id, 0, amount, demand, coverage, quality, point.resource.value)


def amounts(
    rows: list[IntervalRow], kwh_a_unit: dict[str, float] | None = None, fuelled: tuple[str, ...] = ()
) -> dict[str, float]:
    points = [MAIN, OVEN, SOLAR, DIESEL_SET, BATTERY, GAS, DIESEL, WATER, BREAD, WASTE]
    present = {entry.point for entry in rows}
    named = [point for point in points if point.id in present]
    found = SiteSums(named, frozenset(fuelled)).rows({entry.point: entry for entry in rows}, kwh_a_unit or {})
    return {entry.point: round(entry.amount, 9) for entry in found}


def test_a_site_uses_mains_plus_generation_less_charging_and_no_part_twice() -> None:
    rows = [row(MAIN, 10.0), row(OVEN, 9.0), row(SOLAR, 5.0), row(BATTERY, 2.0), row(WATER, 0.4)]
    assert amounts(rows) == {"site.electricity": 13.0, "site.water": 0.4, "site.energy": 13.0}


def test_products_and_waste_are_counted_where_they_leave() -> None:
    assert amounts([row(BREAD, 24.0), row(WASTE, 4.0)]) == {"site.product": 24.0, "site.waste": 4.0}


def test_work_moved_from_electricity_to_gas_is_no_saving_of_energy() -> None:
    before = [row(MAIN, 50.0), row(GAS, 1.0)]
    after = [row(MAIN, 40.0), row(GAS, 2.0)]
    assert amounts(before, {"gas": 10.0})["site.energy"] == amounts(after, {"gas": 10.0})["site.energy"] == 60.0
    assert "site.energy" not in amounts(before)


def test_a_generators_electricity_is_not_counted_beside_its_fuel() -> None:
    rows = [row(MAIN, 0.0), row(DIESEL_SET, 30.0), row(DIESEL, 10.0)]
    assert amounts(rows, {"diesel": 9.9}, ("genset",)) == {
        "site.electricity": 30.0, "site.fuel": 99.0, "site.energy": 99.0,
    }  # fmt: skip
    assert amounts([row(MAIN, 0.0), row(DIESEL_SET, 30.0)])["site.energy"] == 30.0


def test_a_sum_with_a_hole_is_left_out_and_the_weakest_row_counts() -> None:
    (hole,) = SiteSums([MAIN, SOLAR, WATER]).rows({"main": row(MAIN, 1.0), "water": row(WATER, 1.0)}, {})
    assert hole.point == "site.water"
    weak = SiteSums([MAIN, SOLAR]).rows({"main": row(MAIN, 1.0), "pv": row(SOLAR, 1.0, "partial", 0.5)}, {})[0]
    assert (weak.demand, weak.quality, weak.coverage, weak.resource) == (None, "partial", 0.5, "electricity")


def test_pieces_and_kilograms_have_no_sum() -> None:
    rolls = Point("rolls", "Rolls", Resource.PRODUCT, Role.OUTPUT)
    weighed = [Assignment("a", "bread", "weighed_mass_total"), Assignment("b", "rolls", "weighed_mass_total")]
    counted = [weighed[0], Assignment("b", "rolls", "counter_1")]
    assert addable([MAIN, BREAD, rolls], weighed) == (MAIN, BREAD, rolls)
    assert addable([MAIN, BREAD, rolls], counted) == (MAIN,)

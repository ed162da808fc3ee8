from zoneinfo import ZoneInfo

import pytest

from evaluation.judging.fitting import unit_of
from evaluation.site_model import SiteModel
from site_config.points import Assignment, Point, Resource, Role

POINTS = (
    Point("lpg", "Bottled gas", Resource.FUEL, Role.MAIN),
    Point("diesel", "Diesel", Resource.FUEL, Role.MAIN),
    Point("water", "Water", Resource.WATER, Role.MAIN),
    Point("pieces", "Pieces", Resource.PRODUCT, Role.OUTPUT),
    Point("offcut", "Offcut", Resource.WASTE, Role.WASTE),
)
ASSIGNMENTS = (
    Assignment("bottle-scale", "lpg", "weighed_mass_total"),
    Assignment("pulses", "diesel", "counter_1"),
    Assignment("pulses", "water", "counter_2"),
    Assignment("pulses", "pieces", "counter_3"),
    Assignment("scale", "offcut", "weighed_mass_total"),
)


@pytest.mark.parametrize(
    ("series", "unit"),
    [
        ("site.energy", "kWh"),
        ("site.fuel", "kWh"),
        ("lpg", "kg"),
        ("diesel", ""),
        ("site.water", "m3"),
        ("site.product", ""),
        ("pieces", ""),
        ("site.waste", "kg"),
    ],
)
def test_amounts_are_in_what_their_meters_count(series: str, unit: str) -> None:
    assert unit_of(series, SiteModel("site", ZoneInfo("UTC"), POINTS, ASSIGNMENTS)) == unit

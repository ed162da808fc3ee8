"""The bakery with every stream measured: sun, water, flour, bread and waste, and a plan that judges each.

The measure takes a tenth off the energy and 35 % off the flour that does not become bread, of which half is weighed as
waste and the rest evaporates.
"""

import random
from typing import Any

from store.schema import INTERVAL_MS
from tests.evaluation.planned_site import (
    BASELINE_DAYS,
    DAYS,
    POINTS,
    PlannedSite,
    midnight_ms,
    plan_document,
    row,
    truth,
)

STREAMS: tuple[dict[str, Any], ...] = (
    *({**point, "line": "bread"} if point["id"] == "bread" else point for point in POINTS),
    {"id": "solar", "name": "Sun", "resource": "electricity", "role": "generation", "measured_by": "solar-meter"},
    {"id": "water", "name": "Water", "resource": "water", "role": "main", "measured_by": "water-meter"},
    {"id": "flour", "name": "Flour", "resource": "material", "line": "bread", "measured_by": "flour-scale"},
    {"id": "bin", "name": "Bin", "resource": "waste", "role": "waste", "line": "bread", "measured_by": "bin-scale"},
)
COMPARED = {
    "energy": "site.energy",
    "water": "site.water",
    "waste": "site.waste",
    "materials": "site.materials_wasted",
}
FLOUR_PRICE, BIN_PRICE, WATER_PRICE = 9.4, 0.35, 14.2
GRID_KG, WATER_KG = 0.5, 0.3
DESTINATIONS = {"reused": 0.6, "recycled": 0.3, "disposed": 0.1}
SOLAR_KWH = 18.0
MEASURE = 0.35


def whole_plan(**change: Any) -> dict[str, Any]:
    """What a plan for it says beside `planned_site.plan_document`."""
    plan = plan_document()
    (energy,), (goal,) = plan["baselines"], plan["goals"]
    return {
        "baselines": [{**energy, "id": name, "series": series} for name, series in COMPARED.items()],
        "goals": [
            {**goal, "series": series, **({"share": 0.2} if name == "water" else {})}
            for name, series in COMPARED.items()
        ],
        "prices": [
            {"point": "water", "price": WATER_PRICE},
            {"point": "flour", "price": FLOUR_PRICE},
            {"point": "bin", "price": BIN_PRICE},
        ],
        "emission_factors": [
            *plan["emission_factors"],
            {"of": "water", "kg_a_unit": WATER_KG, "source": "test"},
            {"of": "solar", "kg_a_unit": 0, "source": "burns nothing"},
        ],
        "waste_destinations": [{"point": "bin", **DESTINATIONS, "source": "test"}],
        **change,
    }


async def write_days(opened: PlannedSite) -> None:
    """Write the intervals of all days: work between 6 and 12 o'clock, sun between 10 and 14."""
    found, chance = truth(), random.Random(7)
    for number in range(DAYS):
        bread = found.bread[number]
        left = 1.0 - MEASURE if number >= BASELINE_DAYS else 1.0
        wasted = (15.0 + 0.2 * bread + chance.gauss(0.0, 2.0)) * left
        amounts = {"water": 1.0 + 0.002 * bread + chance.gauss(0.0, 0.03), "flour": bread + wasted, "bread": bread}
        rows = []
        for quarter in range(96):
            start = midnight_ms(number) + quarter * INTERVAL_MS
            used = found.used[number] * (0.5 / 24 if 24 <= quarter < 48 else 0.5 / 72)
            solar = SOLAR_KWH / 16 if 40 <= quarter < 56 else 0.0
            rows += [
                row("main", start, used - solar, "electricity"),
                row("oven", start, 0.1, "electricity"),
                row("solar", start, solar, "electricity"),
            ]
            share = 1 / 24 if 24 <= quarter < 48 else 0.0
            for name, resource in (("water", "water"), ("flour", "material"), ("bread", "product")):
                rows.append(row(name, start, amounts[name] * share, resource))
            rows.append(row("bin", start, wasted / 2 * share, "waste"))
        await opened.readings.write_intervals(rows)
    await opened.rederive()

from datetime import date
from decimal import Decimal

import pytest

from baselines.errors import BaselineError
from baselines.unit_prices import PriceBlock, UnitPrice, cost_of_month

DAY = date(2026, 3, 1)


def open_block(price: str) -> tuple[PriceBlock, ...]:
    return (PriceBlock(None, Decimal(price)),)


WATER = UnitPrice(
    "water",
    "m3",
    "KES",
    (PriceBlock(Decimal(50), Decimal("60.00")), PriceBlock(None, Decimal("85.50"))),
    date(2026, 1, 1),
    standing_charge=Decimal("250.00"),
)
SEWAGE = UnitPrice("sewage", "m3", "KES", open_block("45.25"), date(2026, 1, 1), of="water", share=Decimal("0.9"))
WASTE = UnitPrice("mixed waste", "kg", "KES", open_block("3.10"), date(2026, 1, 1), minimum=Decimal(100))
SCRAP = UnitPrice("steel scrap", "kg", "KES", open_block("-22.40"), date(2026, 1, 1))


def test_a_month_of_water_sewage_and_waste_comes_out_to_the_cent() -> None:
    amounts = {"water": Decimal("63.4"), "mixed waste": Decimal(80), "steel scrap": Decimal("12.5")}
    lines = cost_of_month([WATER, SEWAGE, WASTE, SCRAP], amounts, DAY)
    assert {line.name: str(line.amount) for line in lines} == {
        "water, standing charge": "250.00",
        "water, block 1": "3000.00",  # 50 × 60
        "water, block 2": "1145.70",  # 13.4 × 85.50
        "sewage": "2581.97",  # 0.9 × 63.4 = 57.06; × 45.25 = 2581.965
        "mixed waste": "310.00",  # billed for 100 kg at least
        "steel scrap": "-280.00",
    }


def test_a_price_that_is_missing_double_or_closed_is_named() -> None:
    with pytest.raises(BaselineError, match="no price of gas on 2026-03-01"):
        cost_of_month([WATER], {"gas": Decimal(1)}, DAY)
    with pytest.raises(BaselineError, match="2 prices of water on 2026-03-01"):
        cost_of_month([WATER, WATER], {"water": Decimal(1)}, DAY)
    closed = UnitPrice("water", "m3", "KES", WATER.blocks[:1], date(2026, 1, 1))
    with pytest.raises(BaselineError, match="water: no price above 50 m3; end with an open block"):
        cost_of_month([closed], {"water": Decimal(51)}, DAY)

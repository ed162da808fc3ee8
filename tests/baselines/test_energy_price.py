from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from baselines.billing import bill_months
from baselines.energy_price import has_blocks, price_intervals
from baselines.errors import BaselineError
from baselines.tariff import Block, EnergyPrice, IntervalUse, Surcharge, Tariff, TimeBand

START = datetime(2026, 11, 1, tzinfo=UTC)
NIGHT = TimeBand("night", 22 * 60, 6 * 60)
TARIFF = Tariff(
    "blocks and a night",
    "GHS",
    date(2026, 1, 1),
    (
        EnergyPrice((Block(None, Decimal("0.8")),), NIGHT),
        EnergyPrice((Block(Decimal(100), Decimal("1.2")), Block(None, Decimal("2.0")))),
    ),
    surcharges=(Surcharge("levy", share=Decimal("0.05")), Surcharge("street light", price_a_kwh=Decimal("0.01"))),
)
STARTS = [START + timedelta(minutes=15 * number) for number in range(2880)]
USED = [0.1 + 0.05 * (number % 7) for number in range(2880)]


def test_the_sum_of_intervals_is_the_bill() -> None:
    prices = price_intervals(TARIFF, STARTS, USED, {}).prices
    cost = sum(price * used for price, used in zip(prices, USED, strict=True))
    rows = [IntervalUse(start, used) for start, used in zip(STARTS, USED, strict=True)]
    bill = bill_months([TARIFF], rows)["2026-11"]
    assert cost == pytest.approx(float(bill.total), abs=0.03)


def test_days_one_after_the_other_cost_what_the_month_costs() -> None:
    used_before: dict[str, float] = {}
    prices: list[float] = []
    for first in range(0, 2880, 96):
        priced = price_intervals(TARIFF, STARTS[first : first + 96], USED[first : first + 96], used_before)
        prices += priced.prices
        used_before = dict(priced.used_kwh)
    assert prices == pytest.approx(price_intervals(TARIFF, STARTS, USED, {}).prices)
    assert has_blocks(TARIFF)


def test_nothing_used_has_the_price_of_the_next_kwh() -> None:
    at_noon, at_night = datetime(2026, 11, 2, 12, tzinfo=UTC), datetime(2026, 11, 2, 23, tzinfo=UTC)
    prices = price_intervals(TARIFF, [at_noon, at_night], [0.0, 0.0], {"energy": 150.0}).prices
    assert prices == pytest.approx((2.0 * 1.05 + 0.01, 0.8 * 1.05 + 0.01))


def test_a_time_or_an_amount_without_a_price_is_named() -> None:
    night_only = Tariff("night only", "GHS", date(2026, 1, 1), TARIFF.energy[:1])
    with pytest.raises(BaselineError, match="no price for Monday 12:00"):
        price_intervals(night_only, [datetime(2026, 11, 2, 12, tzinfo=UTC)], [1.0], {})
    closed = Tariff("closed", "GHS", date(2026, 1, 1), (EnergyPrice((Block(Decimal(10), Decimal(1)),)),))
    with pytest.raises(BaselineError, match="no price above 10 kWh"):
        price_intervals(closed, [START], [11.0], {})

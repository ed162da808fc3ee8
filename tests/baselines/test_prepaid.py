from datetime import date
from decimal import Decimal

import pytest

from baselines.errors import BaselineError
from baselines.prepaid import Token, cost_of_use

TOKENS = [
    Token(date(2026, 1, 3), Decimal("20.00"), Decimal(100)),
    Token(date(2026, 1, 15), Decimal("20.00"), Decimal(80)),
]


def test_a_prepaid_month_comes_out_to_the_cent() -> None:
    # 30 kWh were used before: 70 kWh at 0.20 and 50 kWh at 0.25 are 14.00 + 12.50; 30 kWh at 0.25 are left.
    used = cost_of_use(TOKENS, Decimal(30), Decimal(120))
    assert (used.cost, used.left_kwh, used.left_value) == (Decimal("26.50"), Decimal(30), Decimal("7.50"))


def test_tokens_are_used_in_the_order_of_purchase_however_they_are_given() -> None:
    assert cost_of_use(TOKENS[::-1], Decimal(0), Decimal(100)).cost == Decimal("20.00")


def test_more_used_than_bought_is_said() -> None:
    with pytest.raises(BaselineError, match="20 kWh more used than bought"):
        cost_of_use(TOKENS, Decimal(100), Decimal(100))


def test_a_token_without_energy_is_named() -> None:
    with pytest.raises(BaselineError, match="token 1 of 2026-01-03"):
        cost_of_use([Token(date(2026, 1, 3), Decimal(5), Decimal(0))], Decimal(0), Decimal(0))

"""What water, fuels and waste cost: a price a unit, perhaps in blocks, a standing charge, charges that follow another.

Electricity has its own tariffs (`baselines.tariff`). Amounts are Decimal; each line is rounded half up to the
currency's decimals, as suppliers do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from baselines.errors import BaselineError
from baselines.tariff import BillLine


@dataclass(frozen=True, slots=True)
class PriceBlock:
    """A price a unit up to an amount of the month (None: without end)."""

    up_to: Decimal | None
    price: Decimal


@dataclass(frozen=True, slots=True)
class UnitPrice:
    """What a resource or stream (water, gas, mixed waste) costs a month, valid from a day to a day (excluded).

    `share` is the part of the amount that is billed: sewage is often billed for 0.9 of the water (`of` = "water").
    Revenue (scrap sold) is a negative price. `minimum` is the least that a month is billed, in units.
    """

    name: str
    unit: str
    currency: str
    blocks: tuple[PriceBlock, ...]
    valid_from: date
    valid_to: date | None = None
    standing_charge: Decimal = Decimal(0)
    minimum: Decimal = Decimal(0)
    of: str | None = None
    share: Decimal = Decimal(1)
    decimals: int = 2

    def covers(self, day: date) -> bool:
        """Whether it is valid on a day."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)


def cost_of_month(prices: Sequence[UnitPrice], amounts: Mapping[str, Decimal], day: date) -> list[BillLine]:
    """The lines of one month by the prices valid on its first day.

    `amounts` are by name of the resource or stream. Raises BaselineError when one of them has no price, or a price
    with blocks ends below the amount.
    """
    valid = [price for price in prices if price.covers(day)]
    names = [price.name for price in valid]
    for name in names:
        if names.count(name) > 1:
            raise BaselineError(f"{names.count(name)} prices of {name} on {day}; give one")
    for name in amounts:
        if not any(name in {price.name, price.of} for price in valid):
            raise BaselineError(f"no price of {name} on {day}; give one")
    lines: list[BillLine] = []
    for price in valid:
        amount = amounts.get(price.of or price.name)
        if amount is not None:
            lines += _lines(price, max(amount * price.share, price.minimum))
    return lines


def _lines(price: UnitPrice, amount: Decimal) -> list[BillLine]:
    lines, below = [], Decimal(0)
    if price.standing_charge:
        lines.append(_line(price, f"{price.name}, standing charge", Decimal(1), "month", price.standing_charge))
    for index, block in enumerate(price.blocks, start=1):
        end = amount if block.up_to is None else min(amount, block.up_to)
        if end > below:
            name = price.name if len(price.blocks) == 1 else f"{price.name}, block {index}"
            lines.append(_line(price, name, end - below, price.unit, block.price))
            below = end
    if below < amount:
        raise BaselineError(f"{price.name}: no price above {below} {price.unit}; end with an open block")
    return lines


def _line(price: UnitPrice, name: str, quantity: Decimal, unit: str, a_unit: Decimal) -> BillLine:
    cent = Decimal(1).scaleb(-price.decimals)
    return BillLine(name, quantity, unit, a_unit, (quantity * a_unit).quantize(cent, ROUND_HALF_UP))

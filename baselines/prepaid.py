"""Prepaid electricity: tokens bought, and what the energy used has cost, first bought first used."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from baselines.errors import BaselineError


@dataclass(frozen=True, slots=True)
class Token:
    """What was paid on a day, and the kWh that the meter was given for it."""

    bought_on: date
    paid: Decimal
    energy_kwh: Decimal


@dataclass(frozen=True, slots=True)
class PrepaidUse:
    """`cost` of the energy used, `left_kwh` on the meter afterwards and what was paid for that."""

    cost: Decimal
    left_kwh: Decimal
    left_value: Decimal


def cost_of_use(tokens: Sequence[Token], used_before_kwh: Decimal, used_kwh: Decimal, decimals: int = 2) -> PrepaidUse:
    """What a period's use cost: tokens are used up in the order in which they were bought.

    `used_before_kwh` is the use before the period since the first token. Raises BaselineError when more was used than
    bought, naming by how much.
    """
    for row, token in enumerate(tokens, start=1):
        if token.energy_kwh <= 0 or token.paid < 0:
            raise BaselineError(f"token {row} of {token.bought_on}: {token.energy_kwh} kWh for {token.paid} cannot be")
    bought = sum((token.energy_kwh for token in tokens), Decimal(0))
    if used_before_kwh + used_kwh > bought:
        raise BaselineError(f"{used_before_kwh + used_kwh - bought} kWh more used than bought; is a token missing?")
    cost = _value_between(tokens, used_before_kwh, used_before_kwh + used_kwh)
    left = _value_between(tokens, used_before_kwh + used_kwh, bought)
    cent = Decimal(1).scaleb(-decimals)
    return PrepaidUse(
        cost.quantize(cent, ROUND_HALF_UP),
        bought - used_before_kwh - used_kwh,
        left.quantize(cent, ROUND_HALF_UP),
    )


def left_after(tokens: Sequence[Token], day: date, used_kwh: float) -> float:
    """The kWh left at the end of a day by which `used_kwh` were used since the first token; below 0: one is missing."""
    return float(sum((token.energy_kwh for token in tokens if token.bought_on <= day), Decimal(0))) - used_kwh


def _value_between(tokens: Sequence[Token], start_kwh: Decimal, end_kwh: Decimal) -> Decimal:
    value, below = Decimal(0), Decimal(0)
    for token in sorted(tokens, key=lambda entry: entry.bought_on):
        above = below + token.energy_kwh
        overlap = min(end_kwh, above) - max(start_kwh, below)
        if overlap > 0:
            value += token.paid * overlap / token.energy_kwh
        below = above
    return value

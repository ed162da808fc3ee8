"""What a kWh costs at a time by a tariff: the part of a bill that follows the use, to be given to intervals and days.

Standing and demand charges belong to a month as a whole and are in no interval; the sum of intervals is the bill's
energy lines with their surcharges, but for the bill's rounding.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from baselines.errors import BaselineError
from baselines.tariff import Block, EnergyPrice, Tariff, price_at


@dataclass(frozen=True, slots=True)
class PricedUse:
    """The price a kWh of each interval, and what was used by then at each of the tariff's prices (kWh by name)."""

    prices: tuple[float, ...]
    used_kwh: Mapping[str, float]


def has_blocks(tariff: Tariff) -> bool:
    """Whether a price depends on what was used earlier in the month."""
    return any(len(price.blocks) > 1 for price in tariff.energy)


def price_intervals(
    tariff: Tariff,
    starts: Sequence[datetime],
    used_kwh: Sequence[float],
    used_before: Mapping[str, float],
    held: float = 1.0,
) -> PricedUse:
    """The price of each interval, in the order of time.

    `starts` are by the site's clock, `used_kwh` is what was bought in each, `used_before` what was used by this tariff
    earlier in the period at each price, `held` the tariff's share of the period (`tariff.Share`). An interval that
    crosses the end of a block has the mean of both. Raises BaselineError when a time or an amount has no price.
    """
    used = dict(used_before)
    prices = []
    for start, amount in zip(starts, used_kwh, strict=True):
        price = price_at(tariff, start)
        before = used.get(price.name, 0.0)
        prices.append(_with_surcharges(tariff, _mean_price(tariff, price, before, before + max(amount, 0.0), held)))
        used[price.name] = before + max(amount, 0.0)
    return PricedUse(tuple(prices), used)


def _mean_price(tariff: Tariff, price: EnergyPrice, before: float, after: float, held: float) -> float:
    cost, below = 0.0, 0.0
    for block in price.blocks:
        end = _end(block) * held
        if before < end and after <= before:
            return float(block.price)
        part = min(after, end) - max(before, below)
        if part > 0.0:
            cost += part * float(block.price)
        below = end
    if after > below or after <= before:
        raise BaselineError(f"tariff {tariff.name}: {price.name}: no price above {below:g} kWh; end with an open block")
    return cost / (after - before)


def _end(block: Block) -> float:
    return float("inf") if block.up_to_kwh is None else float(block.up_to_kwh)


def _with_surcharges(tariff: Tariff, price: float) -> float:
    for surcharge in tariff.surcharges:
        price += float(surcharge.share) * price + float(surcharge.price_a_kwh)
    return price

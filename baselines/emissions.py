"""Greenhouse gas emissions in kg CO2e, by dated factors.

Bought electricity is counted by two methods side by side, as the GHG Protocol's Scope 2 Guidance (2015) asks.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from baselines.carriers import CarrierUse
from baselines.errors import BaselineError

Method = Literal["location", "market"]


@dataclass(frozen=True, slots=True)
class EmissionFactor:
    """kg CO2e a unit of a carrier (electricity kWh, gas m3, diesel l, R404A kg), valid from a day to a day (excluded).

    `method` tells the two ways of counting bought electricity apart: the grid's mean (location) or the contract's
    (market); None for what is burnt or lost on site. `source` names where the number is from.
    """

    carrier: str
    unit: str
    kg_a_unit: float
    valid_from: date
    source: str
    valid_to: date | None = None
    method: Method | None = None


def emissions_kg(uses: Iterable[CarrierUse], factors: Sequence[EmissionFactor], method: Method) -> float:
    """The sum over all carriers; raises BaselineError naming carrier, unit and day without exactly one factor."""
    return math.fsum(use.amount * factor_of(use, factors, method).kg_a_unit for use in uses)


def factor_of(use: CarrierUse, factors: Sequence[EmissionFactor], method: Method) -> EmissionFactor:
    """The factor that holds for a use."""
    fitting = [
        factor
        for factor in factors
        if factor.carrier == use.carrier
        and factor.unit == use.unit
        and factor.method in {None, method}
        and factor.valid_from <= use.day
        and (factor.valid_to is None or use.day < factor.valid_to)
    ]
    if len(fitting) != 1:
        count = "no emission factor" if not fitting else f"{len(fitting)} emission factors"
        raise BaselineError(f"{count} for {use.carrier} in {use.unit} on {use.day} ({method}-based); give one")
    return fitting[0]

"""All energy in one unit, so that an oven moved from electricity to gas, or a day on the generator, is no saving.

Fuels become kWh by dated calorific values, all gross (with the heat of the water vapour) or all net (without): natural
gas differs by 11 %, so a sum of both kinds means nothing. Energy delivered is added as it is, without primary factors
(ISO 50006:2014, 4.2.4: one unit for all; ISO 52000-1 for primary energy, which answers another question).
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from baselines.carriers import CarrierUse
from baselines.errors import BaselineError

Basis = Literal["gross", "net"]

KWH_A_UNIT = {
    "kWh": 1.0,
    "MWh": 1000.0,
    "MJ": 1.0 / 3.6,
    "GJ": 1000.0 / 3.6,
    "MMBtu": 1055.06 / 3.6,
    "therm": 105.506 / 3.6,
}
"""Units that are energy already (1 Btu = 1055.06 J); a value given for a carrier in one of them comes first."""


@dataclass(frozen=True, slots=True)
class CalorificValue:
    """kWh a unit of a fuel (gas m3, diesel l, wood kg), valid from a day to a day (excluded).

    `source` names where the number is from: the supplier's bill before any table.
    """

    carrier: str
    unit: str
    kwh_a_unit: float
    basis: Basis
    valid_from: date
    source: str
    valid_to: date | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.kwh_a_unit) and self.kwh_a_unit > 0.0):
            raise BaselineError(f"calorific value of {self.carrier}: {self.kwh_a_unit} kWh a {self.unit} cannot be")


def energy_kwh(uses: Iterable[CarrierUse], values: Sequence[CalorificValue], basis: Basis) -> float:
    """The sum over all carriers in kWh; raises BaselineError as `kwh_a_unit` does."""
    return math.fsum(use.amount * kwh_a_unit(use.carrier, use.unit, use.day, values, basis) for use in uses)


def kwh_a_unit(carrier: str, unit: str, day: date, values: Sequence[CalorificValue], basis: Basis) -> float:
    """How many kWh a unit of a carrier holds on a day.

    Raises BaselineError naming carrier, unit and day when there is no value, more than one, or one of the other basis.
    """
    valid = [
        value
        for value in values
        if (value.carrier, value.unit) == (carrier, unit)
        and value.valid_from <= day
        and (value.valid_to is None or day < value.valid_to)
    ]
    fitting = [value for value in valid if value.basis == basis]
    if len(fitting) == 1:
        return fitting[0].kwh_a_unit
    if not valid and unit in KWH_A_UNIT:
        return KWH_A_UNIT[unit]
    count = f"{len(fitting)} calorific values" if fitting else f"no {basis} calorific value"
    hint = f"; there is one, but {valid[0].basis}" if valid and not fitting else ""
    raise BaselineError(f"{count} for {carrier} in {unit} on {day}; give one{hint}")

"""Energy carriers and what is used of them: electricity, fuels, heat, refrigerants that are topped up."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class CarrierUse:
    """An amount of a carrier used, or of a refrigerant topped up, on a day; the name of the carrier is the user's."""

    carrier: str
    unit: str
    day: date
    amount: float

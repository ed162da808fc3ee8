"""Where a firm starts from until its supplier or its authority tells better: fuels' energy and emissions, refrigerants.

Fuels: net calorific values of the 2006 IPCC Guidelines for National Greenhouse Gas Inventories, volume 2, table 1.2,
and emission factors of its table 2.3 (manufacturing industries). Wood's and charcoal's CO2 is biogenic: reported apart,
counted here as zero, their CH4 and N2O are not. Global warming potentials over 100 years: IPCC AR5 (2013), table
8.A.1, without climate-carbon feedbacks. Electricity has no value here: it is the country's, and changes each year.
"""

from collections.abc import Mapping
from dataclasses import dataclass

FUEL_SOURCE = "IPCC 2006, volume 2, tables 1.2 and 2.3; IPCC AR5"
REFRIGERANT_SOURCE = "IPCC AR5, table 8.A.1"
CH4_POTENTIAL, N2O_POTENTIAL = 28.0, 265.0
MJ_A_KWH = 3.6


@dataclass(frozen=True, slots=True)
class ReferenceFuel:
    """A fuel a kg: MJ net, and kg of each gas a TJ. `kg_a_litre` is typical, None where it is not sold by the litre."""

    mj_a_kg: float
    co2_kg_a_tj: float
    ch4_kg_a_tj: float
    n2o_kg_a_tj: float
    kg_a_litre: float | None = None

    @property
    def kwh_a_kg(self) -> float:
        """Net."""
        return self.mj_a_kg / MJ_A_KWH

    @property
    def co2e_kg_a_kg(self) -> float:
        """All gases together."""
        a_tj = self.co2_kg_a_tj + CH4_POTENTIAL * self.ch4_kg_a_tj + N2O_POTENTIAL * self.n2o_kg_a_tj
        return a_tj * self.mj_a_kg / 1e6


FUELS: Mapping[str, ReferenceFuel] = {
    # EN 590 allows 0.820 to 0.845 kg/l, EN 228 0.720 to 0.775; LPG is taken as half propane, half butane at 15 °C.
    "diesel": ReferenceFuel(43.0, 74_100, 3.0, 0.6, 0.835),
    "petrol": ReferenceFuel(44.3, 69_300, 3.0, 0.6, 0.745),
    "kerosene": ReferenceFuel(43.8, 71_900, 3.0, 0.6, 0.80),
    "heavy fuel oil": ReferenceFuel(40.4, 77_400, 3.0, 0.6, 0.96),
    "LPG": ReferenceFuel(47.3, 63_100, 1.0, 0.1, 0.54),
    "natural gas": ReferenceFuel(48.0, 56_100, 1.0, 0.1),
    "hard coal": ReferenceFuel(25.8, 94_600, 10.0, 1.5),
    "lignite": ReferenceFuel(11.9, 101_000, 10.0, 1.5),
    "wood": ReferenceFuel(15.6, 0, 30.0, 4.0),
    "charcoal": ReferenceFuel(29.5, 0, 200.0, 4.0),
}

_POTENTIALS = {"R22": 1760.0, "R32": 677.0, "R125": 3170.0, "R134a": 1300.0, "R143a": 4800.0}
# Shares by mass (ASHRAE 34).
_BLENDS: Mapping[str, Mapping[str, float]] = {
    "R404A": {"R125": 0.44, "R143a": 0.52, "R134a": 0.04},
    "R407C": {"R32": 0.23, "R125": 0.25, "R134a": 0.52},
    "R410A": {"R32": 0.5, "R125": 0.5},
    "R507A": {"R125": 0.5, "R143a": 0.5},
}
REFRIGERANTS: Mapping[str, float] = _POTENTIALS | {
    name: sum(share * _POTENTIALS[part] for part, share in parts.items()) for name, parts in _BLENDS.items()
}
"""kg CO2e a kg of refrigerant lost, which is what has to be topped up."""

"""Units that documents use, and their exact factors to the units of the catalogue."""

from decimal import Decimal

_POWERS_OF_TEN = {
    "W": {"W": 0, "kW": 3, "MW": 6, "mW": -3},
    "var": {"var": 0, "kvar": 3, "Mvar": 6},
    "VA": {"VA": 0, "kVA": 3, "MVA": 6},
    "kWh": {"kWh": 0, "Wh": -3, "MWh": 3, "GWh": 6},
    "kvarh": {"kvarh": 0, "varh": -3, "Mvarh": 3},
    "kVAh": {"kVAh": 0, "VAh": -3, "MVAh": 3},
    "V": {"V": 0, "mV": -3, "kV": 3},
    "A": {"A": 0, "mA": -3, "kA": 3},
    "Hz": {"Hz": 0, "mHz": -3},
    "m3": {"m3": 0, "L": -3, "kL": 0},
    "m3/h": {"m3/h": 0, "L/h": -3},
    "kg": {"kg": 0, "g": -3, "t": 3, "mg": -6},
    "1": {"1": 0, "%": -2},
    "%": {"%": 0},
    "deg": {"deg": 0},
    "degC": {"degC": 0},
    "K": {"K": 0},
    "m/s": {"m/s": 0},
    "h": {"h": 0},
}

# NIST Special Publication 811, appendix B: the foot is 0.3048 m, the US gallon 231 cubic inches, both exactly;
# the imperial gallon is 4.54609 L (UK Units of Measurement Regulations 1995), the pound 0.45359237 kg (NIST SP 811).
# 1 kWh is 3.6 MJ by definition.
_OTHERS: dict[str, dict[str, str | Decimal]] = {
    "kWh": {"MJ": Decimal(1) / Decimal("3.6"), "GJ": Decimal(1000) / Decimal("3.6")},
    "W": {"MJ/h": Decimal(1000) / Decimal("3.6"), "GJ/h": Decimal(1_000_000) / Decimal("3.6")},
    "kg": {"lb": "0.45359237"},
    "m3": {"ft3": "0.028316846592", "US gal": "0.003785411784", "imp gal": "0.00454609"},
    "m3/h": {"L/s": "3.6", "L/min": "0.06", "imp gal/min": "0.2727654", "m3/min": "60", "ft3/h": "0.028316846592"},
}

NEED_NO_UNIT = frozenset({"1", "enum", "bitfield", "pulses"})
"""Units of the catalogue that a profile need not write: counts, ratios and codes have no other."""


def factors(catalogue_unit: str) -> dict[str, Decimal]:
    """Unit -> factor, value in `catalogue_unit` = value in that unit * factor."""
    found = {unit: Decimal(1).scaleb(power) for unit, power in _POWERS_OF_TEN.get(catalogue_unit, {}).items()}
    found |= {unit: Decimal(factor) for unit, factor in _OTHERS.get(catalogue_unit, {}).items()}
    return found or {catalogue_unit: Decimal(1)}

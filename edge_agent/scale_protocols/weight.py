"""A weight as a scale tells it, exact to its last digit."""

import re
from dataclasses import dataclass
from fractions import Fraction

from edge_agent.errors import UnusableReplyError
from wire_format.quality import Quality

MAXIMUM_NUMBER_CHARACTERS = 14
SHOWN_BYTES = 80

METRIC_EXPONENTS = {"ug": -9, "mg": -6, "g": -3, "kg": 0, "t": 3}
"""A unit is 10**exponent kg."""

FINEST_EXPONENT = -10
"""A tenth of a microgram, which the finest balances show."""

OTHER_UNITS_KG = {
    "lb": Fraction(45_359_237, 100_000_000),
    "oz": Fraction(45_359_237, 1_600_000_000),
    "ozt": Fraction(311_034_768, 10_000_000_000),
    "ct": Fraction(2, 10_000),
    "gn": Fraction(6_479_891, 100_000_000_000),
    "dwt": Fraction(155_517_384, 100_000_000_000),
}
"""International avoirdupois pound and troy ounce, metric carat (NIST Handbook 44, appendix C)."""

NO_MASS = frozenset({"pc", "pcs", "%", "mom", "tl", "tn", "ton"})
"""Pieces and percent are no mass, and of momme, tael and ton no source says which one is meant."""

EXTRA_DIGITS = 3
"""Units that are no decimal part of a kilogram are kept to a thousandth of the scale's last digit, in kg."""

_NUMBER = re.compile(r"([+-]?) *(\d*)(?:\.(\d*))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Mass:
    """integer * 10**exponent kg."""

    integer: int
    exponent: int

    def in_steps(self, exponent: int) -> int:
        """The integer for another, not coarser, exponent."""
        return int(self.integer * 10 ** (self.exponent - exponent))

    def plus(self, other: "Mass", sign: int = 1) -> "Mass":
        """The sum, or the difference with sign -1."""
        exponent = min(self.exponent, other.exponent)
        return Mass(self.in_steps(exponent) + sign * other.in_steps(exponent), exponent)


@dataclass(frozen=True, slots=True)
class Weight:
    """What a scale weighs. `stable` is None where the protocol does not tell; what it does not tell of the rest too."""

    net: Mass | None = None
    gross: Mass | None = None
    tare: Mass | None = None
    stable: bool | None = None

    @property
    def shown(self) -> Mass:
        """The weight on the display: net where both are known."""
        shown = self.net or self.gross
        if shown is None:
            raise ValueError("a weight is net or gross")
        return shown


@dataclass(frozen=True, slots=True)
class NoWeight:
    """The scale answered that it has no weight."""

    quality: Quality
    reason: str


OVERLOAD = NoWeight(Quality.OVERFLOW, "overload")
UNDERLOAD = NoWeight(Quality.OVERFLOW, "underload")
OUT_OF_RANGE = NoWeight(Quality.OVERFLOW, "over or under its range")

ScaleReply = Weight | NoWeight


def device_error(reason: str) -> NoWeight:
    """The scale says that it cannot weigh, or shows something else than a mass."""
    return NoWeight(Quality.DEVICE_ERROR, reason)


def refused(telegram: bytes, protocol: str) -> UnusableReplyError:
    """The error for a telegram that is none of a protocol."""
    return UnusableReplyError(f"{telegram[:SHOWN_BYTES]!r} is no telegram of {protocol}")


def text_of(telegram: bytes, protocol: str) -> str:
    """The telegram as text; raises UnusableReplyError when it is not ASCII."""
    if not telegram.isascii():
        raise refused(telegram, protocol)
    return telegram.decode("ascii")


def mass(number: str, unit: str) -> Mass | NoWeight:
    """A number of a unit; NoWeight when the unit is known to be no mass.

    Args:
        number: sign, blanks, digits with or without a decimal point.
        unit: as in `METRIC_EXPONENTS`, `OTHER_UNITS_KG` and `NO_MASS`, blanks around it allowed.

    Raises:
        UnusableReplyError: it is no number, or the unit is not known.
    """
    unit, number = unit.strip(), number.strip()
    found = _NUMBER.fullmatch(number)
    if found is None or len(number) > MAXIMUM_NUMBER_CHARACTERS or not (found[2] or found[3]):
        raise UnusableReplyError(f"{number[:MAXIMUM_NUMBER_CHARACTERS]!r} is no weight")
    integer = int(found[1] + found[2] + (found[3] or ""))
    resolution = -len(found[3] or "")
    if unit in METRIC_EXPONENTS:
        exponent = METRIC_EXPONENTS[unit] + resolution
        if exponent < FINEST_EXPONENT:
            raise UnusableReplyError(f"{number!r} {unit} has more digits than any scale")
        return Mass(integer, exponent)
    if unit in OTHER_UNITS_KG:
        factor = OTHER_UNITS_KG[unit]
        exponent = max(resolution - EXTRA_DIGITS - (0 if factor > Fraction(1, 10) else 3), FINEST_EXPONENT)
        return Mass(round(integer * factor * Fraction(10) ** (resolution - exponent)), exponent)
    if unit in NO_MASS:
        return device_error(f"shows {unit!r}, which is no mass")
    raise UnusableReplyError(f"unit {unit!r} is no weight")


def displayed(number: str, unit: str, *, stable: bool | None, net: bool = True) -> ScaleReply:
    """The weight on a display that tells one weight, net unless said otherwise. Raises as `mass`."""
    found = mass(number, unit)
    if isinstance(found, NoWeight):
        return found
    return Weight(net=found, stable=stable) if net else Weight(gross=found, stable=stable)

"""MT-SICS, the command set of Mettler Toledo balances and of many that follow them: replies to "SI". Pure.

Replies are blank separated, of any width: `S S     100.00 g`. They echo the command's name S, then say S (stable),
D (dynamic), I (cannot execute), + (overload), - (underload); ES, ET, EL come without an echo.
"""

from dataclasses import dataclass
from fractions import Fraction

from edge_agent.errors import UnusableReplyError
from wire_format.quality import Quality

REQUEST = b"SI\r\n"
MAXIMUM_LINE_BYTES = 80
MAXIMUM_NUMBER_CHARACTERS = 14

METRIC_EXPONENTS = {"g": -3, "kg": 0, "t": 3, "mg": -6, "ug": -9}
"""A unit is 10**exponent kg."""

OTHER_UNITS_KG = {
    "lb": Fraction(45_359_237, 100_000_000),
    "oz": Fraction(45_359_237, 1_600_000_000),
    "ozt": Fraction(311_034_768, 10_000_000_000),
    "ct": Fraction(2, 10_000),
    "GN": Fraction(6_479_891, 100_000_000_000),
    "dwt": Fraction(155_517_384, 100_000_000_000),
}
"""International avoirdupois pound and troy ounce, metric carat (NIST Handbook 44, appendix C)."""

EXTRA_DIGITS = 3
"""Units that are no decimal part of a kilogram are kept to a thousandth of the scale's last digit, in kg."""

ERRORS = {
    "I": (Quality.DEVICE_ERROR, "cannot weigh now"),
    "+": (Quality.OVERFLOW, "overload"),
    "-": (Quality.OVERFLOW, "underload"),
    "ES": (Quality.DEVICE_ERROR, "syntax error"),
    "ET": (Quality.DEVICE_ERROR, "transmission error"),
    "EL": (Quality.DEVICE_ERROR, "logical error"),
}


@dataclass(frozen=True, slots=True)
class Weight:
    """A net weight of integer * 10**exponent kg."""

    integer: int
    exponent: int
    stable: bool

    def in_steps(self, exponent: int) -> int:
        """The integer for another, not coarser, exponent."""
        return int(self.integer * 10 ** (self.exponent - exponent))


@dataclass(frozen=True, slots=True)
class NoWeight:
    """The scale answered that it has no weight."""

    quality: Quality
    reason: str


def parse_reply(line: bytes) -> Weight | NoWeight:
    """Read one reply, without its line end; raises UnusableReplyError when it is none."""
    words = line.decode("ascii", errors="replace").split()
    if len(words) == 1 and words[0] in ERRORS and words[0].startswith("E"):
        return NoWeight(*ERRORS[words[0]])
    if len(words) == 2 and words[0] == "S" and words[1] in {"I", "+", "-"}:
        return NoWeight(*ERRORS[words[1]])
    if len(words) >= 4 and words[0] == "S" and words[1] in {"S", "D"}:
        # A sign may stand apart from its digits.
        number = "".join(words[2:-1])
        return _weight(number, words[-1], stable=words[1] == "S")
    raise UnusableReplyError(f"{line[:MAXIMUM_LINE_BYTES]!r} is no reply to SI")


def _weight(number: str, unit: str, *, stable: bool) -> Weight:
    if len(number) > MAXIMUM_NUMBER_CHARACTERS:
        raise UnusableReplyError(f"{number[:MAXIMUM_NUMBER_CHARACTERS]!r}... is no weight")
    digits, _, decimals = number.partition(".")
    try:
        integer = int(digits + decimals)
    except ValueError:
        raise UnusableReplyError(f"{number!r} is no weight") from None
    resolution = -len(decimals)
    if unit in METRIC_EXPONENTS:
        return Weight(integer, METRIC_EXPONENTS[unit] + resolution, stable)
    if unit in OTHER_UNITS_KG:
        factor = OTHER_UNITS_KG[unit]
        exponent = resolution - EXTRA_DIGITS - (0 if factor > Fraction(1, 10) else 3)
        return Weight(round(integer * factor * Fraction(10) ** (resolution - exponent)), exponent, stable)
    raise UnusableReplyError(f"unit {unit!r} is no weight")

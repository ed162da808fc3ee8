"""Sartorius SBI: 16 characters, or 22 with an identification before them. It does not tell stability.

The unit is left out while the weight is not valid. Digits that are not verified may stand in brackets: `123.5[6]`.
"""

import re

from edge_agent.scale_protocols.weight import (
    OVERLOAD,
    UNDERLOAD,
    ScaleReply,
    device_error,
    displayed,
    refused,
    text_of,
)

REQUEST = b"\x1bP\r\n"
LONG_CHARACTERS = 20
SHORT_CHARACTERS = 14

_WEIGHT = re.compile(r"([+ -])[ \[]?( *[\d.]+(?:\[[\d.]+\])?) ([A-Za-z%]{1,3} *| +)", re.ASCII)
_SPECIAL = re.compile(r" *(H|L|C|Err *\d{2,4}) *", re.ASCII)
_GROSS = "G"


def parse(telegram: bytes) -> ScaleReply:
    """Read a line without its end; raises UnusableReplyError when it is no telegram."""
    text = text_of(telegram, "SBI")
    identification = ""
    if len(text) == LONG_CHARACTERS:
        identification, text = text[:6].strip(), text[6:]
    if len(text) > SHORT_CHARACTERS:
        raise refused(telegram, "SBI")
    special = _SPECIAL.fullmatch(text)
    if special is not None:
        sign = special[1]
        if sign in "HL":
            return OVERLOAD if sign == "H" else UNDERLOAD
        return device_error("is calibrating" if sign == "C" else sign)
    found = _WEIGHT.fullmatch(text)
    if found is None or len(text) != SHORT_CHARACTERS:
        raise refused(telegram, "SBI")
    sign, number, unit = found.groups()
    if not unit.strip():
        return device_error("does not tell its unit now")
    number = number.replace("[", "").replace("]", "")
    return displayed(sign.strip() + number.strip(), unit, stable=None, net=not identification.startswith(_GROSS))

"""MT-SICS, the command set of Mettler Toledo balances and of many that follow them (Kern's KCP): replies to "SI".

Replies are blank separated, of any width: `S S     100.00 g`. They echo the command's name S, then say S (stable),
D (dynamic), I (cannot execute), + (overload), - (underload); ES, ET, EL come without an echo.
"""

from edge_agent.scale_protocols.weight import (
    OVERLOAD,
    UNDERLOAD,
    ScaleReply,
    device_error,
    displayed,
    refused,
    text_of,
)

REQUEST = b"SI\r\n"

_UNITS = frozenset({"g", "kg", "mg", "ug", "t", "lb", "oz", "ozt", "ct", "GN", "dwt", "PCS", "%"})
_WITHOUT_WEIGHT = {
    "S I": device_error("cannot weigh now"),
    "S +": OVERLOAD,
    "S -": UNDERLOAD,
    "ES": device_error("syntax error"),
    "ET": device_error("transmission error"),
    "EL": device_error("logical error"),
}


def parse(telegram: bytes) -> ScaleReply:
    """Read one reply, without its line end; raises UnusableReplyError when it is none."""
    words = text_of(telegram, "MT-SICS").split()
    known = _WITHOUT_WEIGHT.get(" ".join(words))
    if known is not None:
        return known
    if len(words) in {4, 5} and words[0] == "S" and words[1] in {"S", "D"}:
        if words[-1] not in _UNITS:
            raise refused(telegram, "MT-SICS")
        # A sign may stand apart from its digits.
        return displayed(" ".join(words[2:-1]), words[-1].lower(), stable=words[1] == "S")
    raise refused(telegram, "MT-SICS")

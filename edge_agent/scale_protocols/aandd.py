"""A&D: the standard format `ST,+001234.5  g`, and the 18 byte format `ST,GS,+0123456kg` that CAS and others share.

The standard format may carry a comparison result: `ST,OK,+0001.234 kg`. Overload telegrams (OL) carry digits that mean
nothing.
"""

import re

from edge_agent.scale_protocols.weight import OUT_OF_RANGE, ScaleReply, device_error, displayed, refused, text_of

_STANDARD = re.compile(r"(ST|US|QT|OL),(?:(?:LO|OK|HI|--),)?([+-].{8})(.{3})", re.DOTALL)
_STANDARD_UNITS = frozenset(
    {"  g", " kg", " PC", "  %", " oz", " lb", "ozt", " ct", "mom", "dwt", " GN", " tl", "  t", " t "}
)
_GROSS_NET = re.compile(r"(ST|US|OL),(GS|NT),(.{8})(.{2})?", re.DOTALL)
_GROSS_NET_UNITS = frozenset({"kg", " t", " g", "lb"})
_DATA = re.compile(r"[+-]\d*\.?\d+\.?|[+ -] *\d*\.?\d+\.?", re.ASCII)


def parse_standard(telegram: bytes) -> ScaleReply:
    """Read a telegram without its line end; raises UnusableReplyError when it is none."""
    found = _STANDARD.fullmatch(text_of(telegram, "A&D"))
    if found is None:
        raise refused(telegram, "A&D")
    state, data, unit = found.groups()
    if state == "OL":
        return OUT_OF_RANGE
    if unit not in _STANDARD_UNITS or not _DATA.fullmatch(data):
        raise refused(telegram, "A&D")
    if state == "QT":
        return device_error("counts pieces")
    return displayed(data, unit.lower(), stable=state == "ST")


def parse_gross_net(telegram: bytes) -> ScaleReply:
    """Read a telegram of the 18 byte format; raises UnusableReplyError when it is none."""
    found = _GROSS_NET.fullmatch(text_of(telegram, "A&D (18 bytes)"))
    if found is None:
        raise refused(telegram, "A&D (18 bytes)")
    state, kind, data, unit = found.groups()
    if state == "OL":
        return OUT_OF_RANGE
    if not _DATA.fullmatch(data) or unit not in {None, *_GROSS_NET_UNITS}:
        raise refused(telegram, "A&D (18 bytes)")
    if unit is None:
        return device_error("does not tell its unit; switch it on in the scale's menu")
    return displayed(data, unit, stable=state == "ST", net=kind == "NT")

"""Dini Argeo: the short string `ST,GS,     0.0,kg` and the extended one with tare and pieces.

Both begin with a two digit address in 485 mode; the extended string has a `1` (a constant) before its state.
"""

import re

from edge_agent.scale_protocols.weight import (
    OVERLOAD,
    UNDERLOAD,
    NoWeight,
    ScaleReply,
    Weight,
    device_error,
    displayed,
    mass,
    refused,
    text_of,
)

_SHORT = re.compile(r"(?:\d\d)?(ST|US|OL|UL|TL),(GS|NT),(.{8}),(.{2})", re.ASCII)
_EXTENDED = re.compile(r"(?:\d\d)?1(ST|US|OL|UL|TL),(.{10}),(PT|  )(.{10}),(.{10}),(.{2})", re.ASCII)
_WITHOUT_WEIGHT = {"OL": OVERLOAD, "UL": UNDERLOAD, "TL": device_error("does not stand level")}
_UNITS = frozenset({"kg", "g", "t", "lb"})


def parse(telegram: bytes) -> ScaleReply:
    """Read a telegram without its line end; raises UnusableReplyError when it is none."""
    text = text_of(telegram, "Dini Argeo")
    short, extended = _SHORT.fullmatch(text), _EXTENDED.fullmatch(text)
    found = short or extended
    if found is None:
        raise refused(telegram, "Dini Argeo")
    state = found[1]
    if state in _WITHOUT_WEIGHT:
        return _WITHOUT_WEIGHT[state]
    unit = found.groups()[-1].strip()
    if unit not in _UNITS:
        raise refused(telegram, "Dini Argeo")
    stable = state == "ST"
    if short is not None:
        return displayed(short[3], unit, stable=stable, net=short[2] == "NT")
    net, tare = mass(found[2], unit), mass(found[4], unit)
    if isinstance(net, NoWeight) or isinstance(tare, NoWeight) or not found[5].strip().isdigit():
        raise refused(telegram, "Dini Argeo")
    return Weight(net=net, gross=net.plus(tare), tare=tare, stable=stable)

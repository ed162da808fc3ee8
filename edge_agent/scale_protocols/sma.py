"""The standard protocol of the Scale Manufacturers Association: 20 characters from LF to CR."""

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

REQUEST = b"\nW\r"

_TELEGRAM = re.compile(r"([ ZOUETI])(\d)([GNTgn])([M ])(.)(.{10})(.{3})", re.ASCII)
_WITHOUT_WEIGHT = {
    "O": OVERLOAD,
    "U": UNDERLOAD,
    "E": device_error("zero error"),
    "T": device_error("tare error"),
    "I": device_error("error"),
}
_UNITS = frozenset({"lb", "kg", "g", "oz", "t"})


def parse(telegram: bytes) -> ScaleReply:
    """Read what stands between LF and CR; raises UnusableReplyError when it is no telegram."""
    found = _TELEGRAM.fullmatch(text_of(telegram, "SMA"))
    if found is None:
        raise refused(telegram, "SMA")
    status, _, mode, motion, _, number, unit = found.groups()
    if status in _WITHOUT_WEIGHT:
        return _WITHOUT_WEIGHT[status]
    if unit.rstrip() not in _UNITS:
        raise refused(telegram, "SMA")
    if mode == "T":
        return device_error("shows the tare")
    return displayed(number, unit, stable=motion == " ", net=mode in "Nn")

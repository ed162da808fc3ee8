"""NCI, as Adam and Ohaus Aviator scales speak it: weight and unit, then three status bytes."""

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

REQUEST = b"W\r"

_TELEGRAM = re.compile(r"\n?(.{4,12}?)(LB|KG|OZ|G|lb|kg|oz|g)?\r\n([0-?])([0-?p-\x7f])([0-?p-\x7f])\r", re.ASCII)
_DISPLAYS = {"^": OVERLOAD, "_": UNDERLOAD, "-": device_error("zero error")}
_NUMBER = re.compile(r"[ -]*\d*\.?\d+\.?", re.ASCII)


def parse(telegram: bytes) -> ScaleReply:
    """Read what stands before ETX; raises UnusableReplyError when it is no telegram.

    In every status byte bits 4 and 5 are 1. H1: bit 0 in motion, bit 3 memory error; H2: bit 0 under, bit 1 over
    capacity; H3: bit 2 net.
    """
    found = _TELEGRAM.fullmatch(text_of(telegram, "NCI") + ("" if telegram.endswith(b"\r") else "\r"))
    if found is None:
        raise refused(telegram, "NCI")
    number, unit = found[1], found[2]
    first, second, third = (ord(found[index]) for index in (3, 4, 5))
    if second & 0x03:
        return OVERLOAD if second & 0x02 else UNDERLOAD
    for sign, meaning in _DISPLAYS.items():
        if number.strip() and not number.strip().strip(sign):
            return meaning
    if first & 0x08:
        return device_error("memory error")
    if unit is None or not _NUMBER.fullmatch(number):
        raise refused(telegram, "NCI")
    return displayed(number, unit.lower(), stable=not first & 0x01, net=bool(third & 0x04))

"""The streams that Rice Lake indicators send: their own, and as Cardinal's, Weigh-Tronix's and Condec's."""

import re

from edge_agent.scale_protocols.weight import (
    OUT_OF_RANGE,
    OVERLOAD,
    UNDERLOAD,
    ScaleReply,
    device_error,
    displayed,
    refused,
    text_of,
)

_RICE_LAKE = re.compile(r"([ ^\]-])(.{7})([LKTGO ])([GN])([ IMOZ])", re.DOTALL)
_RICE_LAKE_UNITS = {"L": "lb", "K": "kg", "G": "g", "O": "oz", "T": "ton"}
_RICE_LAKE_NUMBER = re.compile(r" *\d*\.?\d+\.?", re.ASCII)
_CARDINAL = re.compile(r"([+-])([\d.]{6})([ mo]) (lb|kg|g |tn|t |oz| g| t) ([gn])  ", re.ASCII)
_WEIGHTRONIX = re.compile(r" ([gn])([+-])([\d.]{6}) (lb|kg|g|tn|t|oz)", re.ASCII)
_CONDEC = re.compile(r"([ -])([\d. ]{8}) (LB|KG|pc) (GR|NT)", re.ASCII)


def parse_rice_lake(telegram: bytes) -> ScaleReply:
    """Read what stands between STX and CR; raises UnusableReplyError when it is no telegram."""
    found = _RICE_LAKE.fullmatch(text_of(telegram, "Rice Lake"))
    if found is None:
        raise refused(telegram, "Rice Lake")
    polarity, number, unit, mode, status = found.groups()
    if polarity in "^]":
        return OVERLOAD if polarity == "^" else UNDERLOAD
    if status == "O" or number == "OVERFL":
        return OUT_OF_RANGE
    if status == "I":
        return device_error("weight is invalid")
    if not _RICE_LAKE_NUMBER.fullmatch(number):
        raise refused(telegram, "Rice Lake")
    if unit == " ":
        return device_error("does not tell its unit")
    return displayed(polarity + number, _RICE_LAKE_UNITS[unit], stable=status != "M", net=mode == "N")


def parse_cardinal(telegram: bytes) -> ScaleReply:
    """Read what stands between CR and ETX; raises UnusableReplyError when it is no telegram."""
    found = _CARDINAL.fullmatch(text_of(telegram, "Cardinal"))
    if found is None:
        raise refused(telegram, "Cardinal")
    polarity, number, status, unit, mode = found.groups()
    if status == "o":
        return OUT_OF_RANGE
    return displayed(polarity + number, unit, stable=status != "m", net=mode == "n")


def parse_weightronix(telegram: bytes) -> ScaleReply:
    """Read a line without its end; raises UnusableReplyError when it is no telegram. It does not tell stability."""
    found = _WEIGHTRONIX.fullmatch(text_of(telegram, "Weigh-Tronix"))
    if found is None:
        raise refused(telegram, "Weigh-Tronix")
    mode, polarity, number, unit = found.groups()
    return displayed(polarity + number, unit, stable=None, net=mode == "n")


def parse_condec(telegram: bytes) -> ScaleReply:
    """Read what stands between STX and CR; raises UnusableReplyError when it is no telegram. As above."""
    found = _CONDEC.fullmatch(text_of(telegram, "Condec"))
    if found is None:
        raise refused(telegram, "Condec")
    polarity, number, unit, mode = found.groups()
    return displayed(polarity + number, unit.lower(), stable=None, net=mode == "NT")

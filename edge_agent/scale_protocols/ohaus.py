"""Ohaus: Defender 3000 indicators, and the portable balances Scout, Navigator and Traveler. Read by words."""

import re

from edge_agent.scale_protocols.weight import ScaleReply, device_error, displayed, refused, text_of

REQUEST = b"P\r\n"

_TELEGRAM = re.compile(
    r" *(-?) *(\d+\.?\d*|\.\d+) +(kg|g|lb|oz|ozt|ct|dwt|t|PCS|%)(?: *(\?))?(?: *(G|NET|T|PCS|TOTAL))? *"
)


def parse(telegram: bytes) -> ScaleReply:
    """Read a line without its end; raises UnusableReplyError when it is no telegram."""
    found = _TELEGRAM.fullmatch(text_of(telegram, "Ohaus"))
    if found is None:
        raise refused(telegram, "Ohaus")
    sign, number, unit, motion, legend = found.groups()
    if legend in {"T", "TOTAL", "PCS"}:
        return device_error(f"shows {legend}")
    return displayed(sign + number, unit.lower(), stable=motion is None, net=legend != "G")

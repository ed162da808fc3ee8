"""Every scale protocol by its name."""

from simulators.errors import SimulatorError
from simulators.scale import Scale
from simulators.scale_protocols.mt_sics import MtSics
from simulators.scale_protocols.telegrams import VOCABULARIES, Telegrams
from simulators.scale_server import Talk

_MT_SICS = ("mt_sics", "kern_kcp")

SCALE_PROTOCOLS = (*_MT_SICS, *VOCABULARIES)
"""The names, as in profiles and on the command line."""


def scale_talk(protocol: str, scale: Scale, interval_s: float = 0.2) -> Talk:
    """How a scale of a protocol speaks; raises SimulatorError for a protocol that is not simulated.

    Args:
        protocol: its name.
        scale: the weighing part.
        interval_s: between two telegrams of a scale that sends by itself.
    """
    if protocol in _MT_SICS:
        return MtSics(scale, repeat_interval_s=interval_s)
    if protocol not in VOCABULARIES:
        raise SimulatorError(f"scale protocol {protocol!r} is none of {', '.join(SCALE_PROTOCOLS)}")
    return Telegrams(scale, VOCABULARIES[protocol], interval_s)

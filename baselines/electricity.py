"""Formulas of three-phase supplies that opportunities and screens share."""

import math
from collections.abc import Sequence

from baselines.errors import BaselineError


def voltage_unbalance(volts: Sequence[float]) -> float:
    """The furthest line-to-line voltage from their mean, over the mean, a fraction (NEMA MG-1, 14.36)."""
    if len(volts) != 3 or min(volts) < 0.0 or sum(volts) == 0.0:
        raise BaselineError(f"unbalance needs three voltages, none of them negative: {list(volts)}")
    mean = math.fsum(volts) / 3.0
    return max(abs(volt - mean) for volt in volts) / mean


def power_factor(real_kw: float, apparent_kva: float) -> float:
    """Real over apparent power; raises BaselineError where that cannot be."""
    if not 0.0 <= abs(real_kw) <= apparent_kva or apparent_kva == 0.0:
        raise BaselineError(f"{real_kw:g} kW of {apparent_kva:g} kVA cannot be")
    return real_kw / apparent_kva


def capacitor_kvar(real_kw: float, present_factor: float, target_factor: float) -> float:
    """Reactive power that lifts the power factor: P (tan acos present − tan acos target)."""
    if not 0.0 < present_factor <= 1.0 or not present_factor <= target_factor <= 1.0:
        raise BaselineError(f"power factor {present_factor:g} cannot be lifted to {target_factor:g}")
    return real_kw * (math.tan(math.acos(present_factor)) - math.tan(math.acos(target_factor)))


def three_phase_kw(line_to_line_volts: float, amperes: float, factor: float) -> float:
    """Real power of a balanced load: sqrt(3) U I cos φ / 1000."""
    return math.sqrt(3.0) * line_to_line_volts * amperes * factor / 1000.0


def air_leak_kwh(flow: float, kw_a_flow: float, hours: float) -> float:
    """What a compressor uses for a leak: flow × kW a unit of flow × hours under pressure."""
    return flow * kw_a_flow * hours

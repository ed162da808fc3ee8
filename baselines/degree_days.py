"""Heating and cooling degree days from hourly temperatures, and the search for the base temperature."""

import math
from collections.abc import Callable, Sequence


def heating_degree_days(hourly: Sequence[float], base: float) -> float:
    """Σ max(0, base − T) / 24 over hours, in the temperature's own unit times days."""
    return math.fsum(max(0.0, base - temperature) for temperature in hourly) / 24.0


def cooling_degree_days(hourly: Sequence[float], base: float) -> float:
    """Σ max(0, T − base) / 24 over hours; heating less cooling degree days is always base − mean of T."""
    return math.fsum(max(0.0, temperature - base) for temperature in hourly) / 24.0


def best_base(candidates: Sequence[float], residual_sum_at: Callable[[float], float]) -> float:
    """The base temperature at which a model's residual sum of squares is least; of equals the first."""
    return min(candidates, key=residual_sum_at)

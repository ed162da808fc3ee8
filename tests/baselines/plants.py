"""Factories whose truth is known: energy by a formula plus chance that a test chooses."""

from collections.abc import Sequence

import numpy as np

from baselines.observations import Observations


def correlated(chance: np.random.Generator, rows: int, rho: float) -> list[float]:
    """Normal errors of variance one, each like the one before it by `rho`."""
    errors = chance.normal(size=rows)
    for row in range(1, rows):
        errors[row] = rho * errors[row - 1] + np.sqrt(1.0 - rho * rho) * errors[row]
    return [float(error) for error in errors]


def observed(energy: Sequence[float], **variables: Sequence[float]) -> Observations:
    """Rows named by their number."""
    return Observations(
        tuple(map(str, range(len(energy)))),
        tuple(float(value) for value in energy),
        {name: tuple(float(value) for value in column) for name, column in variables.items()},
    )

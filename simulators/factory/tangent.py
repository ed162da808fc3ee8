"""Reactive power of motors: the tangent of phi, while they run and while they start."""

import math

START_S = 1.5
"""How long a motor's start shows on a meter."""

START_TANGENT = 2.3
"""A starting induction motor is mostly inductive: cos phi near 0.4."""


def tangent_of(cos_phi: float) -> float:
    """The reactive power for each watt."""
    return math.sqrt(1 / cos_phi**2 - 1)

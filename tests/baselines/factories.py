"""Simulated factories whose true saving is known, and how often bands and "proven" are right about them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from baselines.linear_model import fit
from baselines.observations import Observations
from baselines.savings import Granularity, Savings, savings
from tests.baselines.plants import correlated, observed

MONTHS = 24
"""Rows up to this many are months, whose seasons are twelve long."""


@dataclass(frozen=True)
class Size:
    """Rows of the baseline and of the reporting period."""

    before: int
    after: int


@dataclass(frozen=True)
class Tried:
    """Shares of factories: whose band holds the true saving, the same of independent errors' band, with a valid
    baseline, with a band above zero, and called proven."""

    inside: float
    inside_independent: float
    valid: float
    above_zero: float
    proven: float


def any_size(chance: np.random.Generator) -> Size:
    """Twelve months and up to twelve more, or a few weeks to half a year of days and two months more."""
    if chance.random() < 0.5:
        return Size(12, int(chance.integers(3, 13)))
    return Size(int(chance.integers(40, 200)), 60)


def factory(chance: np.random.Generator, size: Size, share: float, rho: float) -> tuple[Observations, float]:
    """A factory that saves `share` in the reporting period, its errors following each other by `rho`: rows, saving."""
    rows = size.before + size.after
    base, slope = chance.uniform(0.0, 2000.0), chance.uniform(0.5, 5.0)
    pieces = chance.uniform(chance.uniform(0, 500), 1000, rows)
    year = 12.0 if rows <= MONTHS else 365.0 if rows > 365 else rows / 2.0
    season = np.sin(np.arange(rows) / year * 2.0 * np.pi)
    warm = np.maximum(0.0, 20.0 * season + 3.0 * chance.normal(size=rows))
    use = base + slope * pieces + chance.uniform(0.0, 30.0) * warm
    use = use * np.where(np.arange(rows) < size.before, 1.0, 1.0 - share)
    saved = float((use[size.before :] * share / (1.0 - share)).sum())
    scatter = chance.uniform(0.02, 0.1) * float(use.mean())
    energy = use + scatter * np.array(correlated(chance, rows, rho))
    return observed(energy.tolist(), pieces=pieces.tolist(), warm=warm.tolist()), saved


def judged(chance: np.random.Generator, size: Size, share: float, rho: float = 0.0) -> tuple[Savings, float]:
    """What is said of a factory, and what it saved."""
    rows, saved = factory(chance, size, share, rho)
    model = fit(rows.select(range(size.before)), ["pieces", "warm"])
    granularity: Granularity = "month" if len(rows) <= MONTHS else "day"
    found = savings(model, rows.select(range(size.before, len(rows))), granularity=granularity)
    return found, saved


def tried(draw: Callable[[], tuple[Savings, float]], factories: int) -> Tried:
    """Of so many factories."""
    shares = np.mean(
        [
            (
                abs(found.savings - saved) <= found.half_width,
                abs(found.savings - saved) <= found.half_width_independent,
                found.valid,
                found.savings > found.half_width,
                found.proven,
            )
            for found, saved in (draw() for _ in range(factories))
        ],
        axis=0,
    )
    return Tried(*map(float, shares))

"""Simulated factories whose saving is known: do bands hold it as often as they say, and is "proven" seldom wrong?

`LEANMETER_TEST_SCALE=100` tries 2,000 of each kind.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from baselines.linear_model import fit
from baselines.meter_accuracy import MeterAccuracy
from baselines.observations import Observations
from baselines.savings import Savings, savings
from tests.baselines.plants import correlated, observed
from tests.scale import scaled

FACTORIES = scaled(200, 2000)
CHANCE = 3.0 * math.sqrt(0.09 / FACTORIES)


@dataclass(frozen=True)
class Tried:
    inside: float
    inside_widened: float
    proven: float


def factory(chance: np.random.Generator, share: float, rho: float) -> tuple[Observations, int, float, bool]:
    """A factory of any size: its rows, how many of them are baseline, its true saving, whether rows are months."""
    is_monthly = bool(chance.random() < 0.5)
    before, after = (12, int(chance.integers(3, 13))) if is_monthly else (int(chance.integers(40, 200)), 60)
    rows = before + after
    base, slope = chance.uniform(0.0, 2000.0), chance.uniform(0.5, 5.0)
    pieces = chance.uniform(chance.uniform(0, 500), 1000, rows)
    warm = np.maximum(0.0, 20.0 * np.sin(np.arange(rows) / rows * 4 * np.pi) + 3.0 * chance.normal(size=rows))
    use = base + slope * pieces + chance.uniform(0.0, 30.0) * warm
    use = use * np.where(np.arange(rows) < before, 1.0, 1.0 - share)
    saved = float((use[before:] * share / (1.0 - share)).sum())
    scatter = chance.uniform(0.02, 0.1) * float(use.mean())
    energy = use + scatter * np.array(correlated(chance, rows, rho))
    return observed(energy.tolist(), pieces=pieces.tolist(), warm=warm.tolist()), before, saved, is_monthly


def judged(chance: np.random.Generator, share: float, rho: float = 0.0) -> tuple[Savings, float]:
    rows, before, saved, is_monthly = factory(chance, share, rho)
    model = fit(rows.select(range(before)), ["pieces", "warm"])
    found = savings(model, rows.select(range(before, len(rows))), granularity="month" if is_monthly else "day")
    return found, saved


def tried(draw: Callable[[], tuple[Savings, float]]) -> Tried:
    found = [draw() for _ in range(FACTORIES)]
    return Tried(
        float(np.mean([abs(each.savings - saved) <= each.half_width for each, saved in found])),
        float(np.mean([abs(each.savings - saved) <= each.widening * each.half_width for each, saved in found])),
        float(np.mean([each.proven for each, _ in found])),
    )


@pytest.mark.parametrize("share", [0.0, 0.1])
def test_the_band_holds_the_truth_in_nine_of_ten_factories(share: float) -> None:
    chance = np.random.default_rng(20)
    found = tried(lambda: judged(chance, share))
    assert 0.88 - CHANCE <= found.inside <= 0.92 + CHANCE
    if share == 0.0:
        assert found.proven <= 0.05 + CHANCE


@pytest.mark.parametrize(("rho", "least", "most_wrong"), [(0.3, 0.88, 0.06), (0.6, 0.84, 0.08)])
def test_where_residuals_follow_each_other_proven_asks_for_more(rho: float, least: float, most_wrong: float) -> None:
    """The exact band is of independent errors, and then too narrow; "proven" goes by the widened one.

    Half of these factories have twelve months of baseline, too few to tell how far residuals follow each other.
    """
    chance = np.random.default_rng(21)
    found = tried(lambda: judged(chance, 0.0, rho))
    assert found.inside_widened > found.inside
    assert found.inside_widened >= least - CHANCE
    assert found.proven <= most_wrong + CHANCE


def test_a_meters_error_is_held_by_the_band_that_knows_its_class() -> None:
    chance = np.random.default_rng(22)
    accuracy = MeterAccuracy("2", "3")
    inside = alone = 0
    for _ in range(FACTORIES):
        pieces = chance.uniform(100, 1000, 72)
        truth = 500.0 + 2.0 * pieces
        limits = (0.02, 0.03)
        # Another meter in the reporting period: each is wrong by a share that stays, within its class.
        wrong = [sum(chance.uniform(-limit, limit) for limit in limits) for _ in range(2)]
        energy = (truth + 20.0 * chance.normal(size=72)) * (1.0 + np.where(np.arange(72) < 36, *wrong))
        rows = observed(energy.tolist(), pieces=pieces.tolist())
        model = fit(rows.select(range(36)), ["pieces"])
        found = savings(model, rows.select(range(36, 72)), accuracy=accuracy, same_meter=False)
        inside += abs(found.savings) <= found.half_width
        alone += abs(found.savings) <= found.model_half_width
    assert 0.86 - CHANCE <= inside / FACTORIES <= 0.94 + CHANCE
    assert alone / FACTORIES < 0.5

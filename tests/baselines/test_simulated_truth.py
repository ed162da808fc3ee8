"""Simulated factories whose saving is known: do bands hold it as often as they say, and is "proven" seldom wrong?

`LEANMETER_TEST_SCALE=100` tries 2,000 of each kind, and then allows nothing for chance.
"""

import math

import numpy as np
import pytest

from baselines.linear_model import fit
from baselines.meter_accuracy import MeterAccuracy
from baselines.savings import savings
from tests.baselines.factories import Size, any_size, judged, tried
from tests.baselines.plants import observed
from tests.scale import scaled

FULL = 2000
FACTORIES = scaled(200, FULL)
CHANCE = 0.0 if FACTORIES == FULL else 3.0 * math.sqrt(0.09 / FACTORIES)


@pytest.mark.parametrize("share", [0.0, 0.1])
def test_the_band_holds_the_truth_in_nine_of_ten_factories(share: float) -> None:
    chance = np.random.default_rng(20)
    found = tried(lambda: judged(chance, any_size(chance), share), FACTORIES)
    assert 0.88 - CHANCE <= found.inside <= 0.92 + CHANCE
    if share == 0.0:
        assert found.proven <= 0.05 + CHANCE
        assert found.proven < found.above_zero, "an invalid baseline proves nothing"


@pytest.mark.parametrize("rho", [0.3, 0.6])
def test_the_band_holds_where_residuals_follow_each_other(rho: float) -> None:
    chance = np.random.default_rng(21)
    found = tried(lambda: judged(chance, Size(180, 90), 0.0, rho), FACTORIES)
    assert 0.88 - CHANCE <= found.inside <= 0.95 + CHANCE
    assert found.inside_independent < 0.85
    assert found.proven <= 0.05 + CHANCE


def test_twelve_months_are_too_few_to_tell_how_far_residuals_follow_each_other() -> None:
    chance = np.random.default_rng(23)
    found = tried(lambda: judged(chance, Size(12, 12), 0.0, 0.6), FACTORIES)
    assert found.inside_independent + 0.05 < found.inside < 0.88


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

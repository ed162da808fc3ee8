import numpy as np
import pytest

from baselines.errors import BaselineError
from baselines.week_profile import DayCurve, fit_profile

HOURS = np.arange(96) / 4
SHAPE = 5.0 + np.where((HOURS >= 7) & (HOURS < 16), 20.0, 0.0)


def curve(chance: np.random.Generator, weekday: int) -> DayCurve:
    shape = SHAPE if weekday < 5 else np.full(96, 5.0)
    day = shape * (1.0 + 0.05 * chance.normal())  # the day's own level
    return DayCurve(weekday, tuple((day + 0.5 * chance.normal(size=96)).tolist()))


def test_bands_hold_as_many_quarters_and_running_days_as_they_say() -> None:
    chance = np.random.default_rng(11)
    profile = fit_profile([curve(chance, day % 7) for day in range(70)])
    quarters, until = [], []
    for day in range(350):
        seen = curve(chance, day % 7)
        used = np.cumsum([value or 0.0 for value in seen.amounts])
        for quarter in range(0, 96, 5):
            band = profile.quarter(seen.weekday, quarter, 0.9)
            quarters.append(band.lower <= (seen.amounts[quarter] or 0.0) <= band.upper)
        band = profile.until(seen.weekday, 60, 0.9)
        until.append(band.lower <= used[60] <= band.upper)
    assert 0.88 <= np.mean(quarters) <= 0.95
    assert 0.85 <= np.mean(until) <= 0.95


def test_a_days_expectation_is_spread_as_days_usually_are() -> None:
    chance = np.random.default_rng(1)
    profile = fit_profile([curve(chance, day % 7) for day in range(70)])
    assert profile.share_until(0, 95) == pytest.approx(1.0)
    assert profile.share_until(0, 47) == pytest.approx(SHAPE[:48].sum() / SHAPE.sum(), abs=0.01)
    assert profile.share_until(6, 47) == pytest.approx(0.5, abs=0.01)


def test_unknown_quarters_are_not_zeros() -> None:
    days = [DayCurve(day % 7, (None,) * 8 + (4.0,) * 88) for day in range(7)]
    days += [DayCurve(day % 7, (4.0,) * 96) for day in range(28)]
    profile = fit_profile(days)
    assert profile.quarter(2, 3, 0.9).expected == pytest.approx(4.0)


def test_too_few_weeks_are_said() -> None:
    with pytest.raises(BaselineError, match="fewer than 3 weeks with a whole Monday"):
        fit_profile([DayCurve(day % 7, (1.0,) * 96) for day in range(14)])
    with pytest.raises(BaselineError, match="96 quarters"):
        DayCurve(0, (1.0,))

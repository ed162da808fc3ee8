import random

import pytest

from simulators.factory.day_curve import DayCurve, Track, signed_curves

LENGTH_S = 1000.0


def random_track(seed: int, *, below_zero: bool = False) -> Track:
    draw = random.Random(seed)
    track = Track(LENGTH_S)
    low = -500.0 if below_zero else 0.0
    while track.at_s < LENGTH_S:
        end_s = track.at_s + draw.uniform(0.5, 40)
        track.until(end_s, draw.uniform(low, 900), draw.uniform(0, 2), draw.uniform(low, 900))
    return track


def by_hand(curve: DayCurve, until_s: float, steps: int = 20_000) -> tuple[float, float]:
    """Both integrals by the midpoint rule, in rate-hours."""
    width_s = until_s / steps
    samples = curve.samples([(index + 0.5) * width_s for index in range(steps)])
    return sum(samples.rates) * width_s / 3600, sum(samples.reactive_rates) * width_s / 3600


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_amounts_are_the_integrals_of_the_rates(seed: int) -> None:
    curve = random_track(seed).curve()
    amount, reactive = by_hand(curve, LENGTH_S)
    assert curve.amount == pytest.approx(amount, rel=1e-3)
    assert curve.reactive_amount == pytest.approx(reactive, rel=1e-3)
    half = curve.samples([LENGTH_S / 2])
    assert half.amounts[0] == pytest.approx(by_hand(curve, LENGTH_S / 2)[0], rel=1e-3)


def test_one_time_gives_what_many_times_give() -> None:
    curve = random_track(4).curve()
    times_s = [0.0, 0.3, 77.7, 77.7, 400.0, 999.9]
    together = curve.samples(times_s)
    alone = [curve.samples([time_s]) for time_s in times_s]
    assert together.rates == [samples.rates[0] for samples in alone]
    assert together.amounts == [samples.amounts[0] for samples in alone]


def test_no_power_in_dead_times_and_the_same_outside() -> None:
    track = random_track(5)
    whole, cut = track.curve(), track.curve([(100.0, 150.5), (700.0, 1000.0)])
    times_s = [index + 0.25 for index in range(1000)]
    for time_s, before, after in zip(times_s, whole.samples(times_s).rates, cut.samples(times_s).rates, strict=True):
        dead = 100 <= time_s < 150.5 or time_s >= 700
        assert after == pytest.approx(0.0 if dead else before, abs=1e-9), time_s
    assert cut.amount == pytest.approx(by_hand(cut, LENGTH_S)[0], rel=1e-3)


def test_import_less_export_is_the_sum_at_every_moment() -> None:
    parts = [(1.02, random_track(6).curve()), (-1.0, random_track(7).curve()), (-0.5, random_track(8).curve())]
    taken, given = signed_curves(parts, LENGTH_S)
    times_s = [index * 1.7 for index in range(588)]
    sums = [0.0] * len(times_s)
    for factor, curve in parts:
        sums = [total + factor * rate for total, rate in zip(sums, curve.samples(times_s).rates, strict=True)]
    plus, minus = taken.samples(times_s).rates, given.samples(times_s).rates
    assert [p - m for p, m in zip(plus, minus, strict=True)] == pytest.approx(sums, abs=1e-6)
    assert all(p >= -1e-9 and m >= -1e-9 and min(p, m) < 1e-6 for p, m in zip(plus, minus, strict=True))
    assert taken.amount - given.amount == pytest.approx(sum(factor * curve.amount for factor, curve in parts))
    assert given.amount > 0

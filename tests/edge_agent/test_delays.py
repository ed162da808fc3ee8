import pytest

from edge_agent.delays import DelayHistogram


def test_quantiles_are_right_within_the_width_of_a_class() -> None:
    delays = DelayHistogram()
    assert delays.quantile(0.5) is None
    for delay_ms in range(1, 1001):
        delays.add(delay_ms)
    assert delays.quantile(0.5) == pytest.approx(500, rel=0.05)
    assert delays.quantile(0.99) == pytest.approx(990, rel=0.05)


def test_counts_weigh_and_extremes_stay_inside() -> None:
    delays = DelayHistogram()
    delays.add(-5)
    delays.add(1e15)
    delays.add(100, count=98)
    assert delays.quantile(0.5) == pytest.approx(100, rel=0.05)
    assert (delays.quantile(1.0) or 0) > 1e9

import pytest

from collector.edge_rates import BURST_S, EdgeRates
from tests.collector.clock import Clock


def test_an_edge_may_send_a_burst_and_then_its_rate() -> None:
    clock = Clock()
    rates = EdgeRates(batches_per_s=2, bytes_per_s=1e6, clock=clock)
    assert sum(rates.take("a", 10) for _ in range(100)) == 2 * BURST_S
    clock.now_s += 3
    assert sum(rates.take("a", 10) for _ in range(100)) == 6
    assert rates.take("b", 10)


def test_bytes_count_as_well_and_a_message_beyond_the_rate_costs_nothing() -> None:
    clock = Clock()
    rates = EdgeRates(batches_per_s=1000, bytes_per_s=100, clock=clock)
    assert rates.take("a", 900)
    assert not rates.take("a", 200)
    assert rates.take("a", 100)
    clock.now_s += 1
    assert rates.take("a", 100)
    assert not rates.take("a", 1)


def test_edges_that_come_and_go_do_not_fill_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.edge_rates.MAXIMUM_EDGES", 3)
    clock = Clock()
    rates = EdgeRates(batches_per_s=1, bytes_per_s=1e6, clock=clock)
    for edge in ("a", "b", "c", "d"):
        assert rates.take(edge, 1)
    assert list(rates._buckets) == ["b", "c", "d"]
    clock.now_s += BURST_S + 1
    assert rates.take("e", 1)
    assert list(rates._buckets) == ["e"]

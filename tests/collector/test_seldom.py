import pytest

from collector.seldom import INTERVAL_S, Seldom
from tests.collector.clock import Clock


def test_something_is_said_once_an_interval_for_each_key(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    seldom = Seldom(clock=clock)
    assert [seldom.due("a"), seldom.due("a"), seldom.due("b")] == [True, False, True]
    clock.now_s += INTERVAL_S
    assert [seldom.due("a"), seldom.due("a")] == [True, False]
    monkeypatch.setattr("collector.seldom.MAXIMUM_KEYS", 2)
    assert [seldom.due("c"), seldom.due("a")] == [True, True]

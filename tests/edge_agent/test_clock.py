import pytest

from edge_agent.backoff import Backoff
from edge_agent.clock import SystemClock, clock_source, next_grid_time_ms


@pytest.mark.parametrize(
    ("wall_ms", "interval_ms", "due_ms"), [(999.9, 1000, 1000), (1000.0, 1000, 2000), (1234.0, 500, 1500)]
)
def test_the_next_grid_time_is_always_later(wall_ms: float, interval_ms: int, due_ms: int) -> None:
    assert next_grid_time_ms(wall_ms, interval_ms) == due_ms


def test_the_clocks_source_is_one_that_batches_know() -> None:
    assert clock_source() in {"ntp", "hardware", "none"}


async def test_the_system_clocks_agree_about_a_short_while() -> None:
    clock = SystemClock()
    wall_ms, monotonic_s = clock.wall_ms(), clock.monotonic_s()
    await clock.sleep(0.02)
    assert clock.wall_ms() - wall_ms == pytest.approx((clock.monotonic_s() - monotonic_s) * 1000, abs=5)


def test_a_wait_doubles_up_to_its_bound_and_is_forgotten_after_success() -> None:
    backoff, now_s, waits_s = Backoff(2.0, 30.0, free_failures=1), 0.0, []
    for _ in range(8):
        assert backoff.is_due(now_s)
        backoff.failed(now_s)
        began_s = now_s
        while not backoff.is_due(now_s):
            now_s += 0.5
        waits_s.append(now_s - began_s)
    assert waits_s == [0.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
    backoff.failed(now_s)
    assert backoff.succeeded()
    assert backoff.is_due(now_s)
    assert not backoff.succeeded()

"""Where the agent's times come from; tests put their own clock in place."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Two clocks, since the wall clock may be set at any moment while durations must not notice."""

    def wall_ms(self) -> float:
        """Milliseconds since 1970 UTC."""
        ...

    def monotonic_s(self) -> float:
        """Seconds since some moment, never set back."""
        ...

    async def sleep(self, duration_s: float) -> None:
        """Let others run for that long."""
        ...


class SystemClock:
    """The clocks of the operating system."""

    def wall_ms(self) -> float:
        """Milliseconds since 1970 UTC."""
        return time.time_ns() / 1e6

    def monotonic_s(self) -> float:
        """Seconds since some moment, never set back."""
        return time.monotonic()

    async def sleep(self, duration_s: float) -> None:
        """Let others run for that long."""
        await asyncio.sleep(duration_s)


def next_grid_time_ms(wall_ms: float, interval_ms: int) -> int:
    """The first multiple of the interval after `wall_ms`: polls lie there, so that all devices are asked together."""
    return (int(wall_ms) // interval_ms + 1) * interval_ms

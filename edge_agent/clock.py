"""Where the agent's times come from; tests put their own clock in place."""

import asyncio
import ctypes
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

TIME_ERROR = 5
"""What adjtimex(2) returns while nothing keeps the clock right."""

LONGEST_STEP_BACK_MS = 60_000.0
"""A step back by more than this is followed at once."""

SHORTEST_STEP_MS = 1_000.0
"""A smaller step is not worth telling."""

TIMEX_BYTES = 512
"""Room enough for the kernel's struct timex; zeros in it mean "only tell"."""


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


class SteadyClock:
    """A clock whose wall time does not go back when the system's is set back a little.

    It goes at half its speed then until the system's time has caught up, so that no time comes twice and none is left
    out. After a larger step it follows at once: readings of hours must not stand at wrong times for hours more.

    Args:
        clock: the system's.
        stepped: called with the ms by which that was set, back if negative.
    """

    def __init__(self, clock: Clock, stepped: Callable[[float], None] = lambda _: None) -> None:
        self._clock = clock
        self._stepped = stepped
        self._told_ms = -math.inf
        self._seen_ms = clock.wall_ms()
        self._seen_at_s = clock.monotonic_s()

    def wall_ms(self) -> float:
        """Milliseconds since 1970 UTC."""
        system_ms, now_s = self._clock.wall_ms(), self._clock.monotonic_s()
        passed_ms = (now_s - self._seen_at_s) * 1000
        step_ms = system_ms - self._seen_ms - passed_ms
        self._seen_ms, self._seen_at_s = system_ms, now_s
        told_ms = system_ms
        if self._told_ms - system_ms <= LONGEST_STEP_BACK_MS:
            told_ms = max(system_ms, self._told_ms + passed_ms / 2)
        self._told_ms = told_ms
        if abs(step_ms) >= SHORTEST_STEP_MS:
            self._stepped(step_ms)
        return told_ms

    def monotonic_s(self) -> float:
        """Seconds since some moment, never set back."""
        return self._clock.monotonic_s()

    async def sleep(self, duration_s: float) -> None:
        """Let others run for that long."""
        await self._clock.sleep(duration_s)


def next_grid_time_ms(wall_ms: float, interval_ms: int) -> int:
    """The first multiple of the interval after `wall_ms`: polls lie there, so that all devices are asked together."""
    return (int(wall_ms) // interval_ms + 1) * interval_ms


def clock_source() -> str:
    """What the system's time rests on: ntp, hardware (a clock that runs on a battery), none."""
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(TIMEX_BYTES))
    except (AttributeError, OSError):
        state = TIME_ERROR
    if 0 <= state < TIME_ERROR:
        return "ntp"
    return "hardware" if Path("/sys/class/rtc/rtc0").exists() else "none"

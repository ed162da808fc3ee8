"""Where the agent's times come from; tests put their own clock in place."""

import asyncio
import ctypes
import logging
import math
import time
from pathlib import Path
from typing import Protocol

TIME_ERROR = 5
"""What adjtimex(2) returns while nothing keeps the clock right."""

LONGEST_STEP_BACK_MS = 60_000.0
"""A step back by more than this is followed at once."""

TIMEX_BYTES = 512
"""Room enough for the kernel's struct timex; zeros in it mean "only tell"."""


log = logging.getLogger(__name__)


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
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told_ms = -math.inf
        self._told_at_s = 0.0

    def wall_ms(self) -> float:
        """Milliseconds since 1970 UTC."""
        system_ms, now_s = self._clock.wall_ms(), self._clock.monotonic_s()
        back_ms = self._told_ms - system_ms
        if back_ms <= LONGEST_STEP_BACK_MS:
            system_ms = max(system_ms, self._told_ms + (now_s - self._told_at_s) * 1000 / 2)
        else:
            log.error("the clock was set back by %.0f s; readings since then stand among earlier ones", back_ms / 1000)
        self._told_ms, self._told_at_s = system_ms, now_s
        return system_ms

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

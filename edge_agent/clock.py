"""Where the agent's times come from; tests put their own clock in place."""

import asyncio
import ctypes
import time
from pathlib import Path
from typing import Protocol

TIME_ERROR = 5
"""What adjtimex(2) returns while nothing keeps the clock right."""

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

"""A clock that stands still until somebody sleeps."""

import asyncio


class ManualClock:
    """Sleeping moves it on at once; `step_wall_ms` sets the wall clock as an operator or NTP does."""

    def __init__(self, wall_ms: float = 1_750_000_000_000.0) -> None:
        self._wall_offset_ms = wall_ms
        self._now_s = 0.0

    def wall_ms(self) -> float:
        return self._wall_offset_ms + self._now_s * 1000

    def monotonic_s(self) -> float:
        return self._now_s

    async def sleep(self, duration_s: float) -> None:
        self.advance(duration_s)
        await asyncio.sleep(0)

    def advance(self, duration_s: float) -> None:
        self._now_s += duration_s

    def step_wall_ms(self, by_ms: float) -> None:
        self._wall_offset_ms += by_ms

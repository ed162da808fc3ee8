"""Keeps samples back while nobody knows what time it is, and gives them their times when somebody does."""

import logging
from collections.abc import Callable
from dataclasses import replace

from edge_agent.clock import Clock
from edge_agent.samples import Sample

MAXIMUM_HELD_SAMPLES = 100_000
"""More than a day of one meter a second; the oldest go first."""

EARLIEST_TIME_MS = 1_735_689_600_000
"""2025-01-01: a clock that says less was never set. A computer without one starts at its image's date or in 1970."""

log = logging.getLogger(__name__)


class SampleHold:
    """Stands between samplers and batcher. `clock_source` tells what the clock rests on now.

    A published time is never changed, so a sample must not go out with a wrong one. Samples wait in memory with the
    monotonic clock's time; a restart before the time is known loses them.
    """

    def __init__(self, clock: Clock, deliver: Callable[[Sample], None], clock_source: Callable[[], str]) -> None:
        self._clock = clock
        self._deliver = deliver
        self._clock_source = clock_source
        self._held: list[tuple[float, Sample]] = []
        self._dropped = 0

    @property
    def count(self) -> int:
        """How many samples wait."""
        return len(self._held)

    def add(self, sample: Sample) -> None:
        """Hand a sample on, or keep it."""
        if self._is_time_known():
            self._release()
            self._deliver(sample)
            return
        if not self._held:
            log.warning("what time it is is not known: samples wait until it is")
        age_s = (self._clock.wall_ms() - sample.time_ms) / 1000
        self._held.append((self._clock.monotonic_s() - age_s, sample))
        if len(self._held) > MAXIMUM_HELD_SAMPLES:
            del self._held[0]
            self._dropped += 1

    def _is_time_known(self) -> bool:
        return self._clock.wall_ms() >= EARLIEST_TIME_MS or self._clock_source() != "none"

    def _release(self) -> None:
        if not self._held:
            return
        offset_ms = self._clock.wall_ms() - self._clock.monotonic_s() * 1000
        for taken_s, sample in self._held:
            self._deliver(replace(sample, time_ms=round(taken_s * 1000 + offset_ms)))
        level = logging.ERROR if self._dropped else logging.INFO
        log.log(level, "%d samples have their times now; %d were too many to wait", len(self._held), self._dropped)
        self._held.clear()
        self._dropped = 0

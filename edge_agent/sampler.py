"""Polls the devices of one line on the wall clock's grid."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge_agent.backoff import Backoff
from edge_agent.clock import Clock, next_grid_time_ms
from edge_agent.samples import PolledDevice, Sample

SILENT_MINIMUM_S = 2.0
SILENT_MAXIMUM_S = 30.0
SILENT_FREE_FAILURES = 2
"""The third unanswered poll in a row is the first after which a device is left alone for a while."""

LONGEST_SLEEP_S = 1.0
"""A clock that is set back must not make the sampler wait for the hour to come round again."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Schedule:
    """When one device is next polled. Slow polls of a line's devices are spread over the slow interval."""

    device: PolledDevice
    interval_ms: int
    slow_phase_ms: int
    backoff: Backoff
    last_fast: int = -1
    last_slow: int = -1


@dataclass(slots=True)
class SamplerStatistics:
    """Counts since the start. `skipped_polls` are grid times at which the line was still busy."""

    samples: int = 0
    unanswered: int = 0
    skipped_polls: int = 0


class Sampler:
    """One line: its devices are asked one after the other, since they share a bus.

    A grid time that comes while the line is still busy is skipped, never queued: a row has the time at which it was
    read. A device that stays silent costs one timeout a cycle and is then asked less often, so that the others keep
    their cadence.
    """

    def __init__(
        self,
        line_id: str,
        devices: Sequence[PolledDevice],
        clock: Clock,
        deliver: Callable[[Sample], None],
        *,
        poll_interval_s: float,
        slow_interval_s: float,
        device_intervals_s: dict[str, float] | None = None,
    ) -> None:
        self.line_id = line_id
        self.statistics = SamplerStatistics()
        self._clock = clock
        self._deliver = deliver
        self._slow_ms = max(1, round(slow_interval_s * 1000))
        own = device_intervals_s or {}
        poll_ms = max(1, round(poll_interval_s * 1000))
        self._schedules = [
            _Schedule(
                device,
                max(1, round(own.get(device.device_id, poll_interval_s) * 1000)),
                index * poll_ms % self._slow_ms,
                Backoff(SILENT_MINIMUM_S, SILENT_MAXIMUM_S, SILENT_FREE_FAILURES),
            )
            for index, device in enumerate(devices)
        ]
        self._base_ms = min((schedule.interval_ms for schedule in self._schedules), default=poll_ms)

    async def run(self) -> None:
        """Poll until cancelled."""
        try:
            await self._poll_due(self._clock.wall_ms())
            while True:
                wall_ms = self._clock.wall_ms()
                await self._sleep_until(next_grid_time_ms(wall_ms, self._base_ms))
                await self._poll_due(self._clock.wall_ms())
        finally:
            for schedule in self._schedules:
                schedule.device.close()

    async def _sleep_until(self, due_ms: int) -> None:
        while (wait_s := (due_ms - self._clock.wall_ms()) / 1000) > 0:
            if wait_s > 2 * self._base_ms / 1000 + LONGEST_SLEEP_S:
                return
            await self._clock.sleep(min(wait_s, LONGEST_SLEEP_S))

    async def _poll_due(self, wall_ms: float) -> None:
        for schedule in self._schedules:
            fast = int(wall_ms) // schedule.interval_ms
            if fast == schedule.last_fast:
                continue
            if 0 <= schedule.last_fast < fast - 1:
                self.statistics.skipped_polls += fast - 1 - schedule.last_fast
            schedule.last_fast = fast
            if not schedule.backoff.is_due(self._clock.monotonic_s()):
                continue
            try:
                await self._poll(schedule, wall_ms)
            except Exception:
                # A mistake of ours with one device must not end the others' task.
                log.exception("line %s: reading %s failed", self.line_id, schedule.device.device_id)
                schedule.backoff.failed(self._clock.monotonic_s())

    async def _poll(self, schedule: _Schedule, wall_ms: float) -> None:
        device = schedule.device
        slow = int(wall_ms - schedule.slow_phase_ms) // self._slow_ms
        tiers = [tier for tier in device.tiers if tier == "fast" or slow != schedule.last_slow]
        for tier in tiers:
            sample = await device.read(tier)
            self.statistics.samples += 1
            self._deliver(sample)
            if not sample.answered:
                self.statistics.unanswered += 1
                schedule.backoff.failed(self._clock.monotonic_s())
                break
            schedule.backoff.succeeded()
            if tier == "slow":
                schedule.last_slow = slow

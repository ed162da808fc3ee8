"""Polls the devices of one line on the wall clock's grid."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from device_profiles.profile import Tier
from edge_agent.backoff import Backoff
from edge_agent.clock import Clock, next_grid_time_ms
from edge_agent.line_time import LineTime
from edge_agent.samples import PolledDevice, Reading, Sample

SILENT_MINIMUM_S = 2.0
SILENT_MAXIMUM_S = 30.0
SILENT_FREE_FAILURES = 2
"""The third unanswered poll in a row is the first after which a device is left alone for a while."""

LONGEST_SLEEP_S = 1.0
"""A clock that is set back must not make the sampler wait for the hour to come round again."""

SHORTEST_PROBE_S = 0.1
"""A device that is silent is not asked when less than that is left of a cycle."""

FULL_PROBE_INTERVAL_S = 300.0
"""How often a silent device gets its whole timeout, though the others lose a poll by it."""

PATIENCE_POLLS = 10
"""For how many polls, or for a whole slow interval, work waits to fit before it may cost the others one."""

LONGEST_BUSY_MS = 600_000
"""A line is never busy for that long."""

USUAL_DECAY = 0.7
"""How fast an exceptionally long poll is forgotten, a poll."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Schedule:
    """When one device is next polled. Slow polls of a line's devices are spread over the slow interval."""

    device: PolledDevice
    tier: Tier
    interval_ms: int
    slow_phase_ms: int
    backoff: Backoff
    last_poll: int = -1
    last_slow: int = -1
    usual_s: float = 0.0
    """What a poll takes of late, when the device answers; 0 before it ever did."""
    usual_step_s: float = 0.0
    """What one slow request takes of late."""
    full_probe_at_s: float = 0.0
    polled_at_s: float = 0.0
    slow_since_s: float = 0.0
    """When its slow quantities became due."""

    @property
    def is_silent(self) -> bool:
        """Whether it did not answer the last time."""
        return self.backoff.failures > 0


@dataclass(slots=True)
class SamplerStatistics:
    """Counts since the start. `skipped_polls` are grid times at which the line was still busy.

    `busy_s` is how long the line was in use: asking, answering, waiting for an answer.
    """

    samples: int = 0
    busy_s: float = 0.0
    unanswered: int = 0
    skipped_polls: int = 0


class Sampler:
    """One line: its devices are asked one after the other, since they share a bus.

    A grid time that comes while the line is still busy is skipped, never queued: a row has the time at which it was
    read. At each grid time the devices that answer are polled first. What is left of the cycle goes to devices that
    need long, to slow quantities a request at a time, and to trying silent devices. What does not fit into any cycle
    may take one twentieth of the others' time, so that it is late but never starved.
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
                "fast" if "fast" in device.tiers else "slow",
                max(1, round(own.get(device.device_id, poll_interval_s) * 1000))
                if "fast" in device.tiers
                else self._slow_ms,
                index * poll_ms % self._slow_ms,
                Backoff(SILENT_MINIMUM_S, SILENT_MAXIMUM_S, SILENT_FREE_FAILURES),
            )
            for index, device in enumerate(devices)
        ]
        self._base_ms = min((schedule.interval_ms for schedule in self._schedules), default=poll_ms)
        self._time = LineTime(clock, self._base_ms)
        self._slow: list[tuple[_Schedule, Reading]] = []

    async def run(self) -> None:
        """Poll until cancelled."""
        try:
            await self._timed_cycle()
            while True:
                wall_ms = self._clock.wall_ms()
                await self._sleep_until(next_grid_time_ms(wall_ms, self._base_ms))
                await self._timed_cycle()
        finally:
            for schedule in self._schedules:
                schedule.device.close()

    async def _sleep_until(self, due_ms: int) -> None:
        while (wait_s := (due_ms - self._clock.wall_ms()) / 1000) > 0:
            if wait_s > 2 * self._base_ms / 1000 + LONGEST_SLEEP_S:
                return
            await self._clock.sleep(min(wait_s, LONGEST_SLEEP_S))

    async def _timed_cycle(self) -> None:
        began_s = self._clock.monotonic_s()
        await self._cycle()
        self.statistics.busy_s += self._clock.monotonic_s() - began_s

    async def _cycle(self) -> None:
        wall_ms = self._clock.wall_ms()
        self._time.begin_cycle(wall_ms)
        due = [schedule for schedule in self._schedules if self._is_due(schedule, wall_ms)]
        heavy = [schedule for schedule in due if self._is_heavy(schedule)]
        silent = [schedule for schedule in due if schedule.is_silent]
        for schedule in due:
            if schedule not in heavy and schedule not in silent:
                await self._poll(schedule)
        # Where there is nobody to disturb, nothing has to fit.
        alone = all(schedule.is_silent or self._is_heavy(schedule) for schedule in self._schedules)
        patience_s = PATIENCE_POLLS * self._time.interval_s
        for schedule in heavy:
            if alone or self._time.may_take(schedule.usual_s, schedule.polled_at_s + patience_s):
                await self._poll(schedule)
            else:
                self.statistics.skipped_polls += 1
        await self._read_slow(wall_ms)
        for schedule in silent:
            if alone:
                await self._poll(schedule)
            else:
                await self._probe(schedule)

    def _is_due(self, schedule: _Schedule, wall_ms: float) -> bool:
        number = int(wall_ms) // schedule.interval_ms
        if number == schedule.last_poll:
            return False
        skipped = number - 1 - schedule.last_poll
        # A clock that was set skips nothing.
        if schedule.last_poll >= 0 and 0 < skipped * schedule.interval_ms < LONGEST_BUSY_MS:
            self.statistics.skipped_polls += skipped
        schedule.last_poll = number
        return schedule.backoff.is_due(self._clock.monotonic_s())

    def _is_heavy(self, schedule: _Schedule) -> bool:
        """Whether a device that answers takes more than half of a cycle alone."""
        return not schedule.is_silent and schedule.usual_s > self._time.interval_s / 2

    async def _probe(self, schedule: _Schedule) -> None:
        """Try a silent device in what is left of the cycle, with its whole timeout as far as that is possible."""
        left_s, timeout_s = self._time.left_s, schedule.device.timeout_s
        now_s = self._clock.monotonic_s()
        if self._time.may_take(timeout_s, schedule.full_probe_at_s):
            schedule.full_probe_at_s = now_s + FULL_PROBE_INTERVAL_S
            await self._poll(schedule)
            self._time.note_overrun()
        elif left_s >= max(SHORTEST_PROBE_S, schedule.usual_s):
            await self._poll(schedule, left_s)

    async def _poll(self, schedule: _Schedule, timeout_s: float | None = None) -> None:
        began_s = self._clock.monotonic_s()
        try:
            sample = await schedule.device.read(schedule.tier, timeout_s)
        except Exception as problem:  # noqa: BLE001  # logged whole; one device's defect must not end the others' task
            self._failed(schedule, problem)
            return
        if self._is_heavy(schedule):
            self._time.note_overrun()
        self._take(schedule, sample)
        schedule.polled_at_s = began_s
        if sample.answered:
            schedule.usual_s = max(USUAL_DECAY * schedule.usual_s, self._clock.monotonic_s() - began_s)
        elif schedule.backoff.failures == 1:
            schedule.full_probe_at_s = self._clock.monotonic_s() + FULL_PROBE_INTERVAL_S

    async def _read_slow(self, wall_ms: float) -> None:
        """Go on with slow quantities, one device after the other and a request at a time."""
        self._slow = [(schedule, reading) for schedule, reading in self._slow if not schedule.is_silent]
        waiting = [schedule.device for schedule, _ in self._slow]
        for schedule in self._schedules:
            if schedule.tier == "slow" or "slow" not in schedule.device.tiers or schedule.device in waiting:
                continue
            number = int(wall_ms - schedule.slow_phase_ms) // self._slow_ms
            if number != schedule.last_slow and not schedule.is_silent:
                schedule.last_slow = number
                schedule.slow_since_s = self._clock.monotonic_s()
                self._slow.append((schedule, schedule.device.begin("slow")))
        while self._slow:
            schedule, reading = self._slow[0]
            expected_s = max(reading.next_step_s, schedule.usual_step_s)
            if not self._time.may_take(expected_s, schedule.slow_since_s + self._slow_ms / 1000):
                return
            if await self._step(schedule, reading):
                self._slow.pop(0)

    async def _step(self, schedule: _Schedule, reading: Reading) -> bool:
        """Send one slow request; true when the reading has ended."""
        began_s = self._clock.monotonic_s()
        try:
            sample = await reading.step()
        except Exception as problem:  # noqa: BLE001  # as above
            self._failed(schedule, problem)
            return True
        self._time.note_overrun()
        if sample is not None:
            self._take(schedule, sample)
        duration_s = self._clock.monotonic_s() - began_s
        if duration_s < schedule.device.timeout_s:
            schedule.usual_step_s = max(USUAL_DECAY * schedule.usual_step_s, duration_s)
        return sample is not None

    def _take(self, schedule: _Schedule, sample: Sample) -> None:
        self.statistics.samples += 1
        self._deliver(sample)
        if sample.answered:
            schedule.backoff.succeeded()
        else:
            self.statistics.unanswered += 1
            schedule.backoff.failed(self._clock.monotonic_s())

    def _failed(self, schedule: _Schedule, problem: Exception) -> None:
        """Take note of a mistake of ours with one device."""
        log.error("line %s: reading %s failed", self.line_id, schedule.device.device_id, exc_info=problem)
        schedule.backoff.failed(self._clock.monotonic_s())

import asyncio
import itertools
from collections.abc import Callable

import pytest

from device_profiles.profile import Tier
from edge_agent.sampler import Sampler
from edge_agent.samples import ColumnShape, Reading, Sample, missing_sample
from tests.edge_agent.clocks import ManualClock
from wire_format.quality import Quality

SHAPE = (ColumnShape("active_power_total", "W", -1),)


class Meter:
    """Takes `duration_s` to answer; does not answer while `silent`."""

    def __init__(self, device_id: str, clock: ManualClock, duration_s: float = 0.01) -> None:
        self.device_id = device_id
        self.tiers: tuple[Tier, ...] = ("fast", "slow")
        self.duration_s = duration_s
        self.timeout_s = 1.0
        self.silent = False
        self.closed = False
        self.broken = False
        self.clock = clock
        self.slow_steps = 1

    async def read(self, tier: Tier, timeout_s: float | None = None) -> Sample:
        patience_s = timeout_s or self.timeout_s
        is_heard = not self.silent and self.duration_s <= patience_s
        await self.clock.sleep(self.duration_s if is_heard else patience_s)
        if self.broken:
            raise RuntimeError("a mistake")
        time_ms = round(self.clock.wall_ms())
        if not is_heard:
            return missing_sample(self.device_id, SHAPE, time_ms, Quality.LINK_ERROR)
        return Sample(self.device_id, SHAPE, time_ms, (1 if tier == "fast" else 2,), (Quality.GOOD,))

    def begin(self, tier: Tier) -> Reading:
        return Steps(self, tier, self.slow_steps)

    def close(self) -> None:
        self.closed = True


class Steps:
    """A reading whose steps each take as long as a poll."""

    def __init__(self, meter: Meter, tier: Tier, steps: int) -> None:
        self._meter = meter
        self._tier: Tier = tier
        self._left = steps

    @property
    def next_step_s(self) -> float:
        return 0.02  # what devices take on average: this one may be slower

    async def step(self) -> Sample | None:
        self._left -= 1
        if self._left:
            await self._meter.clock.sleep(self._meter.duration_s)
            return None
        return await self._meter.read(self._tier)


class Recording:
    """The rows of a sampler that ran for some time of its clock."""

    def __init__(self, clock: ManualClock, *meters: Meter, intervals_s: dict[str, float] | None = None) -> None:
        self.samples: list[Sample] = []
        self.clock = clock
        self.sampler = Sampler(
            "rs485-1", meters, clock, self.samples.append, poll_interval_s=1.0, slow_interval_s=10.0,
            device_intervals_s=intervals_s,
        )  # fmt: skip

    async def run(self, duration_s: float, each: Callable[[], None] | None = None) -> None:
        end_s = self.clock.monotonic_s() + duration_s
        task = asyncio.create_task(self.sampler.run())
        while self.clock.monotonic_s() < end_s and not task.done():
            await asyncio.sleep(0)
            if each is not None:
                each()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    def times_ms(self, device: str, value: int | None = 1) -> list[int]:
        return [sample.time_ms for sample in self.samples if sample.device == device and sample.integers == (value,)]


async def test_polls_lie_on_the_grid_of_the_wall_clock() -> None:
    clock = ManualClock(wall_ms=1_750_000_000_370.0)
    recording = Recording(clock, Meter("oven", clock))
    await recording.run(30)
    times_ms = recording.times_ms("oven")
    assert len(times_ms) >= 29
    assert {time_ms % 1000 for time_ms in times_ms[1:]} == {10}
    assert all(later - earlier == 1000 for earlier, later in itertools.pairwise(times_ms[1:]))


async def test_slow_quantities_come_at_once_and_then_every_slow_interval_at_another_second_each() -> None:
    clock = ManualClock()
    recording = Recording(clock, Meter("oven", clock), Meter("mixer", clock))
    await recording.run(45)
    for device in ("oven", "mixer"):
        assert 5 <= len(recording.times_ms(device, 2)) <= 6
    seconds = [{time_ms // 1000 % 10 for time_ms in recording.times_ms(name, 2)[1:]} for name in ("oven", "mixer")]
    assert len(seconds[0]) == len(seconds[1]) == 1
    assert seconds[0] != seconds[1]


async def test_a_poll_that_the_line_was_too_busy_for_is_skipped_not_queued() -> None:
    clock = ManualClock()
    meter = Meter("oven", clock, duration_s=2.5)
    meter.timeout_s = 3.0
    meter.tiers = ("fast",)
    recording = Recording(clock, meter)
    await recording.run(30)
    times_ms = recording.times_ms("oven")
    assert {later - earlier for earlier, later in itertools.pairwise(times_ms[1:])} == {3000}
    assert recording.sampler.statistics.skipped_polls >= 2 * (len(times_ms) - 2)


async def test_a_silent_device_takes_little_of_the_others_time() -> None:
    clock = ManualClock()
    silent, answering = Meter("silent", clock), Meter("answering", clock)
    silent.silent = True
    recording = Recording(clock, silent, answering)
    await recording.run(300)
    # Each try costs a second of timeout: 2, 4, 8, 16 and then 30 seconds apart.
    assert len(recording.times_ms("silent", None)) <= 16
    assert len(recording.times_ms("answering")) >= 300 - 16 - 2


def shared(clock: ManualClock, count: int, each_s: float, *others: Meter) -> list[Meter]:
    """Fast devices that take `each_s` a poll, and others after them."""
    return [*(Meter(f"meter-{number}", clock, each_s) for number in range(count)), *others]


def assert_nobody_lost_a_poll(recording: Recording, count: int, duration_s: float, share: float = 0.0) -> None:
    for number in range(count):
        times_ms = recording.times_ms(f"meter-{number}")
        assert len(times_ms) >= (1 - share) * duration_s - 3, f"meter-{number}"


async def test_a_silent_device_is_tried_in_what_is_left_of_a_cycle() -> None:
    clock = ManualClock()
    silent = Meter("silent", clock)
    recording = Recording(clock, *shared(clock, 7, 0.05, silent))
    await recording.run(60)
    silent.silent = True
    await recording.run(1000)
    tries = recording.times_ms("silent", None)
    # The first time nobody knew, and three times it gets its whole timeout: each costs the others a poll.
    assert len(recording.times_ms("meter-0")) >= 1060 - 4 - 1
    assert max(later - earlier for earlier, later in itertools.pairwise(tries)) <= 32_000
    silent.silent = False
    before = len(recording.times_ms("silent"))
    await recording.run(60)
    assert len(recording.times_ms("silent")) - before >= 60 - 32


async def test_a_device_that_needs_long_is_found_again_though_what_is_left_of_a_cycle_is_too_short() -> None:
    clock = ManualClock()
    slow = Meter("slow", clock, duration_s=0.7)
    recording = Recording(clock, *shared(clock, 7, 0.05, slow))
    await recording.run(100)
    slow.silent = True
    await recording.run(400)
    # Waiting for less than it takes would be in vain, and its answer would disturb the next device.
    assert len(recording.times_ms("slow", None)) <= 3
    slow.silent = False
    before = len(recording.times_ms("slow"))
    await recording.run(400)
    assert len(recording.times_ms("slow")) >= before + 4


async def test_a_full_line_with_slow_requests_that_wait_tries_a_silent_device_rarely_but_does() -> None:
    clock = ManualClock()
    silent = Meter("silent", clock)
    silent.silent = True
    recording = Recording(clock, *shared(clock, 9, 0.104, silent))
    await recording.run(2000)
    assert 4 <= len(recording.times_ms("silent", None)) <= 7
    assert_nobody_lost_a_poll(recording, 9, 2000, share=0.06)


async def test_a_device_alone_on_its_line_gets_its_whole_timeout() -> None:
    clock = ManualClock()
    gateway = Meter("gateway", clock, duration_s=1.5)
    gateway.timeout_s = 2.0
    recording = Recording(clock, gateway)
    gateway.silent = True
    await recording.run(100)
    gateway.silent = False
    await recording.run(60)
    assert len(recording.times_ms("gateway")) >= 13


async def test_a_device_that_fits_into_no_cycle_is_late_but_never_starved() -> None:
    clock = ManualClock()
    slow = Meter("slow", clock, duration_s=0.8)
    slow.tiers = ("fast",)
    recording = Recording(clock, *shared(clock, 8, 0.05, slow))
    await recording.run(1000)
    assert len(recording.times_ms("slow")) >= 1000 / 30
    assert_nobody_lost_a_poll(recording, 8, 1000, share=0.06)


async def test_a_device_that_needs_long_now_and_then_is_not_taken_for_a_quick_one() -> None:
    clock = ManualClock()
    gateway = Meter("gateway", clock)
    gateway.tiers = ("fast",)
    durations_s = itertools.cycle((0.1, 0.1, 0.9))
    recording = Recording(clock, *shared(clock, 8, 0.05, gateway))

    def vary() -> None:
        if len(recording.times_ms("gateway")) != seen[0]:
            seen[0] = len(recording.times_ms("gateway"))
            gateway.duration_s = next(durations_s)

    seen = [0]
    await recording.run(600, vary)
    assert_nobody_lost_a_poll(recording, 8, 600, share=0.06)


async def test_slow_quantities_of_many_requests_fill_what_is_left_and_cost_nobody_a_poll() -> None:
    clock = ManualClock()
    meters = shared(clock, 9, 0.09)
    for meter in meters:
        meter.slow_steps = 3
    recording = Recording(clock, *meters)
    await recording.run(1000)
    assert_nobody_lost_a_poll(recording, 9, 1000)
    for meter in meters:
        assert len(recording.times_ms(meter.device_id, 2)) >= 30, meter.device_id


async def test_a_slow_request_that_fits_into_no_cycle_is_late_but_never_starved() -> None:
    clock = ManualClock()
    recording = Recording(clock, *shared(clock, 9, 0.105))
    await recording.run(1000)
    assert_nobody_lost_a_poll(recording, 9, 1000, share=0.06)
    for number in range(9):
        assert len(recording.times_ms(f"meter-{number}", 2)) >= 3, number


async def test_two_devices_that_need_long_take_turns_where_they_disturb_nobody() -> None:
    clock = ManualClock()
    slow = [Meter(name, clock, duration_s=0.9) for name in ("gateway-1", "gateway-2")]
    for meter in slow:
        meter.tiers = ("fast",)
    recording = Recording(clock, *slow)
    await recording.run(100)
    for meter in slow:
        assert len(recording.times_ms(meter.device_id)) >= 49


async def test_a_device_that_answers_again_is_polled_as_before() -> None:
    clock = ManualClock()
    meter = Meter("oven", clock)
    meter.silent = True
    recording = Recording(clock, meter)
    await recording.run(120)
    meter.silent = False
    await recording.run(60)
    assert len(recording.times_ms("oven")) >= 29


async def test_a_mistake_with_one_device_is_logged_with_its_name_and_ends_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = ManualClock()
    broken, answering = Meter("broken-one", clock), Meter("answering", clock)
    broken.broken = True
    recording = Recording(clock, broken, answering)
    await recording.run(20)
    assert len(recording.times_ms("answering")) >= 19
    assert "broken-one" in caplog.text


async def test_a_device_may_have_an_interval_of_its_own() -> None:
    clock = ManualClock()
    recording = Recording(clock, Meter("oven", clock), Meter("water", clock), intervals_s={"water": 5.0})
    await recording.run(30)
    assert len(recording.times_ms("water")) in {6, 7}
    assert len(recording.times_ms("oven")) >= 29


@pytest.mark.parametrize("step_ms", [-7_200_000, 3_600_000])
async def test_a_clock_that_is_set_neither_stops_nor_hurries_the_polls(step_ms: int) -> None:
    clock = ManualClock()
    recording = Recording(clock, Meter("oven", clock))
    stepped = False

    def step() -> None:
        nonlocal stepped
        if not stepped and clock.monotonic_s() > 10:
            stepped = True
            clock.step_wall_ms(step_ms)

    await recording.run(30, step)
    assert 28 <= len(recording.times_ms("oven")) <= 33


async def test_links_are_closed_when_the_sampler_ends() -> None:
    clock = ManualClock()
    meter = Meter("oven", clock)
    await Recording(clock, meter).run(3)
    assert meter.closed

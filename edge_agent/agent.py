"""The edge agent: wires lines, counters, outbox and publisher together, and runs them until it is told to stop."""

import asyncio
import contextlib
import hashlib
import logging
import os
import secrets
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from edge_agent.agent_clock import AgentClock
from edge_agent.batcher import BATCH_INTERVAL_S, Batcher, BatcherStatistics, DeviceCounts
from edge_agent.clock import Clock, SystemClock, next_grid_time_ms
from edge_agent.dating import Dating
from edge_agent.device_watch import DeviceWatch
from edge_agent.errors import AgentConfigurationError
from edge_agent.health import HEALTH_INTERVAL_S, AgentHealth, answer_status
from edge_agent.installation import SUNSPEC, InstalledLine, installed_lines
from edge_agent.mains import MainsWatch
from edge_agent.modbus_device import ModbusDevice
from edge_agent.modbus_line import ModbusLine
from edge_agent.outbox import Outbox, OutboxError, OutboxWriteError
from edge_agent.publisher import Publisher
from edge_agent.pulse_input import EdgeSource, PulseInput, kernel_lines
from edge_agent.sampler import Sampler
from edge_agent.samples import PolledDevice, Sample
from edge_agent.scale import scale_driver
from edge_agent.scale_protocols.protocols import SCALE_PROTOCOLS
from edge_agent.self_watch import SelfWatch
from edge_agent.sunspec import SunspecDevice
from edge_agent.totals import Totals
from edge_agent.trace import TraceAnswerer
from edge_agent.transports import GpioChip
from edge_agent.visitor_clock import take_time
from site_config.metrics_server import MetricsServer
from site_config.schema import Site
from wire_format.topics import EdgeAddress

DRAIN_TIMEOUT_S = 10.0
"""How long a stop waits for acknowledgements; what is missing then goes out after the next start."""

FLUSH_PHASE_MS = 500
"""Rows are handed over in the middle between two polls, when most devices have answered."""

CLOCK_CHECK_INTERVAL_S = 60.0
REQUEST_CHECK_INTERVAL_S = 1.0
METRICS_INTERVAL_S = 5.0
FIRST_HEALTH_S = 10.0
UNDATED_SHARE = 4
"""A quarter of the outbox's size may wait for its times beside it."""

log = logging.getLogger(__name__)


class Agent:
    """An agent for one site file.

    Raises AgentConfigurationError, with one line that names line and device, when the file cannot be carried out.
    """

    def __init__(
        self,
        site: Site,
        *,
        profile_directories: Sequence[Path] = (),
        clock: Clock | None = None,
        gpio: EdgeSource | None = None,
    ) -> None:
        self.lines = installed_lines(site, profile_directories)
        if gpio is None and any(isinstance(line.transport, GpioChip) for line in self.lines):
            gpio = kernel_lines()
        self._gpio = gpio
        self.run_id = secrets.token_hex(8)
        self.drain_timeout_s = DRAIN_TIMEOUT_S
        self.site = site
        self._clock = AgentClock(clock or SystemClock())
        self._samplers: list[Sampler] = []
        self._trace = TraceAnswerer(site.data_dir, self.lines)
        self._batcher: Batcher | None = None
        self._publisher: Publisher | None = None
        self._unacknowledged = 0
        self._health_told_s = self._clock.monotonic_s() - HEALTH_INTERVAL_S + FIRST_HEALTH_S

    async def run(self, stop: asyncio.Event) -> None:
        """Sample, keep and publish until `stop` is set; then hand over what is there and end.

        Raises AgentConfigurationError when the outbox cannot be used, and ConfigurationError when the broker's password
        cannot be read or `metrics_port` is taken.
        """
        try:
            outbox = Outbox.open(
                self.site.data_dir / "outbox",
                max_bytes=self.site.outbox_max_bytes,
                journal_directory=_memory_folder(self.site.data_dir),
            )
        except OutboxError as problem:
            raise AgentConfigurationError(f"data_dir: {problem}") from problem
        try:
            with contextlib.closing(MetricsServer(self.site.metrics_port, "metrics_port")) as metrics:
                await self._run(outbox, metrics, stop)
        finally:
            self._unacknowledged = _count_records(outbox)
            outbox.close()

    @property
    def values_sampled(self) -> int:
        """How many numbers the outbox has taken since the start."""
        return 0 if self._batcher is None else self._batcher.statistics.values_sampled

    def summary(self) -> dict[str, Any]:
        """What was counted since the start, ready for JSON.

        `samples` are rows that the agent took, `values_sampled` the numbers in them that the outbox holds or held;
        `delay_ms` is the time from a sample to the store's confirmation, None before the first. Missing cells are
        counted for each device. `unacknowledged_records` is told after the end of `run`.
        """
        batches = BatcherStatistics() if self._batcher is None else self._batcher.statistics
        publisher = None if self._publisher is None else self._publisher.statistics()
        samplers = [sampler.statistics for sampler in self._samplers]
        names = [device.settings.id for line in self.lines for device in line.devices]
        return {
            "run_id": self.run_id,
            "samples": sum(statistics.samples for statistics in samplers),
            "values_sampled": batches.values_sampled,
            "outbox_write_failures": batches.write_failures,
            "unanswered_polls": sum(statistics.unanswered for statistics in samplers),
            "skipped_polls": sum(statistics.skipped_polls for statistics in samplers),
            "batches_acknowledged": 0 if publisher is None else publisher.batches_acknowledged,
            "values_acknowledged": 0 if publisher is None else publisher.values_acknowledged,
            "refused_rows": 0 if publisher is None else publisher.refused_rows,
            "rejected_batches": 0 if publisher is None else publisher.rejected_batches,
            "delay_ms": {
                "median": None if publisher is None else publisher.delay_median_ms,
                "p99": None if publisher is None else publisher.delay_p99_ms,
            },
            "unacknowledged_records": self._unacknowledged,
            "devices": {name: asdict(batches.devices.get(name, DeviceCounts())) for name in names},
        }

    async def _run(self, outbox: Outbox, metrics: MetricsServer, stop: asyncio.Event) -> None:
        totals = Totals()
        totals.restore(outbox.last_state)
        address = EdgeAddress(self.site.site, self.site.edge)
        self._publisher = publisher = Publisher(
            outbox,
            address,
            self.site.mqtt,
            run_id=self.run_id,
            acknowledgement_timeout_s=self.site.acknowledgement_timeout_s,
            wall_ms=lambda: round(self._clock.wall_ms()),
            wants_time=lambda: not self._clock.is_known,
            on_time=self._take_collector_time,
        )
        self._batcher = batcher = Batcher(outbox, totals, publisher, lambda: self._clock.source)
        dating = Dating(
            *(self._clock, batcher, outbox, totals),
            data_dir=self.site.data_dir,
            max_bytes=self.site.outbox_max_bytes // UNDATED_SHARE,
        )
        self._clock.remember(totals.life.alive_ms, totals.life.boot_id)
        watch = SelfWatch(*(address.device, self._clock, totals.life, outbox.report, batcher.statistics), dating.note)
        mains = MainsWatch(address.device, totals.life, dating.note)
        devices = DeviceWatch(self._clock, [device.settings.id for line in self.lines for device in line.devices])

        def deliver(sample: Sample) -> None:
            dating.add(sample)
            mains.look(sample)
            devices.look(sample)

        self._samplers = [self._sampler(line, totals, deliver) for line in self.lines]
        health = AgentHealth(
            *(address.device, self._clock, outbox, self.site.outbox_max_bytes, publisher, batcher.statistics),
            *(self._samplers, devices, lambda: dating.is_waiting),
        )
        try:
            async with asyncio.TaskGroup() as tasks:
                publishing = tasks.create_task(publisher.run(), name="publisher")
                sampling = [
                    tasks.create_task(sampler.run(), name=f"line {sampler.line_id}") for sampler in self._samplers
                ]
                around = [
                    tasks.create_task(self._flush_each_second(dating, watch), name="batcher"),
                    tasks.create_task(self._sync(outbox, dating), name="sync"),
                    tasks.create_task(self._watch_clock(), name="clock"),
                    tasks.create_task(self._answer_requests(health), name="requests"),
                    tasks.create_task(self._tell_health(health, dating, metrics), name="health"),
                ]
                await stop.wait()
                await _cancel([*sampling, *around])
                watch.stopped()
                totals.urgent = True
                dating.flush()
                await _sync_now(outbox, dating)
                if not await publisher.drain(self.drain_timeout_s):
                    log.warning("%d records go out at the next start", _count_records(outbox))
                await _cancel([publishing])
        finally:
            dating.flush()
            dating.close()

    async def _flush_each_second(self, dating: Dating, watch: SelfWatch) -> None:
        interval_ms = round(BATCH_INTERVAL_S * 1000)
        while True:
            wall_ms = self._clock.wall_ms()
            due_ms = next_grid_time_ms(wall_ms - FLUSH_PHASE_MS, interval_ms) + FLUSH_PHASE_MS
            await self._clock.sleep((due_ms - wall_ms) / 1000)
            watch.look()
            dating.flush()
            await dating.settle()

    async def _sync(self, outbox: Outbox, dating: Dating) -> None:
        while True:
            await self._clock.sleep(self.site.sync_interval_s)
            await _sync_now(outbox, dating)

    def _take_collector_time(self, time_ms: int) -> None:
        self._clock.adopt("collector", time_ms, self._clock.monotonic_s())

    async def _watch_clock(self) -> None:
        while True:
            await self._clock.sleep(CLOCK_CHECK_INTERVAL_S)
            self._clock.check_source()

    async def _tell_health(self, health: AgentHealth, dating: Dating, metrics: MetricsServer) -> None:
        while True:
            await self._clock.sleep(METRICS_INTERVAL_S)
            metrics.numbers = {health.agent: health.numbers()}
            if self._clock.monotonic_s() - self._health_told_s >= HEALTH_INTERVAL_S:
                self._health_told_s = self._clock.monotonic_s()
                dating.add(health.sample())

    async def _answer_requests(self, health: AgentHealth) -> None:
        """For `leanmeter edge status`, `trace` and `set-clock`."""
        while True:
            await self._clock.sleep(REQUEST_CHECK_INTERVAL_S)
            take_time(self.site.data_dir, self._clock)
            try:
                answer_status(self.site.data_dir, health)
                await asyncio.to_thread(self._trace.look)
            except OSError as problem:
                log.warning("what was asked for cannot be written: %s", problem)

    def _sampler(self, line: InstalledLine, totals: Totals, deliver: Callable[[Sample], None]) -> Sampler:
        return Sampler(
            line.settings.id,
            self._devices(line, totals),
            self._clock,
            deliver,
            poll_interval_s=self.site.poll_interval_s,
            slow_interval_s=self.site.slow_interval_s,
            device_intervals_s={
                device.settings.id: device.settings.poll_interval_s
                for device in line.devices
                if device.settings.poll_interval_s is not None
            },
        )

    def _devices(self, line: InstalledLine, totals: Totals) -> list[PolledDevice]:
        if isinstance(line.transport, GpioChip):
            return [
                PulseInput(device.settings.id, line.transport.chip, given, self._clock, totals, self._gpio)
                for device in line.devices
                if (given := device.settings.input) is not None and self._gpio is not None
            ]
        if line.is_scale:
            settings = line.devices[0].settings
            scale = scale_driver(
                settings.id,
                SCALE_PROTOCOLS[line.devices[0].profile.protocol],
                line.devices[0].profile.quantities,
                line.transport,
                self._clock,
                totals,
                threshold_kg=settings.weighing_threshold_kg,
                timeout_s=line.settings.timeout_s,
            )
            self._trace.traces[line.settings.id] = scale.trace
            return [scale]
        modbus = ModbusLine(line.settings.id, line.transport, self._clock, timeout_s=line.settings.timeout_s)
        self._trace.traces[line.settings.id] = modbus.trace
        devices: list[PolledDevice] = []
        for device in line.devices:
            settings = device.settings
            known = (settings.id, settings.unit_id, device.profile, modbus, self._clock, totals)
            if device.profile.protocol == SUNSPEC:
                block, frozen_after_s = settings.sunspec_block, settings.frozen_after_s
                devices.append(SunspecDevice(*known, block=block, frozen_after_s=frozen_after_s))
            else:
                devices.append(
                    ModbusDevice(
                        *known,
                        frozen_after_s=settings.frozen_after_s,
                        weighing_threshold_kg=settings.weighing_threshold_kg,
                    )
                )
        return devices


def _memory_folder(data_dir: Path) -> Path | None:
    """A folder for this data folder in systemd's RuntimeDirectory, which is in memory and outlives the process."""
    runtime = os.environ.get("RUNTIME_DIRECTORY", "").partition(":")[0]
    if not runtime:
        return None
    return Path(runtime) / f"outbox-{hashlib.sha256(os.fsencode(data_dir.resolve())).hexdigest()[:16]}"


def _count_records(outbox: Outbox) -> int:
    return sum(len(numbers) for numbers in outbox.unacknowledged())


async def _sync_now(outbox: Outbox, dating: Dating) -> None:
    """In a thread: an SD card may take its time, and polls must not wait for it."""
    try:
        await asyncio.to_thread(outbox.sync)
        await asyncio.to_thread(dating.sync)
    except OutboxWriteError as problem:
        log.error("%s; readings since the last sync would be lost in a power cut", problem)  # noqa: TRY400  # no trace


async def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with contextlib.suppress(asyncio.CancelledError):
            await task

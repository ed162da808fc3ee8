"""Edges with an outbox and a publisher each, and what of their readings a store holds: each once, or not.

Every value is a function of its edge, device, time and place, so that the truth needs no memory.
"""

import asyncio
import contextlib
import random
import secrets
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from edge_agent.outbox import Outbox
from edge_agent.publisher import Publisher
from site_config.schema import MqttSettings
from store.factory import open_readings
from store.settings import StoreSettings
from tests.servers.ports import LOOPBACK
from tests.servers.processes import LEANMETER, ManagedProcess, Processes
from wire_format.batch import Column, DeviceRows
from wire_format.topics import EdgeAddress

SITE = "workshop"
QUANTITIES = tuple(f"quantity_{number}" for number in range(25))
START_MS = 1_795_000_000_000
LATEST_MS = 4_000_000_000_000
DRAIN_S = 600.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """A row of the table: how often a fault was tried, how many values went through it, and what became of them."""

    fault: str
    times: int
    values: int
    lost: int
    duplicated: int
    wrong: int = 0

    def __add__(self, other: "Outcome") -> "Outcome":
        return Outcome(
            self.fault,
            self.times + other.times,
            self.values + other.values,
            self.lost + other.lost,
            self.duplicated + other.duplicated,
            self.wrong + other.wrong,
        )

    @property
    def is_whole(self) -> bool:
        """Everything arrived, once, as it was."""
        return self.values > 0 and not (self.lost or self.duplicated or self.wrong)


class FleetEdge:
    """One edge with some devices, each of `QUANTITIES`."""

    def __init__(self, folder: Path, port: int, edge: str, devices: int = 2, timeout_s: float = 0.5) -> None:
        self.edge = edge
        self.devices = [f"{edge}-meter-{number}" for number in range(devices)]
        self.kept = 0
        """Rows that the outbox has taken of each device."""
        self.outbox = Outbox.open(folder, max_bytes=10_000_000_000)
        self.publisher = Publisher(
            self.outbox,
            EdgeAddress(SITE, edge),
            MqttSettings(host=LOOPBACK, port=port),
            run_id=secrets.token_hex(8),
            acknowledgement_timeout_s=timeout_s,
        )

    def measure(self, rows: int, *, notify: bool = True) -> None:
        """So many seconds of readings in one record: on disk, and told to the publisher."""
        start_ms = START_MS + 1000 * self.kept
        record = [record_of(device, start_ms, rows) for device in self.devices]
        number = self.outbox.append(record, "ntp", b"")
        self.kept += rows
        if notify:
            self.publisher.notify(number)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["FleetEdge"]:
        """Publish while a block runs."""
        task = asyncio.create_task(self.publisher.run(), name=self.edge)
        try:
            yield self
            assert not task.done(), task.exception()
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            self.outbox.close()


def record_of(device: str, start_ms: int, rows: int) -> DeviceRows:
    """So many seconds of a device's readings."""
    times = tuple(range(start_ms, start_ms + 1000 * rows, 1000))
    columns = [Column(name, "W", -1, values_of(device, times, place)) for place, name in enumerate(QUANTITIES)]
    return DeviceRows(device, times, tuple(columns))


def values_of(device: str, times_ms: tuple[int, ...], place: int) -> tuple[int, ...]:
    """The truth: tenths."""
    seed = sum(device.encode())
    return tuple((time_ms // 1000 * 31 + place * 7 + seed) % 1_000_003 for time_ms in times_ms)


async def outcome_of(fault: str, times: int, store: StoreSettings, edges: list[FleetEdge]) -> Outcome:
    """Compare the store with the truth, value by value."""
    readings = open_readings(store)
    found = Outcome(fault, times, 0, 0, 0)
    try:
        for edge in edges:
            expected = tuple(START_MS + 1000 * number for number in range(edge.kept))
            for device in edge.devices:
                for place, name in enumerate(QUANTITIES):
                    series = await readings.readings(SITE, device, name, 0, LATEST_MS)
                    held = dict(zip(series.times_ms, series.values, strict=True))
                    truth = dict(zip(expected, values_of(device, expected, place), strict=True))
                    found += Outcome(
                        fault,
                        0,
                        len(expected),
                        lost=len(truth.keys() - held.keys()),
                        duplicated=0,
                        wrong=sum(held.get(at, value / 10) != value / 10 for at, value in truth.items())
                        + len(held.keys() - truth.keys()),
                    )
        return replace(found, duplicated=(await readings.count(SITE)).duplicates)
    finally:
        await readings.close()


def collector_file(folder: Path, port: int, store: dict[str, object], **collector: object) -> Path:
    """A `server.yaml` for collectors on this broker."""
    path = folder / "server.yaml"
    keys = {
        "store": store,
        "entities": str(folder / "entities.sqlite"),
        "collector": {"mqtt": {"host": LOOPBACK, "port": port}, **collector},
    }
    path.write_text(yaml.safe_dump(keys), encoding="utf-8")
    return path


def start_collector(processes: Processes, config: Path) -> ManagedProcess:
    """A collector of its own process."""
    return processes.start(LEANMETER, "collector", "run", "--config", config)


@asynccontextmanager
async def fleet(folder: Path, port: int, count: int = 2, devices: int = 2) -> AsyncIterator[list[FleetEdge]]:
    """So many edges, publishing while a block runs; at its end all that they kept is acknowledged."""
    edges = [FleetEdge(folder / f"edge-{number}", port, f"edge-{number}", devices) for number in range(count)]
    async with AsyncExitStack() as stack:
        for edge in edges:
            await stack.enter_async_context(edge.running())
        yield edges
        drained = await asyncio.gather(*[edge.publisher.drain(DRAIN_S) for edge in edges])
        assert all(drained), f"not acknowledged within {DRAIN_S} s: {drained}"


@asynccontextmanager
async def measuring(edges: list[FleetEdge], rows: int = 1, every_s: float = 0.02) -> AsyncIterator[None]:
    """Readings come while a block runs."""

    async def measure() -> None:
        while True:
            for edge in edges:
                edge.measure(rows)
            await asyncio.sleep(every_s)

    task = asyncio.create_task(measure(), name="measuring")
    try:
        yield
        assert not task.done(), task.exception()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def a_moment(chance: random.Random, longest_s: float) -> None:
    """Some time, of which nobody knows how long: the moment itself is what is tried out."""
    await asyncio.sleep(chance.uniform(0.0, longest_s))


def seeded() -> tuple[random.Random, int]:
    """A source of moments, told when a test fails."""
    seed = time.time_ns() % 1_000_000
    sys.stderr.write(f"seed {seed}\n")  # shown when the test fails
    return random.Random(seed), seed

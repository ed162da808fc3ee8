"""Lets the whole line take a scenario: devices, agent, broker, collector, store, with faults between them."""

import asyncio
import contextlib
import socket
import sys
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from collector import collector
from edge_agent.agent import Agent
from leanmeter.demo.embedded_broker import configure_broker
from simulators.errors import SimulatorError
from simulators.scenario import Scenario, SystemFault
from simulators.scenario_run import ScenarioRun
from site_config.schema import MqttSettings, Site, load_site
from store.factory import open_readings
from store.server_file import CollectorSection, ServerFile
from store.settings import StoreSettings

_HOST = "127.0.0.1"
_READY_S = 20.0
_DRAIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Stored:
    """What the store holds at the end: `duplicates` are values that stand there twice; kinds of events."""

    sampled: dict[str, int]
    stored: dict[str, int]
    duplicates: int
    unacknowledged: int
    events: frozenset[str]


class WrongClock:
    """The operating system's clock, but for what a scenario does to it.

    Args:
        faults: those of the clock.
    """

    def __init__(self, faults: Sequence[SystemFault]) -> None:
        self._faults = tuple(fault for fault in faults if fault.is_of_the_clock)
        self._began_s = time.monotonic()

    def wall_ms(self) -> float:
        """Milliseconds since 1970 UTC, as this clock shows them."""
        since_s = time.monotonic() - self._began_s
        wrong_s = sum(fault.step_s or 0.0 for fault in self._faults if fault.from_s <= since_s < fault.to_s)
        return time.time_ns() / 1e6 + 1000 * wrong_s

    def monotonic_s(self) -> float:
        """Seconds since some moment, never set back."""
        return time.monotonic()

    async def sleep(self, duration_s: float) -> None:
        """Let others run for that long."""
        await asyncio.sleep(duration_s)


async def run_whole(scenario: Scenario, directory: Path) -> Stored:
    """Run a scenario from the devices to a SQLite store in `directory`.

    Raises SimulatorError, AgentConfigurationError and StoreConfigurationError, as the parts do.
    """
    async with _broker(directory) as port, ScenarioRun(scenario, directory, port) as run:
        site = load_site(run.site_file)
        settings = ServerFile(
            store=StoreSettings(sqlite=directory / "readings.sqlite"),
            entities=directory / "entities.sqlite",
            collector=CollectorSection(mqtt=MqttSettings(host=_HOST, port=port), sites=(run.site_file,)),
        )
        collected = asyncio.Event()
        collecting = asyncio.create_task(collector.run(settings, collected), name="collector")
        try:
            agent = Agent(site, clock=WrongClock(scenario.system_faults))
            agent.drain_timeout_s = _DRAIN_S
            stop = asyncio.Event()
            asyncio.get_running_loop().call_later(scenario.duration_s, stop.set)
            await agent.run(stop)
        finally:
            collected.set()
            await collecting
    return await _stored(site, settings, agent)


async def _stored(site: Site, settings: ServerFile, agent: Agent) -> Stored:
    summary = agent.summary()
    readings = open_readings(settings.store)
    try:
        count = await readings.count(site.site)
        events = await readings.events(site.site, 0, 2**53)
    finally:
        await readings.close()
    return Stored(
        sampled={name: int(counts["values"]) for name, counts in summary["devices"].items()},
        stored=dict(count.by_device),
        duplicates=count.duplicates,
        unacknowledged=int(summary["unacknowledged_records"]),
        events=frozenset(event.kind for event in events),
    )


def differences(scenario: Scenario, stored: Stored) -> dict[str, list[str]]:
    """By device, and `system`: what was lost, doubled, or is not told."""
    found: dict[str, list[str]] = {name: [] for name in stored.sampled}
    for name, sampled in stored.sampled.items():
        if sampled == 0:
            found[name].append("nothing was read")
        if stored.stored.get(name, 0) != sampled:
            found[name].append(f"{sampled} values were sampled, {stored.stored.get(name, 0)} are stored")
    system = found["system"] = []
    if stored.duplicates:
        system.append(f"{stored.duplicates} values are stored twice")
    if stored.unacknowledged:
        system.append(f"{stored.unacknowledged} records still wait in the outbox")
    system += [f"events: no {kind}" for kind in scenario.expected_events if kind not in stored.events]
    return found


@contextlib.asynccontextmanager
async def _broker(directory: Path) -> AsyncIterator[int]:
    """An MQTT broker of its own; gives its port."""
    with socket.socket() as free:
        free.bind((_HOST, 0))
        port: int = free.getsockname()[1]
    configuration = configure_broker(directory / "broker", port)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "leanmeter.demo.embedded_broker", str(configuration), stdout=asyncio.subprocess.DEVNULL
    )
    try:
        deadline_s = time.monotonic() + _READY_S
        while not await _listens(port):
            if process.returncode is not None or time.monotonic() > deadline_s:
                raise SimulatorError(f"the broker on {_HOST}:{port} does not start")
            await asyncio.sleep(0.1)
        yield port
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(_HOST, port)
    except OSError:
        return False
    writer.close()
    return True

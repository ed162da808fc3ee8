"""A scenario's devices on ports and pseudo-terminals, with their faults, for a reader that a site file names."""

import contextlib
import functools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

from device_profiles.errors import ProfileError
from device_profiles.library import load_profile
from device_profiles.profile import Profile
from simulators.broker_link import BrokerLink, schedule
from simulators.device_simulation import example_values, profile_unit
from simulators.encoding import Value
from simulators.errors import SimulatorError
from simulators.fault_building import faulty_values, reply_faults
from simulators.fault_text import sentences
from simulators.line_pacing import LineSpeed
from simulators.modbus_server import ModbusTcpServer, RtuSerialServer, RtuTcpServer
from simulators.modbus_unit import ModbusUnit
from simulators.power_recording import PowerRecording, read_power_recording
from simulators.scenario import FaultSettings, Scenario, ScenarioDevice, ScenarioLine
from simulators.scenario_scale import HOST, ScenarioScale, is_scale
from simulators.serial_port import PseudoTerminal
from simulators.value_faults import ValuesAt
from simulators.viewed_devices import ViewedDevice, ViewedMeter

_HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class SimulatedDevice:
    """A device of a scenario: what would be true, and what it shows, by the scenario's time in s."""

    settings: ScenarioDevice
    profile: Profile
    true_at: ValuesAt
    shown_at: ValuesAt


class ScenarioRun:
    """Serves a scenario's devices while it is entered.

    Args:
        scenario: the file.
        directory: gets `site.yaml`, the links of serial lines and, by the site file, the reader's data.
        mqtt_port: of the broker that `site.yaml` names.

    Raises:
        SimulatorError: a fault does not fit its device, a profile is not known, or a port cannot be had.
    """

    def __init__(self, scenario: Scenario, directory: Path, mqtt_port: int = 1883) -> None:
        self.scenario = scenario
        self.site_file = directory / "site.yaml"
        self.started_wall_ms = 0.0
        self._directory = directory
        self._mqtt_port = mqtt_port
        self._started_s = time.monotonic()
        self._running = contextlib.AsyncExitStack()
        self._viewed: list[ViewedDevice] = []
        self._scales: dict[str, ScenarioScale] = {}
        self.devices = {
            device.id: self._simulated(device, self._faults(line, device))
            for line in scenario.lines
            for device in line.devices
        }

    def viewed(self) -> list[ViewedDevice]:
        """All devices, for a screen."""
        return self._viewed

    def clock(self) -> float:
        """Seconds since the scenario began."""
        return time.monotonic() - self._started_s

    async def __aenter__(self) -> Self:
        """Listen, and write the site file when all devices do."""
        async with contextlib.AsyncExitStack() as starting:
            places = [await self._start(starting, line) for line in self.scenario.lines]
            broker_faults = [fault for fault in self.scenario.system_faults if not fault.is_of_the_clock]
            if broker_faults:
                link = await starting.enter_async_context(BrokerLink(self._mqtt_port))
                starting.callback(schedule(link, broker_faults))
                self._mqtt_port = link.port
            self._write_site_file(places)
            self._running = starting.pop_all()
        self._started_s = time.monotonic()
        self.started_wall_ms = time.time() * 1000
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Fall silent."""
        await self._running.aclose()

    def _faults(self, line: ScenarioLine, device: ScenarioDevice) -> list[FaultSettings]:
        return [fault for fault in self.scenario.faults if fault.device == device.id or fault.line == line.id]

    def _seed(self, device: ScenarioDevice) -> int:
        return self.scenario.seed if device.seed is None else device.seed

    def _simulated(self, device: ScenarioDevice, faults: Sequence[FaultSettings]) -> SimulatedDevice:
        try:
            profile = load_profile(device.profile)
        except ProfileError as problem:
            raise SimulatorError(f"device {device.id!r}: {problem}") from problem
        seed = self._seed(device)
        if is_scale(profile):
            scale = self._scales[device.id] = ScenarioScale(device, profile, seed)
            return SimulatedDevice(device, profile, scale.values_at(), scale.values_at())
        load = None
        if device.power_w is not None:
            load = PowerRecording([0.0, _HOUR_S], [device.power_w, device.power_w])
        elif device.power is not None:
            load = read_power_recording(device.power)
        true_at = example_values(profile, seed, load)
        try:
            shown_at = faulty_values(faults, profile, true_at, seed=seed, load=load)
        except SimulatorError as problem:
            raise SimulatorError(f"device {device.id!r}: {problem}") from problem
        return SimulatedDevice(device, profile, true_at, shown_at)

    def _unit(self, line: ScenarioLine, device: ScenarioDevice) -> ModbusUnit:
        simulated = self.devices[device.id]
        unit = profile_unit(simulated.profile, simulated.shown_at, self.clock)
        try:
            unit.faults += reply_faults(
                self._faults(line, device),
                simulated.profile,
                self.clock,
                seed=self._seed(device),
                is_tcp=line.transport == "tcp",
            )
        except SimulatorError as problem:
            raise SimulatorError(f"device {device.id!r}: {problem}") from problem
        now = functools.partial(_now, simulated.shown_at, self.clock)
        faults = sentences(self._faults(line, device), self.clock)
        self._viewed.append(ViewedMeter(device.id, simulated.profile, device.unit_id, unit, now, faults))
        return unit

    async def _start(self, running: contextlib.AsyncExitStack, line: ScenarioLine) -> dict[str, Any]:
        """Serve a line; returns how a site file names the place."""
        for device in line.devices:
            scale = self._scales.get(device.id)
            if scale is not None:
                faults = self._faults(line, device)
                place, viewed = await scale.serve(running, self._directory, line, faults, self.clock)
                self._viewed.append(viewed)
                return place
        units = {device.unit_id: self._unit(line, device) for device in line.devices}
        if line.transport == "serial":
            terminal = running.enter_context(PseudoTerminal(self._directory / line.id))
            await running.enter_async_context(RtuSerialServer(units, terminal, LineSpeed(line.baud)))
            return {"serial": {"port": str(terminal.path), "baud": line.baud, "parity": "N", "stop_bits": 1}}
        if line.transport == "tcp":
            server: ModbusTcpServer | RtuTcpServer = ModbusTcpServer(units, HOST, line.port)
        else:
            server = RtuTcpServer(units, HOST, line.port, LineSpeed(line.baud))
        await running.enter_async_context(server)
        return {line.transport: {"host": HOST, "port": server.port}}

    def _write_site_file(self, places: Sequence[dict[str, Any]]) -> None:
        lines = [
            {
                "id": line.id,
                **place,
                "timeout_s": line.timeout_s,
                "devices": [
                    device.model_dump(include={"id", "profile", "unit_id", "frozen_after_s"}, exclude_none=True)
                    for device in line.devices
                ],
            }
            for line, place in zip(self.scenario.lines, places, strict=True)
        ]
        document = {
            "site": "scenario",
            "mqtt": {"host": HOST, "port": self._mqtt_port},
            "data_dir": str(self._directory / "edge"),
            "poll_interval_s": self.scenario.poll_interval_s,
            "slow_interval_s": max(1.0, self.scenario.poll_interval_s),
            "lines": lines,
        }
        try:
            self.site_file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
        except OSError as problem:
            raise SimulatorError(f"{self.site_file}: cannot be written: {problem.strerror}") from problem


def _now(values_at: ValuesAt, clock: Callable[[], float]) -> Mapping[str, Value]:
    return values_at(clock())

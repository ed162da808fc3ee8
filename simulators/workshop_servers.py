"""The workshop's devices on loopback ports and a pseudo-terminal, for an agent to read."""

import contextlib
import json
import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from device_profiles.library import load_profile
from simulators.device_simulation import ValuesAt, profile_unit
from simulators.errors import SimulatorError
from simulators.line_pacing import LineSpeed
from simulators.modbus_server import ModbusTcpServer, RtuSerialServer
from simulators.modbus_unit import ModbusUnit
from simulators.scale import Scale
from simulators.scale_models import scale_talk
from simulators.scale_server import TcpScale
from simulators.serial_port import PseudoTerminal
from simulators.site_file import LINE_BAUD, TERMINAL_NAME, WorkshopPorts, write_site_file
from simulators.viewed_devices import ViewedDevice, ViewedMeter, ViewedScale
from simulators.workshop import Workshop

_log = logging.getLogger(__name__)

_HOST = "127.0.0.1"
_RTU_REPLY_DELAY_S = 0.01
_TCP_REPLY_DELAY_S = 0.003


async def run_workshop(
    directory: Path,
    *,
    site: str = "workshop",
    mqtt_port: int = 1883,
    seed: int = 1,
    truth: Path | None = None,
    watch: Callable[[ViewedDevice], None] = lambda _device: None,
    when_ready: Callable[[Path], Awaitable[None]],
) -> None:
    """Serve the workshop until `when_ready` has returned.

    Args:
        directory: gets `site.yaml` when all devices listen, and the link to the serial line.
        site: the site's slug.
        mqtt_port: the broker that the site file names.
        seed: of all that happens.
        truth: gets, at the end, the true totals at start and stop as JSON.
        watch: is handed every device, for a screen.
        when_ready: called with the site file's path; returns when the devices may stop.

    Raises:
        SimulatorError: a place cannot be written, or a port cannot be had.
    """
    _check_writable(directory, truth)
    workshop = Workshop(seed)
    started_s = time.monotonic()

    def clock() -> float:
        return time.monotonic() - started_s

    begin = {"time_ms": round(time.time() * 1000), "totals": workshop.totals(0.0)}
    async with contextlib.AsyncExitStack() as running:
        ports = await _start(running, directory, workshop, clock, watch)
        await when_ready(write_site_file(directory, ports, site=site, mqtt_port=mqtt_port))
        if truth is not None:
            end_s = clock()
            _write_truth(truth, begin, {"time_ms": round(time.time() * 1000), "totals": workshop.totals(end_s)})


async def _start(
    running: contextlib.AsyncExitStack,
    directory: Path,
    workshop: Workshop,
    clock: Callable[[], float],
    watch: Callable[[ViewedDevice], None],
) -> WorkshopPorts:
    def unit(name: str, profile_id: str, unit_id: int, values_at: ValuesAt, reply_delay_s: float) -> ModbusUnit:
        profile = load_profile(profile_id)
        found = profile_unit(profile, values_at, clock, reply_delay_s=reply_delay_s)
        watch(ViewedMeter(name, profile, unit_id, found, lambda: values_at(clock())))
        return found

    async def on_tcp(name: str, profile: str, values_at: ValuesAt) -> int:
        server = ModbusTcpServer({1: unit(name, profile, 1, values_at, _TCP_REPLY_DELAY_S)}, _HOST, 0)
        return (await running.enter_async_context(server)).port

    parts = workshop.parts
    terminal = running.enter_context(PseudoTerminal(directory / TERMINAL_NAME))
    line = {
        1: unit("oven", "eastron/sdm630", 1, parts["oven"].values, _RTU_REPLY_DELAY_S),
        2: unit("mixer", "schneider/iem3155", 2, parts["mixer"].values, _RTU_REPLY_DELAY_S),
        3: unit("cold-room", "abb/b23", 3, parts["cold-room"].values, _RTU_REPLY_DELAY_S),
    }
    await running.enter_async_context(RtuSerialServer(line, terminal, LineSpeed(LINE_BAUD)))
    plate = Scale(workshop.operator, clock)
    scale = await running.enter_async_context(TcpScale(scale_talk("mt_sics", plate), _HOST, 0))
    watch(ViewedScale("packing-scale", "mt_sics", plate, scale.observers))
    return WorkshopPorts(
        main_meter=await on_tcp("main-meter", "janitza/umg-96rm-e", workshop.main.values),
        packing_meter=await on_tcp("packing-meter", "carlo-gavazzi/em24-ethernet", parts["packing"].values),
        water_meter=await on_tcp("water-meter", "arad/octave", workshop.water.values),
        pv_inverter=await on_tcp("pv-inverter", "sunspec/inverter", workshop.inverter.values),
        packing_scale=scale.port,
        terminal=terminal.path,
    )


def _check_writable(directory: Path, truth: Path | None) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        # One of an earlier run would name ports where nobody listens any more.
        (directory / "site.yaml").unlink(missing_ok=True)
        if truth is not None:
            truth.touch()
    except OSError as error:
        raise SimulatorError(f"{error.filename}: cannot be written: {error.strerror}") from error


def _write_truth(path: Path, start: dict[str, Any], stop: dict[str, Any]) -> None:
    try:
        path.write_text(json.dumps({"start": start, "stop": stop}, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        _log.error("%s: the true totals cannot be written: %s", path, error.strerror)

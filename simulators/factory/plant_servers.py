"""The devices of a plant on loopback ports, for an agent to read."""

import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import yaml

from device_profiles.library import load_profile
from simulators.device_simulation import profile_unit
from simulators.encoding import Value
from simulators.errors import SimulatorError
from simulators.factory.live_values import live_values
from simulators.factory.meters import PlantMeters
from simulators.factory.plant import Plant
from simulators.factory.plant_site import modbus_units, site_document
from simulators.modbus_server import ModbusTcpServer
from simulators.modbus_unit import ModbusUnit
from simulators.scale import Scale
from simulators.scale_models import scale_talk
from simulators.scale_server import TcpScale
from simulators.viewed_devices import ViewedDevice, ViewedMeter, ViewedScale
from simulators.weighing import Load

_HOST = "127.0.0.1"
_REPLY_DELAY_S = 0.003
_CAPACITY_OF_CRATES = 3.0


class PlantClock:
    """The plant's time, in seconds since 1970 UTC.

    Args:
        start_s: when it begins.
        speed: simulated seconds in a second.
    """

    def __init__(self, start_s: float, speed: float = 1.0) -> None:
        self._start_s = start_s
        self._speed = speed
        self._began_s = time.monotonic()

    def __call__(self) -> float:
        """Now."""
        return self._start_s + (time.monotonic() - self._began_s) * self._speed


class CratesOnScale:
    """A `WeightSource`: the crates of a line, which stand still while they are on the plate."""

    def __init__(self, meters: PlantMeters, point: str) -> None:
        self._meters = meters
        self._point = point

    def load(self, time_s: float) -> Load:
        """What lies there at a time."""
        (made_kg,) = self._meters.masses_kg(self._point, (time_s,))
        return Load(self._meters.crates(self._point).on_plate_kg(made_kg), stable=True)


def plant_units(
    plant: Plant, clock: Callable[[], float], *, reply_delay_s: float = _REPLY_DELAY_S
) -> dict[int, ModbusUnit]:
    """The Modbus devices of a plant by unit id."""
    meters = PlantMeters(plant)
    return {
        unit_id: profile_unit(load_profile(profile), _values_of(meters, name), clock, reply_delay_s=reply_delay_s)
        for name, profile, unit_id in modbus_units(plant.file)
    }


def _values_of(meters: PlantMeters, name: str) -> Callable[[float], Mapping[str, Value]]:
    return lambda time_s: live_values(meters, name, time_s)


def _values_now(
    values_at: Callable[[float], Mapping[str, Value]], clock: Callable[[], float]
) -> Callable[[], Mapping[str, Value]]:
    return lambda: values_at(clock())


async def run_plant(
    plant: Plant,
    directory: Path,
    clock: Callable[[], float],
    *,
    site: str | None = None,
    mqtt_port: int = 1883,
    watch: Callable[[ViewedDevice], None] = lambda _device: None,
    when_ready: Callable[[Path], Awaitable[None]],
) -> None:
    """Serve a plant until `when_ready` has returned.

    Args:
        plant: what is served.
        directory: gets `site.yaml` when all devices listen.
        clock: the plant's time, seconds since 1970 UTC.
        site: the site's slug, the plant's id if None.
        mqtt_port: of the broker that the site file names.
        watch: is handed every device, for a screen.
        when_ready: called with the site file's path; returns when the devices may stop.

    Raises SimulatorError when the site file cannot be written or a port cannot be had.
    """
    meters = PlantMeters(plant)
    units = plant_units(plant, clock)
    async with contextlib.AsyncExitStack() as running:
        gateway = await running.enter_async_context(ModbusTcpServer(units, _HOST, 0))
        for name, profile, unit_id in modbus_units(plant.file):
            now = _values_now(_values_of(meters, name), clock)
            watch(ViewedMeter(name, load_profile(profile), unit_id, units[unit_id], now))
        scale_ports = {}
        for name, point in plant.file.points.items():
            if point.weighs:
                scale = Scale(CratesOnScale(meters, name), clock, _CAPACITY_OF_CRATES * point.crate_kg)
                server = await running.enter_async_context(TcpScale(scale_talk("mt_sics", scale), _HOST, 0))
                watch(ViewedScale(name, "mt_sics", scale, server.observers))
                scale_ports[name] = server.port
        document = site_document(
            plant.file,
            site=site,
            mqtt_port=mqtt_port,
            data_dir=str(directory / "edge"),
            gateway_port=gateway.port,
            scale_ports=scale_ports,
        )
        await when_ready(_write(directory, yaml.safe_dump(document, sort_keys=False)))


def _write(directory: Path, text: str) -> Path:
    path = directory / "site.yaml"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        unfinished = directory / "site.yaml.part"
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path)
    except OSError as problem:
        raise SimulatorError(f"{path}: cannot be written: {problem.strerror}") from problem
    return path

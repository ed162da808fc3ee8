"""The devices that a command line of `leanmeter simulate device` names, ready to be served."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from device_profiles.configuration import configured
from device_profiles.profile import Profile
from simulators.device_simulation import example_values, literal_unit, profile_unit
from simulators.encoding import Value
from simulators.errors import SimulatorError
from simulators.fault_building import faulty_values, reply_faults
from simulators.fault_text import read_fault, sentences
from simulators.line_faults import GATEWAY_TARGET_SILENT, Collision, Refusal
from simulators.modbus_unit import ModbusUnit
from simulators.power_recording import read_power_recording
from simulators.register_sources import read_register_file
from simulators.scenario import VALUE_FAULTS, FaultSettings
from simulators.viewed_devices import ViewedMeter

if TYPE_CHECKING:
    from pathlib import Path

    from simulators.load_curve import Load
    from simulators.register_image import RegisterImage


_TCP_REPLY_DELAY_MS, _RTU_REPLY_DELAY_MS = 3.0, 10.0
"""What a quick device takes; many take 20 to 80 ms."""


@dataclass(frozen=True, slots=True)
class SimulatedUnit:
    """A device at an address."""

    profile: Profile
    unit_id: int
    unit: ModbusUnit
    viewed: ViewedMeter


class UnitBuilder:
    """Builds devices with what the command line says of all of them.

    Args:
        arguments: of `simulate device`.
        clock: seconds since the simulation's start.

    Raises:
        SimulatorError: a file cannot be read, or a fault is none.
    """

    def __init__(self, arguments: argparse.Namespace, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seed: int = arguments.seed
        self._is_tcp = arguments.tcp is not None
        usual_ms = _TCP_REPLY_DELAY_MS if self._is_tcp else _RTU_REPLY_DELAY_MS
        self._reply_delay_s = (usual_ms if arguments.reply_delay_ms is None else arguments.reply_delay_ms) / 1000
        self._power: Path | None = arguments.power
        self._literal: RegisterImage | None = None
        if arguments.registers is not None:
            self._literal = read_register_file(arguments.registers)
        self._load: Load | None = None
        self._settings = dict(_setting(text) for text in arguments.setting)
        self._faults = [read_fault(text) for text in arguments.fault]

    def build(self, places: Sequence[tuple[Profile, int]], *, own_ports: bool = False) -> list[SimulatedUnit]:
        """Devices for profiles and unit ids; on a shared line, two at one id get into each other's way.

        Raises SimulatorError when something said on the command line does not fit them.
        """
        for name in self._settings:
            if not any(setting.name == name for profile, _ in places for setting in profile.settings):
                raise SimulatorError(f"--setting {name}: is asked by none of the profiles")
        for fault, at in self._faults:
            if at is not None and all(unit_id != at for _, unit_id in places):
                raise SimulatorError(f"--fault {fault.kind}: at={at}: there is no unit {at}")
        if self._power is not None:
            for profile, _ in places:
                if profile.resource != "electricity":
                    raise SimulatorError(f"--power: {profile.id} measures {profile.resource}, not power")
            self._load = read_power_recording(self._power)
        found = [self._build(profile, unit_id, self._seed + index) for index, (profile, unit_id) in enumerate(places)]
        if not own_ports:
            _let_collide(found, is_tcp=self._is_tcp)
        return found

    def _build(self, profile: Profile, unit_id: int, seed: int) -> SimulatedUnit:
        given = {setting.name for setting in profile.settings} & self._settings.keys()
        if given:
            profile = configured(profile, {name: self._settings[name] for name in given})
        faults = [fault for fault, at in self._faults if at in {None, unit_id}]
        values: Callable[[], Mapping[str, Value]] | None = None
        if self._literal is not None:
            if any(fault.kind in VALUE_FAULTS for fault in faults):
                raise SimulatorError("--fault: a device of --registers measures nothing that could be wrong")
            unit = literal_unit(profile, self._literal, reply_delay_s=self._reply_delay_s)
        else:
            shown_at = self._shown(profile, faults, seed)

            def values_now() -> Mapping[str, Value]:
                return shown_at(self._clock())

            values = values_now
            unit = profile_unit(profile, shown_at, self._clock, reply_delay_s=self._reply_delay_s)
        unit.faults += reply_faults(faults, profile, self._clock, seed=seed, is_tcp=self._is_tcp)
        viewed = ViewedMeter(f"unit {unit_id}", profile, None, unit, values, sentences(faults, self._clock))
        return SimulatedUnit(profile, unit_id, unit, viewed)

    def _shown(
        self, profile: Profile, faults: Sequence[FaultSettings], seed: int
    ) -> Callable[[float], Mapping[str, Value]]:
        true_at = example_values(profile, seed, self._load)
        return faulty_values(faults, profile, true_at, seed=seed, load=self._load)


def _let_collide(units: Sequence[SimulatedUnit], *, is_tcp: bool) -> None:
    first_at: dict[int, SimulatedUnit] = {}
    for entry in units:
        first = first_at.setdefault(entry.unit_id, entry)
        if first is not entry:
            # A gateway drops what has collided and tells its master that nobody answered.
            first.unit.faults.append(Refusal(GATEWAY_TARGET_SILENT) if is_tcp else Collision(entry.unit.reply))


def _setting(text: str) -> tuple[str, float | str]:
    name, separator, value = text.partition("=")
    if not separator:
        raise SimulatorError(f"--setting {text}: expected NAME=VALUE, as in `leanmeter profiles show PROFILE`")
    try:
        return name, float(value)
    except ValueError:
        return name, value

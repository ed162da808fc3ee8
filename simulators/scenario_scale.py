"""A scale with a protocol of its own in a scenario: an operator weighs products on it, and telegrams go wrong."""

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from device_profiles.profile import Profile
from simulators.encoding import Value
from simulators.errors import SimulatorError
from simulators.fault_building import telegram_faults
from simulators.fault_text import sentences
from simulators.line_pacing import LineSpeed
from simulators.scale import Scale
from simulators.scale_models import SCALE_PROTOCOLS, scale_talk
from simulators.scale_server import SerialScale, TcpScale
from simulators.scenario import FaultSettings, ScenarioDevice, ScenarioLine
from simulators.serial_port import PseudoTerminal
from simulators.value_faults import ValuesAt
from simulators.viewed_devices import ViewedScale
from simulators.weighing import OperatorSequence

HOST = "127.0.0.1"


def is_scale(profile: Profile) -> bool:
    """Whether it speaks a protocol of its own."""
    return profile.protocol in SCALE_PROTOCOLS


class ScenarioScale:
    """One scale.

    Args:
        device: as it is written.
        profile: what it is.
        seed: of the operator.
    """

    def __init__(self, device: ScenarioDevice, profile: Profile, seed: int) -> None:
        self._device = device
        self._protocol = profile.protocol
        self._seed = seed
        self._operator = OperatorSequence(seed, device.every_s, masses_kg=device.masses_kg)

    def values_at(self) -> ValuesAt:
        """What lies on it and what has been weighed, by the scenario's time in s."""
        # Another operator of the same seed: one may be asked about any moment while the other goes on.
        operator = OperatorSequence(self._seed, self._device.every_s, masses_kg=self._device.masses_kg)

        def values(time_s: float) -> dict[str, Value]:
            load_kg = operator.load(time_s).mass_kg
            weighed_kg = operator.weighed_kg(time_s)
            return {"weight_net": load_kg, "weight_gross": load_kg, "weighed_mass_total": weighed_kg}

        return values

    async def serve(
        self,
        running: contextlib.AsyncExitStack,
        directory: Path,
        line: ScenarioLine,
        settings: Sequence[FaultSettings],
        clock: Callable[[], float],
    ) -> tuple[dict[str, Any], ViewedScale]:
        """Serve it; returns how a site file names the place, and what a screen shows.

        Raises SimulatorError when it cannot be there, or cannot have a fault.
        """
        if len(line.devices) > 1 or line.transport == "rtu_over_tcp":
            raise SimulatorError(f"device {self._device.id!r}: a scale has a line for itself, tcp or serial")
        try:
            faults = telegram_faults(settings, clock, seed=self._seed)
        except SimulatorError as problem:
            raise SimulatorError(f"device {self._device.id!r}: {problem}") from problem
        scale = Scale(self._operator, clock)
        talk = scale_talk(self._protocol, scale)
        server: SerialScale | TcpScale
        if line.transport == "serial":
            terminal = running.enter_context(PseudoTerminal(directory / line.id))
            server = await running.enter_async_context(SerialScale(talk, terminal, LineSpeed(line.baud), faults))
            place: dict[str, Any] = {
                "serial": {"port": str(terminal.path), "baud": line.baud, "parity": "N", "stop_bits": 1}
            }
        else:
            server = await running.enter_async_context(TcpScale(talk, HOST, line.port, faults))
            place = {"tcp": {"host": HOST, "port": server.port}}
        viewed = ViewedScale(self._device.id, self._protocol, scale, server.observers, sentences(settings, clock))
        return place, viewed

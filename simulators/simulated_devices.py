"""Meters and scales that a test of somebody else's software starts, sets, breaks and mends (see docs/simulators.md)."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from device_profiles.profile import Profile
from simulators.device_simulation import example_values, profile_unit
from simulators.encoding import Value
from simulators.errors import SimulatorError
from simulators.fault_building import faulty_values, reply_faults, telegram_faults
from simulators.fault_text import fault_of
from simulators.loop_thread import LoopThread
from simulators.scenario import VALUE_FAULTS, FaultSettings
from simulators.settable_load import SettableLoad
from simulators.weighing import Plate

if TYPE_CHECKING:
    from pathlib import Path

    from simulators.faults import Fault


class SimulatedDevice:
    """What all have: a place, and faults.

    Attributes:
        host: of the TCP port; empty on a serial line.
        port: the TCP port; 0 on a serial line.
        path: of the serial line; None on TCP.
    """

    def __init__(self, thread: LoopThread, clock: Callable[[], float]) -> None:
        self.host = ""
        self.port = 0
        self.path: Path | None = None
        self._thread = thread
        self._clock = clock
        self._settings: list[FaultSettings] = []

    def fail(self, kind: str, **settings: Any) -> None:
        """Break it from now on, in the words of a scenario file: `fail("exception", exception_code=4)`.

        Raises SimulatorError when there is no such fault, or the device cannot have it.
        """
        fault = fault_of(kind, {"from_s": self._clock(), **settings})
        self._thread.call(lambda: self._take([*self._settings, fault]))

    def heal(self) -> None:
        """Mend it. What a counter has lost it does not get back."""
        now_s = self._clock()
        kept = [entry.model_copy(update={"to_s": now_s}) for entry in self._settings if entry.kind in VALUE_FAULTS]
        self._thread.call(lambda: self._take(kept))

    @contextlib.contextmanager
    def failing(self, kind: str, **settings: Any) -> Iterator[None]:
        """Broken for the length of a block."""
        self.fail(kind, **settings)
        try:
            yield
        finally:
            self.heal()

    def _take(self, settings: list[FaultSettings]) -> None:  # in the devices' thread
        self._apply(settings)
        self._settings = settings

    def _apply(self, settings: list[FaultSettings]) -> None:
        raise NotImplementedError


class SimulatedMeter(SimulatedDevice):
    """A meter, an inverter, a counter: whatever speaks Modbus.

    Attributes:
        profile: what it is.
        unit_id: its Modbus address.
        is_tcp: whether frames have the header of Modbus TCP.
    """

    def __init__(
        self,
        thread: LoopThread,
        clock: Callable[[], float],
        profile: Profile,
        unit_id: int,
        *,
        rate: float | None,
        seed: int,
        is_tcp: bool,
        reply_delay_s: float,
    ) -> None:
        super().__init__(thread, clock)
        self.profile = profile
        self.unit_id = unit_id
        self.is_tcp = is_tcp
        self._seed = seed
        self._load = None if rate is None else SettableLoad(rate, clock)
        self._true_at = self._shown_at = example_values(profile, seed, self._load)
        self._overridden: dict[str, Value] = {}
        # Renewed at each request: a test that sets a value reads it at once.
        self.unit = profile_unit(profile, self._values_at, clock, reply_delay_s=reply_delay_s, refresh_interval_s=0.0)

    @property
    def requests(self) -> int:
        """How many it has been asked."""
        return self.unit.requests

    @property
    def power_w(self) -> float:
        """What it measures: settable. Raises SimulatorError for a meter that was started without a power."""
        return self._settable().rate

    @power_w.setter
    def power_w(self, power_w: float) -> None:
        load = self._settable()
        self._thread.call(lambda: load.set(power_w))

    @property
    def flow_m3_per_h(self) -> float:
        """The same of a water meter."""
        return self._settable().rate

    @flow_m3_per_h.setter
    def flow_m3_per_h(self, flow_m3_per_h: float) -> None:
        self.power_w = flow_m3_per_h

    def values(self) -> Mapping[str, Value]:
        """What it measures now, by quantity, in W, kWh, V, A, m3; its registers may round it."""
        return self._thread.call(lambda: self._values_at(self._clock()))

    def show(self, **values: float | None) -> None:
        """Let it show something else than it measures: `show(voltage_l1_n=207.0)`. None is "not available".

        It shows that until `heal`, or for ever. Raises SimulatorError for a quantity that the profile does not have.
        """
        known = {register.quantity for register in self.profile.registers}
        for name in values:
            if name not in known:
                raise SimulatorError(f"{name}: {self.profile.id} has {', '.join(sorted(known))}")
        self._overridden = {**self._overridden, **values}

    def heal(self) -> None:
        """Mend it, and let it show what it measures. What a counter has lost it does not get back."""
        super().heal()
        self._overridden = {}

    def _settable(self) -> SettableLoad:
        if self._load is None:
            raise SimulatorError(f"{self.profile.id}: was started without power_w or flow_m3_per_h")
        return self._load

    def _values_at(self, time_s: float) -> Mapping[str, Value]:
        return {**self._shown_at(time_s), **self._overridden}

    def _apply(self, settings: list[FaultSettings]) -> None:
        faults = reply_faults(settings, self.profile, self._clock, seed=self._seed, is_tcp=self.is_tcp)
        self._shown_at = faulty_values(settings, self.profile, self._true_at, seed=self._seed, load=self._load)
        self.unit.faults = faults


class SimulatedScale(SimulatedDevice):
    """A scale: `put` something onto its plate.

    Attributes:
        protocol: how it speaks.
    """

    def __init__(self, thread: LoopThread, clock: Callable[[], float], protocol: str, plate: Plate, seed: int) -> None:
        super().__init__(thread, clock)
        self.protocol = protocol
        self.faults: list[Fault] = []
        self._plate = plate
        self._seed = seed

    def put(self, mass_kg: float) -> None:
        """From now on this lies on it; 0 is an empty plate."""
        self._thread.call(lambda: self._plate.put(mass_kg))

    def _apply(self, settings: list[FaultSettings]) -> None:
        self.faults[:] = telegram_faults(settings, self._clock, seed=self._seed)

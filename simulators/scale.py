"""The weighing part of a scale: what the plate carries becomes what the display shows."""

import asyncio
from collections.abc import Callable
from typing import Literal

from simulators.scale_protocols.display import Display
from simulators.weighing import Load, WeightSource

_ZERO_SHARE = 0.02
"""Of the capacity: as far as scales may be set to zero (OIML R 76, 4.5.1: 4 % in all)."""

_UNDERLOAD_STEPS = 9
_LOOK_S = 0.05


class Scale:
    """A scale with a plate.

    Args:
        source: what lies on the plate.
        clock: seconds, of the source.
        capacity_kg: more is overload; 9 steps below an empty plate is underload.
        decimals: of a kg on the display.
    """

    def __init__(
        self, source: WeightSource, clock: Callable[[], float], capacity_kg: float = 15.0, decimals: int = 3
    ) -> None:
        self._source = source
        self._clock = clock
        self._capacity_kg = capacity_kg
        self.decimals = decimals
        self._zero_kg = 0.0
        self._tare_kg = 0.0

    def load(self) -> Load:
        """What lies on the plate, from the scale's zero."""
        load = self._source.load(self._clock())
        return Load(load.mass_kg - self._zero_kg, load.stable)

    async def stands_still(self, timeout_s: float) -> bool:
        """Wait until the weight is stable; False when it is not in time."""
        deadline_s = asyncio.get_running_loop().time() + timeout_s
        while not self.load().stable:
            if asyncio.get_running_loop().time() > deadline_s:
                return False
            await asyncio.sleep(_LOOK_S)
        return True

    def display(self) -> Display:
        """What it shows now."""
        load = self.load()
        return Display(load.mass_kg, self._tare_kg, self.decimals, load.stable, self._beyond(load))

    def zero(self) -> Literal["", "+", "-"]:
        """Take what lies there as zero; returns the side on which that is too much."""
        mass_kg = self.load().mass_kg + self._zero_kg
        if abs(mass_kg) > _ZERO_SHARE * self._capacity_kg:
            return "+" if mass_kg > 0 else "-"
        self._zero_kg = mass_kg
        self._tare_kg = 0.0
        return ""

    def tare(self) -> Literal["", "+", "-"]:
        """Take what lies there as container; returns the side on which there is none that could be one."""
        load = self.load()
        beyond = self._beyond(load)
        if beyond or load.mass_kg < 0:
            return beyond or "-"
        self._tare_kg = load.mass_kg
        return ""

    def clear_tare(self) -> None:
        """Forget the container."""
        self._tare_kg = 0.0

    def _beyond(self, load: Load) -> Literal["", "+", "-"]:
        if load.mass_kg > self._capacity_kg:
            return "+"
        return "-" if load.mass_kg < -_UNDERLOAD_STEPS * 10.0**-self.decimals else ""

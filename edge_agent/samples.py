"""What one device said at one time: a row, before rows become columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from device_profiles.profile import Register, Tier
from wire_format.quality import Quality


@dataclass(frozen=True, slots=True)
class ColumnShape:
    """What a column holds: value = integer * 10**`exponent` in `unit`."""

    quantity: str
    unit: str
    exponent: int


Shape = tuple[ColumnShape, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """One row. `integers` and `quality` are in the order of `shape`; `time_ms` is the middle of the transaction.

    `answered` tells whether the device was heard at all.
    """

    device: str
    shape: Shape
    time_ms: int
    integers: Sequence[int | None]
    quality: Sequence[Quality]
    answered: bool = True

    def value_count(self) -> int:
        """How many numbers it carries."""
        return sum(integer is not None for integer in self.integers)


class Reading(Protocol):
    """One tier of one device, read in steps between which other devices may have the line."""

    @property
    def next_step_s(self) -> float:
        """What the next step will take on the bus if the device answers as most do."""
        ...

    async def step(self) -> Sample | None:
        """Ask the next thing; the row when that was the last one."""
        ...


class PolledDevice(Protocol):
    """A device as the sampler sees it: it never raises for what a device or a link can do wrong."""

    @property
    def device_id(self) -> str:
        """The slug of the installed device."""
        ...

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """The tiers that it has anything to read in."""
        ...

    @property
    def timeout_s(self) -> float:
        """How long a silent device is waited for."""
        ...

    async def read(self, tier: Tier, timeout_s: float | None = None) -> Sample:
        """Ask for all quantities of a tier; `timeout_s` is a shorter time to wait than usual."""
        ...

    def begin(self, tier: Tier) -> Reading:
        """Prepare to ask for all quantities of a tier in steps."""
        ...

    def close(self) -> None:
        """Let go of the link."""
        ...


class WholeReading:
    """A reading of one step, of a device that answers at once."""

    next_step_s = 0.0

    def __init__(self, device: PolledDevice, tier: Tier) -> None:
        self._device = device
        self._tier = tier

    async def step(self) -> Sample | None:
        """Ask for everything."""
        return await self._device.read(self._tier)


def missing_sample(device: str, shape: Shape, time_ms: int, quality: Quality) -> Sample:
    """A row without values: the device was asked and there was no answer."""
    return Sample(device, shape, time_ms, (None,) * len(shape), (quality,) * len(shape), answered=False)


def shape_of(registers: Sequence[Register]) -> Shape:
    """The columns of a row that holds these registers."""
    return tuple(ColumnShape(register.quantity, register.unit, register.exponent) for register in registers)

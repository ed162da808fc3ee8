"""The chain of SunSpec models in a device's registers: a marker, then models that each tell their own length."""

from collections.abc import Mapping
from dataclasses import dataclass

from device_profiles.errors import ProfileError
from device_profiles.profile import Profile

MARKER_ADDRESS = 40000
MARKER = (0x5375, 0x6E53)
"""The characters "SunS" in two registers; the first model follows."""

END_OF_CHAIN = 0xFFFF
MODEL_LIMIT = 64
"""No device is known with more models; a chain that goes on is no chain."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model in the chain. `start` is the address of its ID register; `length` counts what follows ID and L."""

    model: int
    start: int
    length: int

    @property
    def count(self) -> int:
        """Registers of the whole model."""
        return self.length + 2

    @property
    def following(self) -> int:
        """Address at which the next model starts."""
        return self.start + self.count


def walk_chain(registers: Mapping[int, int]) -> tuple[Model, ...]:
    """Follow the chain through registers that were read (absolute address -> value).

    It ends at the end marker or where the registers end. Raises ProfileError when there is no "SunS" at 40000.
    """
    if (registers.get(MARKER_ADDRESS), registers.get(MARKER_ADDRESS + 1)) != MARKER:
        raise ProfileError(f'registers: there is no SunSpec marker "SunS" (21365, 28243) at {MARKER_ADDRESS}')
    found: list[Model] = []
    address = MARKER_ADDRESS + len(MARKER)
    while len(found) < MODEL_LIMIT and registers.get(address, END_OF_CHAIN) != END_OF_CHAIN:
        length = registers.get(address + 1)
        if length is None:
            break
        found.append(Model(registers[address], address, length))
        address = found[-1].following
    return tuple(found)


def find_layout(profile: Profile, chain: tuple[Model, ...], block: int = 1) -> tuple[Profile, Model] | None:
    """The model of a chain that a profile covers, and the layout for it; of several the `block`-th, 1 is the first."""
    found = [(layout, model) for model in chain if (layout := profile.for_sunspec_model(model.model)) is not None]
    return found[block - 1] if block <= len(found) else None

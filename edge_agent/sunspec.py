"""SunSpec devices: finds the model block by walking the chain, then reads it like any other map.

SunSpec Device Information Model Specification: the marker "SunS" is followed by models, each with its id, the length
of what follows, and that many registers; id 0xFFFF ends the chain.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace

from device_profiles.profile import Profile, Register, Tier
from edge_agent.clock import Clock
from edge_agent.errors import DeviceReadError, UnusableReplyError
from edge_agent.modbus_device import ModbusDevice
from edge_agent.modbus_line import ModbusLine
from edge_agent.samples import Sample, missing_sample, shape_of
from edge_agent.totals import Totals
from wire_format.quality import Quality

MARKER = b"SunS"
MARKER_ADDRESS = 40000
FUNCTION_CODE = 3
END_OF_CHAIN = 0xFFFF
MAXIMUM_MODELS = 100

log = logging.getLogger(__name__)

ReadRegisters = Callable[[int, int], Awaitable[bytes]]
"""Reads holding registers: address, count."""


@dataclass(frozen=True, slots=True)
class ModelBlock:
    """A model of the chain: `address` of its id register, and its whole `length` in registers."""

    model: int
    address: int
    length: int


async def walk_chain(read: ReadRegisters) -> tuple[ModelBlock, ...]:
    """List the models of a device.

    Raises UnusableReplyError when there is no marker or no end, and what `read` raises.
    """
    if await read(MARKER_ADDRESS, 2) != MARKER:
        raise UnusableReplyError(f"no SunSpec marker at register {MARKER_ADDRESS}")
    blocks: list[ModelBlock] = []
    address = MARKER_ADDRESS + 2
    while len(blocks) < MAXIMUM_MODELS and address < 0xFFFF:
        header = await read(address, 2)
        model, length = int.from_bytes(header[:2], "big"), int.from_bytes(header[2:], "big")
        if model == END_OF_CHAIN:
            return tuple(blocks)
        blocks.append(ModelBlock(model, address, length + 2))
        address += length + 2
    raise UnusableReplyError(f"the chain of SunSpec models has no end after {len(blocks)} models")


def choose_layout(profile: Profile, blocks: Iterable[ModelBlock]) -> Profile | None:
    """The profile at the absolute addresses of the first model that it covers, None when there is none.

    Registers beyond the end of the block belong to the next model and are left out.
    """
    for block in blocks:
        layout = profile.for_sunspec_model(block.model)
        if layout is not None:
            return replace(layout, registers=_moved(layout.registers, block), helpers=_moved(layout.helpers, block))
    return None


def _moved(registers: Iterable[Register], block: ModelBlock) -> tuple[Register, ...]:
    return tuple(
        replace(register, address=block.address + register.address)
        for register in registers
        if register.address + register.count <= block.length
    )


class SunspecDevice:
    """Reads a SunSpec device; looks for its model block first, and again when the device was out of reach."""

    def __init__(
        self, device_id: str, unit_id: int, profile: Profile, line: ModbusLine, clock: Clock, totals: Totals
    ) -> None:
        self.device_id = device_id
        self._unit_id = unit_id
        self._profile = profile
        self._line = line
        self._clock = clock
        self._totals = totals
        self._device: ModbusDevice | None = None
        self._last_problem = ""

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """The tiers that it has anything to read in."""
        tiers: tuple[Tier, ...] = ("fast", "slow")
        return tuple(tier for tier in tiers if any(register.tier == tier for register in self._profile.registers))

    async def read(self, tier: Tier) -> Sample:
        """Ask for all quantities of a tier."""
        if self._device is None:
            try:
                self._device = await self._find()
            except DeviceReadError as problem:
                self._report(str(problem))
                return self._missing(tier, Quality.LINK_ERROR)
        if tier not in self._device.tiers:
            return self._missing(tier, Quality.DEVICE_ERROR)
        sample = await self._device.read(tier)
        if not sample.answered:
            # It may come back with other firmware, and then with other models.
            self._device = None
        return sample

    def close(self) -> None:
        """Let go of the link."""
        self._line.close()

    async def _find(self) -> ModbusDevice:
        blocks = await walk_chain(self._read_registers)
        layout = choose_layout(self._profile, blocks)
        models = ", ".join(str(block.model) for block in blocks)
        if layout is None:
            raise UnusableReplyError(f"has SunSpec models {models}; profile {self._profile.id} covers none of them")
        log.info("%s: SunSpec models %s", self.device_id, models)
        self._last_problem = ""
        return ModbusDevice(self.device_id, self._unit_id, layout, self._line, self._clock, self._totals)

    async def _read_registers(self, address: int, count: int) -> bytes:
        return await self._line.read(self._unit_id, FUNCTION_CODE, address, count, self._profile.pause_s)

    def _missing(self, tier: Tier, quality: Quality) -> Sample:
        shape = shape_of([register for register in self._profile.registers if register.tier == tier])
        return missing_sample(self.device_id, shape, round(self._clock.wall_ms()), quality)

    def _report(self, problem: str) -> None:
        if problem != self._last_problem:
            self._last_problem = problem
            log.warning("%s (unit %d, line %s): %s", self.device_id, self._unit_id, self._line.line_id, problem)

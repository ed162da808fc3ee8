"""SunSpec devices: finds the model block by walking the chain, then reads it like any other map.

SunSpec Device Information Model Specification: the marker "SunS" is followed by models, each with its id, the length
of what follows, and that many registers; id 0xFFFF ends the chain.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace

from device_profiles.profile import Profile, Register, Tier
from device_profiles.sunspec import END_OF_CHAIN, MARKER, MARKER_ADDRESS, MODEL_LIMIT, Model, find_layout
from edge_agent.clock import Clock
from edge_agent.doubts import FROZEN_AFTER_S
from edge_agent.errors import DeviceReadError, UnusableReplyError
from edge_agent.modbus_device import ModbusDevice
from edge_agent.modbus_line import ModbusLine
from edge_agent.samples import Reading, Sample, WholeReading, missing_sample, shape_of
from edge_agent.totals import Totals
from wire_format.quality import Quality

FUNCTION_CODE = 3

log = logging.getLogger(__name__)

ReadWords = Callable[[int, int], Awaitable[bytes]]
"""Reads holding registers: address, count."""


async def walk_device(read: ReadWords) -> tuple[Model, ...]:
    """List the models of a device, two registers a model.

    Raises UnusableReplyError when there is no marker or no end, and what `read` raises.
    """
    if _words(await read(MARKER_ADDRESS, 2)) != MARKER:
        raise UnusableReplyError(f"no SunSpec marker at register {MARKER_ADDRESS}")
    models: list[Model] = []
    address = MARKER_ADDRESS + 2
    while len(models) < MODEL_LIMIT and address < 0xFFFF:
        number, length = _words(await read(address, 2))
        if number == END_OF_CHAIN:
            return tuple(models)
        models.append(Model(number, address, length))
        address = models[-1].following
    raise UnusableReplyError(f"the chain of SunSpec models has no end after {len(models)} models")


def layout_at(layout: Profile, model: Model) -> Profile:
    """A layout at its absolute addresses. Registers beyond the model's end belong to the next one and are left out."""
    return replace(layout, registers=_moved(layout.registers, model), helpers=_moved(layout.helpers, model))


def _moved(registers: Iterable[Register], model: Model) -> tuple[Register, ...]:
    return tuple(
        replace(register, address=model.start + register.address)
        for register in registers
        if register.address + register.count <= model.count
    )


def _words(data: bytes) -> tuple[int, int]:
    return int.from_bytes(data[:2], "big"), int.from_bytes(data[2:4], "big")


class SunspecDevice:
    """Reads a SunSpec device; looks for its model block first, and again when the device was out of reach.

    Of several blocks of a unit that the profile covers (meters behind an inverter) it takes the `block`-th.
    """

    def __init__(
        self,
        device_id: str,
        unit_id: int,
        profile: Profile,
        line: ModbusLine,
        clock: Clock,
        totals: Totals,
        *,
        block: int = 1,
        frozen_after_s: float = FROZEN_AFTER_S,
    ) -> None:
        self.device_id = device_id
        self._frozen_after_s = frozen_after_s
        self._block = block
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

    @property
    def timeout_s(self) -> float:
        """How long a silent device is waited for."""
        return self._line.timeout_s

    async def read(self, tier: Tier, timeout_s: float | None = None) -> Sample:
        """Ask for all quantities of a tier."""
        if self._device is None:
            try:
                self._device = await self._find(timeout_s)
            except DeviceReadError as problem:
                self._report(str(problem))
                return self._missing(tier, Quality.LINK_ERROR)
        if tier not in self._device.tiers:
            return self._missing(tier, Quality.DEVICE_ERROR)
        sample = await self._device.read(tier, timeout_s)
        if not sample.answered:
            # It may come back with other firmware, and then with other models.
            self._device = None
        return sample

    def begin(self, tier: Tier) -> Reading:
        """Prepare to ask for all quantities of a tier; in steps once the model block is found."""
        if self._device is None or tier not in self._device.tiers:
            return WholeReading(self, tier)
        return self._device.begin(tier)

    def close(self) -> None:
        """Let go of the link."""
        self._line.close()

    async def _find(self, timeout_s: float | None) -> ModbusDevice:
        async def read_words(address: int, count: int) -> bytes:
            return await self._line.read(self._unit_id, FUNCTION_CODE, address, count, self._profile.pause_s, timeout_s)

        chain = await walk_device(read_words)
        found = find_layout(self._profile, chain, self._block)
        models = ", ".join(str(model.model) for model in chain)
        if found is None:
            covered = "none of them" if self._block == 1 else f"fewer than {self._block} of them"
            raise UnusableReplyError(f"has SunSpec models {models}; profile {self._profile.id} covers {covered}")
        log.info("%s: SunSpec models %s", self.device_id, models)
        self._last_problem = ""
        return ModbusDevice(
            self.device_id,
            self._unit_id,
            layout_at(*found),
            self._line,
            self._clock,
            self._totals,
            frozen_after_s=self._frozen_after_s,
        )

    def _missing(self, tier: Tier, quality: Quality) -> Sample:
        shape = shape_of([register for register in self._profile.registers if register.tier == tier])
        return missing_sample(self.device_id, shape, round(self._clock.wall_ms()), quality)

    def _report(self, problem: str) -> None:
        if problem != self._last_problem:
            self._last_problem = problem
            log.warning("%s (unit %d, line %s): %s", self.device_id, self._unit_id, self._line.line_id, problem)

"""A device on a Modbus line: its read plans, its decoder, its totals."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from device_profiles.decoding import Decoder, compile_decoder
from device_profiles.profile import Profile, Register, Tier
from edge_agent.clock import Clock
from edge_agent.errors import DeviceExceptionError, LinkDownError, ReplyTimeoutError, UnusableReplyError
from edge_agent.modbus_line import ModbusLine
from edge_agent.planner import ReadRequest, RequestLimits, bus_cost
from edge_agent.read_plan import ReadPlan
from edge_agent.samples import Sample, Shape, shape_of
from edge_agent.totals import DeviceTotals, Totals
from wire_format.quality import Quality

FORGET_HOLES_AFTER_S = 3600.0
"""How long a refused address is left alone: meters get new firmware, and some refuse while they start."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _TierReader:
    """What one tier of a device needs from one cycle to the next."""

    registers: tuple[Register, ...]
    shape: Shape
    plan: ReadPlan
    totals: DeviceTotals
    decoder: Decoder
    planned: tuple[ReadRequest, ...]
    missing: tuple[int, ...] = ()


@dataclass(slots=True)
class _Replies:
    """What came back in one cycle."""

    blocks: list[bytes | Quality]
    refused: list[ReadRequest]
    answered: bool = False
    silent: bool = False


class ModbusDevice:
    """Reads one device tier by tier. Its own errors end in the cells that they concern, never in an exception."""

    def __init__(
        self, device_id: str, unit_id: int, profile: Profile, line: ModbusLine, clock: Clock, totals: Totals
    ) -> None:
        self.device_id = device_id
        self._unit_id = unit_id
        self._profile = profile
        self._line = line
        self._clock = clock
        self._forget_at_s: float | None = None
        self._last_problem = ""
        limits = RequestLimits(
            bus_cost(line.transport, profile.pause_s),
            max_registers=profile.max_registers_per_request,
            holes=profile.unreadable,
        )
        tiers: tuple[Tier, ...] = ("fast", "slow")
        self._readers: dict[Tier, _TierReader] = {
            tier: self._tier_reader(registers, limits, totals)
            for tier in tiers
            if (registers := tuple(register for register in profile.registers if register.tier == tier))
        }

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """The tiers that it has anything to read in."""
        return tuple(self._readers)

    def requests(self, tier: Tier) -> tuple[ReadRequest, ...]:
        """What is asked for in a cycle of that tier now."""
        return self._readers[tier].plan.requests

    async def read(self, tier: Tier) -> Sample:
        """Ask for all quantities of a tier."""
        reader = self._readers[tier]
        self._forget_old_holes()
        self._follow_plan(reader)
        began_s = self._clock.monotonic_s()
        replies = await self._ask(reader.planned)
        # Half the duration is taken off the end: the wall clock may have been set in between.
        time_ms = round(self._clock.wall_ms() - (self._clock.monotonic_s() - began_s) * 500)
        decoded = reader.decoder.decode(replies.blocks)
        integers = [integer for integer, _ in decoded]
        quality = [mark for _, mark in decoded]
        for index in reader.missing:
            quality[index] = Quality.DEVICE_ERROR
        reader.totals.apply(integers, quality, time_ms)
        for request in replies.refused:
            self._learn(reader.plan, request)
        return Sample(self.device_id, reader.shape, time_ms, integers, quality, replies.answered)

    def close(self) -> None:
        """Let go of the link."""
        self._line.close()

    async def _ask(self, requests: Sequence[ReadRequest]) -> _Replies:
        """Send the requests one after the other; a device that is silent is not asked again in this cycle."""
        replies = _Replies([], [])
        unusable = 0
        for request in requests:
            if replies.silent:
                replies.blocks.append(Quality.LINK_ERROR)
                continue
            try:
                block: bytes | Quality = await self._line.read(
                    self._unit_id, request.function_code, request.address, request.count, self._profile.pause_s
                )
                replies.answered = True
            except DeviceExceptionError as problem:
                block = self._take_exception(problem, request, replies)
            except (LinkDownError, ReplyTimeoutError) as problem:
                block, replies.silent = Quality.LINK_ERROR, True
                self._report(str(problem))
            except UnusableReplyError as problem:
                unusable += 1
                # Each one costs a timeout; a second one in a cycle is the other devices' time.
                block, replies.silent = Quality.LINK_ERROR, unusable > 1
                self._report(str(problem))
            replies.blocks.append(block)
        if replies.answered and not replies.silent and not unusable and not replies.refused:
            self._report("")
        return replies

    def _take_exception(self, problem: DeviceExceptionError, request: ReadRequest, replies: _Replies) -> Quality:
        if problem.is_silence:
            replies.silent = True
            self._report(str(problem))
            return Quality.LINK_ERROR
        replies.answered = True
        if problem.refuses_addresses:
            replies.refused.append(request)
        else:
            self._report(f"{problem} at {request.address}, {request.count} registers")
        return Quality.DEVICE_ERROR

    def _learn(self, plan: ReadPlan, request: ReadRequest) -> None:
        if plan.refused(request):
            names = ", ".join(register.quantity for register in request.registers)
            log.warning("%s has no register %d (%s); it is left out", self.device_id, request.address, names)
            self._forget_at_s = self._clock.monotonic_s() + FORGET_HOLES_AFTER_S

    def _forget_old_holes(self) -> None:
        if self._forget_at_s is not None and self._clock.monotonic_s() > self._forget_at_s:
            self._forget_at_s = None
            for reader in self._readers.values():
                reader.plan.forget_holes()

    def _report(self, problem: str) -> None:
        """One line when a problem begins or changes, and one when it is over."""
        if problem == self._last_problem:
            return
        self._last_problem = problem
        if problem:
            log.warning("%s (unit %d, line %s): %s", self.device_id, self._unit_id, self._line.line_id, problem)
        else:
            log.info("%s (unit %d, line %s) answers", self.device_id, self._unit_id, self._line.line_id)

    def _tier_reader(self, registers: tuple[Register, ...], limits: RequestLimits, totals: Totals) -> _TierReader:
        plan = ReadPlan((*registers, *self._helpers_of(registers)), limits)
        device_totals = DeviceTotals(totals, self.device_id, registers)
        decoder = compile_decoder(registers, self._helpers_of(registers), plan.requests)
        return _TierReader(registers, shape_of(registers), plan, device_totals, decoder, plan.requests)

    def _follow_plan(self, reader: _TierReader) -> None:
        """Compile the decoder again when the plan has learned something."""
        if reader.planned is reader.plan.requests:
            return
        reader.planned = reader.plan.requests
        reader.decoder = compile_decoder(reader.registers, self._helpers_of(reader.registers), reader.planned)
        missing = set(reader.decoder.missing)
        reader.missing = tuple(index for index, register in enumerate(reader.registers) if register.quantity in missing)

    def _helpers_of(self, registers: tuple[Register, ...]) -> tuple[Register, ...]:
        names = {name for register in registers for name in register.helper_names}
        return tuple(helper for helper in self._profile.helpers if helper.quantity in names)

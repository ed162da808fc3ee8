"""A device on a Modbus line: its read plans, its decoder, its totals."""

import logging
from dataclasses import dataclass, field

from device_profiles.decoding import Decoder, compile_decoder
from device_profiles.profile import Profile, Register, Tier
from edge_agent.clock import Clock
from edge_agent.doubts import DOUBTS, FROZEN_AFTER_S, Doubt, FrozenWatch, WordOrderWatch
from edge_agent.errors import (
    DeviceExceptionError,
    DeviceReadError,
    LinkDownError,
    NotAskedError,
    ReplyTimeoutError,
    UnusableReplyError,
)
from edge_agent.integrals import RateIntegrator, integrated_totals
from edge_agent.modbus_line import ModbusLine
from edge_agent.planner import ReadRequest, RequestLimits, request_limits
from edge_agent.read_plan import SILENCES, ReadPlan
from edge_agent.samples import Sample, Shape, shape_of
from edge_agent.totals import DeviceTotals, Totals
from edge_agent.weighed_registers import WeighedTotal, weighed_totals
from wire_format.quality import Quality

PROBE_MINIMUM_S = 60.0
PROBE_MAXIMUM_S = 3600.0
"""How long a refused address is left alone, twice as long after each time that it was refused again."""

SERIAL_NUMBER = "serial_number"
"""The identification that tells one meter from another of its model."""

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
    frozen: FrozenWatch
    word_order: WordOrderWatch
    missing: tuple[int, ...] = ()
    derived: tuple[RateIntegrator | WeighedTotal, ...] = ()
    """Totals that the device does not give; their columns stand after the registers'."""
    probe_at_s: float = 0.0
    probe_interval_s: float = PROBE_MINIMUM_S


@dataclass(slots=True)
class _Replies:
    """What came back in one cycle."""

    blocks: list[bytes | Quality] = field(default_factory=list)
    refused: list[ReadRequest] = field(default_factory=list)
    unheard: ReadRequest | None = None
    answered: bool = False
    silent: bool = False
    unusable: int = 0


class ModbusDevice:
    """Reads one device tier by tier. Its own errors end in the cells that they concern, never in an exception."""

    def __init__(
        self,
        device_id: str,
        unit_id: int,
        profile: Profile,
        line: ModbusLine,
        clock: Clock,
        totals: Totals,
        *,
        frozen_after_s: float = FROZEN_AFTER_S,
        weighing_threshold_kg: float = 0.1,
    ) -> None:
        self.device_id = device_id
        self._unit_id = unit_id
        self._profile = profile
        self._line = line
        self._clock = clock
        self._totals = totals
        self._frozen_after_s = frozen_after_s
        self._weighing_threshold_kg = weighing_threshold_kg
        self._last_problem = ""
        self._last_doubt: Doubt = ""
        serial_numbers = (
            entry.register for entry in profile.identification if entry.register.quantity == SERIAL_NUMBER
        )
        self._serial_number = next(serial_numbers, None)
        self._identified = self._serial_number is None
        self._unidentified = 0
        tiers: tuple[Tier, ...] = ("fast", "slow")
        self._readers: dict[Tier, _TierReader] = {
            tier: self._tier_reader(registers, request_limits(profile, line.transport, tier), totals)
            for tier in tiers
            if (registers := tuple(register for register in profile.registers if register.tier == tier))
        }

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """The tiers that it has anything to read in."""
        return tuple(self._readers)

    @property
    def timeout_s(self) -> float:
        """How long a silent device is waited for."""
        return self._line.timeout_s

    def requests(self, tier: Tier) -> tuple[ReadRequest, ...]:
        """What is asked for in a cycle of that tier now."""
        return self._readers[tier].plan.requests

    async def read(self, tier: Tier, timeout_s: float | None = None) -> Sample:
        """Ask for all quantities of a tier."""
        reading = self.begin(tier, timeout_s)
        while (sample := await reading.step()) is None:
            pass
        return sample

    def begin(self, tier: Tier, timeout_s: float | None = None) -> "DeviceReading":
        """Prepare to ask for all quantities of a tier in steps."""
        reader = self._readers[tier]
        self._follow_plan(reader)
        return DeviceReading(self, reader, timeout_s)

    def close(self) -> None:
        """Let go of the link."""
        self._line.close()

    async def ask(self, request: ReadRequest, replies: _Replies, timeout_s: float | None) -> bytes | Quality:
        """Send one request; what it comes to is noted in `replies`."""
        try:
            block = await self._request(request, timeout_s)
        except DeviceExceptionError as problem:
            return self._take_exception(problem, request, replies)
        except (LinkDownError, ReplyTimeoutError) as problem:
            replies.silent = True
            if not isinstance(problem, LinkDownError | NotAskedError):
                replies.unheard = request
            self._report(str(problem))
            return Quality.LINK_ERROR
        except UnusableReplyError as problem:
            replies.unusable += 1
            # Each one may cost a timeout; a second one in a cycle is the other devices' time.
            replies.silent = replies.unusable > 1
            self._report(str(problem))
            return Quality.LINK_ERROR
        replies.answered = True
        return block

    async def identify(self, timeout_s: float | None) -> None:
        """Read the serial number at the start and after silence: another one is another meter, with other totals.

        Asked of a device that has just answered. One that says nothing to this, time after time, does not have it.
        """
        register = self._serial_number
        if self._identified or register is None:
            return
        try:
            request = ReadRequest(register.function_code, register.address, register.count, (register,))
            serial_number = await self._request(request, timeout_s)
        except DeviceExceptionError:
            self._identified = True
        except DeviceReadError:
            self._unidentified += 1
            self._identified = self._unidentified >= SILENCES
        else:
            self._identified = True
            # Registers that were never written hold zeros or ones only.
            if serial_number.strip(b"\0") and serial_number.strip(b"\xff"):
                self._totals.identify(self.device_id, serial_number.hex(), round(self._clock.wall_ms()))

    async def finish(self, reader: _TierReader, replies: _Replies, time_ms: int) -> Sample:
        """Make a row of the replies, and learn from them."""
        if not replies.answered:
            self._identified, self._unidentified = self._serial_number is None, 0
        decoded = reader.decoder.decode(replies.blocks)
        integers = [integer for integer, _ in decoded]
        quality = [mark for _, mark in decoded]
        for index in reader.missing:
            quality[index] = Quality.DEVICE_ERROR
        doubt = self._doubt(reader, replies, integers, quality, time_ms)
        if doubt and doubt != self._last_doubt:
            self._totals.doubted(self.device_id, doubt, DOUBTS[doubt], time_ms)
        self._last_doubt = doubt
        if replies.answered and not replies.silent and not replies.unusable and not replies.refused:
            self._report(DOUBTS[doubt])
        reader.totals.apply(integers, quality, time_ms)
        for total, mark in [entry.update(integers, quality, time_ms) for entry in reader.derived]:
            integers.append(total)
            quality.append(mark)
        for request in replies.refused:
            self._learn(reader, request, ends_search=reader.plan.refused(request))
        if replies.unheard is not None:
            alone = replies.answered and replies.blocks.count(Quality.LINK_ERROR) == 1
            self._learn(reader, replies.unheard, ends_search=reader.plan.unheard(replies.unheard, alone=alone))
        elif replies.answered:
            reader.plan.heard()
        if replies.answered and not replies.silent:
            await self._probe(reader)
        return Sample(self.device_id, reader.shape, time_ms, integers, quality, replies.answered)

    def _doubt(
        self,
        reader: _TierReader,
        replies: _Replies,
        integers: list[int | None],
        quality: list[Quality],
        time_ms: int,
    ) -> Doubt:
        """Take out of a row, in place, what cannot be true; why the device is not believed: empty when it is."""
        reader.frozen.update(replies.blocks, integers, time_ms)
        if reader.word_order.update(integers, quality):
            reader.word_order.spoil(integers, quality)
        if any(other.frozen.is_frozen for other in self._readers.values()):
            integers[:] = [None] * len(integers)
            quality[:] = [Quality.DEVICE_ERROR if mark.has_value else mark for mark in quality]
            return "frozen"
        if any(other.word_order.is_turned for other in self._readers.values()):
            return "word_order"
        return ""

    def middle_ms(self, began_s: float) -> int:
        """The middle of a transaction that ends now. The wall clock may have been set since it began."""
        return round(self._clock.wall_ms() - (self._clock.monotonic_s() - began_s) * 500)

    def now_s(self) -> float:
        """The monotonic clock."""
        return self._clock.monotonic_s()

    async def _request(self, request: ReadRequest, timeout_s: float | None = None) -> bytes:
        return await self._line.read(
            self._unit_id, request.function_code, request.address, request.count, self._profile.pause_s, timeout_s
        )

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

    def _learn(self, reader: _TierReader, request: ReadRequest, *, ends_search: bool) -> None:
        if ends_search:
            names = ", ".join(register.quantity for register in request.registers)
            log.warning("%s has no register %d (%s); it is left out", self.device_id, request.address, names)
            reader.probe_interval_s = PROBE_MINIMUM_S
            reader.probe_at_s = self._clock.monotonic_s() + PROBE_MINIMUM_S

    async def _probe(self, reader: _TierReader) -> None:
        """Now and then, ask for one register that was left out."""
        if self._clock.monotonic_s() < reader.probe_at_s or (request := reader.plan.next_probe()) is None:
            return
        reader.probe_at_s = self._clock.monotonic_s() + reader.probe_interval_s
        reader.probe_interval_s = min(2 * reader.probe_interval_s, PROBE_MAXIMUM_S)
        try:
            await self._request(request)
        except DeviceReadError:
            return
        log.info("%s has register %d now", self.device_id, request.address)
        reader.plan.probe_answered(request)
        # What it refused for the same reason is there again too: ask for the next one in the next cycle.
        reader.probe_at_s, reader.probe_interval_s = 0.0, PROBE_MINIMUM_S

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
        names = [register.quantity for register in registers]
        derived: tuple[RateIntegrator | WeighedTotal, ...] = (
            *(
                RateIntegrator(entry, registers, totals.integral(self.device_id, entry.quantity))
                for entry in integrated_totals(self._profile)
                if entry.rate in names
            ),
            *(
                WeighedTotal(self.device_id, name, registers, totals, self._weighing_threshold_kg)
                for name in weighed_totals(names)
            ),
        )
        shape = (*shape_of(registers), *(entry.column for entry in derived))
        missing = _missing(registers, decoder)
        return _TierReader(
            registers,
            shape,
            plan,
            device_totals,
            decoder,
            plan.requests,
            FrozenWatch(registers, self._frozen_after_s),
            WordOrderWatch(registers),
            missing,
            derived,
        )

    def _follow_plan(self, reader: _TierReader) -> None:
        """Compile the decoder again when the plan has learned something."""
        if reader.planned is reader.plan.requests:
            return
        reader.planned = reader.plan.requests
        reader.decoder = compile_decoder(reader.registers, self._helpers_of(reader.registers), reader.planned)
        reader.missing = _missing(reader.registers, reader.decoder)

    def _helpers_of(self, registers: tuple[Register, ...]) -> tuple[Register, ...]:
        names = {name for register in registers for name in register.helper_names}
        return tuple(helper for helper in self._profile.helpers if helper.quantity in names)


class DeviceReading:
    """One tier of a device, a request a step; a device that is silent is not asked again in it."""

    def __init__(self, device: ModbusDevice, reader: _TierReader, timeout_s: float | None = None) -> None:
        self._device = device
        self._reader = reader
        self._planned = reader.planned
        self._order = reader.plan.order()
        self._done = 0
        self._timeout_s = timeout_s
        self._replies = _Replies([Quality.LINK_ERROR] * len(self._planned))
        self._began_s: float | None = None

    @property
    def next_step_s(self) -> float:
        """What the next request takes on the bus."""
        if self._done == len(self._order):
            return 0.0
        return self._reader.plan.cost.of(self._planned[self._order[self._done]].count)

    async def step(self) -> Sample | None:
        """Send the next request; the row when it was the last one."""
        replies = self._replies
        if self._began_s is None:
            self._began_s = self._device.now_s()
        if self._done < len(self._order):
            await self._ask(self._order[self._done])
            self._done += 1
        if self._done < len(self._order) and not replies.silent:
            return None
        time_ms = self._device.middle_ms(self._began_s)
        if replies.answered and not replies.silent:
            await self._device.identify(self._timeout_s)
        return await self._device.finish(self._reader, replies, time_ms)

    async def _ask(self, position: int) -> None:
        request, replies = self._planned[position], self._replies
        lone = self._reader.plan.lone_request()
        if lone is not None:
            await self._device.ask(lone, replies, self._timeout_s)
            if not replies.answered:
                return
        replies.blocks[position] = await self._device.ask(request, replies, self._timeout_s)
        if lone is not None and replies.unheard is request:
            # The device is there: it is the whole request that it says nothing to.
            replies.unheard = None
            replies.refused.append(request)


def _missing(registers: tuple[Register, ...], decoder: Decoder) -> tuple[int, ...]:
    """The positions of registers that no request covers."""
    names = set(decoder.missing)
    return tuple(index for index, register in enumerate(registers) if register.quantity in names)

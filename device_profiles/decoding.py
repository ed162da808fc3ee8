"""From the bytes of register blocks to integers with a fixed exponent and a quality each. Pure: no I/O, no clock.

A decoder is compiled once for a set of registers and the blocks in which they are read; after that a block costs one
`struct` call for each register order that occurs in it.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from math import isfinite
from typing import Protocol

from device_profiles.encodings import BIT_CODES, Raw, StructPlan, as_written, plan_structs, unpack_bits
from device_profiles.interpretation import Helpers, HelperValue, interpreted, needs_interpretation
from device_profiles.profile import Encoding, FunctionCode, Profile, Register
from wire_format.quality import Quality

INTEGER_LIMIT = 1 << 62
"""Integers at or beyond it do not fit the wire (differences are 64 bits wide): quality OVERFLOW."""

TINIEST = 1e-20
"""A 32-bit float nearer to 0 and not 0 is no measurement: one whose words or bytes are turned round looks so."""

Decoded = tuple[int | None, Quality]

_FLOATS = frozenset({Encoding.F32, Encoding.F64})


class ReadBlock(Protocol):
    """What one request reads: `count` registers from `address` on."""

    @property
    def function_code(self) -> FunctionCode:
        """The function code of the request."""
        ...

    @property
    def address(self) -> int:
        """0-based address of the first register."""
        ...

    @property
    def count(self) -> int:
        """How many 16-bit registers; of function codes 1 and 2, bits."""
        ...


@dataclass(frozen=True, slots=True)
class Block:
    """A plain ReadBlock."""

    function_code: FunctionCode
    address: int
    count: int


@dataclass(frozen=True, slots=True)
class _Field:
    """How one register's raw value becomes an integer. `position` counts registers, then helpers."""

    position: int
    register: Register
    invalid: frozenset[int]
    integer_factor: int
    float_factor: float
    decimal_factor: Decimal
    lowest: int | None
    highest: int | None
    largest: int
    """From this magnitude on it is no measurement at all."""
    tiniest: float
    is_float: bool
    is_scaled: bool
    """Decimal arithmetic is needed: the device tells its scale, or the scale has more decimals than are kept."""


class Decoder:
    """Decodes the registers that it was compiled for; the order of the results is the order of those registers."""

    def __init__(self, registers: Sequence[Register], helpers: Sequence[Register], blocks: Sequence[ReadBlock]) -> None:
        self.registers = tuple(registers)
        self.blocks = tuple(blocks)
        everything = [*registers, *helpers]
        self._size = len(everything)
        self._helpers = {helper.quantity: index for index, helper in enumerate(everything) if index >= len(registers)}
        self._fields = [_field(index, register) for index, register in enumerate(everything)]
        self._usual = [_usual_case(field) for field in self._fields]
        self._scaled = [field for field in self._fields[: len(registers)] if field.is_scaled]
        for field in self._scaled:
            for name in field.register.helper_names:
                if name not in self._helpers:
                    raise ValueError(f"{field.register.quantity}: there is no helper {name!r}")
        self._plans: list[list[StructPlan]] = []
        uncovered = dict(enumerate(everything))
        for block in blocks:
            plans = plan_structs(uncovered.items(), block.function_code, block.address, block.count)
            for position in [position for plan in plans for position in plan.positions]:
                del uncovered[position]
            self._plans.append(plans)
        self.missing = tuple(everything[position].quantity for position in uncovered if position < len(registers))
        """Quantities that no block covers; they come out as LINK_ERROR."""

    def decode(self, replies: Sequence[bytes | Quality]) -> tuple[Decoded, ...]:
        """Decode one poll.

        Args:
            replies: for each block, in the order given at compile time, its registers as received (2 bytes each, high
                byte first; of function codes 1 and 2, 8 bits a byte, the first one lowest), or the quality that all of
                its values have because there is no reply.

        Returns:
            for each register an integer, value = integer * 10**register.exponent, or None and the reason.
            A reply of the wrong length is LINK_ERROR.
        """
        return tuple(self._decode(replies)[0][: len(self.registers)])

    def decode_unrounded(self, replies: Sequence[bytes | Quality]) -> tuple[float | None, ...]:
        """As `decode`, but numbers as exact as the device gave them: for looking at one reply, not for storing."""
        decoded, raws = self._decode(replies)
        values: list[float | None] = []
        for field in self._fields[: len(self.registers)]:
            raw = raws[field.position]
            number: Decimal | Quality = Quality.DEVICE_ERROR
            if raw is not None and decoded[field.position][0] is not None:
                shortest = as_written(raw, field.register.encoding) if field.is_float else Decimal(raw)
                number = interpreted(field.register, shortest, self._helper_values(raws, decoded))
            known = isinstance(number, Decimal)
            values.append(float(number * Decimal(repr(field.register.scale))) + 0.0 if known else None)
        return tuple(values)

    def _decode(self, replies: Sequence[bytes | Quality]) -> tuple[list[Decoded], list[Raw]]:
        decoded: list[Decoded] = [(None, Quality.LINK_ERROR)] * self._size
        raws: list[Raw] = [None] * self._size
        fields, usual, good = self._fields, self._usual, Quality.GOOD
        for block, plans, received in zip(self.blocks, self._plans, replies, strict=True):
            if block.function_code in BIT_CODES and not isinstance(received, Quality):
                reply: bytes | Quality = unpack_bits(received, block.count)
            else:
                reply = received
            if isinstance(reply, Quality) or len(reply) != 2 * block.count:
                quality = reply if isinstance(reply, Quality) else Quality.LINK_ERROR
                for plan in plans:
                    for position in plan.positions:
                        decoded[position] = (None, quality)
                continue
            for plan in plans:
                for position, raw in zip(plan.positions, plan.unpack(reply), strict=True):
                    raws[position] = raw
                    is_float, factor, lowest, highest, tiniest, invalid = usual[position]
                    # The usual case without a call; every comparison with NaN is false.
                    if raw is not None and (is_float or raw not in invalid):
                        scaled = raw * factor
                        if lowest <= scaled <= highest and (scaled >= 1 or not 0 < abs(raw) < tiniest):
                            decoded[position] = round(scaled), good
                            continue
                    decoded[position] = _convert(fields[position], raw)
        for field in self._scaled:
            if raws[field.position] is not None:
                decoded[field.position] = self._convert_scaled(field, raws, decoded)
        return decoded, raws

    def _convert_scaled(self, field: _Field, raws: Sequence[Raw], decoded: Sequence[Decoded]) -> Decoded:
        """Apply what the device says about its own scale."""
        raw = raws[field.position]
        if raw is None or not isfinite(raw) or raw in field.invalid:
            return None, Quality.DEVICE_ERROR
        number = interpreted(field.register, Decimal(raw), self._helper_values(raws, decoded))
        return (None, number) if isinstance(number, Quality) else _checked(field, round(number * field.decimal_factor))

    def _helper_values(self, raws: Sequence[Raw], decoded: Sequence[Decoded]) -> Helpers:
        def helper(name: str) -> HelperValue:
            position = self._helpers[name]
            return HelperValue(self._fields[position].register, raws[position], decoded[position][1])

        return helper


def compile_decoder(registers: Sequence[Register], helpers: Sequence[Register], blocks: Sequence[ReadBlock]) -> Decoder:
    """Prepare to decode `registers`, as read in `blocks`; `helpers` that they name must be covered too.

    Raises ValueError when a register names a helper that is not there.
    """
    return Decoder(registers, helpers, blocks)


def decode_registers(profile: Profile, registers: Mapping[int, Mapping[int, int]]) -> dict[str, float]:
    """Decode literal registers of one layout, for the command line.

    Args:
        profile: the layout; a SunSpec layout's addresses count from the start of the model.
        registers: for each function code, address -> 16-bit value.

    Returns:
        quantity -> value in the profile's unit, not rounded. What the registers do not cover, and what the device
        marks as not available, is left out.
    """
    merged = _alike(profile, registers)
    everything = (*profile.registers, *profile.helpers)
    readable = [register for register in everything if _words(register, merged) is not None]
    blocks = [Block(register.function_code, register.address, register.count) for register in readable]
    names = {register.quantity for register in readable}
    usable = [
        register
        for register in profile.registers
        if register.quantity in names and names.issuperset(register.helper_names)
    ]
    helpers = [helper for helper in profile.helpers if helper.quantity in names]
    replies: list[bytes] = []
    for register in readable:
        words = _words(register, merged) or ()
        is_bit = register.function_code in BIT_CODES
        replies.append(bytes(words) if is_bit else struct.pack(f">{len(words)}H", *words))
    values = compile_decoder(usable, helpers, blocks).decode_unrounded(replies)
    return {register.quantity: value for register, value in zip(usable, values, strict=True) if value is not None}


def _field(position: int, register: Register) -> _Field:
    factor = Decimal(repr(register.scale)).scaleb(-register.exponent)
    is_float = register.encoding in _FLOATS
    integral = factor == factor.to_integral_value()
    unit = Decimal(1).scaleb(register.exponent)
    low, high, largest = register.minimum, register.maximum, register.largest
    return _Field(
        position=position,
        register=register,
        invalid=frozenset(register.invalid),
        integer_factor=int(factor) if integral else 0,
        float_factor=float(factor),
        decimal_factor=factor,
        lowest=None if low is None else int((Decimal(repr(low)) / unit).to_integral_value(ROUND_CEILING)),
        highest=None if high is None else int((Decimal(repr(high)) / unit).to_integral_value(ROUND_FLOOR)),
        largest=INTEGER_LIMIT if largest is None else min(INTEGER_LIMIT, int(Decimal(repr(largest)) / unit) + 1),
        tiniest=TINIEST if register.encoding is Encoding.F32 else 0.0,
        is_float=is_float,
        is_scaled=needs_interpretation(register) or not (is_float or integral),
    )


def _usual_case(field: _Field) -> tuple[bool, float, int, int, float, frozenset[int]]:
    """Whether it is a float, its factor, and the bounds within which the value needs no second look."""
    most = field.largest - 1
    lowest = -most if field.lowest is None else max(field.lowest, -most)
    highest = most if field.highest is None else min(field.highest, most)
    factor = field.float_factor if field.is_float else field.integer_factor
    return field.is_float, factor, lowest, highest, field.tiniest, field.invalid


def _convert(field: _Field, raw: Raw) -> Decoded:
    if raw is None:
        return None, Quality.DEVICE_ERROR
    if field.is_float:
        scaled = raw * field.float_factor
        if not isfinite(scaled):
            return None, Quality.DEVICE_ERROR
        if 0 < abs(raw) < field.tiniest:
            return None, Quality.OUT_OF_RANGE
        return _checked(field, round(scaled))
    if raw in field.invalid:
        return None, Quality.DEVICE_ERROR
    return _checked(field, int(raw) * field.integer_factor)


def _checked(field: _Field, integer: int) -> Decoded:
    if abs(integer) >= field.largest:
        return None, Quality.OUT_OF_RANGE if field.largest < INTEGER_LIMIT else Quality.OVERFLOW
    if field.lowest is not None and integer < field.lowest:
        return integer, Quality.OUT_OF_RANGE
    if field.highest is not None and integer > field.highest:
        return integer, Quality.OUT_OF_RANGE
    return integer, Quality.GOOD


def _alike(profile: Profile, registers: Mapping[int, Mapping[int, int]]) -> dict[int, dict[int, int]]:
    """Let function codes that a device answers alike stand for each other."""
    merged = {code: dict(words) for code, words in registers.items()}
    for code in profile.function_codes_alike:
        for other in profile.function_codes_alike:
            merged[code] = {**registers.get(other, {}), **merged.get(code, {})}
    return merged


def _words(register: Register, registers: Mapping[int, Mapping[int, int]]) -> tuple[int, ...] | None:
    present = registers.get(register.function_code, {})
    addresses = range(register.address, register.address + register.count)
    if any(address not in present for address in addresses):
        return None
    return tuple(present[address] for address in addresses)

"""From values to registers, as a device of a profile would hold them.

This is the simulators' own reading of a profile's facts. It shares nothing with the decoder that the agent uses, so
that a mistake in one of them shows as a difference between the two.
"""

import math
import struct

from device_profiles.profile import Encoding, Register
from wire_format.quantities import QUANTITIES, Kind

Value = float | str | None
"""None is "not available"; a text only for an ASCII register."""

_BITS = {
    Encoding.U16: 16,
    Encoding.S16: 16,
    Encoding.U32: 32,
    Encoding.S32: 32,
    Encoding.U64: 64,
    Encoding.S64: 64,
}
_SIGNED = {Encoding.S16, Encoding.S32, Encoding.S64}
FLOAT_CODES = {Encoding.F32: ">f", Encoding.F64: ">d"}


def words_of(register: Register, value: Value, factor: float = 1.0) -> tuple[int, ...]:
    """The words (of function codes 1 and 2: bits) of one value, at ascending addresses.

    Args:
        register: how the device holds it.
        value: in the register's unit; None and NaN become the register's sentinel, a float without one becomes NaN,
            an integer without one 0.
        factor: what the raw value is to be multiplied by, beside the register's scale: a power of ten or a ratio that
            the device itself holds.

    Returns:
        `register.count` words. A total that has outgrown its register starts again at 0; another value that does not
        fit is "not available", or the nearest limit where the device has no sentinel.
    """
    if register.function_code in {1, 2}:
        return (1 if value else 0,) * register.count
    width = 16 * register.count
    if register.encoding is Encoding.ASCII:
        return _ordered(register, _text_pattern(value, register.count * 2), width)
    if isinstance(value, str):
        raise TypeError(f"{register.quantity} takes a number, not the text {value!r}")
    if value is None or math.isnan(value):
        return _ordered(register, _absent_pattern(register), width)
    if register.encoding in FLOAT_CODES:
        return _ordered(register, _float_pattern(register, value / (register.scale * factor)), width)
    raw = _raw_integer(register, value, factor)
    return _ordered(register, _absent_pattern(register) if raw is None else _integer_pattern(register, raw), width)


def _ordered(register: Register, pattern: int, width: int) -> tuple[int, ...]:
    """Cut a pattern of bits into words in the device's order."""
    words = [(pattern >> shift) & 0xFFFF for shift in range(width - 16, -1, -16)]
    if register.byte_order == "little":
        words = [(word & 0xFF) << 8 | word >> 8 for word in words]
    if register.word_order == "little":
        words.reverse()
    return tuple(words)


def _text_pattern(value: Value, length: int) -> int:
    text = "" if value is None else str(value)
    return int.from_bytes(text.encode("ascii", "replace")[:length].ljust(length, b"\0"), "big")


def _absent_pattern(register: Register) -> int:
    if register.invalid:
        return register.invalid[0] & ((1 << 16 * register.count) - 1)
    if register.encoding is Encoding.F32:
        return 0x7FC00000
    if register.encoding is Encoding.F64:
        return 0x7FF8000000000000
    return 0


def _float_pattern(register: Register, number: float) -> int:
    code = FLOAT_CODES[register.encoding]
    try:
        return int.from_bytes(struct.pack(code, number), "big")
    except OverflowError:  # beyond a 32-bit float
        return int.from_bytes(struct.pack(code, math.copysign(math.inf, number)), "big")


def limits(register: Register) -> tuple[int, int]:
    """The lowest and highest raw value that the register can hold, sentinels left aside."""
    if register.encoding is Encoding.BCD:
        return 0, int(10 ** (4 * register.count)) - 1
    if register.encoding is Encoding.MOD10K:
        return 0, int(10000**register.count) - 1
    if register.encoding is Encoding.MOD10K_SIGNED:
        return 1 - int(10000**register.count), int(10000**register.count) - 1
    if register.bits is not None:
        return 0, (2 << register.bits[1] - register.bits[0]) - 1
    bits = _BITS[register.encoding]
    return (-(1 << bits - 1), (1 << bits - 1) - 1) if register.encoding in _SIGNED else (0, (1 << bits) - 1)


def _raw_integer(register: Register, value: float, factor: float) -> int | None:
    """The raw value, None where the device has no way to say it."""
    lowest, highest = limits(register)
    scaled = value / (register.scale * factor)
    if math.isinf(scaled):
        return None if register.invalid else (highest if scaled > 0 else lowest)
    raw: int = round(scaled)
    quantity = QUANTITIES.get(register.quantity)
    if quantity is not None and quantity.kind is Kind.TOTAL and raw >= 0:
        return raw % (register.counter_modulus or highest + 1)
    if lowest <= raw <= highest:
        return raw
    return None if register.invalid else max(lowest, min(highest, raw))


def _integer_pattern(register: Register, raw: int) -> int:
    if register.encoding is Encoding.BCD:
        return int(str(raw), 16)
    if register.encoding is Encoding.MOD10K:
        pattern = 0
        for position in range(register.count):
            pattern |= raw // 10000**position % 10000 << 16 * position
        return pattern
    if register.encoding is Encoding.MOD10K_SIGNED:
        return _signed_groups(raw, register.count)
    if register.bits is not None:
        lowest, highest = register.bits
        return (~raw & (1 << highest + 1 - lowest) - 1 if register.inverted else raw) << lowest
    return raw & ((1 << _BITS[register.encoding]) - 1)


def _signed_groups(raw: int, count: int) -> int:
    """Groups of four decimal digits, each a word with the number's sign."""
    pattern, left = 0, abs(raw)
    for position in range(count):
        left, group = divmod(left, 10000)
        pattern |= ((group if raw >= 0 else -group) & 0xFFFF) << 16 * position
    return pattern

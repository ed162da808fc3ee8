"""From values to registers, as a device of a profile would hold them.

This is the simulators' own reading of a profile's facts. It shares nothing with the decoder that the agent uses, so
that a mistake in one of them shows as a difference between the two.
"""

import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from device_profiles.profile import Encoding, Profile, Register
from wire_format.quantities import QUANTITIES, Kind

Value = float | str | None
"""None is "not available"; a text only for an ASCII register."""

RegisterImage = dict[int, dict[int, int]]
"""Function code -> 0-based address -> 16-bit word (of function codes 1 and 2: 0 or 1)."""

_BITS = {
    Encoding.U16: 16,
    Encoding.S16: 16,
    Encoding.U32: 32,
    Encoding.S32: 32,
    Encoding.U64: 64,
    Encoding.S64: 64,
}
_SIGNED = {Encoding.S16, Encoding.S32, Encoding.S64}
_FLOATS = {Encoding.F32: ">f", Encoding.F64: ">d"}
_COARSEST_SCALE_FACTOR = 10
"""SunSpec allows -10 to 10."""


def words_of(register: Register, value: Value, scale_factor: int = 0) -> tuple[int, ...]:
    """The words of one value, at ascending addresses.

    Args:
        register: how the device holds it.
        value: in the register's unit; None and NaN become the register's sentinel, a float without one becomes NaN,
            an integer without one 0.
        scale_factor: the power of ten by which the raw value is to be multiplied, beside the register's scale.

    Returns:
        `register.count` words. A total that has outgrown its register starts again at 0; another value that does not
        fit is "not available", or the nearest limit where the device has no sentinel.
    """
    width = 16 * register.count
    if register.encoding is Encoding.ASCII:
        return _ordered(register, _text_pattern(value, register.count * 2), width)
    if isinstance(value, str):
        raise TypeError(f"{register.quantity} takes a number, not the text {value!r}")
    if value is None or math.isnan(value):
        return _ordered(register, _absent_pattern(register), width)
    if register.encoding in _FLOATS:
        return _ordered(register, _float_pattern(register, value / register.scale / 10.0**scale_factor), width)
    raw = _raw_integer(register, value, scale_factor)
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
    code = _FLOATS[register.encoding]
    try:
        return int.from_bytes(struct.pack(code, number), "big")
    except OverflowError:  # beyond a 32-bit float
        return int.from_bytes(struct.pack(code, math.copysign(math.inf, number)), "big")


def _limits(register: Register) -> tuple[int, int]:
    """The lowest and highest raw value that the register can hold, sentinels left aside."""
    if register.encoding is Encoding.BCD:
        return 0, int(10 ** (4 * register.count)) - 1
    if register.encoding is Encoding.MOD10K:
        return 0, int(10000**register.count) - 1
    bits = _BITS[register.encoding]
    return (-(1 << bits - 1), (1 << bits - 1) - 1) if register.encoding in _SIGNED else (0, (1 << bits) - 1)


def _raw_integer(register: Register, value: float, scale_factor: int) -> int | None:
    """The raw value, None where the device has no way to say it."""
    lowest, highest = _limits(register)
    scaled = value / register.scale
    scaled = scaled * 10.0**-scale_factor if scale_factor <= 0 else scaled / 10.0**scale_factor
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
    return raw & ((1 << _BITS[register.encoding]) - 1)


@dataclass(frozen=True, slots=True)
class _Area:
    """Where a register's words go."""

    function_code: int
    addresses: range
    encode: Callable[[Value, int], tuple[int, ...]]
    quantity: str
    scale_factor: str | None


class ImageEncoder:
    """Turns values into a register image of one device.

    Scale factors of the device (SunSpec) are the finest that hold ten times the first value seen; a factor becomes
    coarser when a value outgrows it and never finer again, so that it rests as it does in most inverters.

    Args:
        profile: the facts.
        scale_factors: powers of ten by helper name where they are to be fixed.
    """

    def __init__(self, profile: Profile, scale_factors: Mapping[str, int] | None = None) -> None:
        self._fixed_factors = dict(scale_factors or {})
        self._factors: dict[str, int] = {}
        self._scaled: dict[str, list[Register]] = {}
        for register in profile.registers:
            if register.scale_factor is not None:
                self._scaled.setdefault(register.scale_factor, []).append(register)
        self._areas = tuple(_area(register) for register in (*profile.registers, *profile.helpers))

    def encode(self, values: Mapping[str, Value]) -> RegisterImage:
        """The registers of the profile and its helpers. A quantity that `values` does not hold is not available."""
        factors = self._scale_factors(values)
        image: RegisterImage = {}
        for area in self._areas:
            value = factors[area.quantity] if area.quantity in factors else values.get(area.quantity)
            words = area.encode(value, factors.get(area.scale_factor, 0) if area.scale_factor else 0)
            image.setdefault(area.function_code, {}).update(zip(area.addresses, words, strict=True))
        return image

    def _scale_factors(self, values: Mapping[str, Value]) -> dict[str, int]:
        for name, registers in self._scaled.items():
            given = values.get(name, self._fixed_factors.get(name))
            if isinstance(given, int | float):
                self._factors[name] = int(given)
                continue
            headroom = 1.0 if name in self._factors else 10.0
            start = self._factors.get(name, min(_finest_scale_factor(register) for register in registers))
            self._factors[name] = next(
                (
                    factor
                    for factor in range(start, _COARSEST_SCALE_FACTOR)
                    if all(_fits(register, values.get(register.quantity), factor, headroom) for register in registers)
                ),
                _COARSEST_SCALE_FACTOR,
            )
        return dict(self._factors)


def _area(register: Register) -> _Area:
    def encode(value: Value, scale_factor: int) -> tuple[int, ...]:
        return words_of(register, value, scale_factor)

    addresses = range(register.address, register.address + register.count)
    if register.function_code in {1, 2}:

        def encode_bit(value: Value, _scale_factor: int) -> tuple[int, ...]:
            return (1 if value else 0,) * register.count

        return _Area(register.function_code, addresses, encode_bit, register.quantity, None)
    return _Area(register.function_code, addresses, encode, register.quantity, register.scale_factor)


def _finest_scale_factor(register: Register) -> int:
    """The power of ten at which the raw value resolves what the catalogue asks of the quantity."""
    quantity = QUANTITIES.get(register.quantity)
    resolution = quantity.exponent if quantity is not None else 0
    return max(-10, resolution - math.floor(math.log10(abs(register.scale)) + 1e-9))


def _fits(register: Register, value: Value, factor: int, headroom: float) -> bool:
    if value is None or isinstance(value, str) or not math.isfinite(value) or register.encoding in _FLOATS:
        return True
    lowest, highest = _limits(register)
    # The limits themselves are what SunSpec keeps for "not implemented".
    return lowest < value * headroom / register.scale / 10.0**factor < highest


def encode_image(profile: Profile, values: Mapping[str, Value]) -> RegisterImage:
    """The registers of a device that has just been switched on with these values."""
    return ImageEncoder(profile).encode(values)

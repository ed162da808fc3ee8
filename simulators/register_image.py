"""All registers of a device of a profile: measured values, the helpers they depend on, and who the device is."""

import itertools
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from device_profiles.profile import Encoding, Identification, Multiplier, Profile, Register
from simulators.encoding import FLOAT_CODES, Value, limits, words_of
from wire_format.quantities import QUANTITIES

RegisterImage = dict[int, dict[int, int]]
"""Function code -> 0-based address -> 16-bit word (of function codes 1 and 2: 0 or 1)."""

SERIAL_NUMBER = 21070001
"""What a simulated device says it is numbered."""

_COARSEST_SCALE_FACTOR = 10
"""SunSpec allows -10 to 10."""


@dataclass(frozen=True, slots=True)
class ReadAlone:
    """A register that answers only when it is read by itself; in a longer range other registers stand there."""

    function_code: int
    address: int
    words: tuple[int, ...]


class ImageEncoder:
    """Turns values into a register image of one device.

    Scale factors that the device holds (SunSpec) are the finest that fit ten times the first value seen; a factor
    becomes coarser when a value outgrows it and never finer again, so that it rests as it does in most inverters.
    Ratios are 1, and units those of the profile, as in a device that nobody has set otherwise.

    Args:
        profile: the facts.
        settings: raw values of helpers (scale factors, ratios, unit codes) that are to be as given.
    """

    def __init__(self, profile: Profile, settings: Mapping[str, float] | None = None) -> None:
        self._registers = profile.registers
        self._helpers = profile.helpers
        self._alike = profile.function_codes_alike
        self._settings = dict(settings or {})
        self._powers: dict[str, int] = {}
        self._scaled = _users(profile.registers, lambda register: register.scale_factor)
        self._ratios = {
            entry.helper: self._ratio_code(entry, register)
            for register in sorted(
                profile.registers, key=lambda register: register.encoding in FLOAT_CODES, reverse=True
            )
            for entry in register.multipliers
        }
        self._fixed = RegisterImage()
        self.read_alone: tuple[ReadAlone, ...] = ()
        """Identification that shares its address with a measured value."""
        self._identify(profile)

    def encode(self, values: Mapping[str, Value]) -> RegisterImage:
        """The registers of the profile. A quantity that `values` does not hold is not available."""
        self._choose_powers(values)
        image: RegisterImage = {code: dict(table) for code, table in self._fixed.items()}
        told: dict[str, float] = {}
        for register in self._registers:
            value = values.get(register.quantity)
            if isinstance(value, float | int):
                value = self._tell_apart(register, value, told)
            _put(image, register, words_of(register, value, self._factor(register)))
        for helper in self._helpers:
            _put(image, helper, self._helper_words(helper, told))
        for code in self._alike:
            if code not in image:
                image[code] = next((image[other] for other in self._alike if other in image), {})
        return image

    def _tell_apart(self, register: Register, value: float, told: dict[str, float]) -> float:
        """What stands in the register itself; what its helpers hold beside it goes into `told`."""
        if register.negative_if is not None:
            told[register.negative_if] = float(value < 0)
            value = abs(value)
        if register.summand is None or not math.isfinite(value):
            return value
        step = register.scale * self._factor(register)
        own = max(value, 0.0) if register.subtracts else math.floor(value / step) * step
        told[register.summand] = abs(value - own) / step
        return own

    def _factor(self, register: Register) -> float:
        factor = 1.0
        if register.scale_factor is not None:
            factor = 10.0 ** self._powers[register.scale_factor]
        for entry in register.multipliers:
            code = self._ratios[entry.helper]
            factor *= dict(entry.table)[round(code)] if entry.table else code * self._helper(entry.helper).scale
        return factor

    def _helper(self, name: str) -> Register:
        return next(helper for helper in self._helpers if helper.quantity == name)

    def _helper_words(self, helper: Register, told: Mapping[str, float]) -> tuple[int, ...]:
        name = helper.quantity
        if name in self._ratios:
            return words_of(helper, self._ratios[name] * helper.scale)
        return words_of(helper, self._powers.get(name, told.get(name, 0.0)))

    def _choose_powers(self, values: Mapping[str, Value]) -> None:
        for name, registers in self._scaled.items():
            if name in self._settings:
                self._powers[name] = round(self._settings[name] * self._helper(name).scale)
                continue
            headroom = 1.0 if name in self._powers else 10.0
            finest = self._powers.get(name, min(_finest_power(register) for register in registers))
            self._powers[name] = next(
                (
                    power
                    for power in range(finest, _COARSEST_SCALE_FACTOR)
                    if all(_fits(register, values.get(register.quantity), power, headroom) for register in registers)
                ),
                _COARSEST_SCALE_FACTOR,
            )

    def _ratio_code(self, entry: Multiplier, register: Register) -> float:
        """The raw value of a ratio or unit helper."""
        if entry.helper in self._settings:
            return self._settings[entry.helper]
        if not entry.table:
            return 1.0 / self._helper(entry.helper).scale
        if register.encoding in FLOAT_CODES:
            return min(entry.table, key=lambda pair: abs(math.log(pair[1])))[0]
        wanted = 10.0**register.exponent / register.scale * (1 + 1e-9)
        fine = [pair for pair in entry.table if pair[1] <= wanted]
        return max(fine, key=lambda pair: pair[1])[0] if fine else min(entry.table, key=lambda pair: pair[1])[0]

    def _identify(self, profile: Profile) -> None:
        taken = {
            (register.function_code, address)
            for register in (*profile.registers, *profile.helpers)
            for address in range(register.address, register.address + register.count)
        }
        alone = []
        for entry in profile.identification:
            register = entry.register
            words = words_of(register, _identity(profile, entry))
            addresses = range(register.address, register.address + register.count)
            if any((register.function_code, address) in taken for address in addresses):
                alone.append(ReadAlone(register.function_code, register.address, words))
                alone += [ReadAlone(code, register.address, words) for code in self._alike]
            else:
                _put(self._fixed, register, words)
        self.read_alone = tuple(alone)


def encode_image(profile: Profile, values: Mapping[str, Value]) -> RegisterImage:
    """The registers of a device that has just been switched on with these values."""
    return ImageEncoder(profile).encode(values)


def gap_addresses(table: Iterable[int], gap_max: int) -> frozenset[int]:
    """Addresses that are not in `table`, in gaps of at most `gap_max` registers."""
    gaps: set[int] = set()
    for before, after in itertools.pairwise(sorted(table)):
        if 1 < after - before <= gap_max + 1:
            gaps.update(range(before + 1, after))
    return frozenset(gaps)


def _put(image: RegisterImage, register: Register, words: tuple[int, ...]) -> None:
    table = image.setdefault(register.function_code, {})
    addresses = range(register.address, register.address + register.count)
    if register.bits is not None:  # others may have theirs in the same words
        words = tuple(table.get(address, 0) | word for address, word in zip(addresses, words, strict=True))
    table.update(zip(addresses, words, strict=True))


def _users(registers: Iterable[Register], helper: Callable[[Register], str | None]) -> dict[str, list[Register]]:
    """Registers by the helper that they name."""
    users: dict[str, list[Register]] = {}
    for register in registers:
        name = helper(register)
        if name is not None:
            users.setdefault(name, []).append(register)
    return users


def _identity(profile: Profile, entry: Identification) -> Value:
    """What the device says of itself, by the register's name."""
    register = entry.register
    if register.encoding is Encoding.ASCII:
        texts = {"manufacturer": profile.maker, "maker": profile.maker, "serial_number": str(SERIAL_NUMBER)}
        return texts.get(register.quantity, profile.models[0])
    if entry.values:
        return next(iter(entry.values)) * register.scale
    return SERIAL_NUMBER * register.scale if "serial" in register.quantity else 0.0


def _finest_power(register: Register) -> int:
    """The power of ten at which the raw value resolves what the catalogue asks of the quantity."""
    quantity = QUANTITIES.get(register.quantity)
    resolution = quantity.exponent if quantity is not None else 0
    return max(-10, resolution - math.floor(math.log10(abs(register.scale)) + 1e-9))


def _fits(register: Register, value: Value, power: int, headroom: float) -> bool:
    if value is None or isinstance(value, str) or not math.isfinite(value) or register.encoding in FLOAT_CODES:
        return True
    lowest, highest = limits(register)
    held = abs(value) if register.negative_if else value
    # The limits themselves are what SunSpec keeps for "not implemented"; 0 is 0 at any power.
    return held == 0 or lowest < held * headroom / (register.scale * 10.0**power) < highest

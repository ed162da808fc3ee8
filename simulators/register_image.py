"""All registers of a device of a profile: measured values, the helpers they depend on, and who the device is."""

import itertools
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from device_profiles.profile import Encoding, Identification, Profile, Register
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
        ratios = _users(profile.registers, lambda register: register.multiplier)
        self._ratios = {name: self._ratio_code(name, users) for name, users in ratios.items()}
        self._fixed = RegisterImage()
        self.read_alone: tuple[ReadAlone, ...] = ()
        """Identification that shares its address with a measured value."""
        self._identify(profile)

    def encode(self, values: Mapping[str, Value]) -> RegisterImage:
        """The registers of the profile. A quantity that `values` does not hold is not available."""
        self._choose_powers(values)
        image: RegisterImage = {code: dict(table) for code, table in self._fixed.items()}
        for register in self._registers:
            words = words_of(register, values.get(register.quantity), self._factor(register))
            _put(image, register, words)
        for helper in self._helpers:
            _put(image, helper, self._helper_words(helper))
        for code in self._alike:
            if code not in image:
                image[code] = next((image[other] for other in self._alike if other in image), {})
        return image

    def _factor(self, register: Register) -> float:
        factor = 10.0 ** self._powers[register.scale_factor] if register.scale_factor is not None else 1.0
        if register.multiplier is None:
            return factor
        code = self._ratios[register.multiplier]
        table = dict(register.multiplier_table)
        if table:
            return factor * table[round(code)]
        helper = next(helper for helper in self._helpers if helper.quantity == register.multiplier)
        return factor * code * helper.scale

    def _helper_words(self, helper: Register) -> tuple[int, ...]:
        raw = self._powers.get(helper.quantity, self._ratios.get(helper.quantity))
        return words_of(helper, None if raw is None else raw * helper.scale)

    def _choose_powers(self, values: Mapping[str, Value]) -> None:
        for name, registers in self._scaled.items():
            if name in self._settings:
                self._powers[name] = round(self._settings[name])
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

    def _ratio_code(self, name: str, users: list[Register]) -> float:
        """The raw value of a ratio or unit helper."""
        if name in self._settings:
            return self._settings[name]
        register = next((user for user in users if user.encoding not in FLOAT_CODES), users[0])
        if not register.multiplier_table:
            helper = next(helper for helper in self._helpers if helper.quantity == name)
            return 1.0 / helper.scale
        if register.encoding in FLOAT_CODES:
            return min(register.multiplier_table, key=lambda entry: abs(math.log(entry[1])))[0]
        wanted = 10.0**register.exponent / register.scale * (1 + 1e-9)
        fine = [entry for entry in register.multiplier_table if entry[1] <= wanted]
        if fine:
            return max(fine, key=lambda entry: entry[1])[0]
        return min(register.multiplier_table, key=lambda entry: entry[1])[0]

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
    table.update(zip(range(register.address, register.address + register.count), words, strict=True))


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
    # The limits themselves are what SunSpec keeps for "not implemented"; 0 is 0 at any power.
    return value == 0 or lowest < value * headroom / (register.scale * 10.0**power) < highest

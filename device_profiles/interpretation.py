"""What a raw value comes to by what other registers of the device say: its bits, sign, scale and ratios."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite

from device_profiles.encodings import Raw
from device_profiles.profile import Multiplier, Register
from wire_format.quality import Quality

SCALE_FACTOR_LIMIT = 10
"""SunSpec: scale factors are -10 to 10; 0x8000 means that there is none."""


@dataclass(frozen=True, slots=True)
class HelperValue:
    """What a helper holds now. `raw` is of no use when the quality says that there is none."""

    register: Register
    raw: Raw
    quality: Quality


Helpers = Callable[[str], HelperValue]
"""From a helper's name to what it holds."""


def interpreted(register: Register, raw: Decimal, helpers: Helpers) -> Decimal | Quality:
    """The raw value, with everything applied that the device says about it, but not yet times `scale`.

    Args:
        register: what was read; its own sentinels were looked for already.
        raw: as it was read; of a float its exact or its shortest decimal.
        helpers: the helpers that the register names.

    Returns:
        the number, or the quality of a value that cannot be used.
    """
    quality = _unusable(register, helpers)
    if quality is not None:
        return quality
    number = _bits(register, raw)
    if register.summand is not None:
        other = _value(helpers(register.summand))
        if other is None:
            return Quality.DEVICE_ERROR
        number += -other if register.subtracts else other
    if register.negative_if is not None and _value(helpers(register.negative_if)):
        number = -number
    if register.scale_factor is not None:
        power = _value(helpers(register.scale_factor))
        if power is None or power != int(power) or abs(power) > SCALE_FACTOR_LIMIT:
            return Quality.DEVICE_ERROR
        number = number.scaleb(int(power))
    for multiplier in register.multipliers:
        factor = _factor(multiplier, helpers(multiplier.helper))
        if factor is None:
            return Quality.DEVICE_ERROR
        number *= factor
    return number


def needs_interpretation(register: Register) -> bool:
    """Whether there is more to a register than raw * scale."""
    return bool(register.bits or register.helper_names)


def _unusable(register: Register, helpers: Helpers) -> Quality | None:
    for name in register.helper_names:
        quality = helpers(name).quality
        if not quality.has_value:
            return quality
    if any(_value(helpers(name)) != 0 for name in register.unusable_if):
        return Quality.DEVICE_ERROR
    return None


def _bits(register: Register, raw: Decimal) -> Decimal:
    if register.bits is None:
        return raw
    first, last = register.bits
    mask = (1 << (last - first + 1)) - 1
    found = int(raw) >> first & mask
    return Decimal(mask - found if register.inverted else found)


def _value(helper: HelperValue) -> Decimal | None:
    if helper.raw is None or not isfinite(helper.raw):
        return None
    return _bits(helper.register, Decimal(helper.raw)) * Decimal(repr(helper.register.scale))


def _factor(multiplier: Multiplier, helper: HelperValue) -> Decimal | None:
    """The factor; a ratio of 0 and a code that is not in the table give none."""
    if not multiplier.table:
        return _value(helper) or None
    if helper.raw is None or not isfinite(helper.raw):
        return None
    code = _bits(helper.register, Decimal(helper.raw))
    return next((Decimal(repr(factor)) for known, factor in multiplier.table if known == code), None)

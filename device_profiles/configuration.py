"""What the site file says about an installed device: ratios, units, decimals that the device does not tell."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from device_profiles.errors import ProfileError
from device_profiles.profile import Encoding, Profile, Register, Setting
from wire_format.quantities import QUANTITIES, Quantity

FINEST = 3
"""Integers keep their own resolution up to this many decimals beyond the catalogue's, then they are rounded to it."""

ORDERS = ("word_order", "byte_order")
"""Settings by these names are of all registers: the device is set to one of them, or its document leaves it open."""

Given = float | str


def configured(profile: Profile, given: Mapping[str, Given]) -> Profile:
    """The profile of an installed device: its settings applied to the scales of its registers.

    Args:
        profile: as it was loaded.
        given: `settings` of the device in the site file.

    Raises:
        ProfileError: a setting is missing, unknown or out of bounds; the message names it and what it asks.
    """
    known = {setting.name: setting for setting in profile.settings}
    for name in given:
        if name not in known:
            names = f"only {', '.join(known)}" if known else "and it takes none"
            raise ProfileError(f"settings.{name}: {profile.id} has no such setting, {names}")
    values = {name: _value(setting, given.get(name, setting.default)) for name, setting in known.items()}
    orders = {name: values[name] for name in ORDERS if name in values}
    return replace(
        profile,
        registers=tuple(_applied(register, values, orders) for register in profile.registers),
        helpers=tuple(_applied(helper, values, orders) for helper in profile.helpers),
        settings=(),
    )


def unfit(setting: Setting, value: Given) -> str | None:
    """What is wrong with a value of a setting, None when nothing is."""
    if setting.choices:
        return None if value in setting.choices else f"{value!r} is none of {', '.join(map(str, setting.choices))}"
    if isinstance(value, str):
        return f"{value!r} is no number"
    if not value > 0:
        return f"{value:g} is not above 0"
    low, high = setting.minimum, setting.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        return f"{value:g} is not from {low:g} to {high:g}"
    return None


def resolution(catalogued: Quantity, scale: Decimal) -> int:
    """The exponent to which an integer register is rounded: its own, unless that is far finer than the catalogue's."""
    own = int(scale.normalize().as_tuple().exponent)
    return own if own >= catalogued.exponent - FINEST else catalogued.exponent


def _value(setting: Setting, value: Given | None) -> Given:
    if value is None:
        wanted = f" (one of {', '.join(map(str, setting.choices))})" if setting.choices else ""
        raise ProfileError(f"settings.{setting.name}: is missing. {setting.question}{wanted}")
    problem = unfit(setting, value)
    if problem:
        raise ProfileError(f"settings.{setting.name}: {problem}. {setting.question}")
    return value


def _applied(register: Register, values: Mapping[str, Given], orders: Mapping[str, Any]) -> Register:
    if register.encoding is not Encoding.ASCII and orders:
        register = replace(register, **orders)
    if not register.settings:
        return register
    factor = Decimal(1)
    limits = Decimal(1)
    for use in register.settings:
        value = values[use.setting]
        found = Decimal(repr(dict(use.table)[value] if use.table else value))
        factor *= found
        if isinstance(value, str):  # a unit, in which the limits were written too
            limits *= found
    scale = Decimal(repr(register.scale)) * factor
    floats = register.encoding in {Encoding.F32, Encoding.F64}
    rounded = floats or register.scale_factor or register.multiplier or register.summand
    low, high = register.minimum, register.maximum
    return replace(
        register,
        scale=float(scale),
        exponent=register.exponent if rounded else resolution(QUANTITIES[register.quantity], scale),
        minimum=None if low is None else float(Decimal(repr(low)) * limits),
        maximum=None if high is None else float(Decimal(repr(high)) * limits),
        settings=(),
    )

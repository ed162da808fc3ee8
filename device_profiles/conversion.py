"""From the file's text to the frozen Profile. Every rule that is broken names the key at which it is."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from device_profiles.configuration import ORDERS, resolution, unfit
from device_profiles.encodings import BIT_CODES, FORMATS, REGISTER_COUNTS
from device_profiles.errors import RuleError
from device_profiles.profile import (
    Encoding,
    FunctionCode,
    Identification,
    Multiplier,
    Profile,
    Register,
    SerialDefaults,
    Setting,
    SettingFactor,
)
from device_profiles.register_rules import check_helpers, check_overlap
from device_profiles.schema import HelperText, IdentificationText, LayoutText, ProfileText, QuantityText, RegisterText
from device_profiles.tiers import default_tier
from device_profiles.units import NEED_NO_UNIT, factors
from wire_format.quantities import QUANTITIES, Quantity

_SIGNED = frozenset({Encoding.S16, Encoding.S32, Encoding.S64})
_FLOATS = frozenset({Encoding.F32, Encoding.F64})
_COUNTED = frozenset({Encoding.BCD, Encoding.MOD10K, Encoding.MOD10K_SIGNED})


def build_profile(profile_id: str, text: ProfileText) -> Profile:
    """Check what a file says as a whole and build the profile; raises RuleError."""
    if text.protocol == "sunspec":
        built = [
            _layout(profile_id, text, layout, f"layouts.{index}.", layout.sunspec_models)
            for index, layout in enumerate(text.layouts)
        ]
        seen: set[int] = set()
        for index, layout in enumerate(text.layouts):
            if seen & set(layout.sunspec_models):
                raise RuleError(
                    f"layouts.{index}.sunspec_models: {min(seen & set(layout.sunspec_models))} stands twice"
                )
            seen |= set(layout.sunspec_models)
    else:
        whole = LayoutText.model_construct(type=None, invalid=None, helpers=text.helpers, registers=text.registers)
        built = [_layout(profile_id, text, whole, "", ())]
    _all_units_used(text)
    _all_settings_used(text)
    quantities = tuple(dict.fromkeys(quantity for profile in built for quantity in profile.quantities))
    if text.quantities:
        quantities = tuple(_catalogued(name, "quantities").name for name in text.quantities)
    first, *others = built
    return replace(first, quantities=quantities, alternatives=tuple(others))


def _layout(
    profile_id: str, text: ProfileText, layout: LayoutText, prefix: str, sunspec_models: tuple[int, ...]
) -> Profile:
    helpers = tuple(
        _helper(text, layout, name, helper, f"{prefix}helpers.{name}") for name, helper in layout.helpers.items()
    )
    registers = tuple(
        _quantity(text, layout, name, register, f"{prefix}registers.{name}")
        for name, register in layout.registers.items()
    )
    check_helpers(prefix, registers, helpers)
    check_overlap(prefix, (*registers, *helpers), text.max_registers_per_request)
    codes = text.function_code or ()
    return Profile(
        id=profile_id,
        maker=text.maker,
        models=text.models,
        resource=text.resource,
        protocol=text.protocol,
        grade=text.grade,
        source=text.source,
        registers=registers,
        helpers=helpers,
        quantities=tuple(register.quantity for register in registers),
        transports=tuple(text.transports),
        max_registers_per_request=text.max_registers_per_request,
        max_gap=text.max_gap,
        pause_s=text.pause_s,
        serial_defaults=SerialDefaults(**text.serial_defaults.model_dump()),
        sunspec_models=sunspec_models,
        notes=dict(text.notes),
        function_codes_alike=codes if len(codes) > 1 else (),
        identification=tuple(
            _identification(text, name, entry, f"identification.{name}") for name, entry in text.identification.items()
        ),
        settings=tuple(_setting(text, name) for name in text.settings),
        unreadable=_unreadable(text, (*registers, *helpers)),
        unit_id_keys=tuple(text.unit_id_keys),
    )


def _quantity(text: ProfileText, layout: LayoutText, name: str, entry: QuantityText, key: str) -> Register:
    catalogued = _catalogued(name, key)
    encoding = _encoding(text, layout, entry, key)
    if encoding is Encoding.ASCII:
        raise RuleError(f"{key}.type: ascii is for identification, a quantity is a number")
    if encoding in _FLOATS and entry.counter_modulus:
        raise RuleError(f"{key}.counter_modulus: a {encoding} does not count in whole steps")
    if entry.scale == 0:
        raise RuleError(f"{key}.scale: 0 makes every value 0")
    factor = Decimal(1) if entry.unit_by else _factor(text, catalogued, entry, key)
    scale = Decimal(repr(entry.scale)) * factor
    multipliers, settings = _factors(text, catalogued, entry, key)
    fixed = encoding not in _FLOATS and not (entry.scale_factor or multipliers or entry.plus or entry.minus)
    low, high = entry.range or (None, None)
    first = multipliers[0] if multipliers else None
    return Register(
        quantity=name,
        unit=catalogued.unit,
        scale=float(scale),
        exponent=resolution(catalogued, scale) if fixed else catalogued.exponent,
        scale_factor=entry.scale_factor,
        tier=entry.tier or default_tier(name),
        minimum=None if low is None else float(Decimal(repr(low)) * factor),
        maximum=None if high is None else float(Decimal(repr(high)) * factor),
        largest=catalogued.largest,
        counter_modulus=10**entry.counter_digits if entry.counter_digits else entry.counter_modulus,
        multiplier=first.helper if first else None,
        multiplier_table=first.table if first else (),
        further_multipliers=tuple(multipliers[1:]),
        settings=tuple(settings),
        summand=entry.plus or entry.minus,
        subtracts=entry.minus is not None,
        negative_if=entry.negative_if,
        unusable_if=entry.unusable_if,
        **_place(text, layout, entry, encoding, key),
    )


def _place(
    text: ProfileText, layout: LayoutText | None, entry: RegisterText, encoding: Encoding, key: str
) -> dict[str, Any]:
    """Where a value stands and how: what quantities, helpers and identification have in common."""
    code = _function_code(text, entry)
    if code in BIT_CODES and encoding is not Encoding.U16:
        raise RuleError(f"{key}.type: function code {code} reads single bits, which have no type")
    return {
        "function_code": code,
        "address": _address(text, entry, key),
        "count": _count(entry, encoding, key),
        "encoding": encoding,
        "word_order": entry.word_order or text.word_order,
        "byte_order": entry.byte_order or text.byte_order,
        "invalid": () if code in BIT_CODES else _invalid(text, layout, entry, encoding, key),
        "bits": _bits(entry, encoding, key),
        "inverted": entry.inverted,
    }


def _bits(entry: RegisterText, encoding: Encoding, key: str) -> tuple[int, int] | None:
    if entry.bits is None:
        if entry.inverted:
            raise RuleError(f"{key}.inverted: only bits can be inverted")
        return None
    if encoding in _FLOATS or encoding not in REGISTER_COUNTS:
        raise RuleError(f"{key}.bits: a {encoding} has none")
    first, last = entry.bits[0], entry.bits[-1]
    if not first <= last < 16 * REGISTER_COUNTS[encoding]:
        raise RuleError(f"{key}.bits: [first, last] of 0 to {16 * REGISTER_COUNTS[encoding] - 1}")
    return first, last


def _helper(text: ProfileText, layout: LayoutText, name: str, entry: HelperText, key: str) -> Register:
    encoding = _encoding(text, layout, entry, key)
    if encoding is Encoding.ASCII:
        raise RuleError(f"{key}.type: a helper is a number")
    exponent = int(Decimal(repr(entry.scale)).normalize().as_tuple().exponent)
    return Register(
        quantity=name,
        unit="1",
        scale=entry.scale,
        exponent=-9 if encoding in _FLOATS else exponent,
        **_place(text, layout, entry, encoding, key),
    )


def _identification(text: ProfileText, name: str, entry: IdentificationText, key: str) -> Identification:
    encoding = _encoding(text, None, entry, key)
    if entry.values and encoding in {Encoding.ASCII, *_FLOATS}:
        raise RuleError(f"{key}.values: codes are whole numbers, {encoding} is none")
    place = _place(text, None, entry, encoding, key)
    register = Register(quantity=name, unit="1", scale=entry.scale, tier="slow", **place)
    return Identification(register, dict(entry.values))


def _setting(text: ProfileText, name: str) -> Setting:
    entry, key = text.settings[name], f"settings.{name}"
    low, high = entry.range or (None, None)
    choices: tuple[float | str, ...] = entry.units
    coded = [
        factor.codes
        for register in text.registers.values()
        for factor in register.multiply_by
        if factor.by == name and factor.codes
    ]
    if coded:
        choices = tuple(coded[0])
    if name in ORDERS:
        choices = ("big", "little")
    setting = Setting(name, entry.question, entry.default, low, high, choices)
    if entry.default is not None and (problem := unfit(setting, entry.default)):
        raise RuleError(f"{key}.default: {problem}")
    return setting


def _factors(
    text: ProfileText, catalogued: Quantity, entry: QuantityText, key: str
) -> tuple[list[Multiplier], list[SettingFactor]]:
    """What a quantity is multiplied by beside its scale: helpers of the device, settings of the site file."""
    multipliers: list[Multiplier] = []
    settings: list[SettingFactor] = []
    known = factors(catalogued.unit)
    if entry.unit_by and entry.unit_by.helper:
        for code, unit in entry.unit_by.codes.items():
            if unit not in known:
                raise RuleError(f"{key}.unit_by.codes.{code}: {unit!r} is no unit of {catalogued.name}")
        table = tuple((code, float(known[unit])) for code, unit in entry.unit_by.codes.items())
        multipliers.append(Multiplier(entry.unit_by.helper, table))
    elif entry.unit_by and entry.unit_by.setting:
        name = entry.unit_by.setting
        units = text.settings[name].units if name in text.settings else ()
        if not units:
            raise RuleError(f"{key}.unit_by.setting: there is no setting {name!r} with units")
        for unit in units:
            if unit not in known:
                raise RuleError(f"settings.{name}.units: {unit!r} is no unit of {catalogued.name}")
        settings.append(SettingFactor(name, tuple((unit, float(known[unit])) for unit in units)))
    for factor in entry.multiply_by:
        if factor.by not in text.settings:
            multipliers.append(Multiplier(factor.by, tuple(factor.codes.items())))
        elif text.settings[factor.by].units:
            raise RuleError(f"{key}.multiply_by: {factor.by} is a unit; write unit_by: {{setting: {factor.by}}}")
        else:
            settings.append(SettingFactor(factor.by, tuple(factor.codes.items())))
    return multipliers, settings


def _unreadable(text: ProfileText, wanted: Iterable[Register]) -> frozenset[tuple[int, int]]:
    spans = [(span[0] - text.address_base, span[-1] - text.address_base) for span in text.unreadable]
    codes = {register.function_code for register in wanted}
    found = frozenset((code, address) for first, last in spans for address in range(first, last + 1) for code in codes)
    for register in wanted:
        for address in range(register.address, register.address + register.count):
            if (register.function_code, address) in found:
                raise RuleError(f"unreadable: {address} belongs to {register.quantity}")
    return found


def _catalogued(name: str, key: str) -> Quantity:
    found = QUANTITIES.get(name)
    if found is None:
        raise RuleError(f"{key}: the catalogue has no quantity {name!r}")
    return found


def _factor(text: ProfileText, catalogued: Quantity, entry: QuantityText, key: str) -> Decimal:
    known = factors(catalogued.unit)
    unit = entry.unit or _listed_unit(text, catalogued.unit)
    if unit is None:
        raise RuleError(f"{key}: unit is missing; give it here or list it in units (one of {', '.join(known)})")
    if unit not in known:
        raise RuleError(f"{key}.unit: {unit!r} is no unit of {catalogued.name} (one of {', '.join(known)})")
    return known[unit]


def _listed_unit(text: ProfileText, catalogue_unit: str) -> str | None:
    if catalogue_unit in NEED_NO_UNIT:
        return catalogue_unit
    listed = [unit for unit in text.units if unit in factors(catalogue_unit)]
    if len(listed) > 1:
        raise RuleError(f"units: {listed[0]} and {listed[1]} measure the same; list one, write the other beside it")
    return listed[0] if listed else None


def _all_settings_used(text: ProfileText) -> None:
    registers = text.registers.values()
    used = {factor.by for register in registers for factor in register.multiply_by}
    used |= {register.unit_by.setting for register in registers if register.unit_by and register.unit_by.setting}
    for name in text.settings:
        if name not in used and name not in ORDERS:
            raise RuleError(f"settings.{name}: no register uses it")
        if name in text.helpers:
            raise RuleError(f"settings.{name}: a helper has the same name")


def _all_units_used(text: ProfileText) -> None:
    quantities = [*text.registers, *(name for layout in text.layouts for name in layout.registers)]
    measured = {QUANTITIES[name].unit for name in quantities} - NEED_NO_UNIT
    # What a profile inherits may be for a quantity that it takes away.
    for unit in () if text.based_on else text.units:
        if not any(unit in factors(catalogue_unit) for catalogue_unit in measured):
            raise RuleError(f"units: {unit!r} is used by no quantity")


def _encoding(text: ProfileText, layout: LayoutText | None, entry: RegisterText, key: str) -> Encoding:
    if entry.type is None and _function_code(text, entry) in BIT_CODES:
        return Encoding.U16
    encoding = entry.type or (layout and layout.type) or text.type
    if encoding is None:
        raise RuleError(f"{key}: type is missing; give it here or once at the top")
    return encoding


def _function_code(text: ProfileText, entry: RegisterText) -> FunctionCode:
    if entry.function_code is not None:
        return entry.function_code
    return text.function_code[0] if text.function_code else 3


def _address(text: ProfileText, entry: RegisterText, key: str) -> int:
    address = entry.address - text.address_base
    if not 0 <= address <= 65535:
        raise RuleError(f"{key}.address: {entry.address} cannot be sent (address_base {text.address_base})")
    return address


def _count(entry: RegisterText, encoding: Encoding, key: str) -> int:
    fixed = REGISTER_COUNTS.get(encoding)
    if fixed is not None:
        if entry.count not in {None, fixed}:
            raise RuleError(f"{key}.count: {encoding} takes {fixed} registers")
        return fixed
    if entry.count is None:
        raise RuleError(f"{key}: count is missing; {encoding} has no fixed width")
    if encoding in _COUNTED and entry.count > 4:
        raise RuleError(f"{key}.count: {encoding} takes at most 4 registers")
    return entry.count


def _invalid(
    text: ProfileText, layout: LayoutText | None, entry: RegisterText, encoding: Encoding, key: str
) -> tuple[int, ...]:
    if encoding in _FLOATS or encoding is Encoding.ASCII:
        if entry.invalid:
            raise RuleError(f"{key}.invalid: of a {encoding}, NaN and infinity are invalid already")
        return ()
    found = entry.invalid
    if found is None:
        by_type = text.invalid if layout is None or layout.invalid is None else layout.invalid
        found = (by_type[encoding],) if encoding in by_type else ()
    if encoding not in FORMATS:
        return found
    bits = 16 * REGISTER_COUNTS[encoding]
    return tuple(_as_raw(value, encoding, bits, key) for value in found)


def _as_raw(value: int, encoding: Encoding, bits: int, key: str) -> int:
    """Documents write a sentinel as a bit pattern; a signed type reads 0x8000 as -32768."""
    if not -(1 << (bits - 1)) <= value < 1 << bits:
        raise RuleError(f"{key}.invalid: {value} does not fit {encoding}")
    if encoding in _SIGNED:
        return value - (1 << bits) if value >= 1 << (bits - 1) else value
    return value % (1 << bits)

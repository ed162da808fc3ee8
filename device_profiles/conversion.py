"""From the file's text to the frozen Profile. Every rule that is broken names the key at which it is."""

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

from device_profiles.encodings import FORMATS, REGISTER_COUNTS
from device_profiles.errors import ProfileError
from device_profiles.profile import Encoding, FunctionCode, Identification, Profile, Register, SerialDefaults
from device_profiles.schema import (
    HelperText,
    IdentificationText,
    LayoutText,
    ProfileText,
    QuantityText,
    RegisterText,
    UnitByCode,
)
from device_profiles.tiers import default_tier
from device_profiles.units import NEED_NO_UNIT, factors
from wire_format.quantities import QUANTITIES, Quantity

_SIGNED = frozenset({Encoding.S16, Encoding.S32, Encoding.S64})
_FLOATS = frozenset({Encoding.F32, Encoding.F64})
_COUNTED = frozenset({Encoding.BCD, Encoding.MOD10K})

FINEST = 3
"""Integers keep their own resolution up to this many decimals beyond the catalogue's, then they are rounded to it."""


class RuleError(ProfileError):
    """A rule is broken; the message is "key: rule", the file is not known here."""


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
    _check_helpers(prefix, registers, helpers)
    _check_overlap(prefix, (*registers, *helpers), text.max_registers_per_request)
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
        pause_s=text.pause_s,
        serial_defaults=SerialDefaults(**text.serial_defaults.model_dump()),
        sunspec_models=sunspec_models,
        notes=dict(text.notes),
        function_codes_alike=codes if len(codes) > 1 else (),
        identification=tuple(
            _identification(text, name, entry, f"identification.{name}") for name, entry in text.identification.items()
        ),
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
    exponent = catalogued.exponent
    fixed = encoding not in _FLOATS and not (entry.scale_factor or entry.multiply_by or entry.unit_by)
    own = int(scale.normalize().as_tuple().exponent)
    if fixed and own >= catalogued.exponent - FINEST:
        exponent = own
    low, high = entry.range or (None, None)
    return Register(
        quantity=name,
        unit=catalogued.unit,
        function_code=_function_code(text, entry),
        address=_address(text, entry, key),
        count=_count(entry, encoding, key),
        encoding=encoding,
        scale=float(scale),
        exponent=exponent,
        word_order=entry.word_order or text.word_order,
        byte_order=entry.byte_order or text.byte_order,
        invalid=_invalid(text, layout, entry, encoding, key),
        scale_factor=entry.scale_factor,
        tier=entry.tier or default_tier(name),
        minimum=None if low is None else float(Decimal(repr(low)) * factor),
        maximum=None if high is None else float(Decimal(repr(high)) * factor),
        counter_modulus=entry.counter_modulus,
        multiplier=entry.unit_by.helper if entry.unit_by else entry.multiply_by,
        multiplier_table=_table(catalogued, entry.unit_by, key) if entry.unit_by else (),
    )


def _helper(text: ProfileText, layout: LayoutText, name: str, entry: HelperText, key: str) -> Register:
    encoding = _encoding(text, layout, entry, key)
    if encoding is Encoding.ASCII:
        raise RuleError(f"{key}.type: a helper is a number")
    exponent = int(Decimal(repr(entry.scale)).normalize().as_tuple().exponent)
    return Register(
        quantity=name,
        unit="1",
        function_code=_function_code(text, entry),
        address=_address(text, entry, key),
        count=_count(entry, encoding, key),
        encoding=encoding,
        scale=entry.scale,
        exponent=-9 if encoding in _FLOATS else exponent,
        word_order=entry.word_order or text.word_order,
        byte_order=entry.byte_order or text.byte_order,
        invalid=_invalid(text, layout, entry, encoding, key),
    )


def _identification(text: ProfileText, name: str, entry: IdentificationText, key: str) -> Identification:
    encoding = entry.type or text.type
    if encoding is None:
        raise RuleError(f"{key}: type is missing")
    if entry.values and encoding in {Encoding.ASCII, *_FLOATS}:
        raise RuleError(f"{key}.values: codes are whole numbers, {encoding} is none")
    register = Register(
        quantity=name,
        unit="1",
        function_code=_function_code(text, entry),
        address=_address(text, entry, key),
        count=_count(entry, encoding, key),
        encoding=encoding,
        scale=entry.scale,
        word_order=entry.word_order or text.word_order,
        byte_order=entry.byte_order or text.byte_order,
        invalid=() if encoding is Encoding.ASCII else _invalid(text, None, entry, encoding, key),
        tier="slow",
    )
    return Identification(register, dict(entry.values))


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


def _all_units_used(text: ProfileText) -> None:
    quantities = [*text.registers, *(name for layout in text.layouts for name in layout.registers)]
    measured = {QUANTITIES[name].unit for name in quantities} - NEED_NO_UNIT
    for unit in text.units:
        if not any(unit in factors(catalogue_unit) for catalogue_unit in measured):
            raise RuleError(f"units: {unit!r} is used by no quantity")


def _table(catalogued: Quantity, by_code: UnitByCode, key: str) -> tuple[tuple[int, float], ...]:
    known = factors(catalogued.unit)
    for code, unit in by_code.codes.items():
        if unit not in known:
            raise RuleError(f"{key}.unit_by.codes.{code}: {unit!r} is no unit of {catalogued.name}")
    return tuple((code, float(known[unit])) for code, unit in by_code.codes.items())


def _encoding(text: ProfileText, layout: LayoutText, entry: RegisterText, key: str) -> Encoding:
    encoding = entry.type or layout.type or text.type
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


def _check_helpers(prefix: str, registers: tuple[Register, ...], helpers: tuple[Register, ...]) -> None:
    present = {helper.quantity for helper in helpers}
    used: set[str] = set()
    for register in registers:
        for name, key in ((register.scale_factor, "scale_factor"), (register.multiplier, "multiply_by or unit_by")):
            if name is not None and name not in present:
                raise RuleError(f"{prefix}registers.{register.quantity}.{key}: there is no helper {name!r}")
            used |= {name} if name else set()
    for name in sorted(present - used):
        raise RuleError(f"{prefix}helpers.{name}: no register uses it")
    for name in sorted(present & {register.quantity for register in registers}):
        raise RuleError(f"{prefix}helpers.{name}: a quantity has the same name")


def _check_overlap(prefix: str, registers: tuple[Register, ...], limit: int) -> None:
    ordered = sorted(registers, key=lambda register: (register.function_code, register.address))
    for register in ordered:
        if register.count > limit:
            raise RuleError(
                f"{prefix}registers.{register.quantity}: needs {register.count} registers, {limit} may be asked for"
            )
        if register.address + register.count > 65536:
            raise RuleError(f"{prefix}registers.{register.quantity}.address: reaches beyond 65535")
    for first, second in pairwise(ordered):
        last = first.address + first.count - 1
        if first.function_code == second.function_code and last >= second.address:
            key = f"{prefix}registers.{second.quantity}.address"
            raise RuleError(f"{key}: overlaps {first.quantity} ({first.address} to {last})")

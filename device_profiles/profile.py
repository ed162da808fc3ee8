"""A device model, as the planner, the drivers and the simulators see it: facts only, checked by the schema."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal


class Encoding(StrEnum):
    """How a value stands in 16-bit registers."""

    U16 = "u16"
    S16 = "s16"
    U32 = "u32"
    S32 = "s32"
    U64 = "u64"
    S64 = "s64"
    F32 = "f32"
    F64 = "f64"
    BCD = "bcd"
    MOD10K = "mod10k"
    MOD10K_SIGNED = "mod10k_signed"
    ASCII = "ascii"


Order = Literal["big", "little"]
FunctionCode = Literal[1, 2, 3, 4]
Tier = Literal["fast", "slow"]


@dataclass(frozen=True, slots=True)
class Multiplier:
    """What a raw value is multiplied by: the value of a helper, or what `table` gives for its code."""

    helper: str
    table: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True)
class SettingFactor:
    """What a raw value is multiplied by: a setting of the site file, or what `table` gives for it."""

    setting: str
    table: tuple[tuple[float | str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Setting:
    """What a device does not tell and its owner must say: a ratio, a unit, the number of decimals.

    A setting is a number from `minimum` to `maximum`, or one of `choices` where there are any. One without a `default`
    must be given.
    """

    name: str
    question: str
    default: float | str | None = None
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[float | str, ...] = ()


@dataclass(frozen=True, slots=True)
class Register:
    """One quantity of a profile.

    `address` is the 0-based number that goes into the request. value = raw * `scale` in `unit`, the unit of the
    quantity in the catalogue. Values are rounded to 10**`exponent`: the resolution of an integer register
    (raw * scale is exact), or the catalogue's for floats. `word_order` is the order of registers, `byte_order` that of
    the two bytes within one. A raw value in `invalid` means "not available".
    `scale_factor` names the helper that holds the power of ten, as in SunSpec.
    `multiplier` names the helper by whose value the raw value is multiplied (a CT ratio), or whose code stands in
    `multiplier_table` beside the factor that it means (a unit that is set in the device); a code that is not in the
    table makes the value unusable. With either, integers are rounded to 10**`exponent` as floats are.
    `further_multipliers` are more of the same kind, `settings` those that the site file gives (`configured` applies
    them to `scale`, after which there are none).
    `counter_modulus` is the raw value at which a total starts again at 0, None where it is not known.
    A value outside of `minimum` and `maximum` is marked and kept; one of a magnitude above `largest`, the catalogue's
    bound of what can be measured at all, is not.

    The raw value is what stands in `bits` (first and last, 0 the lowest) where they are given, the other way round if
    `inverted`; then the value of the helper `summand` is added (or taken away if it `subtracts`), and the sum is
    negative when the helper `negative_if` is not 0. It cannot be used when a helper in `unusable_if` is not 0.
    Registers of function codes 1 and 2 are single bits of encoding u16.
    """

    quantity: str
    unit: str
    function_code: FunctionCode
    address: int
    count: int
    encoding: Encoding
    scale: float = 1.0
    exponent: int = 0
    word_order: Order = "big"
    byte_order: Order = "big"
    invalid: tuple[int, ...] = ()
    scale_factor: str | None = None
    tier: Tier = "fast"
    minimum: float | None = None
    maximum: float | None = None
    largest: float | None = None
    counter_modulus: int | None = None
    multiplier: str | None = None
    multiplier_table: tuple[tuple[int, float], ...] = ()
    further_multipliers: tuple[Multiplier, ...] = ()
    settings: tuple[SettingFactor, ...] = ()
    bits: tuple[int, int] | None = None
    inverted: bool = False
    summand: str | None = None
    subtracts: bool = False
    negative_if: str | None = None
    unusable_if: tuple[str, ...] = ()

    @property
    def multipliers(self) -> tuple[Multiplier, ...]:
        """All helpers by which the raw value is multiplied."""
        first = (Multiplier(self.multiplier, self.multiplier_table),) if self.multiplier else ()
        return (*first, *self.further_multipliers)

    @property
    def helper_names(self) -> tuple[str, ...]:
        """The helpers that must be read with it."""
        named = (self.scale_factor, self.summand, self.negative_if, *self.unusable_if)
        return tuple(name for name in named if name) + tuple(entry.helper for entry in self.multipliers)


@dataclass(frozen=True, slots=True)
class Identification:
    """A register that tells which device answers: `register.quantity` is its name, `values` what known codes mean."""

    register: Register
    values: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SerialDefaults:
    """Line settings as delivered, where a source names them; None is not known."""

    baud: int | None = None
    data_bits: Literal[7, 8] | None = None
    parity: Literal["N", "E", "O"] | None = None
    stop_bits: Literal[1, 2] | None = None
    unit_id: int | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """A device model or a family that shares its registers.

    `helpers` are registers that are read for decoding only (scale factors, ratios, unit codes).
    `protocol` is "modbus", "sunspec" (the registers' addresses count from the start of the SunSpec model block, which
    is found by walking the chain) or the name of a scale's protocol ("mt_sics").
    `function_codes_alike` are those that this device answers with the same registers.
    `settings` are what the site file must or may say about an installed device.
    `unreadable` are (function code, address) that the device does not answer: never read, never read across.
    `unit_id_keys` tells how the unit id is set at the device, where a source says so.
    `alternatives` are other layouts under the same id: a SunSpec inverter shows one of several models.
    """

    id: str
    maker: str
    models: tuple[str, ...]
    resource: str
    protocol: str
    grade: Literal["A", "B"]
    source: tuple[str, ...]
    registers: tuple[Register, ...]
    helpers: tuple[Register, ...] = ()
    quantities: tuple[str, ...] = ()
    transports: tuple[str, ...] = ("rtu",)
    max_registers_per_request: int = 125
    max_gap: int = 16
    pause_s: float = 0.0
    serial_defaults: SerialDefaults = field(default_factory=SerialDefaults)
    sunspec_models: tuple[int, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)
    function_codes_alike: tuple[FunctionCode, ...] = ()
    identification: tuple[Identification, ...] = ()
    alternatives: tuple["Profile", ...] = ()
    settings: tuple[Setting, ...] = ()
    unreadable: frozenset[tuple[int, int]] = frozenset()
    unit_id_keys: tuple[str, ...] = ()

    def for_sunspec_model(self, model: int) -> "Profile | None":
        """The layout of a SunSpec model, None when the profile does not cover it."""
        for layout in (self, *self.alternatives):
            if model in layout.sunspec_models:
                return layout
        return None

    def register(self, quantity: str) -> Register:
        """The register of a quantity; raises KeyError when the model has none."""
        for register in self.registers:
            if register.quantity == quantity:
                return register
        raise KeyError(quantity)

"""A profile as it is written by hand: the keys of the YAML file and what may stand behind them.

`conversion` turns it into the Profile that planner, drivers and simulators use.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from device_profiles.profile import Encoding

Text = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
Address = Annotated[int, Field(ge=0, le=65536)]
Bit = Annotated[int, Field(ge=0, le=63)]
Count = Annotated[int, Field(ge=1, le=64)]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,62}$")]
OrderName = Literal["big", "little"]
Transport = Literal["rtu", "tcp", "serial", "gpio"]
ReadCode = Literal[1, 2, 3, 4]
"""1 coils, 2 discrete inputs (both single bits), 3 holding registers, 4 input registers."""


ScaleProtocol = Literal[
    "mt_sics",
    "kern_kcp",
    "aandd_standard",
    "aandd_18_byte_gs",
    "cas_22_byte",
    "cas_enq_dc1",
    "dini_argeo",
    "toledo_continuous",
    "rice_lake_stream",
    "cardinal_stream",
    "weightronix_stream",
    "condec_demand",
    "sma",
    "sartorius_sbi",
    "ohaus_3000",
    "ohaus_portable",
    "nci",
]
"""What scales speak that have no registers."""


def _one_or_more(value: Any) -> Any:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def _address_alone(value: Any) -> Any:
    return {"address": value} if isinstance(value, int) and not isinstance(value, bool) else value


# `json_schema_input_type` tells editors what may be written in place of the whole.
AddressSpan = Annotated[
    tuple[Address, ...],
    BeforeValidator(_one_or_more, json_schema_input_type=Address | tuple[Address, Address]),
    Field(min_length=1, max_length=2),
]


class StrictModel(BaseModel):
    """Refuses keys that mean nothing, and values of another type than the one asked for."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)


class UnitBy(StrictModel):
    """A unit that is set in the device: a helper holds its code, or the site file names it by a setting with `units`.

    A code that is not listed makes the value unusable.
    """

    helper: Text | None = None
    codes: dict[int, Text] = {}
    setting: Text | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.helper is None) == (self.setting is None) or bool(self.codes) != (self.helper is not None):
            raise ValueError("unit_by is {helper: ..., codes: {...}} or {setting: ...}")
        return self


class FactorText(StrictModel):
    """A factor by the name of a helper or a setting: its value, or what `codes` give for it."""

    by: Text
    codes: dict[int, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = {}


class SettingText(StrictModel):
    """What the site file says about an installed device under `settings`; without a default it must."""

    question: Text
    default: float | Text | None = None
    range: Annotated[tuple[float, float], Field(strict=False)] | None = None
    """Lowest and highest number that is taken."""
    units: Annotated[tuple[Text, ...], Field(strict=False)] = ()
    """The units from which one is chosen, for `unit_by: {setting: ...}`."""

    @model_validator(mode="after")
    def _number_or_unit(self) -> Self:
        if self.units and self.range:
            raise ValueError("a setting has a range or units, not both")
        if self.range and self.range[0] >= self.range[1]:
            raise ValueError("range is [lowest, highest]")
        return self


class RegisterText(StrictModel):
    """Where a value stands and how. What is left out comes from the keys of the same name at the top of the file."""

    address: Address
    type: Annotated[Encoding, Field(strict=False)] | None = None
    count: Count | None = None
    function_code: ReadCode | None = None
    word_order: OrderName | None = None
    byte_order: OrderName | None = None
    scale: Annotated[float, Field(allow_inf_nan=False)] = 1.0
    """value = raw * scale, in `unit`; negative where a device counts the other way."""
    invalid: (
        Annotated[tuple[int, ...], BeforeValidator(_one_or_more, json_schema_input_type=int | tuple[int, ...])] | None
    ) = None
    """Raw values that mean "not available", as the document writes them (0x7FFFFFFF)."""
    bits: (
        Annotated[
            tuple[Bit, ...],
            BeforeValidator(_one_or_more, json_schema_input_type=Bit | tuple[Bit, Bit]),
            Field(min_length=1, max_length=2),
        ]
        | None
    ) = None
    """Only these bits of the register count: one, or the first and the last; 0 is the lowest."""
    inverted: bool = False
    """The bits mean the opposite: 1 - raw of a single bit."""


class HelperText(RegisterText):
    """A register that is read only to decode others: a power of ten, a ratio, a unit's code."""


def _name_alone(value: Any) -> Any:
    return {"by": value} if isinstance(value, str) else value


Factor = Annotated[FactorText, BeforeValidator(_name_alone, json_schema_input_type=Text | FactorText)]


class QuantityText(RegisterText):
    """A quantity of the catalogue. `unit` is the document's; it is converted to the catalogue's."""

    unit: Text | None = None
    unit_by: UnitBy | None = None
    scale_factor: Text | None = None
    """The helper that holds a power of ten."""
    multiply_by: Annotated[
        tuple[Factor, ...],
        BeforeValidator(_one_or_more, json_schema_input_type=Factor | tuple[Factor, ...]),
        Field(max_length=4),
    ] = ()
    """Helpers and settings by whose value the raw value is multiplied, such as a CT and a VT ratio."""
    plus: Text | None = None
    """The helper whose value is added to the raw value: the fraction of a total in two parts."""
    minus: Text | None = None
    """The helper whose value is taken from the raw value: power that flows the other way."""
    negative_if: Text | None = None
    """The helper (a sign bit) that makes the value negative when it is not 0."""
    unusable_if: Annotated[
        tuple[Text, ...], BeforeValidator(_one_or_more, json_schema_input_type=Text | tuple[Text, ...])
    ] = ()
    """The helpers (an overload bit) that make the value unusable when they are not 0."""
    range: Annotated[tuple[float, float], Field(strict=False)] | None = None
    """Lowest and highest plausible value, in `unit`."""
    tier: Literal["fast", "slow"] | None = None
    counter_modulus: Annotated[int, Field(gt=1)] | None = None
    """The raw value at which a total starts again at 0."""
    counter_digits: Annotated[int, Field(ge=1, le=18)] | None = None
    """The same by the digits of the raw value: after 999999 comes 0."""

    @model_validator(mode="after")
    def _one_meaning(self) -> Self:
        if self.unit_by and self.unit:
            raise ValueError("unit_by stands instead of unit")
        if self.plus and self.minus:
            raise ValueError("plus and minus exclude each other")
        if self.counter_modulus and self.counter_digits:
            raise ValueError("counter_digits stands instead of counter_modulus")
        if self.range and self.range[0] >= self.range[1]:
            raise ValueError("range is [lowest, highest]")
        return self


class IdentificationText(RegisterText):
    """A register that tells which device answers. `values` are the codes that are known and what they mean."""

    values: dict[int, Text] = {}


class SerialText(StrictModel):
    """Line settings as delivered, where a source names them."""

    baud: Annotated[int, Field(ge=300, le=1_000_000)] | None = None
    data_bits: Literal[7, 8] | None = None
    parity: Literal["N", "E", "O"] | None = None
    stop_bits: Literal[1, 2] | None = None
    unit_id: Annotated[int, Field(ge=1, le=247)] | None = None


# `null` only takes away what a profile inherits.
Quantities = dict[
    str,
    Annotated[QuantityText, BeforeValidator(_address_alone, json_schema_input_type=Address | QuantityText | None)],
]
Helpers = dict[
    str, Annotated[HelperText, BeforeValidator(_address_alone, json_schema_input_type=Address | HelperText | None)]
]


class LayoutText(StrictModel):
    """One of the register layouts that a SunSpec device may show."""

    sunspec_models: Annotated[tuple[Annotated[int, Field(ge=1, le=65534)], ...], Field(min_length=1, strict=False)]
    type: Annotated[Encoding, Field(strict=False)] | None = None
    invalid: dict[Annotated[Encoding, Field(strict=False)], int] | None = None
    helpers: Helpers = {}
    registers: Annotated[Quantities, Field(min_length=1)]


class ProfileText(StrictModel):
    """A file `<maker>/<model>.yaml`."""

    maker: Text
    models: Annotated[tuple[Text, ...], Field(min_length=1, strict=False)]
    resource: Literal["electricity", "fuel", "heat", "water", "compressed_air", "material", "waste", "product", "any"]
    protocol: Literal["modbus", "sunspec", "gpio"] | ScaleProtocol = "modbus"
    grade: Literal["A", "B"]
    """A: two independent sources agree, or the maker's document was read; B: one reputable source."""
    source: Annotated[tuple[Text, ...], Field(min_length=1, strict=False)]
    notes: dict[str, Text] = {}
    transports: Annotated[tuple[Transport, ...], Field(min_length=1, strict=False)] = ("rtu",)
    serial_defaults: SerialText = SerialText()
    max_registers_per_request: Annotated[int, Field(ge=1, le=125)] = 125
    max_gap: Annotated[int, Field(ge=0, le=124)] = 16
    """How many registers in a row that are not listed here may be read on the way to the next one."""
    pause_s: Annotated[float, Field(ge=0, le=5)] = 0.0
    """How long the device wants to be left alone after a reply, beyond what the line asks for."""

    address_base: Literal[0, 1] = 0
    """1 where the document's register numbers start at 1: they are sent one lower."""
    function_code: (
        Annotated[
            tuple[ReadCode, ...],
            BeforeValidator(_one_or_more, json_schema_input_type=ReadCode | tuple[ReadCode, ...]),
            Field(min_length=1),
        ]
        | None
    ) = None
    """Several where the device answers them alike; the first is used."""
    type: Annotated[Encoding, Field(strict=False)] | None = None
    word_order: OrderName = "big"
    byte_order: OrderName = "big"
    invalid: dict[Annotated[Encoding, Field(strict=False)], int] = {}
    """Raw value that means "not available", for each type."""
    units: Annotated[tuple[Text, ...], Field(strict=False)] = ()
    """The document's units: a quantity without a unit of its own is in the one of these that measures its kind."""

    settings: dict[Name, SettingText] = {}
    """What the device does not tell and the site file says: ratios, units, decimals.

    `word_order` and `byte_order` are names of their own: big or little, for all registers.
    """
    unreadable: Annotated[tuple[AddressSpan, ...], Field(strict=False)] = ()
    """Addresses, or [first, last], that the device refuses: never read, not even on the way to others."""
    unit_id_keys: Annotated[tuple[Text, ...], Field(strict=False)] = ()
    """The keys to press at the device to set its unit id, one step each."""

    helpers: Helpers = {}
    registers: Quantities = {}
    layouts: Annotated[tuple[LayoutText, ...], Field(strict=False)] = ()
    identification: dict[
        str,
        Annotated[
            IdentificationText,
            BeforeValidator(_address_alone, json_schema_input_type=Address | IdentificationText | None),
        ],
    ] = {}
    quantities: Annotated[tuple[Text, ...], Field(strict=False)] = ()
    """Only of devices without registers: what they deliver."""

    based_on: Annotated[str, StringConstraints(max_length=127)] | None = None
    """Another profile `<maker>/<model>`, whose keys hold wherever this file has none; `null` takes one away."""

    @model_validator(mode="after")
    def _fits_protocol(self) -> Self:
        wanted = {"modbus": "registers", "sunspec": "layouts"}.get(self.protocol, "quantities")
        for key in ("registers", "layouts", "quantities"):
            if bool(getattr(self, key)) != (key == wanted):
                rule = "needs" if key == wanted else "has no"
                raise ValueError(f"protocol {self.protocol} {rule} {key}")
        if self.helpers and wanted != "registers":
            raise ValueError("helpers belong into each layout")
        if self.protocol != "modbus" and (self.settings or self.unreadable):
            raise ValueError(f"protocol {self.protocol} has no settings and nothing unreadable")
        if wanted != "quantities" and self.function_code is None:
            raise ValueError("function_code is missing")
        return self

"""A profile as it is written by hand: the keys of the YAML file and what may stand behind them.

`conversion` turns it into the Profile that planner, drivers and simulators use.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from device_profiles.profile import Encoding

Text = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
Address = Annotated[int, Field(ge=0, le=65536)]
Count = Annotated[int, Field(ge=1, le=64)]
OrderName = Literal["big", "little"]
# Coils and discrete inputs (1, 2) hold bits, not registers.
ReadCode = Literal[3, 4]


def _one_or_more(value: Any) -> Any:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def _address_alone(value: Any) -> Any:
    return {"address": value} if isinstance(value, int) and not isinstance(value, bool) else value


class StrictModel(BaseModel):
    """Refuses keys that mean nothing, and values of another type than the one asked for."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class UnitByCode(StrictModel):
    """A unit that is set in the device: a helper holds its code. A code that is not listed makes the value unusable."""

    helper: Text
    codes: Annotated[dict[int, Text], Field(min_length=1)]


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
    invalid: Annotated[tuple[int, ...], BeforeValidator(_one_or_more)] | None = None
    """Raw values that mean "not available", as the document writes them (0x7FFFFFFF)."""


class HelperText(RegisterText):
    """A register that is read only to decode others: a power of ten, a ratio, a unit's code."""


class QuantityText(RegisterText):
    """A quantity of the catalogue. `unit` is the document's; it is converted to the catalogue's."""

    unit: Text | None = None
    unit_by: UnitByCode | None = None
    scale_factor: Text | None = None
    """The helper that holds a power of ten."""
    multiply_by: Text | None = None
    """The helper by whose value the raw value is multiplied, such as a CT ratio."""
    range: Annotated[tuple[float, float], Field(strict=False)] | None = None
    """Lowest and highest plausible value, in `unit`."""
    tier: Literal["fast", "slow"] | None = None
    counter_modulus: Annotated[int, Field(gt=1)] | None = None
    """The raw value at which a total starts again at 0."""

    @model_validator(mode="after")
    def _one_meaning(self) -> Self:
        if self.unit_by and (self.unit or self.multiply_by):
            raise ValueError("unit_by stands instead of unit and multiply_by")
        if self.range and self.range[0] >= self.range[1]:
            raise ValueError("range is [lowest, highest]")
        return self


class IdentificationText(RegisterText):
    """A register that tells which device answers. `values` are the codes that are known and what they mean."""

    values: dict[int, Text] = {}


class SerialText(StrictModel):
    """Line settings as delivered, where a source names them."""

    baud: Annotated[int, Field(ge=300, le=1_000_000)] | None = None
    parity: Literal["N", "E", "O"] | None = None
    stop_bits: Literal[1, 2] | None = None
    unit_id: Annotated[int, Field(ge=1, le=247)] | None = None


Quantities = dict[str, Annotated[QuantityText, BeforeValidator(_address_alone)]]
Helpers = dict[str, Annotated[HelperText, BeforeValidator(_address_alone)]]


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
    protocol: Literal["modbus", "sunspec", "mt_sics"] = "modbus"
    grade: Literal["A", "B"]
    """A: two independent sources agree, or the maker's document was read; B: one reputable source."""
    source: Annotated[tuple[Text, ...], Field(min_length=1, strict=False)]
    notes: dict[str, Text] = {}
    transports: Annotated[tuple[Literal["rtu", "tcp", "serial"], ...], Field(min_length=1, strict=False)] = ("rtu",)
    serial_defaults: SerialText = SerialText()
    max_registers_per_request: Annotated[int, Field(ge=1, le=125)] = 125
    pause_s: Annotated[float, Field(ge=0, le=5)] = 0.0
    """How long the device wants to be left alone after a reply, beyond what the line asks for."""

    address_base: Literal[0, 1] = 0
    """1 where the document's register numbers start at 1: they are sent one lower."""
    function_code: Annotated[tuple[ReadCode, ...], BeforeValidator(_one_or_more), Field(min_length=1)] | None = None
    """Several where the device answers them alike; the first is used."""
    type: Annotated[Encoding, Field(strict=False)] | None = None
    word_order: OrderName = "big"
    byte_order: OrderName = "big"
    invalid: dict[Annotated[Encoding, Field(strict=False)], int] = {}
    """Raw value that means "not available", for each type."""
    units: Annotated[tuple[Text, ...], Field(strict=False)] = ()
    """The document's units: a quantity without a unit of its own is in the one of these that measures its kind."""

    helpers: Helpers = {}
    registers: Quantities = {}
    layouts: Annotated[tuple[LayoutText, ...], Field(strict=False)] = ()
    identification: dict[str, Annotated[IdentificationText, BeforeValidator(_address_alone)]] = {}
    quantities: Annotated[tuple[Text, ...], Field(strict=False)] = ()
    """Only of devices without registers: what they deliver."""

    @model_validator(mode="after")
    def _fits_protocol(self) -> Self:
        wanted = {"modbus": "registers", "sunspec": "layouts"}.get(self.protocol, "quantities")
        for key in ("registers", "layouts", "quantities"):
            if bool(getattr(self, key)) != (key == wanted):
                rule = "needs" if key == wanted else "has no"
                raise ValueError(f"protocol {self.protocol} {rule} {key}")
        if self.helpers and wanted != "registers":
            raise ValueError("helpers belong into each layout")
        if wanted != "quantities" and self.function_code is None:
            raise ValueError("function_code is missing")
        return self

"""A tariff as users write it in YAML."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from baselines.tariff import (
    ALL_DAYS,
    MINUTES_A_DAY,
    Block,
    DemandCharge,
    EnergyPrice,
    ReactiveCharge,
    Surcharge,
    Tariff,
    TimeBand,
)
from site_config.errors import ConfigurationError
from site_config.yaml_file import StrictModel, load_model

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# 0.3 in YAML is a binary fraction; what was written is meant.
Price = Annotated[Decimal, BeforeValidator(lambda value: str(value) if isinstance(value, float) else value)]
Clock = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")]


class BandSettings(StrictModel):
    """When a price applies; what is left out does not matter."""

    name: Annotated[str, Field(min_length=1)]
    start: Clock = Field("00:00", alias="from")
    end: Clock = Field("24:00", alias="to")
    weekdays: tuple[Weekday, ...] = _WEEKDAYS
    months: tuple[Annotated[int, Field(ge=1, le=12)], ...] = ()
    holidays: bool = False


class BlockSettings(StrictModel):
    """A price up to an amount of the month."""

    up_to_kwh: Price | None = None
    price: Price


class EnergySettings(StrictModel):
    """A price a kWh, or blocks; of a band, or of all that no band takes."""

    band: BandSettings | None = None
    price: Price | None = None
    blocks: tuple[BlockSettings, ...] = ()

    @model_validator(mode="after")
    def _one_price(self) -> "EnergySettings":
        if (self.price is None) == (not self.blocks):
            raise ValueError("needs either price or blocks")
        return self


class RatchetSettings(StrictModel):
    """A share of the highest demand of so many months before."""

    share: Price
    months: Annotated[int, Field(ge=1, le=36)]


class DemandSettings(StrictModel):
    """A price a kW or kVA of the highest window."""

    price: Price
    unit: Literal["kW", "kVA"] = "kW"
    window_min: Literal[15, 30] = 15
    ratchet: RatchetSettings | None = None
    minimum: Price = Decimal(0)


class ReactiveSettings(StrictModel):
    """A price a kvarh above a free share of the kWh."""

    price: Price
    free_share: Price


class SurchargeSettings(StrictModel):
    """A tax or levy."""

    name: str
    share: Price = Decimal(0)
    price_a_kwh: Price = Decimal(0)


class TariffSettings(StrictModel):
    """One version of the tariff."""

    name: str
    valid_from: date
    valid_to: date | None = None
    standing_charge: Price = Decimal(0)
    energy: Annotated[tuple[EnergySettings, ...], Field(min_length=1)]
    demand: DemandSettings | None = None
    reactive: ReactiveSettings | None = None
    surcharges: tuple[SurchargeSettings, ...] = ()
    holidays: tuple[date, ...] = ()


class TariffFile(StrictModel):
    """The file: one currency, the versions, and the billed demand of months before the data begins."""

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    decimals: Annotated[int, Field(ge=0, le=4)] = 2
    earlier_demands: tuple[Price, ...] = ()
    tariffs: Annotated[tuple[TariffSettings, ...], Field(min_length=1)]


def load_tariffs(path: Path) -> tuple[tuple[Tariff, ...], tuple[Decimal, ...]]:
    """The versions of a tariff, and earlier months' demands; raises ConfigurationError naming file, key and rule."""
    file = load_model(path, TariffFile, ConfigurationError)
    return tariffs_of(file), file.earlier_demands


def tariffs_of(file: TariffFile) -> tuple[Tariff, ...]:
    """The versions that a file declares."""
    return tuple(_tariff(entry, file) for entry in file.tariffs)


def _tariff(entry: TariffSettings, file: TariffFile) -> Tariff:
    demand = entry.demand
    return Tariff(
        name=entry.name,
        currency=file.currency,
        valid_from=entry.valid_from,
        valid_to=entry.valid_to,
        energy=tuple(_energy(price) for price in entry.energy),
        standing_charge=entry.standing_charge,
        demand=None
        if demand is None
        else DemandCharge(
            demand.price,
            demand.unit,
            demand.window_min,
            demand.ratchet.share if demand.ratchet else Decimal(0),
            demand.ratchet.months if demand.ratchet else 0,
            demand.minimum,
        ),
        reactive=None if entry.reactive is None else ReactiveCharge(entry.reactive.price, entry.reactive.free_share),
        surcharges=tuple(Surcharge(each.name, each.share, each.price_a_kwh) for each in entry.surcharges),
        holidays=frozenset(entry.holidays),
        decimals=file.decimals,
    )


def _energy(price: EnergySettings) -> EnergyPrice:
    blocks = tuple(Block(block.up_to_kwh, block.price) for block in price.blocks)
    if price.price is not None:
        blocks = (Block(None, price.price),)
    return EnergyPrice(blocks, None if price.band is None else _band(price.band))


def _band(band: BandSettings) -> TimeBand:
    weekdays = frozenset(_WEEKDAYS.index(day) for day in band.weekdays)
    return TimeBand(
        band.name,
        _minute(band.start),
        _minute(band.end),
        weekdays or ALL_DAYS,
        frozenset(band.months),
        band.holidays,
    )


def _minute(clock: str) -> int:
    hours, minutes = clock.split(":")
    return min(int(hours) * 60 + int(minutes), MINUTES_A_DAY)

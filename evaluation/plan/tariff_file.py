"""A tariff as users write it in YAML."""

import itertools
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from baselines.tariff import (
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
RESERVED = frozenset({"energy", "standing charge", "demand", "reactive energy"})
"""Lines of every bill: no band and no surcharge is called so."""


def _as_written(value: object) -> object:
    # 0.3 in YAML is a binary fraction; what was written is meant.
    if isinstance(value, bool):
        raise ValueError("must be a number with a point before decimals, such as 1.5")  # noqa: TRY004  # pydantic's way
    return str(value) if isinstance(value, float) else value


def _quoted(value: object) -> object:
    # YAML 1.1 reads 22:00 as a number to the base of 60.
    if isinstance(value, int):
        raise ValueError('put the time of day in quotes, such as "22:00"')  # noqa: TRY004  # pydantic's way
    return value


def _at_most_all(share: Decimal) -> Decimal:
    if abs(share) > 1:
        raise ValueError("is a share of the whole; 16 % is 0.16")
    return share


Price = Annotated[Decimal, BeforeValidator(_as_written), Field(ge=-1_000_000_000, le=1_000_000_000)]
Amount = Annotated[Decimal, BeforeValidator(_as_written), Field(ge=0, le=1_000_000_000)]
Share = Annotated[Decimal, BeforeValidator(_as_written), AfterValidator(_at_most_all)]
Clock = Annotated[str, BeforeValidator(_quoted), Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")]
Name = Annotated[str, Field(pattern=r"^[^\s\x00-\x1f][^\x00-\x1f]{0,79}$")]


class BandSettings(StrictModel):
    """When a price applies; what is left out does not matter."""

    name: Name
    start: Clock = Field("00:00", alias="from")
    end: Clock = Field("24:00", alias="to")
    weekdays: Annotated[tuple[Weekday, ...], Field(min_length=1, max_length=7)] = _WEEKDAYS
    months: Annotated[tuple[Annotated[int, Field(ge=1, le=12)], ...], Field(max_length=12)] = ()
    holidays: bool = False

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if self.start == self.end or (self.start, self.end) == ("24:00", "00:00"):
            raise ValueError("to: must be another time than from; leave both out for the whole day")
        return self


class BlockSettings(StrictModel):
    """A price up to an amount of the month."""

    up_to_kwh: Annotated[Amount, Field(gt=0)] | None = None
    price: Price


class EnergySettings(StrictModel):
    """A price a kWh, or blocks; of a band, or of all that no band takes."""

    band: BandSettings | None = None
    price: Price | None = None
    blocks: Annotated[tuple[BlockSettings, ...], Field(max_length=20)] = ()

    @model_validator(mode="after")
    def _one_price(self) -> Self:
        if (self.price is None) == (not self.blocks):
            raise ValueError("needs either price or blocks")
        ends = [block.up_to_kwh for block in self.blocks]
        if ends and ends[-1] is not None:
            raise ValueError("blocks: the last one must have no up_to_kwh, or what is used above it has no price")
        for index, (end, after) in enumerate(itertools.pairwise(ends)):
            if end is None or (after is not None and after <= end):
                raise ValueError(f"blocks[{index + 1}].up_to_kwh: must be more than that of the block before")
        return self


class RatchetSettings(StrictModel):
    """A share of the highest demand of so many months before."""

    share: Annotated[Share, Field(gt=0)]
    months: Annotated[int, Field(ge=1, le=36)]


class DemandSettings(StrictModel):
    """A price a kW or kVA of the highest window."""

    price: Amount
    unit: Literal["kW", "kVA"] = "kW"
    window_min: Literal[15, 30] = 15
    ratchet: RatchetSettings | None = None
    minimum: Amount = Decimal(0)


class ReactiveSettings(StrictModel):
    """A price a kvarh above a free share of the kWh."""

    price: Amount
    free_share: Annotated[Amount, Field(le=10)]


class SurchargeSettings(StrictModel):
    """A tax or levy."""

    name: Name
    share: Share = Decimal(0)
    price_a_kwh: Price = Decimal(0)

    @model_validator(mode="after")
    def _costs(self) -> Self:
        if not self.share and not self.price_a_kwh:
            raise ValueError("needs share (0.16 is 16 %) or price_a_kwh")
        return self


class TariffSettings(StrictModel):
    """One version of the tariff. Without `valid_to` it holds until the next one begins."""

    name: Name
    valid_from: date
    valid_to: date | None = None
    standing_charge: Amount = Decimal(0)
    energy: Annotated[tuple[EnergySettings, ...], Field(min_length=1, max_length=50)]
    demand: DemandSettings | None = None
    reactive: ReactiveSettings | None = None
    surcharges: Annotated[tuple[SurchargeSettings, ...], Field(max_length=50)] = ()
    holidays: Annotated[tuple[date, ...], Field(max_length=2000)] = ()

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.valid_to is not None and self.valid_to <= self.valid_from:
            raise ValueError("valid_to: must be later than valid_from; it is the first day on which it no longer holds")
        bands = [price.band for price in self.energy if price.band is not None]
        if len(self.energy) - len(bands) > 1:
            raise ValueError("energy: only one price may have no band")
        names = [*(band.name for band in bands), *(surcharge.name for surcharge in self.surcharges)]
        for name in names:
            if name in RESERVED or names.count(name) > 1:
                raise ValueError(f"the name {name!r} stands on the bill already; give every band and surcharge its own")
        if len(bands) == len(self.energy) and (free := _uncovered([_band(band) for band in bands])):
            raise ValueError(f"energy: no price for {free}; add one without a band")
        return self


class TariffFile(StrictModel):
    """The file: one currency, the versions, and the billed demand of months before the data begins.

    Billing months begin on the day `billing_day`.
    """

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    decimals: Annotated[int, Field(ge=0, le=4)] = 2
    billing_day: Annotated[int, Field(ge=1, le=28)] = 1
    earlier_demands: Annotated[tuple[Amount, ...], Field(max_length=36)] = ()
    tariffs: Annotated[tuple[TariffSettings, ...], Field(min_length=1, max_length=200)]

    @model_validator(mode="after")
    def _one_a_day(self) -> Self:
        dated = sorted(enumerate(self.tariffs), key=lambda entry: entry[1].valid_from)
        for (_, entry), (number, after) in itertools.pairwise(dated):
            if entry.valid_from == after.valid_from or (entry.valid_to or after.valid_from) > after.valid_from:
                raise ValueError(
                    f"tariffs[{number}].valid_from: {entry.name} holds on {after.valid_from} too; one tariff a day"
                )
        return self


def load_tariff_file(path: Path) -> TariffFile:
    """The file as it is written; raises ConfigurationError naming file, key and rule."""
    return load_model(path, TariffFile, ConfigurationError)


def tariffs_of(file: TariffFile) -> tuple[Tariff, ...]:
    """The versions that a file declares, the first first."""
    dated = sorted(file.tariffs, key=lambda entry: entry.valid_from)
    following = [*(entry.valid_from for entry in dated[1:]), None]
    return tuple(_tariff(entry, file, entry.valid_to or after) for entry, after in zip(dated, following, strict=True))


def _uncovered(bands: Sequence[TimeBand]) -> str | None:
    """A time that none of the bands covers, in words."""
    for is_holiday, month, weekday, quarter in itertools.product((False, True), range(1, 13), range(7), range(96)):
        # A day of each name in each month; any year would do.
        moment = datetime(2024, month, 1, quarter // 4, quarter % 4 * 15)  # noqa: DTZ001  # the site's clock
        moment += timedelta(days=(weekday - moment.weekday()) % 7)
        if not any(band.covers(moment, is_holiday=is_holiday) for band in bands):
            day = "holidays" if is_holiday else f"{moment:%A}"
            return f"{day} {moment:%H:%M} in month {month}"
    return None


def _tariff(entry: TariffSettings, file: TariffFile, valid_to: date | None) -> Tariff:
    demand = entry.demand
    return Tariff(
        name=entry.name,
        currency=file.currency,
        valid_from=entry.valid_from,
        valid_to=valid_to,
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
        weekdays,
        frozenset(band.months),
        band.holidays,
    )


def _minute(clock: str) -> int:
    hours, minutes = clock.split(":")
    return min(int(hours) * 60 + int(minutes), MINUTES_A_DAY)

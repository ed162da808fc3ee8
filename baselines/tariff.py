"""Tariffs as billed: what a month of use costs, line by line, to the cent.

Amounts are Decimal; each line of a bill is rounded half up to the currency's decimals, as suppliers do.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Literal

from baselines.errors import BaselineError

ALL_DAYS = frozenset(range(7))
MINUTES_A_DAY = 24 * 60
STANDING, DEMAND = "standing charge", "demand"
BY_DAYS = frozenset({STANDING, DEMAND})
"""Lines of a bill that cost a part of their price where a version, or a running bill, has a part of the period."""


@dataclass(frozen=True, slots=True)
class TimeBand:
    """When a price applies, by the site's clock: minutes of the day from (included) to (excluded), weekdays 0 = Monday.

    A band that begins after it ends runs over midnight. `months` empty means all.
    """

    name: str
    from_minute: int = 0
    to_minute: int = MINUTES_A_DAY
    weekdays: frozenset[int] = ALL_DAYS
    months: frozenset[int] = frozenset()
    holidays: bool = False
    """Whether it applies on the tariff's holidays, whatever their weekday."""

    def covers(self, local: datetime, *, is_holiday: bool) -> bool:
        """Whether a local time lies in the band."""
        if self.months and local.month not in self.months:
            return False
        if not (self.holidays if is_holiday else local.weekday() in self.weekdays):
            return False
        minute = local.hour * 60 + local.minute
        if self.from_minute <= self.to_minute:
            return self.from_minute <= minute < self.to_minute
        return minute >= self.from_minute or minute < self.to_minute


@dataclass(frozen=True, slots=True)
class Block:
    """A price a kWh up to an amount of the month (None: without end)."""

    up_to_kwh: Decimal | None
    price: Decimal


@dataclass(frozen=True, slots=True)
class EnergyPrice:
    """Prices of what is used in a band (None: of what no other band takes), in blocks that ascend."""

    blocks: tuple[Block, ...]
    band: TimeBand | None = None

    @property
    def name(self) -> str:
        """The band's name."""
        return "energy" if self.band is None else self.band.name


@dataclass(frozen=True, slots=True)
class DemandCharge:
    """A price a kW or kVA of the highest clock-aligned window of the month.

    Billed is the highest of: this month's, `ratchet_share` of the highest of the `ratchet_months` before, `minimum`.
    """

    price: Decimal
    unit: Literal["kW", "kVA"] = "kW"
    window_min: Literal[15, 30] = 15
    ratchet_share: Decimal = Decimal(0)
    ratchet_months: int = 0
    minimum: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class ReactiveCharge:
    """A price a kvarh above `free_share` of the month's kWh (0.484 is a power factor of 0.9)."""

    price: Decimal
    free_share: Decimal


@dataclass(frozen=True, slots=True)
class Surcharge:
    """A tax or levy: a share of everything before it, or a price a kWh."""

    name: str
    share: Decimal = Decimal(0)
    price_a_kwh: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Tariff:
    """One version of a tariff, valid from a day (included) to a day (excluded; None: until further notice)."""

    name: str
    currency: str
    valid_from: date
    energy: tuple[EnergyPrice, ...]
    valid_to: date | None = None
    standing_charge: Decimal = Decimal(0)
    demand: DemandCharge | None = None
    reactive: ReactiveCharge | None = None
    surcharges: tuple[Surcharge, ...] = ()
    holidays: frozenset[date] = frozenset()
    decimals: int = 2

    @property
    def bills_reactive(self) -> bool:
        """Whether a bill needs reactive energy."""
        return self.reactive is not None or (self.demand is not None and self.demand.unit == "kVA")

    def covers(self, day: date) -> bool:
        """Whether it is valid on a day."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)


@dataclass(frozen=True, slots=True)
class IntervalUse:
    """Use of one 15-minute interval; `start` in the site's time zone. `reactive_kvarh` is None where not measured.

    An interval that was interpolated has its energy, but no power that anybody measured: it cannot set a peak
    (`may_set_peak`; baselines.row_quality.NEVER_A_PEAK).
    """

    start: datetime
    energy_kwh: float
    reactive_kvarh: float | None = None
    may_set_peak: bool = True


@dataclass(frozen=True, slots=True)
class BillLine:
    """One line of a bill: `amount` is what it costs.

    Where several versions of the tariff hold within the period, or it is not over, `version` names the line's and
    `days` how many days of how many it covers; a standing or demand charge costs that part of its price.
    """

    name: str
    quantity: Decimal
    unit: str
    price: Decimal | None
    amount: Decimal
    version: str = ""
    days: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Bill:
    """A period's cost. `demand` is its own highest window, which later periods' ratchets look back on."""

    lines: tuple[BillLine, ...]
    total: Decimal
    currency: str
    demand: Decimal | None = None
    findings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Use:
    """What a bill is made of: kWh by the name of the price, and kvarh (None where the tariff does not bill them)."""

    energy_kwh: Mapping[str, float]
    reactive_kvarh: float | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """The part of a billing period for which a version is billed.

    `held` is the days of the period on which the version is valid, over the days of the period: of so much it is the
    tariff, and blocks of energy have this share of their size. `elapsed` is the same for the days that are billed, and
    less than `held` only in a bill of a period that is not over: standing and demand charges cost this share.
    """

    held: Fraction = Fraction(1)
    elapsed: Fraction = Fraction(1)


def tariff_on(tariffs: Sequence[Tariff], day: date) -> Tariff:
    """The version that is valid on a day; raises BaselineError when none or several are."""
    valid = [tariff for tariff in tariffs if tariff.covers(day)]
    if len(valid) != 1:
        names = ", ".join(tariff.name for tariff in valid) or "no tariff"
        raise BaselineError(f"{names} valid on {day}; validity dates must leave no gap and not overlap")
    return valid[0]


def price_at(tariff: Tariff, local: datetime) -> EnergyPrice:
    """The price that applies at a local time: the first band that covers it, else the one without a band."""
    is_holiday = local.date() in tariff.holidays
    fallback = None
    for price in tariff.energy:
        if price.band is None:
            fallback = fallback or price
        elif price.band.covers(local, is_holiday=is_holiday):
            return price
    if fallback is None:
        raise BaselineError(f"tariff {tariff.name}: no price for {local:%A %H:%M}; add one without a band")
    return fallback


def use_of(tariff: Tariff, rows: Iterable[IntervalUse]) -> Use:
    """What intervals come to by a tariff; raises BaselineError when one has no price, or lacks its reactive energy."""
    used: dict[str, list[float]] = defaultdict(list)
    reactive: list[float] = []
    for row in rows:
        used[price_at(tariff, row.start).name].append(row.energy_kwh)
        if tariff.reactive is not None:
            reactive.append(_reactive(row))
    energy_kwh = {name: math.fsum(amounts) for name, amounts in used.items()}
    return Use(energy_kwh, math.fsum(reactive) if tariff.reactive is not None else None)


def added(uses: Sequence[Use]) -> Use:
    """Uses of several times together."""
    names = {name for use in uses for name in use.energy_kwh}
    reactive = [use.reactive_kvarh for use in uses if use.reactive_kvarh is not None]
    return Use(
        {name: math.fsum(use.energy_kwh.get(name, 0.0) for use in uses) for name in names},
        math.fsum(reactive) if reactive else None,
    )


def bill_lines(tariff: Tariff, use: Use, billed_demand: Decimal | None, share: Share) -> list[BillLine]:
    """The lines of one version. Raises BaselineError when an amount has no price."""
    lines: list[BillLine] = []
    if tariff.standing_charge:
        lines.append(_line(tariff, STANDING, Decimal(1), "month", tariff.standing_charge, share.elapsed))
    used = {name: _decimal(amount) for name, amount in use.energy_kwh.items()}
    for price in tariff.energy:
        lines += _energy_lines(tariff, price, used.get(price.name, Decimal(0)), share.held)
    if tariff.demand is not None and billed_demand is not None:
        lines.append(_line(tariff, DEMAND, billed_demand, tariff.demand.unit, tariff.demand.price, share.elapsed))
    energy_kwh = sum(used.values(), Decimal(0))
    if tariff.reactive is not None:
        above = max(Decimal(0), _decimal(use.reactive_kvarh or 0.0) - tariff.reactive.free_share * energy_kwh)
        lines.append(_line(tariff, "reactive energy", above, "kvarh", tariff.reactive.price))
    for surcharge in tariff.surcharges:
        before = sum((line.amount for line in lines), Decimal(0))
        amount = _rounded(tariff, surcharge.share * before + surcharge.price_a_kwh * energy_kwh)
        lines.append(BillLine(surcharge.name, Decimal(1), "", None, amount))
    return lines


def highest_demand(charge: DemandCharge, rows: Sequence[IntervalUse]) -> Decimal:
    """The highest mean power of a clock-aligned window, in the charge's unit.

    Windows with a gap, or with an interval that may set no peak, do not count.
    """
    windows: dict[float, list[IntervalUse]] = defaultdict(list)
    for row in rows:
        # By absolute time: when clocks go back, two windows of a night have the same local beginning.
        moment = row.start if row.start.tzinfo else row.start.replace(tzinfo=UTC)
        windows[moment.timestamp() - 60 * (row.start.minute % charge.window_min)].append(row)
    complete = [
        group
        for group in windows.values()
        if len(group) == charge.window_min // 15 and all(row.may_set_peak for row in group)
    ]
    return max((_mean_power(charge, group) for group in complete), default=Decimal(0))


def _mean_power(charge: DemandCharge, group: Sequence[IntervalUse]) -> Decimal:
    energy_kwh = math.fsum(row.energy_kwh for row in group)
    if charge.unit == "kVA":
        energy_kwh = math.hypot(energy_kwh, math.fsum(_reactive(row) for row in group))
    return _decimal(energy_kwh * 60.0 / charge.window_min)


def billed_demand(charge: DemandCharge, demand: Decimal, earlier: Sequence[Decimal]) -> tuple[Decimal, str]:
    """What is billed for a measured demand after those of `earlier` periods (newest last), and why if it is more."""
    looked_back = list(earlier)[-charge.ratchet_months :] if charge.ratchet_months else []
    ratchet = charge.ratchet_share * max(looked_back, default=Decimal(0))
    billed = max(demand, ratchet, charge.minimum)
    if billed == demand:
        return billed, ""
    why = "the ratchet of an earlier month" if billed == ratchet else "the contract's minimum"
    return billed, f"billed demand {billed:.2f} {charge.unit} comes from {why}; measured were {demand:.2f}"


def _energy_lines(tariff: Tariff, price: EnergyPrice, used: Decimal, held: Fraction) -> list[BillLine]:
    lines, below = [], Decimal(0)
    for index, block in enumerate(price.blocks, start=1):
        end = used if block.up_to_kwh is None else min(used, _part(block.up_to_kwh, held))
        name = price.name if len(price.blocks) == 1 else f"{price.name}, block {index}"
        if end > below:
            lines.append(_line(tariff, name, end - below, "kWh", block.price))
            below = end
    if below < used:
        raise BaselineError(f"tariff {tariff.name}: {price.name}: no price above {below} kWh; end with an open block")
    return lines


def _reactive(row: IntervalUse) -> float:
    if row.reactive_kvarh is None:
        raise BaselineError(
            f"{row.start:%Y-%m-%d %H:%M}: the tariff bills kVA or kvarh, but reactive energy is missing"
        )
    return row.reactive_kvarh


def _line(
    tariff: Tariff, name: str, quantity: Decimal, unit: str, price: Decimal, part: Fraction = Fraction(1)
) -> BillLine:
    return BillLine(name, quantity, unit, price, _rounded(tariff, _part(quantity * price, part)))


def _part(amount: Decimal, part: Fraction) -> Decimal:
    return amount * part.numerator / part.denominator


def _rounded(tariff: Tariff, amount: Decimal) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-tariff.decimals), ROUND_HALF_UP)


def _decimal(value: float) -> Decimal:
    """Six decimals: a meter's resolution and more, without the digits of a binary fraction."""
    return Decimal(repr(value)).quantize(Decimal("0.000001"), ROUND_HALF_UP)

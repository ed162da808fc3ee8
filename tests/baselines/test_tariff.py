from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from baselines.billing import bill_period, period_of, period_use
from baselines.errors import BaselineError
from baselines.tariff import (
    Bill,
    BillLine,
    Block,
    DemandCharge,
    EnergyPrice,
    IntervalUse,
    ReactiveCharge,
    Surcharge,
    Tariff,
    TimeBand,
    highest_demand,
    tariff_on,
)

LIMA = ZoneInfo("America/Lima")
PEAK = TimeBand("peak", 18 * 60, 22 * 60, frozenset({0, 1, 2, 3, 4}))


def flat(price: str) -> tuple[Block, ...]:
    return (Block(None, Decimal(price)),)


def rows(start: datetime, count: int, energy_kwh: float, reactive_kvarh: float | None = None) -> list[IntervalUse]:
    return [IntervalUse(start + timedelta(minutes=15 * index), energy_kwh, reactive_kvarh) for index in range(count)]


def bill_month(tariff: Tariff, used: list[IntervalUse], earlier: Sequence[Decimal] = ()) -> Bill:
    return bill_period(period_use([tariff], period_of(used[0].start.date()), used), earlier)


def amounts(lines: tuple[BillLine, ...]) -> dict[str, str]:
    return {line.name: str(line.amount) for line in lines}


def test_a_bill_with_peak_hours_and_a_kva_ratchet_comes_out_to_the_cent() -> None:
    tariff = Tariff(
        name="BT3",
        currency="PEN",
        valid_from=date(2026, 1, 1),
        energy=(EnergyPrice(flat("0.30"), PEAK), EnergyPrice(flat("0.15"))),
        standing_charge=Decimal("50.00"),
        demand=DemandCharge(Decimal("12.50"), "kVA", 30, Decimal("0.8"), 11),
        surcharges=(Surcharge("levy", price_a_kwh=Decimal("0.0125")), Surcharge("VAT", share=Decimal("0.18"))),
    )
    evening = rows(datetime(2026, 11, 23, 18, 0, tzinfo=LIMA), 4, 20.0, 15.0)  # a Monday
    morning = rows(datetime(2026, 11, 23, 8, 0, tzinfo=LIMA), 4, 10.0, 0.0)
    bill = bill_month(tariff, [*morning, *evening], [Decimal(150), Decimal(90)])
    # A window of the evening: 40 kWh and 30 kvarh are 50 kVAh in half an hour, 100 kVA. Billed: 0.8 × 150 = 120 kVA.
    assert bill.demand == Decimal(100)
    assert amounts(bill.lines) == {
        "standing charge": "50.00",
        "peak": "24.00",  # 80 kWh × 0.30
        "energy": "6.00",  # 40 kWh × 0.15
        "demand": "1500.00",  # 120 kVA × 12.50
        "levy": "1.50",  # 120 kWh × 0.0125
        "VAT": "284.67",  # 18 % of 1581.50
    }
    assert bill.total == Decimal("1866.17")
    assert bill.findings == (
        "billed demand 120.00 kVA comes from the ratchet of an earlier month; measured were 100.00",
    )


def test_a_second_kva_ratchet_with_a_minimum_blocks_and_reactive_energy_comes_out_to_the_cent() -> None:
    tariff = Tariff(
        name="medium voltage",
        currency="KES",
        valid_from=date(2026, 1, 1),
        energy=(EnergyPrice((Block(Decimal(100), Decimal("12.00")), Block(None, Decimal("10.50")))),),
        standing_charge=Decimal("2500.00"),
        demand=DemandCharge(Decimal("1100.00"), "kVA", 15, Decimal("0.75"), 2, minimum=Decimal("85.5")),
        reactive=ReactiveCharge(Decimal("0.80"), Decimal("0.5")),
        surcharges=(Surcharge("fuel cost", price_a_kwh=Decimal("3.2345")), Surcharge("VAT", share=Decimal("0.16"))),
    )
    # 8 quarters of 16 kWh and 12 kvarh: 128 kWh, 96 kvarh; a quarter is 20 kVAh, 80 kVA. Three months ago it was 200
    # kVA, which the ratchet of two months no longer sees; 0.75 × 110 = 82.5 is less than the minimum of 85.5.
    used = rows(datetime(2026, 5, 4, 8, 0, tzinfo=LIMA), 8, 16.0, 12.0)
    bill = bill_month(tariff, used, [Decimal(200), Decimal(110), Decimal(60)])
    assert bill.demand == Decimal(80)
    assert amounts(bill.lines) == {
        "standing charge": "2500.00",
        "energy, block 1": "1200.00",  # 100 × 12
        "energy, block 2": "294.00",  # 28 × 10.50
        "demand": "94050.00",  # 85.5 × 1100
        "reactive energy": "25.60",  # (96 - 0.5 × 128) × 0.80
        "fuel cost": "414.02",  # 128 × 3.2345 = 414.016
        "VAT": "15757.38",  # 16 % of 98,483.62 = 15,757.3792
    }
    assert bill.total == Decimal("114241.00")
    assert bill.findings == ("billed demand 85.50 kVA comes from the contract's minimum; measured were 80.00",)
    # A month later the ratchet sees 120 kVA: 0.75 × 120 = 90.
    later = bill_month(tariff, used, [Decimal(110), Decimal(60), Decimal(120)])
    assert amounts(later.lines)["demand"] == "99000.00"


def test_a_bill_with_blocks_minimum_demand_and_reactive_energy_comes_out_to_the_cent() -> None:
    tariff = Tariff(
        name="small industry",
        currency="GHS",
        valid_from=date(2026, 1, 1),
        energy=(
            EnergyPrice(
                (
                    Block(Decimal(50), Decimal("0.10")),
                    Block(Decimal(100), Decimal("0.20")),
                    Block(None, Decimal("0.35")),
                )
            ),
        ),
        demand=DemandCharge(Decimal("3.333"), "kW", 15, minimum=Decimal(60)),
        reactive=ReactiveCharge(Decimal("0.045"), Decimal("0.484")),
    )
    bill = bill_month(tariff, rows(datetime(2026, 3, 2, 8, 0, tzinfo=LIMA), 10, 13.0, 8.0))
    assert amounts(bill.lines) == {
        "energy, block 1": "5.00",  # 50 × 0.10
        "energy, block 2": "10.00",  # 50 × 0.20
        "energy, block 3": "10.50",  # 30 × 0.35
        "demand": "199.98",  # 60 × 3.333; measured were 13 kWh × 4 = 52 kW
        "reactive energy": "0.77",  # 80 - 0.484 × 130 = 17.08; × 0.045 = 0.7686
    }
    assert bill.total == Decimal("226.25")


def test_a_band_over_midnight_and_holidays() -> None:
    night = TimeBand("night", 22 * 60, 6 * 60)
    sunday = TimeBand("sunday", weekdays=frozenset({6}), holidays=True)
    assert night.covers(datetime(2026, 3, 2, 23, 0, tzinfo=LIMA), is_holiday=False)
    assert night.covers(datetime(2026, 3, 2, 5, 59, tzinfo=LIMA), is_holiday=False)
    assert not night.covers(datetime(2026, 3, 2, 6, 0, tzinfo=LIMA), is_holiday=False)
    assert not night.covers(datetime(2026, 3, 2, 23, 0, tzinfo=LIMA), is_holiday=True)
    assert sunday.covers(datetime(2026, 3, 2, 12, 0, tzinfo=LIMA), is_holiday=True)
    assert not sunday.covers(datetime(2026, 3, 2, 12, 0, tzinfo=LIMA), is_holiday=False)


def test_demand_is_of_clock_aligned_windows_and_a_window_with_a_gap_does_not_count() -> None:
    charge = DemandCharge(Decimal(1), "kW", 30)
    start = datetime(2026, 3, 2, 8, 15, tzinfo=LIMA)
    # 8:15 alone is half a window; 8:30 and 8:45 are one of (5 + 7) kWh × 2 = 24 kW.
    uses = [
        IntervalUse(start, 100.0),
        IntervalUse(start + timedelta(minutes=15), 5.0),
        IntervalUse(start + timedelta(minutes=30), 7.0),
    ]
    assert highest_demand(charge, uses) == Decimal(24)


def test_what_a_tariff_cannot_price_is_said() -> None:
    only_peak = Tariff("peak only", "EUR", date(2026, 1, 1), (EnergyPrice(flat("0.3"), PEAK),))
    with pytest.raises(BaselineError, match="no price for Monday 08:00"):
        bill_month(only_peak, rows(datetime(2026, 3, 2, 8, 0, tzinfo=LIMA), 1, 1.0))
    closed = Tariff("closed", "EUR", date(2026, 1, 1), (EnergyPrice((Block(Decimal(1), Decimal(1)),)),))
    with pytest.raises(BaselineError, match="no price above 1 kWh"):
        bill_month(closed, rows(datetime(2026, 3, 2, 8, 0, tzinfo=LIMA), 2, 1.0))
    kva = Tariff(
        "kva", "EUR", date(2026, 1, 1), (EnergyPrice(flat("0.3")),), demand=DemandCharge(Decimal(1), "kVA", 15)
    )
    with pytest.raises(BaselineError, match="2026-03-02 08:00: the tariff bills kVA or kvarh, but reactive energy"):
        bill_month(kva, rows(datetime(2026, 3, 2, 8, 0, tzinfo=LIMA), 1, 1.0))


def test_the_version_of_the_day_is_taken_and_gaps_are_said() -> None:
    old = Tariff("old", "EUR", date(2025, 1, 1), (EnergyPrice(flat("0.2")),), valid_to=date(2026, 1, 1))
    new = Tariff("new", "EUR", date(2026, 1, 1), (EnergyPrice(flat("0.3")),))
    assert tariff_on([old, new], date(2025, 12, 31)) is old
    assert tariff_on([old, new], date(2026, 1, 1)) is new
    with pytest.raises(BaselineError, match="no tariff valid on 2024-12-31"):
        tariff_on([old, new], date(2024, 12, 31))
    with pytest.raises(BaselineError, match="old, old valid on 2025-05-01"):
        tariff_on([old, old], date(2025, 5, 1))

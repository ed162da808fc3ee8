from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from baselines.billing import BillingPeriod, bill_months, bill_period, period_of, period_use
from baselines.errors import BaselineError
from baselines.tariff import Block, DemandCharge, EnergyPrice, IntervalUse, Surcharge, Tariff, TimeBand

MADRID = ZoneInfo("Europe/Madrid")


def tariff(name: str, price: str, start: date, end: date | None = None) -> Tariff:
    charge = DemandCharge(Decimal(1), "kW", 30, Decimal("0.5"), 2)
    energy = (EnergyPrice((Block(None, Decimal(price)),)),)
    return Tariff(name, "EUR", start, energy, end, demand=charge)


def month(start: datetime, end: datetime, energy_kwh: float) -> list[IntervalUse]:
    first, last = start.timestamp(), end.timestamp()
    return [
        IntervalUse(datetime.fromtimestamp(first + 900 * index, MADRID), energy_kwh)
        for index in range(round((last - first) / 900))
    ]


def test_a_month_of_summer_time_is_whole_and_its_double_hour_keeps_its_demand() -> None:
    rows = month(datetime(2026, 10, 1, tzinfo=MADRID), datetime(2026, 11, 1, tzinfo=MADRID), 1.0)
    # The second two o'clock of the 25th: 02:00 and 02:15 at +01:00.
    night = datetime(2026, 10, 25, 2, 0, tzinfo=MADRID, fold=1).timestamp()
    rows = [IntervalUse(row.start, 9.0) if 0 <= row.start.timestamp() - night < 1800 else row for row in rows]
    bill = bill_months([tariff("a", "1", date(2026, 1, 1))], rows)["2026-10"]
    assert (len(rows), bill.findings, bill.demand) == (2980, (), Decimal(36))


def test_ratchets_look_back_over_the_months_billed_before() -> None:
    high = month(datetime(2026, 1, 1, tzinfo=MADRID), datetime(2026, 2, 1, tzinfo=MADRID), 25.0)
    low = month(datetime(2026, 2, 1, tzinfo=MADRID), datetime(2026, 5, 1, tzinfo=MADRID), 1.0)
    bills = bill_months([tariff("a", "1", date(2026, 1, 1))], [*low, *high])
    billed = {name: next(line.quantity for line in bill.lines if line.name == "demand") for name, bill in bills.items()}
    assert billed == {"2026-01": 100, "2026-02": 50, "2026-03": 50, "2026-04": 4}


def test_a_tariff_that_changes_within_a_month_comes_out_to_the_cent() -> None:
    def version(name: str, start: date, end: date | None, day_price: str, charge: DemandCharge) -> Tariff:
        blocks = (Block(Decimal(310), Decimal(day_price)), Block(None, Decimal("0.05")))
        night = EnergyPrice((Block(None, Decimal("0.10")),), TimeBand("night", 22 * 60, 6 * 60))
        surcharges = (Surcharge("VAT", share=Decimal("0.2")),)
        return Tariff(
            name, "EUR", start, (night, EnergyPrice(blocks)), end, Decimal("62.00"), charge, surcharges=surcharges
        )

    old = version("old", date(2026, 1, 1), date(2026, 1, 15), "0.20", DemandCharge(Decimal(10)))
    new = version("new", date(2026, 1, 15), None, "0.30", DemandCharge(Decimal(20), window_min=30, minimum=Decimal(9)))
    # 1 kWh an hour, and a quarter of 2.25 kWh (9 kW) after one of 0.25 on a night of the new tariff: half an hour of 5.
    rows = month(datetime(2026, 1, 1, tzinfo=MADRID), datetime(2026, 2, 1, tzinfo=MADRID), 0.25)
    at = next(number for number, row in enumerate(rows) if row.start == datetime(2026, 1, 20, 23, 15, tzinfo=MADRID))
    rows[at] = IntervalUse(rows[at].start, 2.25)
    bill = bill_months([new, old], rows)["2026-01"]
    told = [(line.version, line.days, line.name, int(line.quantity), str(line.amount)) for line in bill.lines]
    half, rest = (14, 31), (17, 31)
    assert told == [
        ("old", half, "standing charge", 1, "28.00"),  # 62 × 14/31
        ("old", half, "night", 112, "11.20"),  # 14 days × 8 h
        ("old", half, "energy, block 1", 140, "28.00"),  # 310 × 14/31; × 0.20
        ("old", half, "energy, block 2", 84, "4.20"),  # 224 − 140
        ("old", half, "demand", 9, "40.65"),  # the whole month's 9 kW × 10 × 14/31
        ("old", half, "VAT", 1, "22.41"),  # 20 % of 112.05
        ("new", rest, "standing charge", 1, "34.00"),
        ("new", rest, "night", 138, "13.80"),  # 17 × 8 + 2
        ("new", rest, "energy, block 1", 170, "51.00"),
        ("new", rest, "energy, block 2", 102, "5.10"),
        ("new", rest, "demand", 9, "98.71"),  # its windows of 30 min measured 5 kW; minimum 9 × 20 × 17/31
        ("new", rest, "VAT", 1, "40.52"),  # 20 % of 202.61
    ]
    assert bill.total == Decimal("377.59")
    assert bill.findings == (
        "billed demand 9.00 kW comes from the contract's minimum; measured were 5.00",
        "old: 14 of 31 days, from 2026-01-01; standing charge, demand and blocks are shared out by days",
        "new: 17 of 31 days, from 2026-01-15; standing charge, demand and blocks are shared out by days",
    )


def test_a_contract_that_begins_within_a_month_and_intervals_that_are_missing_are_said() -> None:
    start = datetime(2026, 3, 20, tzinfo=MADRID)
    rows = month(start, start + timedelta(hours=1), 1.0)
    bill = bill_months([tariff("new", "2", date(2026, 3, 15))], rows)["2026-03"]
    # 4 kWh × 2 and 4 kW × 17/31.
    assert [line.amount for line in bill.lines] == [Decimal("8.00"), Decimal("2.19")]
    assert bill.findings == (
        "new: 17 of 31 days, from 2026-03-15; standing charge, demand and blocks are shared out by days",
        "4 of the month's 2972 intervals are there; the bill is of these alone",
    )
    with pytest.raises(BaselineError, match="2026-03: no tariff valid on 2026-03-20"):
        bill_months([tariff("later", "2", date(2026, 3, 21))], rows)


def test_a_period_begins_on_the_billing_day() -> None:
    rows = month(datetime(2026, 1, 1, tzinfo=MADRID), datetime(2026, 3, 1, tzinfo=MADRID), 0.25)
    bills = bill_months([tariff("a", "1", date(2025, 1, 1))], rows, billing_day=16)
    energy = {label: bill.lines[0].quantity for label, bill in bills.items()}
    # 15, 31 and 13 days of 24 kWh.
    assert energy == {"2025-12-16/2026-01-15": 360, "2026-01-16/2026-02-15": 744, "2026-02-16/2026-03-15": 312}
    assert bills["2026-01-16/2026-02-15"].findings == ()
    assert period_of(date(2026, 1, 5), 28) == BillingPeriod(date(2025, 12, 28), date(2026, 1, 28))
    assert period_of(date(2026, 12, 31)) == BillingPeriod(date(2026, 12, 1), date(2027, 1, 1))


def test_running_bills_grow_to_the_bill() -> None:
    rows = month(datetime(2026, 1, 1, tzinfo=MADRID), datetime(2026, 2, 1, tzinfo=MADRID), 0.25)
    rows[96 * 9] = IntervalUse(rows[96 * 9].start, 8.0)
    rows[96 * 9 + 1] = IntervalUse(rows[96 * 9 + 1].start, 8.0)
    period = period_of(date(2026, 1, 1))
    used = period_use([tariff("a", "0.3333", date(2026, 1, 1))], period, rows)
    bills = [bill_period(used, [], period.first + timedelta(days=number)) for number in range(31)]
    totals = [bill.total for bill in bills]
    assert (
        totals[-1]
        == bill_period(used).total
        == bill_months([tariff("a", "0.3333", date(2026, 1, 1))], rows)["2026-01"].total
    )
    demand = [bill.lines[-1].amount for bill in bills]
    # 1 kW × 9/31; then 32 kW × 10/31: the tenth day pays for the nine before it, at the new peak, and for itself.
    assert demand[8:11] == [Decimal("0.29"), Decimal("10.32"), Decimal("11.35")]
    assert demand[-1] == Decimal("32.00")


def test_a_peak_is_measured_and_not_interpolated() -> None:
    rows = month(datetime(2026, 1, 1, tzinfo=MADRID), datetime(2026, 2, 1, tzinfo=MADRID), 1.0)
    rows[0] = IntervalUse(rows[0].start, 99.0, may_set_peak=False)
    bill = bill_months([tariff("a", "1", date(2026, 1, 1))], rows)["2026-01"]
    assert bill.demand == pytest.approx(Decimal(4))


def test_intervals_whose_power_nobody_measured_set_no_peak_and_are_told() -> None:
    rows = month(datetime(2026, 6, 1, tzinfo=MADRID), datetime(2026, 7, 1, tzinfo=MADRID), 1.0)
    rows[10:12] = [IntervalUse(row.start, 50.0, may_set_peak=False) for row in rows[10:12]]
    bill = bill_months([tariff("a", "1", date(2026, 1, 1))], rows)["2026-06"]
    assert bill.demand == Decimal(4)
    assert bill.findings == (
        "2 of the month's intervals have no measured power; the highest demand may have been more",
    )

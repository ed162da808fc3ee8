from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from baselines.billing import bill_months
from baselines.tariff import Block, DemandCharge, EnergyPrice, IntervalUse, Tariff

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


def test_a_tariff_that_changes_within_a_month_and_intervals_that_are_missing_are_said() -> None:
    versions = [
        tariff("old", "1", date(2026, 1, 1), date(2026, 3, 15)),
        tariff("new", "2", date(2026, 3, 15)),
    ]
    start = datetime(2026, 3, 20, tzinfo=MADRID)
    bill = bill_months(versions, month(start, start + timedelta(hours=1), 1.0))["2026-03"]
    assert bill.lines[0].amount == Decimal("4.00")
    assert bill.findings == (
        "new is valid from 2026-03-15; the month is billed by the tariff before it",
        "4 of the month's 2972 intervals are there; the bill is of these alone",
    )


def test_a_peak_is_measured_and_not_interpolated() -> None:
    rows = month(datetime(2026, 1, 1, tzinfo=MADRID), datetime(2026, 2, 1, tzinfo=MADRID), 1.0)
    rows[0] = IntervalUse(rows[0].start, 99.0, may_set_peak=False)
    bill = bill_months([tariff("a", "1", date(2026, 1, 1))], rows)["2026-01"]
    assert bill.demand == pytest.approx(Decimal(4))

"""Bills out of stored intervals: what each day adds to its month's bill."""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from baselines.billing import bill_months
from baselines.tariff import Bill, IntervalUse
from evaluation.accounting.bill_days import BillDays
from evaluation.evaluator import Evaluator
from evaluation.plan.tariff_file import TariffFile, tariffs_of
from store.protocol import IntervalRow
from tests.evaluation.planned_site import (
    DAYS,
    FIRST,
    POINTS,
    SITE,
    PlannedSite,
    copied_site,
    filled_site,
    midnight_ms,
    planned_site,
    row,
    site,
    truth,
)
from tests.servers.influxdb import InfluxDB

NIGHT = {"band": {"name": "night", "from": "22:00", "to": "06:00"}, "price": 0.71}
BLOCKS = {"blocks": [{"up_to_kwh": 900, "price": 1.33}, {"price": 1.79}]}
VERSION: dict[str, Any] = {
    "standing_charge": 61.7,
    "energy": [NIGHT, BLOCKS],
    "demand": {"price": 17.3, "window_min": 30, "ratchet": {"share": 0.9, "months": 2}},
    "surcharges": [{"name": "levy", "price_a_kwh": 0.0123}, {"name": "VAT", "share": 0.15}],
}
OLD = {"name": "2025", "valid_from": "2025-01-01", **VERSION}
NEW = {"name": "June", "valid_from": "2026-06-12", **VERSION, "standing_charge": 77}
TARIFF: dict[str, Any] = {"currency": "GHS", "earlier_demands": [4], "tariffs": [OLD, NEW]}


async def fill(opened: PlannedSite) -> None:
    """Eight weeks from 1 June, with a tariff of two versions."""
    await opened.plan(electricity_tariff=TARIFF)
    found = truth()
    for number in range(DAYS):
        await opened.write_day(number, found.used[number], found.bread[number])
    # Of days only that they are there is asked.
    await opened.readings.write_days(
        [replace(row("main", midnight_ms(number), 0.0, "electricity"), month="x") for number in range(DAYS)]
    )


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return filled_site(tmp_path_factory.mktemp("filled"), fill)


@pytest.fixture
async def bakery(filled: Path, tmp_path: Path) -> AsyncIterator[PlannedSite]:
    async with copied_site(filled, tmp_path / "site") as opened:
        yield opened


async def bill_days(bakery: PlannedSite) -> BillDays:
    model = await bakery.model()
    return Evaluator(bakery.readings, model, 60_000, plans=bakery.entities.plans).bills


async def stored(bakery: PlannedSite) -> dict[tuple[str, date], IntervalRow]:
    rows = await bakery.readings.days(SITE, midnight_ms(-60), midnight_ms(DAYS + 60))
    return {
        (row.point, datetime.fromtimestamp(row.start_ms / 1000, UTC).date()): row
        for row in rows
        if row.resource == "bill"
    }


async def billed(bakery: PlannedSite, tariff: dict[str, Any]) -> dict[str, Bill]:
    """The bills that `leanmeter baselines tariff` makes of the same intervals."""
    file = TariffFile.model_validate(tariff)
    rows = await bakery.readings.intervals(SITE, midnight_ms(0), midnight_ms(DAYS), "main")
    uses = [IntervalUse(datetime.fromtimestamp(row.start_ms / 1000, UTC), row.amount) for row in rows]
    return dict(bill_months(tariffs_of(file), uses, file.earlier_demands, file.billing_day))


def by_line(rows: Sequence[IntervalRow]) -> dict[str, float]:
    sums: dict[str, float] = defaultdict(float)
    for each in rows:
        sums[each.point.removeprefix("bill.")] += each.cost or 0.0
    return {name: round(cost, 2) for name, cost in sums.items() if round(cost, 2)}


def lines_of(bill: Bill) -> dict[str, float]:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for line in bill.lines:
        sums[line.name] += line.amount
    return {name: float(amount) for name, amount in sums.items()}


async def test_the_days_of_a_month_add_up_to_its_bill_to_the_cent(bakery: PlannedSite) -> None:
    assert await (await bill_days(bakery)).write() > 0
    assert await (await bill_days(bakery)).write() == 0, "nothing has changed"
    rows = await stored(bakery)
    bills = await billed(bakery, TARIFF)
    june = [each for (_, day), each in rows.items() if day.month == 6]
    assert by_line(june) == lines_of(bills["2026-06"])
    assert set(by_line(june)) == {
        *("standing charge", "night", "energy, block 1", "energy, block 2", "demand", "levy", "VAT")
    }
    assert round(sum(each.cost or 0.0 for each in june), 2) == float(bills["2026-06"].total)
    assert {each.month for each in june} == {"2026-06"}
    nights = [each.amount for (point, day), each in rows.items() if point == "bill.night" and day.month == 6]
    # 32 of the 72 quarters that share half of a day's use.
    assert nights == pytest.approx([used * 0.5 * 32 / 72 for used in truth().used[:30]])


async def test_a_bill_is_the_cost_of_its_days_and_what_follows_no_use(bakery: PlannedSite) -> None:
    await bakery.rederive(0, 29)
    days = await bakery.readings.days(SITE, midnight_ms(0), midnight_ms(30), "site.electricity")
    cost = sum(each.cost or 0.0 for each in days)
    june = by_line([each for (_, day), each in (await stored(bakery)).items() if day.month == 6])
    fixed = june["standing charge"] + june["demand"]
    # 15 % of it are tax; the lines of both versions are rounded, their days' costs are not.
    assert sum(june.values()) == pytest.approx(cost + 1.15 * fixed, abs=0.005 * 14)
    assert sum(june.values()) != pytest.approx(cost, rel=0.05)


async def test_a_running_month_is_billed_for_its_days_alone(bakery: PlannedSite) -> None:
    await (await bill_days(bakery)).write()
    rows = await stored(bakery)
    july = [each for (_, day), each in rows.items() if day.month == 7]
    # 26 of 31 days; the month has no bill yet, but its standing charge is known.
    assert by_line(july)["standing charge"] == round(77 * 26 / 31, 2)
    whole = (await billed(bakery, TARIFF))["2026-07"]
    demand = next(line for line in whole.lines if line.name == "demand")
    assert by_line(july)["demand"] == pytest.approx(float(demand.amount) * 26 / 31, abs=0.01)


async def test_a_late_hour_that_is_a_peak_makes_the_days_before_and_the_next_month_dearer(bakery: PlannedSite) -> None:
    await (await bill_days(bakery)).write()
    before = await stored(bakery)
    hour = midnight_ms(9) + 40 * 900_000
    await bakery.readings.write_intervals([row("main", hour + 900_000 * at, 9.0, "electricity") for at in range(4)])
    written = await (await bill_days(bakery)).write({FIRST + timedelta(days=9)})
    after = await stored(bakery)

    assert written == len([key for key in after if after[key] != before.get(key)])
    assert {day for (_, day), each in after.items() if each != before.get((_, day))} == {
        FIRST + timedelta(days=number) for number in range(9, DAYS)
    }, "no day before it"
    assert await (await bill_days(bakery)).write() == 0, "the same as all computed anew"
    bills = await billed(bakery, TARIFF)
    june = [each for (_, day), each in after.items() if day.month == 6]
    assert by_line(june) == lines_of(bills["2026-06"])
    demands = {day: each for (point, day), each in after.items() if point == "bill.demand"}
    assert demands[FIRST + timedelta(days=9)].demand == 36.0
    assert (demands[FIRST + timedelta(days=9)].cost or 0.0) > 5 * (demands[FIRST + timedelta(days=10)].cost or 0.0)
    # The ratchet of July: 0.9 × 36 kW.
    last = max(demands)
    assert demands[last].cost == pytest.approx(0.9 * 36 * 17.3 / 31, abs=0.02)


async def test_a_corrected_tariff_changes_the_days_concerned_and_no_other(bakery: PlannedSite) -> None:
    await bakery.rederive(26, 33)
    whole = (SITE, midnight_ms(-1), midnight_ms(DAYS))
    before = {(each.point, each.start_ms): each for each in await bakery.readings.days(*whole)}
    july = {**NEW, "name": "July", "valid_from": "2026-07-01", "energy": [NIGHT, {"price": 2}]}
    corrected = {**TARIFF, "tariffs": [OLD, NEW, july]}
    await bakery.plan(electricity_tariff=corrected)
    written = await bakery.rederive(26, 33)
    after = {(each.point, each.start_ms): each for each in await bakery.readings.days(*whole)}
    changed = [key for key, each in after.items() if each != before.get(key)]
    assert written == len(changed)
    assert min(start for _, start in changed) == midnight_ms(30), "1 July"
    assert {point for point, _ in changed} >= {"main", "oven", "site.electricity", "bill.VAT", "bill.energy"}
    billed_in_july = [each for each in after.values() if each.resource == "bill" and each.month == "2026-07"]
    assert "energy, block 1" not in by_line(billed_in_july), "a line that is on the bill no longer costs nothing"
    # The month is not over, but what was used has its price.
    assert by_line(billed_in_july)["energy"] == lines_of((await billed(bakery, corrected))["2026-07"])["energy"]

    await bakery.plan(electricity_tariff=TARIFF)
    await bakery.rederive(26, 33)
    again = {(each.point, each.start_ms): each for each in await bakery.readings.days(*whole)}
    assert all(again[key] == each for key, each in before.items())
    assert not any(each.cost or each.amount for key, each in again.items() if key not in before)


async def test_influxdb_holds_the_same(
    bakery: PlannedSite, tmp_path: Path, influxdb: InfluxDB, influxdb_bucket: str
) -> None:
    store = {"url": influxdb.url, "token": influxdb.token, "org": influxdb.org, "bucket": influxdb_bucket}
    (tmp_path / "influx").mkdir()
    async with planned_site(tmp_path / "influx", {"influx": store}) as other:
        await fill(other)
        for tariff in (TARIFF, {**TARIFF, "billing_day": 5, "tariffs": [{**OLD, "energy": [{"price": 1}]}]}):
            for each in (bakery, other):
                await each.plan(electricity_tariff=tariff)
                await (await bill_days(each)).write()
            assert await stored(other) == await stored(bakery)
            assert await (await bill_days(other)).write() == 0


async def test_a_contract_without_a_tariff_bills_nothing_any_longer(bakery: PlannedSite) -> None:
    await (await bill_days(bakery)).write()
    await bakery.plan(electricity_tariff=None)
    await (await bill_days(bakery)).write()
    assert not any(each.cost or each.amount for each in (await stored(bakery)).values())


async def test_a_period_that_begins_on_the_fifth(bakery: PlannedSite) -> None:
    tariff = {**TARIFF, "billing_day": 5}
    await bakery.plan(electricity_tariff=tariff)
    await (await bill_days(bakery)).write()
    rows = [each for each in (await stored(bakery)).values() if each.month == "2026-06-05/2026-07-04"]
    assert by_line(rows) == lines_of((await billed(bakery, tariff))["2026-06-05/2026-07-04"])
    # Nothing was measured in May, but the contract ran: its standing charge is there from 5 May on.
    first = min(each.start_ms for each in (await stored(bakery)).values())
    assert first == midnight_ms(-27)


async def test_kva_and_kvarh_by_a_point_of_reactive_energy(bakery: PlannedSite) -> None:
    kva = {**VERSION, "demand": {"price": 10, "unit": "kVA"}, "reactive": {"price": 0.5, "free_share": 0.5}}
    tariff = {"currency": "GHS", "tariffs": [{"name": "kVA", "valid_from": "2026-01-01", **kva}]}
    await bakery.plan(electricity_tariff=tariff)
    await (await bill_days(bakery)).write()
    assert await stored(bakery) == {}, "without reactive energy there is no bill"

    reactive = {
        "id": "var",
        "name": "Reactive",
        "resource": "reactive_energy",
        "role": "main",
        "measured_by": "var-meter",
    }
    declared = site((*POINTS, reactive))
    await bakery.entities.import_site(declared, "ana")
    main = await bakery.readings.intervals(SITE, midnight_ms(0), midnight_ms(DAYS), "main")
    await bakery.readings.write_intervals(
        [row("var", each.start_ms, 0.75 * each.amount, "reactive_energy") for each in main]
    )
    await (await bill_days(bakery)).write()
    june = by_line([each for (_, day), each in (await stored(bakery)).items() if day.month == 6])
    used = [each for each in main if each.start_ms < midnight_ms(30)]
    energy, highest = sum(each.amount for each in used), max(each.amount for each in used)
    # 0.75 kvarh beside each kWh make 1.25 kVAh.
    assert june["demand"] == pytest.approx(10 * 1.25 * 4 * highest, abs=0.01)
    assert june["reactive energy"] == pytest.approx(0.5 * (0.75 - 0.5) * energy, abs=0.01)

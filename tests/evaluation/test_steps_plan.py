"""Baselines by week, month and shift, and from bills: what is stored of them, and when they judge."""

import math
import random
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from evaluation.judging.frozen_baseline import thaw
from store.protocol import IntervalRow
from tests.evaluation.planned_site import (
    BASE_KWH,
    BASELINE_DAYS,
    DAYS,
    FIRST,
    KWH_A_KG,
    SITE,
    PlannedSite,
    copied_site,
    filled_site,
    midnight_ms,
    plan_document,
    planned_site,
    truth,
)
from tests.servers.influxdb import InfluxDB

SHIFTS: dict[str, dict[str, Any]] = {
    "week": {"variables": {"bread": {"csv": "bread.csv", "per": "week"}}},
    "shift": {"shifts": {"morning": {"from": "06:00", "to": "12:00"}}},
}
BOOKS_THEN_SCALE = {"bread": {"csv": "b.csv", "per": "month", "series": ["bread"]}}
WEEKLY = {"bread": {"csv": "bread.csv", "per": "week"}}


def planned(step: str, **change: Any) -> dict[str, Any]:
    document = plan_document()
    return {"baselines": [{**document["baselines"][0], "step": step, **change}]}


def weekly_kg(weeks: int = DAYS // 7) -> dict[str, float]:
    """A table's rows: the whole week's bread at its Monday."""
    bread = truth().bread
    return {
        (FIRST + timedelta(days=7 * week)).isoformat(): sum(bread[7 * week : 7 * week + 7]) for week in range(weeks)
    }


async def judge(site: PlannedSite) -> None:
    assert await site.freeze()
    await site.rederive()


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight measured weeks, of which nothing is expected yet."""
    return filled_site(tmp_path_factory.mktemp("measured"), lambda site: site.write_all(truth()))


@pytest.fixture
async def bakery(measured: Path, tmp_path: Path) -> AsyncIterator[PlannedSite]:
    async with copied_site(measured, tmp_path / "site") as opened:
        yield opened


async def rows_of(site: PlannedSite, week: int) -> tuple[IntervalRow, list[IntervalRow]]:
    """The row of a week and those of its days."""
    days = [await site.day(7 * week + number) for number in range(7)]
    return await site.day(7 * week + 6, "site.energy.week"), days


async def test_a_firm_whose_production_is_known_by_week_is_judged_by_week(bakery: PlannedSite) -> None:
    await bakery.plan({"bread": weekly_kg()}, **planned("week"), variables=WEEKLY)
    await judge(bakery)
    found = truth()
    for week in (6, 7):
        row, days = await rows_of(bakery, week)
        span = slice(7 * week, 7 * week + 7)
        assert row.amount == pytest.approx(sum(found.used[span]))
        assert row.expected == pytest.approx(sum(found.unsaved[span]), rel=0.05)
        assert row.lower is not None
        assert row.upper is not None
        assert row.lower < (row.expected or 0.0) < row.upper
        assert row.cost is None, "its days have it already"
        # What is expected of the week lies on its days, in the shape of the week: Sunday bakes nothing.
        assert math.fsum(day.expected or 0.0 for day in days) == pytest.approx(row.expected)
        assert math.fsum(day.goal or 0.0 for day in days) == pytest.approx(row.goal)
        assert (days[6].expected or 0.0) < 0.7 * (days[0].expected or 0.0)
        assert {day.upper for day in days} == {None}, "no day is judged by itself"
        intervals = await bakery.intervals(7 * week + 2)
        assert math.fsum(each.expected or 0.0 for each in intervals) == pytest.approx(days[2].expected)

    standing = await bakery.standing()
    assert standing.savings is not None
    saved = sum(found.unsaved[BASELINE_DAYS:]) - sum(found.used[BASELINE_DAYS:])
    assert abs(standing.savings.savings - saved) < standing.savings.half_width
    assert (standing.step, standing.judged, standing.days) == ("week", 2, 2)
    (live,) = standing.live
    assert live.judgement.expected == pytest.approx((await rows_of(bakery, 7))[0].expected)
    assert live.text.startswith("The last week, 2026-07-20 to 2026-07-26: ")


async def test_a_week_is_judged_only_when_it_is_over_and_its_production_known(bakery: PlannedSite) -> None:
    await bakery.plan({"bread": weekly_kg(7)}, **planned("week"), variables=WEEKLY)
    await judge(bakery)
    row, days = await rows_of(bakery, 7)
    assert row.expected is None
    assert {day.expected for day in days} == {None}
    assert (await bakery.standing()).live[0].text.endswith("not judged yet: bread of 2026-07-20 not known.")

    await bakery.plan({"bread": weekly_kg()}, **planned("week"), variables=WEEKLY)
    await bakery.rederive(DAYS - 1, DAYS - 1)
    row, days = await rows_of(bakery, 7)
    assert row.expected is not None
    assert all(day.expected is not None for day in days)
    assert await bakery.rederive() == 0

    bakery.today -= timedelta(days=1)
    assert (await bakery.standing()).judged == 1, "on its Sunday the week is not over"


async def test_another_step_takes_back_what_was_expected(bakery: PlannedSite) -> None:
    await bakery.plan({"bread": weekly_kg()}, **planned("week"), variables=WEEKLY)
    await judge(bakery)
    await bakery.plan(**planned("day"))
    await judge(bakery)
    row, days = await rows_of(bakery, 7)
    assert (row.expected, row.upper) == (None, None)
    assert all(day.upper is not None for day in days)


@pytest.mark.parametrize("step", ["week", "shift"])
async def test_what_was_expected_of_single_days_is_taken_back_too(bakery: PlannedSite, step: str) -> None:
    """Of the running week as well, which is not judged yet."""
    await bakery.plan(**planned("day"))
    await judge(bakery)
    await bakery.write_day(DAYS, 80.0, 400.0)
    await bakery.rederive(DAYS, DAYS)
    assert (await bakery.day(DAYS)).expected is not None

    await bakery.plan({"bread": weekly_kg()}, **planned(step, variables=["bread"]), **SHIFTS[step])
    assert await bakery.freeze()
    await bakery.rederive(0, DAYS)
    assert (await bakery.day(DAYS)).expected is None
    row = await bakery.day(DAYS - 1)
    assert (row.expected is None, row.upper) == (step == "shift", None)


async def test_late_data_of_a_day_judge_its_week_again(bakery: PlannedSite) -> None:
    await bakery.plan({"bread": weekly_kg()}, **planned("week"), variables=WEEKLY)
    await judge(bakery)
    before, _ = await rows_of(bakery, 7)
    await bakery.write_day(51, truth().used[51] + 10.0, truth().bread[51])
    await bakery.rederive(51, 51)
    after, _ = await rows_of(bakery, 7)
    assert after.amount == pytest.approx(before.amount + 10.0)
    assert after.expected == pytest.approx(before.expected)


async def test_shifts_are_judged_one_by_one(bakery: PlannedSite) -> None:
    shifts = {"morning": {"from": "06:00", "to": "12:00"}}
    await bakery.plan(**planned("shift"), shifts=shifts)
    await judge(bakery)
    found = truth()
    row = await bakery.day(50, "site.energy.shift.morning")
    assert row.amount == pytest.approx(found.used[50] / 2)
    assert row.expected == pytest.approx(found.unsaved[50] / 2, abs=3)
    standing = await bakery.standing()
    assert standing.savings is not None
    saved = sum(found.unsaved[BASELINE_DAYS:]) - sum(found.used[BASELINE_DAYS:])
    assert abs(standing.savings.savings - saved / 2) < standing.savings.half_width
    assert standing.judged == DAYS - BASELINE_DAYS
    assert (await bakery.day(50)).expected is None


async def test_a_night_shift_belongs_to_the_day_on_which_it_begins(bakery: PlannedSite) -> None:
    """Half of a day's use lies between 6 and 12, the other half evenly around it; the night takes from two days."""
    shifts = {"night": {"from": "22:00", "to": "06:00"}, "morning": {"from": "06:00", "to": "12:00"}}
    table = {f"{FIRST + timedelta(days=day)}/{name}": float(day % 5) for day in range(DAYS) for name in shifts}
    await bakery.plan(
        {"crew": table}, **planned("shift", variables=["crew"]), variables={"crew": {"csv": "c.csv", "per": "shift"}},
        shifts=shifts,
    )  # fmt: skip
    await judge(bakery)
    used = truth().used
    row = await bakery.day(50, "site.energy.shift.night")
    assert row.amount == pytest.approx(used[50] / 2 * 8 / 72 + used[51] / 2 * 24 / 72)
    assert row.expected is not None
    assert (await bakery.day(DAYS - 1, "site.energy.shift.night")).quality == "partial"


async def test_from_twelve_bills_to_metered_months(bakery: PlannedSite) -> None:
    chance = random.Random(3)
    readings = [(date(2025, 5, 31), 0.0)]
    kg: dict[str, float] = {}
    for number in range(12):
        first = date(2025 + (5 + number) // 12, (5 + number) % 12 + 1, 1)
        last = date(first.year + first.month // 12, first.month % 12 + 1, 1) - timedelta(days=1)
        kg[first.isoformat()] = chance.uniform(9_000.0, 15_000.0)
        use = BASE_KWH * 30.4 + KWH_A_KG * kg[first.isoformat()] + chance.gauss(0.0, 10.0)
        readings.append((last, use / 1000.0))
    kg["2026-06-01"] = sum(truth().bread[:30])
    bills: dict[str, Any] = {"unit": "MWh", "readings": [(day.isoformat(), mwh) for day, mwh in readings]}
    period = {"from": "2025-06-01", "to": "2026-05-31"}
    change = planned("month", bills=bills, bills_factor=1000.0, period=period)
    await bakery.plan({"bread": kg}, **change, variables={"bread": {"csv": "b.csv", "per": "month"}})
    await judge(bakery)

    (stored,) = await bakery.entities.plans.baselines(SITE)
    baseline = thaw(stored)
    assert (baseline.version.model.n, baseline.version.first_label) == (12, "2025-06")
    assert baseline.version.model.coefficients["bread"] == pytest.approx(KWH_A_KG, abs=0.01)
    standing = await bakery.standing()
    assert (standing.judged, standing.days, standing.provisional) == (1, 1, False)
    june = await bakery.day(29, "site.energy.month")
    used = sum(truth().used[:30])
    assert june.amount == pytest.approx(used)
    assert june.expected == pytest.approx(BASE_KWH * 30.4 + KWH_A_KG * kg["2026-06-01"], abs=30.0)
    assert june.expected == pytest.approx(math.fsum([(await bakery.day(day)).expected or 0.0 for day in range(30)]))
    assert standing.live[0].text.startswith("The last month, 2026-06-01 to 2026-06-30: ")
    assert (await bakery.day(40)).expected is None, "July is not over"

    # June's bread from the scale instead of the table: the same.
    await bakery.plan({"bread": {month: kg[month] for month in list(kg)[:-1]}}, **change, variables=BOOKS_THEN_SCALE)
    assert await bakery.freeze()
    await bakery.rederive()
    assert (await bakery.day(29, "site.energy.month")).expected == pytest.approx(june.expected)

    # Another bill is another definition: a further version.
    bills["readings"] = [*bills["readings"][:-1], (bills["readings"][-1][0], 2.0)]
    await bakery.plan({"bread": kg}, **change, variables={"bread": {"csv": "b.csv", "per": "month"}})
    assert await bakery.freeze()
    hashes = {entry.data_hash for entry in await bakery.entities.plans.baselines(SITE)}
    assert len(hashes) == 2, "twice the same data, then others"


async def test_influxdb_holds_the_same_weeks_and_shifts(
    tmp_path: Path, influxdb: InfluxDB, influxdb_bucket: str
) -> None:
    found = truth()
    period = {"from": FIRST.isoformat(), "to": (FIRST + timedelta(days=20)).isoformat()}
    token = {"url": influxdb.url, "token": influxdb.token, "org": influxdb.org, "bucket": influxdb_bucket}
    stored = []
    for name, store in (("sqlite", None), ("influx", {"influx": token})):
        (tmp_path / name).mkdir()
        async with planned_site(tmp_path / name, store) as site:
            for number in range(28):
                await site.write_day(number, found.used[number], found.bread[number])
            for step in ("week", "shift"):
                await site.plan({"bread": weekly_kg(4)}, **planned(step, period=period), **SHIFTS[step])
                await site.rederive(0, 27)
                assert await site.freeze()
                await site.rederive(0, 27)
                stored.append(await site.readings.days(SITE, midnight_ms(0), midnight_ms(28)))
                assert await site.rederive(20, 27) == 0
    assert stored[2:] == stored[:2]
    expected = {row.point for row in stored[0] + stored[1] if row.expected is not None}
    assert expected == {"site.energy", "site.energy.week", "site.energy.shift.morning"}

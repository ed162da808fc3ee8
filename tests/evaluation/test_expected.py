"""A plan on stored days: what is expected, what it costs, and what changes when data change."""

import asyncio
import math
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

import baselines.savings as savings_module
from baselines.validity import assess
from baselines.versions import BaselineVersion, from_document
from evaluation.judging import frozen_baseline
from tests.evaluation.planned_site import (
    BASELINE_DAYS,
    DAYS,
    FIRST,
    SITE,
    PlannedSite,
    evaluate_all,
    midnight_ms,
    plan_document,
    planned_site,
    truth,
)
from tests.servers.influxdb import InfluxDB


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a site with a plan, a frozen baseline and everything derived."""
    folder = tmp_path_factory.mktemp("evaluated")

    asyncio.run(evaluate_all(folder))
    return folder


@pytest.fixture
async def bakery(evaluated: Path, tmp_path: Path) -> AsyncIterator[PlannedSite]:
    shutil.copytree(evaluated, tmp_path / "site")
    async with planned_site(tmp_path / "site") as opened:
        yield opened


async def test_from_plan_to_saving(bakery: PlannedSite) -> None:
    found = truth()
    standing = await bakery.standing()
    assert standing.savings is not None
    saved = sum(found.unsaved[BASELINE_DAYS:]) - sum(found.used[BASELINE_DAYS:])
    assert abs(standing.savings.savings - saved) < standing.savings.half_width
    assert standing.savings.proven
    assert standing.text.startswith(("9.", "10."))
    assert " of the 27 points of your goal, worth " in standing.text
    assert standing.goal_is_average
    assert (standing.judged, standing.days, standing.version) == (DAYS - BASELINE_DAYS, DAYS - BASELINE_DAYS, 1)
    day = await bakery.day(50)
    assert day.expected == pytest.approx(found.unsaved[50], abs=4)
    assert day.lower is not None
    assert day.upper is not None
    assert day.lower < (day.expected or 0.0) < day.upper
    assert day.cost == pytest.approx(2 * found.used[50])
    assert day.co2e == pytest.approx(0.5 * found.used[50])
    # A straight line from nothing on the goal's first day.
    assert 0.9 < (day.goal or 0.0) / (day.expected or 1.0) < 1.0


async def test_intervals_add_up_to_their_day_in_the_weeks_shape(bakery: PlannedSite) -> None:
    rows = await bakery.intervals(50)
    day = await bakery.day(50)
    assert math.fsum(row.expected or 0.0 for row in rows) == pytest.approx(day.expected)
    assert math.fsum(row.goal or 0.0 for row in rows) == pytest.approx(day.goal)
    assert (rows[30].expected or 0.0) > 2 * (rows[80].expected or 0.0)


async def test_a_day_is_judged_only_when_its_production_is_known(bakery: PlannedSite) -> None:
    before = (await bakery.standing()).judged

    late = DAYS
    await bakery.write_day(late, 80.0, None)
    await bakery.rederive(late, late)
    bakery.today = FIRST + timedelta(days=DAYS + 1)

    day = await bakery.day(late)
    assert (day.expected, day.goal) == (None, None)
    assert all(row.expected is not None for row in await bakery.intervals(late)), "what is usual is known all the same"
    assert (await bakery.standing()).judged == before
    assert (await bakery.standing()).days == before + 1

    await bakery.write_day(late, 80.0, 400.0)
    await bakery.rederive(late, late)
    assert (await bakery.day(late)).expected == pytest.approx(80.0, abs=3)
    assert (await bakery.standing()).judged == before + 1


async def test_yesterday_and_the_week_are_judged_as_their_days_are_stored(bakery: PlannedSite) -> None:
    bakery.today = FIRST + timedelta(days=DAYS - 1)  # a Sunday
    (last,) = (await bakery.intervals(DAYS - 4, "bread"))[-1:]
    await bakery.readings.write_intervals([replace(last, quality="partial", coverage=0.5)])
    await bakery.rederive(DAYS - 4, DAYS - 4)
    yesterday, week = (await bakery.standing()).live
    stored = await bakery.day(DAYS - 2)
    found = yesterday.judgement
    assert (found.actual, found.expected) == pytest.approx((stored.amount, stored.expected))
    assert (found.lower, found.upper, found.goal) == pytest.approx((stored.lower, stored.upper, stored.goal))

    days = [await bakery.day(number) for number in (DAYS - 7, DAYS - 6, DAYS - 5, DAYS - 3, DAYS - 2)]
    so_far = week.judgement
    assert (week.first_day, week.last_day, so_far.judged, so_far.rows) == ("2026-07-20", "2026-07-25", 5, 6)
    assert so_far.expected == pytest.approx(math.fsum(day.expected or 0.0 for day in days))
    assert so_far.goal == pytest.approx(math.fsum(day.goal or 0.0 for day in days))
    assert so_far.upper is not None
    assert so_far.upper < math.fsum(day.upper or 0.0 for day in days)
    assert week.text.endswith(" 1 of 6 days left out: bread of 2026-07-23 not known.")


async def test_the_running_day_and_week_are_told_beside_what_is_usual(
    bakery: PlannedSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Wednesday at noon: what will be baked today is not known, what is usual by noon is."""
    bakery.today = FIRST + timedelta(days=DAYS + 2)
    weeks = BASELINE_DAYS // 7
    usual = sum(truth().unsaved[7 * week + 2] for week in range(weeks)) / weeks
    for number in (DAYS, DAYS + 1):
        await bakery.write_day(number, 85.0, 450.0)
    await bakery.write_day(DAYS + 2, 80.0, None)
    after_noon = [replace(row, quality="partial") for row in await bakery.intervals(DAYS + 2, "main")][48:]
    await bakery.readings.write_intervals(after_noon)
    await bakery.rederive(DAYS, DAYS + 2)

    standing = await bakery.standing()
    day, week = standing.running
    assert day.actual == pytest.approx(80.0 * (0.5 + 0.5 * 24 / 72))
    assert day.expected == pytest.approx(usual * (0.5 + 0.5 * 24 / 72))
    assert day.lower < day.expected < day.upper
    assert day.goal == pytest.approx(day.expected * (1.0 - (standing.asked_share or 0.0)))
    assert day.text.startswith(f"Today until 12:00: {day.actual:.1f} kWh; usual by then: {day.expected:.1f} (90 %: ")

    whole = [await bakery.day(number) for number in (DAYS, DAYS + 1)]
    assert week.first_day == "2026-07-27"
    assert week.actual == pytest.approx(170.0 + day.actual)
    assert week.expected == pytest.approx(math.fsum(row.expected or 0.0 for row in whole) + day.expected)
    assert week.upper - week.expected == pytest.approx(
        math.hypot(day.upper - day.expected, *((row.upper or 0.0) - (row.expected or 0.0) for row in whole))
    )
    assert week.text.startswith("This week until 12:00 today: ")

    def following(document: dict[str, object]) -> BaselineVersion:
        version = from_document(document)
        return replace(version, model=replace(version.model, error_autocorrelation=0.5))

    with monkeypatch.context() as changed:
        changed.setattr(frozen_baseline, "from_document", following)
        correlated = (await bakery.standing()).running[1]
    assert correlated.expected == week.expected
    # Almost all of it is today's, whose production is not known; yesterday's and the day before's are like it.
    assert correlated.upper - week.upper > 1.0

    bakery.today = FIRST + timedelta(days=DAYS + 3)
    assert (await bakery.standing()).running == (), "nothing has been read today"

    await bakery.plan(confidence=0.9999)
    bakery.today = FIRST + timedelta(days=DAYS + 2)
    assert (await bakery.standing()).running[0].lower == 0.0, "no meter counts less than nothing"


async def test_a_week_begins_with_its_second_whole_day(bakery: PlannedSite) -> None:
    assert [verdict.period for verdict in (await bakery.standing()).live] == ["day"], "today is a Monday"
    bakery.today -= timedelta(days=6)
    assert [verdict.period for verdict in (await bakery.standing()).live] == ["day"]
    bakery.today += timedelta(days=1)
    assert [verdict.period for verdict in (await bakery.standing()).live] == ["day", "week"]
    bakery.today = FIRST + timedelta(days=BASELINE_DAYS)
    assert (await bakery.standing()).live == (), "the baseline's own days are not judged by it"


async def test_late_data_recompute_only_what_they_touch(bakery: PlannedSite) -> None:
    assert await bakery.rederive() == 0

    # An hour of bread that was not known: the day's production, its site series, and what was expected of the day.
    rows = (await bakery.intervals(50, "bread"))[40:44]
    await bakery.readings.write_intervals([replace(row, amount=row.amount + 5.0) for row in rows])
    written = await bakery.rederive(50, 50)

    # Four quarters of site.product, what is expected of 96 of site.energy, and the days of these two and of bread.
    assert written == 4 + 96 + 3
    assert await bakery.rederive() == 0


async def test_a_version_is_frozen_and_never_fitted_again_by_itself(bakery: PlannedSite) -> None:
    assert not await bakery.freeze()
    (first,) = await bakery.entities.plans.baselines(SITE)

    await bakery.write_day(3, truth().used[3] * 2, truth().bread[3])
    await bakery.rederive(3, 3)
    assert not await bakery.freeze()
    assert await bakery.entities.plans.baselines(SITE) == (first,)

    document = plan_document()
    document["baselines"][0]["period"]["from"] = (FIRST + timedelta(days=7)).isoformat()
    await bakery.plan(baselines=document["baselines"])
    assert await bakery.freeze()
    versions = await bakery.entities.plans.baselines(SITE)
    assert [(entry.version, entry.reason) for entry in versions] == [
        (1, "first version of its definition"),
        (2, "first version of its definition"),
    ]
    assert versions[0] == first


async def test_nothing_saved_is_not_proven(bakery: PlannedSite) -> None:
    found = truth(saved=0.0)
    for number in range(BASELINE_DAYS, DAYS):
        await bakery.write_day(number, found.used[number], found.bread[number])
    await bakery.rederive(BASELINE_DAYS)
    standing = await bakery.standing()
    assert standing.savings is not None
    assert not standing.savings.proven
    assert standing.worth_a_year is None
    assert "points of your goal" not in standing.text
    assert "not yet proven" in standing.text or "no saving" in standing.text


async def test_standing_and_demand_charges_are_no_part_of_what_a_saving_is_worth(bakery: PlannedSite) -> None:
    before = await bakery.standing()
    tariff = {**plan_document()["electricity_tariff"]["tariffs"][0], "standing_charge": 1000, "demand": {"price": 50}}
    await bakery.plan(electricity_tariff={"currency": "GHS", "tariffs": [tariff]})
    await bakery.rederive(BASELINE_DAYS)
    billed = await bakery.readings.days(SITE, midnight_ms(BASELINE_DAYS), midnight_ms(DAYS), "bill.standing charge")
    assert len(billed) == DAYS - BASELINE_DAYS
    assert before.worth_a_year is not None
    assert (await bakery.standing()).worth_a_year == pytest.approx(before.worth_a_year)


async def test_a_baseline_that_fails_does_tests_proves_nothing(
    bakery: PlannedSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await bakery.standing()
    assert before.savings is not None
    assert before.savings.proven
    monkeypatch.setattr(savings_module, "assess", lambda *given, **named: replace(assess(*given, **named), valid=False))
    standing = await bakery.standing()
    assert standing.savings is not None
    assert not standing.savings.proven
    assert standing.worth_a_year is None
    assert standing.text.endswith("; not proven, because the baseline is not valid for this.")


async def test_influxdb_holds_the_same(
    bakery: PlannedSite, tmp_path: Path, influxdb: InfluxDB, influxdb_bucket: str
) -> None:
    token = {"url": influxdb.url, "token": influxdb.token, "org": influxdb.org, "bucket": influxdb_bucket}
    (tmp_path / "influx").mkdir()
    await evaluate_all(tmp_path / "influx", {"influx": token})

    async with planned_site(tmp_path / "influx", {"influx": token}) as other:
        period = (SITE, midnight_ms(0), midnight_ms(DAYS))
        assert await other.readings.days(*period) == await bakery.readings.days(*period)
        assert await other.intervals(50) == await bakery.intervals(50)
        assert (await other.standing()).text == (await bakery.standing()).text
        assert await other.rederive(50, 52) == 0

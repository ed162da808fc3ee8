"""Series of whole days that follow from points' days and intervals, in both stores."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from evaluation.judging.standing import Standings
from store.protocol import IntervalRow
from tests.evaluation.planned_site import BASELINE_DAYS, SITE, PlannedSite, midnight_ms, planned_site, row
from tests.evaluation.whole_site import BIN_PRICE, COMPARED, FLOUR_PRICE, GRID_KG, STREAMS, whole_plan, write_days


@pytest.fixture(params=["sqlite", "influxdb"])
def store(request: pytest.FixtureRequest) -> Mapping[str, Any] | None:
    if request.param == "sqlite":
        return None
    influxdb, bucket = request.getfixturevalue("influxdb"), request.getfixturevalue("influxdb_bucket")
    return {"influx": {"url": influxdb.url, "token": influxdb.token, "org": influxdb.org, "bucket": bucket}}


@pytest.fixture
async def opened(store: Mapping[str, Any] | None, tmp_path: Path) -> AsyncIterator[PlannedSite]:
    async with planned_site(tmp_path, store, STREAMS) as found:
        yield found


async def write_one_day(opened: PlannedSite, number: int, **amounts: float) -> None:
    """A day of which each interval has the same of each point; it is derived."""
    resources = {point["id"]: point["resource"] for point in STREAMS}
    rows = [
        row(name, midnight_ms(number) + quarter * 900_000, amount / 96, resources[name])
        for name, amount in amounts.items()
        for quarter in range(96)
    ]
    await opened.readings.write_intervals(rows)
    await opened.rederive(number, number)


DAY = {"main": 30.0, "solar": 20.0, "flour": 600.0, "bread": 480.0, "bin": 40.0}


async def test_a_day_says_what_was_wasted_where_waste_went_and_what_the_sun_avoided(opened: PlannedSite) -> None:
    await opened.plan(**whole_plan())
    await write_one_day(opened, 0, **DAY)

    wasted = await opened.day(0, "site.materials_wasted")
    assert (round(wasted.amount, 9), wasted.quality, wasted.coverage) == (120.0, "measured", 1.0)
    assert wasted.cost == pytest.approx(120 * FLOUR_PRICE + 40 * BIN_PRICE)
    assert (await opened.day(0, "bread.materials_wasted")).amount == pytest.approx(120.0)
    went = [(await opened.day(0, f"site.waste_{name}")).amount for name in ("reused", "recycled", "disposed")]
    assert went == pytest.approx([24.0, 12.0, 4.0])
    used, fed = await opened.day(0, "site.self_consumed"), await opened.day(0, "site.exported")
    assert (used.amount, used.avoided_co2e) == pytest.approx((20.0, 20 * GRID_KG))
    assert (fed.amount, fed.avoided_co2e) == (0.0, 0.0)
    assert (await opened.day(0, "solar")).avoided_co2e == pytest.approx(20 * GRID_KG)
    assert (await opened.day(0, "site.electricity")).avoided_co2e is None


async def test_what_a_changed_plan_no_longer_says_is_taken_back(opened: PlannedSite) -> None:
    await opened.plan(**whole_plan())
    await write_one_day(opened, 0, **DAY)
    await opened.plan(**whole_plan(waste_destinations=[], prices=[], emission_factors=[]))
    await opened.rederive(0, 0)

    gone = await opened.day(0, "site.waste_reused")
    assert (gone.amount, gone.coverage, gone.quality) == (0.0, 0.0, "partial")
    assert (await opened.day(0, "site.materials_wasted")).cost is None
    assert (await opened.day(0, "solar")).avoided_co2e is None
    assert await opened.rederive(0, 0) == 0


async def test_materials_wasted_are_judged_against_a_baseline_and_the_goal_of_35_percent(opened: PlannedSite) -> None:
    await opened.plan(**whole_plan())
    await write_days(opened)
    assert await opened.freeze()
    await opened.rederive()

    day = await opened.day(BASELINE_DAYS, "site.materials_wasted")
    assert day.expected is not None
    assert day.lower is not None
    assert day.amount < day.lower < day.expected
    assert day.goal is not None
    found = await Standings(opened.readings, opened.entities.plans).of_site(await opened.model(), opened.today)
    by_series = {standing.series: standing for standing in found}
    assert set(by_series) == set(COMPARED.values())
    wasted = by_series["site.materials_wasted"]
    assert (wasted.unit, wasted.goal_share, wasted.goal_is_average) == ("kg", 0.35, True)
    assert wasted.savings is not None
    assert wasted.savings.proven
    assert wasted.savings.savings_fraction == pytest.approx(0.35, abs=0.03)
    assert "less material wasted than expected" in wasted.text
    assert str(wasted.streams[0]).startswith("Last 30 days: ")
    assert "kg of material were wasted; what was lost cost" in wasted.streams[0]
    assert by_series["site.waste"].lines[-1] == (
        "Last 30 days: 60 % of the waste was reused, 30 % recycled, 0 % otherwise recovered, 10 % disposed of."
    )
    assert by_series["site.energy"].streams == ()
    # Both goals stand beside each other; half of what is wasted is weighed as waste.
    waste = by_series["site.waste"].savings
    assert waste is not None
    assert waste.savings == pytest.approx(wasted.savings.savings / 2, rel=1e-6)


async def test_only_days_with_a_changed_stream_are_computed_again(opened: PlannedSite) -> None:
    await opened.plan(**whole_plan())
    await write_one_day(opened, 0, **DAY)
    assert await opened.rederive(0, 0) == 0
    late = IntervalRow(SITE, "bread", midnight_ms(0), 0.0, 0.0, 1.0, "corrected", "product")
    await opened.readings.write_intervals([late])
    await opened.rederive(0, 0)

    assert (await opened.day(0, "site.materials_wasted")).amount == pytest.approx(125.0)

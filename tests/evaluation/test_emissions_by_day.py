"""Emissions of days: bought electricity counted both ways, refrigerants, and what a corrected factor changes."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.evaluation.planned_site import SITE, PlannedSite, midnight_ms, planned_site

GRID = {"of": "electricity", "kg_a_unit": 0.5, "method": "location", "source": "grid"}
CONTRACT = {"of": "electricity", "kg_a_unit": 0.1, "method": "market", "from": "2026-06-02", "source": "supplier"}


@pytest.fixture
async def bakery(tmp_path: Path) -> AsyncIterator[PlannedSite]:
    """Three days of 80, 90 and 100 kWh."""
    async with planned_site(tmp_path) as opened:
        for number in range(3):
            await opened.write_day(number, 80.0 + 10.0 * number, 400.0)
        yield opened


async def counted(bakery: PlannedSite, series: str) -> list[tuple[float, float | None]]:
    rows = await bakery.readings.days(SITE, midnight_ms(0), midnight_ms(3), series)
    return [
        (round(each.co2e or 0.0, 9), None if each.co2e_market is None else round(each.co2e_market, 9)) for each in rows
    ]


async def test_bought_electricity_is_counted_by_the_grid_and_by_the_contract(bakery: PlannedSite) -> None:
    await bakery.plan(emission_factors=[GRID, CONTRACT])
    await bakery.rederive(0, 2)
    # The contract began on the second day; before it the grid's mean holds for both.
    assert await counted(bakery, "site.electricity") == [
        (40.0, 40.0),
        (45.0, 9.0),
        (50.0, 10.0),
    ]
    assert await counted(bakery, "site.energy") == await counted(bakery, "site.electricity")
    # 96 quarters of 0.1 kWh.
    assert (await counted(bakery, "oven"))[1] == (4.8, 0.96)


async def test_without_a_factor_of_a_contract_nothing_is_said_of_it(bakery: PlannedSite) -> None:
    await bakery.plan(emission_factors=[GRID])
    await bakery.rederive(0, 2)
    assert {market for _, market in await counted(bakery, "site.electricity")} == {None}


async def test_a_corrected_factor_changes_the_days_from_its_first_on_and_no_other(bakery: PlannedSite) -> None:
    await bakery.plan(emission_factors=[GRID, CONTRACT])
    await bakery.rederive(0, 2)
    before = await bakery.readings.days(SITE, midnight_ms(0), midnight_ms(3))
    await bakery.plan(emission_factors=[GRID, CONTRACT, {**CONTRACT, "kg_a_unit": 0.2, "from": "2026-06-03"}])
    written = await bakery.rederive(0, 2)
    after = await bakery.readings.days(SITE, midnight_ms(0), midnight_ms(3))
    changed = [new for new, old in zip(after, before, strict=True) if new != old]
    assert written == len(changed)
    assert {(each.point, each.start_ms) for each in changed} == {
        (point, midnight_ms(2)) for point in ("main", "main.unmetered", "oven", "site.electricity", "site.energy")
    }
    assert (await counted(bakery, "site.electricity"))[2] == (50.0, 20.0)


async def test_a_refrigerant_that_was_topped_up_is_a_day_of_the_site(bakery: PlannedSite) -> None:
    filled = {"date": "2026-06-02", "gas": "R134a", "kg": 1.5}
    other = {"date": "2026-06-02", "gas": "our own blend", "kg": 2, "kg_co2e_a_kg": 10}
    await bakery.plan(emission_factors=[GRID, CONTRACT], refrigerants=[filled, other])
    await bakery.rederive(0, 2)
    (row,) = await bakery.readings.days(SITE, midnight_ms(0), midnight_ms(3), "site.refrigerant")
    assert (row.start_ms, row.amount, row.resource, row.quality) == (midnight_ms(1), 3.5, "refrigerant", "manual")
    assert row.co2e == row.co2e_market == pytest.approx(1.5 * 1300 + 20)
    assert await bakery.rederive(0, 2) == 0

    await bakery.plan(emission_factors=[GRID, CONTRACT])
    await bakery.rederive(0, 2)
    (row,) = await bakery.readings.days(SITE, midnight_ms(0), midnight_ms(3), "site.refrigerant")
    assert (row.amount, row.co2e) == (0.0, 0.0)

"""Bills and prices follow what comes in, live and late."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from evaluation.evaluator import Evaluator
from evaluation.plan.accounts import SiteAccounts
from evaluation.plan.plan_file import PlanFile
from evaluation.plan.tariff_file import tariffs_of
from evaluation.site_model import SiteModel
from site_config.points import Assignment, Point, Resource, Role
from store.schema import INTERVAL_MS
from tests.evaluation.memory_store import MemoryStore

SITE = "bakery"
ENERGY = "active_energy_import_total"
UTC = ZoneInfo("UTC")
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
JUNE_MS = 20_605 * DAY_MS  # 1 June 2026
POINTS = (
    Point("main", "Main", Resource.ELECTRICITY, Role.MAIN),
    Point("oven", "Oven", Resource.ELECTRICITY, Role.PART, parent="main"),
)
PLAN = PlanFile.model_validate(
    {
        "site": SITE,
        "electricity_tariff": {
            "currency": "GHS",
            "tariffs": [
                {
                    "name": "blocks",
                    "valid_from": "2026-01-01",
                    "standing_charge": 30,
                    "energy": [{"blocks": [{"up_to_kwh": 48, "price": 1}, {"price": 3}]}],
                    "demand": {"price": 60},
                }
            ],
        },
    }
)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def evaluator(store: MemoryStore) -> Evaluator:
    assert PLAN.tariff is not None
    accounts = SiteAccounts(PLAN, tariffs_of(PLAN.tariff), {}, {}, frozenset())
    assignments = (Assignment("main-meter", "main", ENERGY), Assignment("oven-meter", "oven", ENERGY))
    return Evaluator(store, SiteModel(SITE, UTC, POINTS, assignments, accounts), gap_limit_ms=60_000)


def put(store: MemoryStore, start_ms: int, end_ms: int, kw: float, total_kwh: float = 0.0) -> dict[str, set[int]]:
    """Readings each half minute, the last one at `end_ms`; returns what a collector would mark."""
    marks = set()
    for time_ms in range(start_ms, end_ms + 1, 30_000):
        used = kw * (time_ms - start_ms) / HOUR_MS
        store.put(SITE, "main-meter", ENERGY, time_ms, total_kwh + used)
        store.put(SITE, "oven-meter", ENERGY, time_ms, (total_kwh + used) / 2)
        marks.add(time_ms - time_ms % INTERVAL_MS)
    return {"main-meter": marks, "oven-meter": marks}


def costs(store: MemoryStore, number: int) -> dict[str, float]:
    start_ms = JUNE_MS + number * DAY_MS
    return {
        point: round(row.cost, 2)
        for (_, point, start), row in store.day_rows.items()
        if start == start_ms and row.cost is not None
    }


async def test_a_day_that_comes_late_moves_a_later_day_into_the_dearer_block(store: MemoryStore) -> None:
    second = JUNE_MS + DAY_MS
    await evaluator(store).evaluate(put(store, second, second + 2 * DAY_MS, 1.0, total_kwh=24.0))
    # 48 kWh in the cheap block. A thirtieth of 30 a month; on 2 June two thirtieths of 60 a kW for the 1 kW.
    assert costs(store, 2).items() >= {"main": 24.0, "oven": 12.0, "site.electricity": 24.0}.items()
    assert (costs(store, 2)["bill.energy, block 1"], costs(store, 2)["bill.demand"]) == (24.0, 2.0)
    assert (costs(store, 1)["bill.standing charge"], costs(store, 1)["bill.demand"]) == (1.0, 4.0)
    assert costs(store, 0) == {"bill.standing charge": 1.0, "bill.demand": 0.0}

    await evaluator(store).evaluate(put(store, JUNE_MS, second, 1.0))
    assert (costs(store, 0)["main"], costs(store, 1)["main"]) == (24.0, 24.0)
    dear = costs(store, 2)
    assert (dear["main"], dear["oven"], dear["site.electricity"]) == (72.0, 36.0, 72.0)
    assert (dear["bill.energy, block 1"], dear["bill.energy, block 2"]) == (0.0, 72.0)
    assert [costs(store, number)["bill.demand"] for number in range(3)] == [2.0, 2.0, 2.0]


async def test_the_running_interval_is_billed_when_it_is_over(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[set[date]] = []
    subject = evaluator(store)
    write = subject.bills.write

    async def counted(days: set[date]) -> int:
        asked.append(days)
        return await write(days)

    monkeypatch.setattr(subject.bills, "write", counted)
    await subject.evaluate(put(store, JUNE_MS, JUNE_MS + 10 * 60_000, 1.0))
    await subject.evaluate(put(store, JUNE_MS + 10 * 60_000, JUNE_MS + 14 * 60_000, 1.0, 1 / 6))
    assert (asked, costs(store, 0)["main"]) == ([], 0.23)
    await subject.evaluate(put(store, JUNE_MS + 14 * 60_000, JUNE_MS + 16 * 60_000, 1.0, 14 / 60))
    assert asked == [{date(2026, 6, 1)}]
    assert costs(store, 0)["bill.energy, block 1"] == 0.27
    await subject.evaluate(put(store, JUNE_MS + 16 * 60_000, JUNE_MS + 20 * 60_000, 1.0, 16 / 60))
    assert len(asked) == 1
    # One that was killed before it had written the bill, and its successor.
    store.day_rows = {key: row for key, row in store.day_rows.items() if row.resource != "bill"}
    await evaluator(store).evaluate(put(store, JUNE_MS + 20 * 60_000, JUNE_MS + 20 * 60_000, 1.0, 20 / 60))
    assert costs(store, 0)["bill.energy, block 1"] == 0.33

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from store.entities import Entities
from store.protocol import StoreConfigurationError
from tests.store.test_entities import site

PLAN = {"site": "bakery", "confidence": 0.9}


@pytest.fixture
async def entities(tmp_path: Path) -> AsyncIterator[Entities]:
    opened = Entities(tmp_path / "entities.sqlite")
    await opened.import_site(site(), "ana")
    yield opened
    await opened.close()


async def test_a_plan_is_kept_with_its_tables_and_its_author(entities: Entities) -> None:
    assert await entities.plans.put("bakery", PLAN, {"pieces": {"2026-11-01": 900.0, "2026-11-02": 1000.0}}, "ana")

    plan = await entities.plans.plan("bakery")
    assert plan is not None
    assert (plan.version, plan.document, plan.author) == (1, PLAN, "ana")
    assert await entities.plans.daily("bakery", "2026-11-02", "2026-11-30") == {"pieces": {"2026-11-02": 1000.0}}
    assert [(entry.entity, entry.author) for entry in (await entities.audit("bakery"))[-2:]] == [
        ("plan", "ana"),
        ("daily values", "ana"),
    ]


async def test_only_a_change_makes_a_new_version_and_days_to_derive_again(entities: Entities) -> None:
    pieces = {"pieces": {"2026-11-01": 900.0}}
    await entities.plans.put("bakery", PLAN, pieces, "ana")
    (waiting,) = await entities.plans.rederivations()
    await entities.plans.shorten(waiting, "2026-11-01")
    assert (await entities.plans.rederivations())[0].last_day == "2026-11-01"

    assert not await entities.plans.put("bakery", PLAN, pieces, "ben")
    assert (await entities.plans.rederivations())[0].last_day == "2026-11-01"

    assert await entities.plans.put("bakery", PLAN, {"pieces": {"2026-11-01": 950.0}}, "ben")
    (again,) = await entities.plans.rederivations()
    assert again.last_day is None
    await entities.plans.shorten(again, None)
    assert await entities.plans.rederivations() == ()
    plan = await entities.plans.plan("bakery")
    assert plan is not None
    assert plan.version == 2


async def test_versions_of_a_baseline_are_added_and_never_changed(entities: Entities) -> None:
    for reason, version in (("first", 1), ("the period was wrong", 2)):
        number = await entities.plans.add_baseline("bakery", "energy", "d", f"data-{version}", {"n": 1}, "ana", reason)
        assert number == version

    versions = await entities.plans.baselines("bakery")
    assert [(entry.version, entry.reason, entry.data_hash) for entry in versions] == [
        (1, "first", "data-1"),
        (2, "the period was wrong", "data-2"),
    ]
    assert (await entities.audit("bakery"))[-1].entity == "baseline"


async def test_a_plan_of_a_site_that_nobody_knows_is_refused(entities: Entities) -> None:
    with pytest.raises(StoreConfigurationError, match="'laundry' is not known"):
        await entities.plans.put("laundry", PLAN, {}, "ana")

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from site_config.errors import SiteFileError
from site_config.points import Assignment, Point, Resource, Role
from site_config.schema import Site, SiteFile
from store.entities import DeviceEntry, Entities

DEVICES = [{"id": "oven-meter", "profile": "eastron/sdm630"}, {"id": "main-meter", "profile": "abb/b23"}]


def site(**keys: Any) -> Site:
    declared: dict[str, Any] = {
        "site": "bakery",
        "name": "Bakery",
        "time_zone": "America/Lima",
        "lines": [{"id": "rs485-1", "serial": {"port": "/dev/ttyUSB0"}, "devices": DEVICES}],
        "points": [
            {
                "id": "main",
                "name": "Main supply",
                "resource": "electricity",
                "role": "main",
                "measured_by": "main-meter",
            },
            {"id": "oven", "name": "Oven", "resource": "electricity", "parent": "main", "measured_by": "oven-meter"},
        ],
    }
    return Site(SiteFile.model_validate({**declared, **keys}))


@pytest.fixture
async def entities(tmp_path: Path) -> AsyncIterator[Entities]:
    opened = Entities(tmp_path / "entities.sqlite")
    yield opened
    await opened.close()


async def test_a_site_is_what_its_file_declares(entities: Entities) -> None:
    await entities.import_site(site(), "ana")
    entry = await entities.site("bakery")
    assert entry is not None
    assert (entry.name, entry.time_zone.key) == ("Bakery", "America/Lima")
    assert await entities.devices("bakery") == (
        DeviceEntry("main-meter", "abb/b23", "rs485-1"),
        DeviceEntry("oven-meter", "eastron/sdm630", "rs485-1"),
    )
    assert await entities.points("bakery") == (
        Point("main", "Main supply", Resource.ELECTRICITY, Role.MAIN),
        Point("oven", "Oven", Resource.ELECTRICITY, Role.PART, "main"),
    )
    assert await entities.assignments("bakery") == site().assignments
    assert await entities.site("laundry") is None
    assert await entities.points("laundry") == ()


async def test_importing_the_same_again_changes_nothing(entities: Entities) -> None:
    first = await entities.import_site(site(), "ana")
    trail = await entities.audit("bakery")
    again = await entities.import_site(site(), "ben")
    assert first.changes == len(trail) == 7
    assert again.changes == 0
    assert await entities.audit("bakery") == trail
    assert len(await entities.recomputations()) == 2


async def test_changes_are_in_the_trail_with_author_old_and_new(entities: Entities) -> None:
    await entities.import_site(site(), "ana")
    renamed = [dict(point) for point in site().file.model_dump(mode="json", exclude_none=True)["points"]]
    renamed[1]["name"] = "Deck oven"
    result = await entities.import_site(site(points=renamed), "ben")
    assert result.changes == 1
    entry = (await entities.audit("bakery"))[-1]
    assert (entry.author, entry.entity, entry.key) == ("ben", "point", "oven")
    assert entry.old is not None
    assert entry.new is not None
    assert (entry.old["name"], entry.new["name"]) == ("Oven", "Deck oven")
    assert entry.at_ms > 0


async def test_what_the_file_no_longer_names_is_retired_and_may_come_back(entities: Entities) -> None:
    await entities.import_site(site(), "ana")
    points = site().file.model_dump(mode="json", exclude_none=True)["points"]
    await entities.import_site(site(points=points[:1]), "ben")
    assert [point.id for point in await entities.points("bakery")] == ["main"]
    assert [assignment.point for assignment in await entities.assignments("bakery")] == ["main"]
    await entities.import_site(site(), "ana")
    assert [point.id for point in await entities.points("bakery")] == ["main", "oven"]
    changes = [(entry.author, entry.old is None, entry.new is None) for entry in await entities.audit("bakery")]
    assert changes[-4:] == [("ben", False, True), ("ben", False, True), ("ana", True, False), ("ana", True, False)]


async def test_changed_assignments_are_noted_for_recomputation_until_marked(entities: Entities) -> None:
    await entities.import_site(site(), "ana")
    for recomputation in await entities.recomputations():
        await entities.mark_recomputation(recomputation, [])
    assert await entities.recomputations() == ()
    assert await entities.dirty(10) == ()
    moved = {"device": "oven-meter", "point": "main", "from": "2026-11-23T11:00:00-05:00", "factor": -1}
    result = await entities.import_site(site(assignments=[moved]), "ben")
    came = Assignment(
        "oven-meter", "main", "active_energy_import_total", "active_power_total", "active_energy_export_total",
        1_795_449_600_000, None, -1.0,
    )  # fmt: skip
    assert result.assignments == (came,)
    (noted,) = await entities.recomputations()
    assert (noted.site, noted.device, noted.from_ms, noted.to_ms) == ("bakery", "oven-meter", came.from_ms, None)
    await entities.mark_recomputation(noted, [900_000, 1_800_000])
    assert await entities.recomputations() == ()
    assert [(mark.device, mark.interval_start_ms) for mark in await entities.dirty(10)] == [
        ("oven-meter", 1_800_000),
        ("oven-meter", 900_000),
    ]


async def test_marks_come_latest_interval_first_and_go_when_cleared(entities: Entities) -> None:
    await entities.mark_dirty("bakery", [("oven", 900_000), ("oven", 0), ("mixer", 1_800_000)])
    await entities.mark_dirty("bakery", [])
    marks = await entities.dirty(2)
    assert [(mark.site, mark.device, mark.interval_start_ms) for mark in marks] == [
        ("bakery", "mixer", 1_800_000),
        ("bakery", "oven", 900_000),
    ]
    await entities.clear(marks)
    await entities.clear([])
    assert [mark.interval_start_ms for mark in await entities.dirty(10)] == [0]
    assert await entities.dirty_count() == 1


async def test_a_mark_that_was_set_again_meanwhile_stays(entities: Entities) -> None:
    await entities.mark_dirty("bakery", [("oven", 0), ("mixer", 0)])
    read = await entities.dirty(10)
    await entities.mark_dirty("bakery", [("oven", 0)])
    await entities.clear(read)
    (left,) = await entities.dirty(10)
    assert left.device == "oven"
    # A version is never used twice: what was read long ago cannot clear what came after it.
    await entities.clear([left])
    await entities.mark_dirty("bakery", [("oven", 0)])
    await entities.clear([left, *read])
    assert await entities.dirty_count() == 1


async def test_a_lease_has_one_owner_at_a_time(entities: Entities, tmp_path: Path) -> None:
    other = Entities(tmp_path / "entities.sqlite")
    assert await entities.acquire_lease("evaluation", "one", 60.0)
    assert await entities.acquire_lease("evaluation", "one", 60.0)
    assert not await other.acquire_lease("evaluation", "two", 60.0)
    await other.release_lease("evaluation", "two")
    assert not await other.acquire_lease("evaluation", "two", 60.0)
    await entities.release_lease("evaluation", "one")
    assert await other.acquire_lease("evaluation", "two", 0.0)
    assert await entities.acquire_lease("evaluation", "one", 60.0)
    await other.close()


async def test_only_one_of_many_gets_an_expired_lease(tmp_path: Path) -> None:
    others = [Entities(tmp_path / "entities.sqlite") for _ in range(5)]
    got = await asyncio.gather(
        *[other.acquire_lease("evaluation", f"owner {n}", 60.0) for n, other in enumerate(others)]
    )
    assert sorted(got) == [False, False, False, False, True]
    for other in others:
        await other.close()


async def test_the_trail_survives_reopening(entities: Entities, tmp_path: Path) -> None:
    await entities.import_site(site(), "ana")
    trail = await entities.audit("bakery")
    reopened = Entities(tmp_path / "entities.sqlite")
    assert await reopened.audit("bakery") == trail
    await reopened.close()


async def test_a_points_resource_never_changes(entities: Entities) -> None:
    points = list(site().file.model_dump(mode="json")["points"])
    await entities.import_site(site(), "ana")
    await entities.import_site(site(points=points[:1]), "ana")
    water = {"id": "oven", "name": "Water", "resource": "water", "measured_by": "oven-meter"}
    with pytest.raises(SiteFileError, match=r"points: oven\.resource: was electricity .* give .* water a new id"):
        await entities.import_site(site(points=[points[0], water]), "ana")
    assert [point.id for point in await entities.points("bakery")] == ["main"]

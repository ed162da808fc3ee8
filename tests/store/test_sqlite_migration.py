"""A file of readings or entities of each version opens with everything in it, and goes on in today's."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from store.entities import Entities
from store.entities_schema import MIGRATIONS as ENTITY_MIGRATIONS
from store.protocol import IntervalRow
from store.sqlite_readings import MIGRATIONS, SqliteReadings

SAMPLES = Path(__file__).parent / "sqlite_samples"
START_MS = 1_795_000_000_000 // 900_000 * 900_000
DAY_MS = 86_400_000
MONTH = "2026-11"


def test_there_is_a_sample_of_every_version_before() -> None:
    assert len(list(SAMPLES.glob("readings-*.sqlite"))) == len(MIGRATIONS) - 1
    assert len(list(SAMPLES.glob("entities-*.sqlite"))) == len(ENTITY_MIGRATIONS) - 1


@pytest.mark.parametrize("sample", sorted(path.name for path in SAMPLES.glob("readings-*.sqlite")))
async def test_every_version(sample: str, tmp_path: Path) -> None:
    shutil.copyfile(SAMPLES / sample, tmp_path / "readings.sqlite")
    resource = "" if sample == "readings-1.sqlite" else "electricity"
    for _ in range(2):
        store = SqliteReadings(tmp_path / "readings.sqlite")
        powers = await store.readings("bakery", "oven-meter", "active_power_total", START_MS, START_MS + DAY_MS)
        assert powers.values == (1.0, 2.0, 4.0, 5.0)
        rows = await store.intervals("bakery", START_MS, START_MS + DAY_MS)
        assert [(row.amount, row.demand, row.quality) for row in rows] == [
            (1.5 + number, 6.0, "measured") for number in range(4)
        ]
        assert rows[1].resource == resource
        (day,) = await store.days("bakery", START_MS - DAY_MS, START_MS + DAY_MS)
        assert day == IntervalRow(
            "bakery",
            "oven",
            START_MS - START_MS % DAY_MS,
            10.0,
            8.5,
            0.5,
            "partial",
            resource,
            START_MS,
            2.0,
            "2026-11",
        )
        evaluated = replace(rows[0], resource="electricity")
        await store.write_intervals([evaluated])
        assert (await store.intervals("bakery", START_MS, START_MS + 1)) == [evaluated]
        await store.close()


@pytest.mark.parametrize("sample", sorted(path.name for path in SAMPLES.glob("entities-*.sqlite")))
async def test_every_version_of_entities(sample: str, tmp_path: Path) -> None:
    shutil.copyfile(SAMPLES / sample, tmp_path / "entities.sqlite")
    entities = Entities(tmp_path / "entities.sqlite")
    assert [point.id for point in await entities.points("bakery")] == ["main", "oven"]
    assert (await entities.dirty(10))[0].device == "oven-meter"
    assert len(await entities.audit("bakery")) == 7
    assert await entities.plans.plan("bakery") is None
    # Intervals of before have neither resources nor series of the site yet.
    assert [(waiting.site, waiting.last_day) for waiting in await entities.plans.rederivations()] == [("bakery", None)]
    assert await entities.plans.put("bakery", {"site": "bakery"}, {}, "ana")
    assert len(await entities.audit("bakery")) == 8
    await entities.close()

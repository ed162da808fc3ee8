"""A stretch answers exactly as the store does, and asks it no more than it must."""

import random

import pytest

from evaluation.metering.stretch import Stretch
from evaluation.metering.total_reader import TotalReader
from site_config.points import Assignment
from store.protocol import Latest, Series
from tests.evaluation.memory_store import MemoryStore

SITE, DEVICE, TOTAL, RATE = "works", "meter", "active_energy_import_total", "active_power_total"
BASE_MS = 1_790_000_000_000
MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS


class AskedStore(MemoryStore):
    """Counts what it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    async def readings(self, site: str, device: str, quantity: str, start_ms: int, end_ms: int) -> Series:
        self.asked += 1
        return await super().readings(site, device, quantity, start_ms, end_ms)

    async def last_before(self, site: str, device: str, quantity: str, time_ms: int) -> Latest | None:
        self.asked += 1
        return await super().last_before(site, device, quantity, time_ms)

    async def first_after(self, site: str, device: str, quantity: str, time_ms: int) -> Latest | None:
        self.asked += 1
        return await super().first_after(site, device, quantity, time_ms)


@pytest.mark.parametrize("seed", range(20))
async def test_it_answers_as_the_store_does(seed: int) -> None:
    chance = random.Random(seed)
    store = MemoryStore()
    for time_ms in chance.sample(range(100), chance.choice((0, 1, 5, 30))):
        store.put(SITE, DEVICE, TOTAL, BASE_MS + time_ms, float(chance.randrange(4)))
    stretch = Stretch(store, SITE, DEVICE, TOTAL)
    bounds = sorted(chance.sample(range(100), 2))
    await stretch.read(BASE_MS + bounds[0], BASE_MS + bounds[1])

    key = (SITE, DEVICE, TOTAL)
    for time_ms in range(BASE_MS - 2, BASE_MS + 102):
        assert await stretch.last_before(time_ms) == await store.last_before(*key, time_ms)
        assert await stretch.first_after(time_ms) == await store.first_after(*key, time_ms)
        assert await stretch.readings(time_ms, time_ms + 7) == await store.readings(*key, time_ms, time_ms + 7)


async def test_where_nothing_ever_was_the_store_is_not_asked() -> None:
    store = AskedStore()
    stretch = Stretch(store, SITE, DEVICE, TOTAL)
    stretch.know_of_none()

    assert await stretch.last_before(BASE_MS) is None
    assert await stretch.first_after(BASE_MS) is None
    assert await stretch.readings(BASE_MS, BASE_MS + DAY_MS) == Series((), ())
    assert store.asked == 0


async def test_a_day_of_a_coarse_total_takes_a_few_requests() -> None:
    """96 boundaries lie in as many standstills; asking for each of them made a first evaluation last minutes."""
    store = AskedStore()
    for minute in range(-120, 24 * 60 + 120):
        time_ms = BASE_MS + minute * MINUTE_MS
        store.put(SITE, DEVICE, TOTAL, time_ms, round(1000 + minute // 4 * 0.1, 1))
        store.put(SITE, DEVICE, RATE, time_ms, 1500.0)
    assignment = Assignment(DEVICE, "oven", TOTAL, RATE, export_quantity="active_energy_export_total")
    reader = TotalReader(store, SITE, 3 * MINUTE_MS)

    found = await reader.assigned(assignment, BASE_MS, BASE_MS + DAY_MS)
    first = store.asked
    await reader.reach(assignment, BASE_MS, BASE_MS + DAY_MS)

    assert len(found.amount.times_ms) >= 24 * 60
    assert found.export == Series((), ())
    # Total, rate, and that there is no export; then a total on either side.
    assert (first, store.asked - first) == (4, 2)

"""A solar inverter that sleeps: nothing is generated, and the site's use is known all night."""

import pytest

from evaluation.metering.silent_generation import asleep
from site_config.points import Assignment, Point, Resource, Role
from store.protocol import IntervalRow
from store.schema import INTERVAL_MS
from tests.evaluation.memory_store import MemoryStore
from tests.evaluation.test_evaluator import ENERGY, MAIN, SITE, START_MS, amounts, evaluator, put

SOLAR = Point("pv", "Solar", Resource.ELECTRICITY, Role.GENERATION)
METERS = (Assignment("main-meter", "main", ENERGY), Assignment("inverter", "pv", ENERGY))


def generated(*powers_kw: float, coverage: float = 1.0) -> list[IntervalRow]:
    return [
        IntervalRow(SITE, "pv", number * INTERVAL_MS, power / 4 * coverage, None, coverage, "measured", "electricity")
        for number, power in enumerate(powers_kw)
    ]


@pytest.mark.parametrize(
    ("powers_kw", "is_asleep"),
    [((8.0, 4.0, 0.1), True), ((8.0, 7.5), False), ((0.01,), True), ((), False), ((8.0, 0.2, 3.0), False)],
)
def test_only_a_silence_after_almost_nothing_is_sleep(powers_kw: tuple[float, ...], *, is_asleep: bool) -> None:
    row = asleep(generated(*powers_kw), 20 * INTERVAL_MS)
    assert (row is not None) is is_asleep
    if row is not None:
        assert (row.amount, row.quality, row.coverage) == (0.0, "interpolated", 1.0)


def test_the_power_of_a_part_of_an_interval_counts() -> None:
    assert asleep(generated(8.0, coverage=0.1), INTERVAL_MS) is None


async def test_the_sites_use_is_known_through_the_night_and_exact_in_the_morning() -> None:
    store = MemoryStore()
    subject = evaluator(store, *METERS, points=(MAIN, SOLAR))
    marks: dict[str, set[int]] = {"main-meter": set(), "inverter": set()}
    for minute in range(8 * 60 + 1):
        marks["main-meter"].add(put(store, "main-meter", minute, minute / 6))
    for minute in range(61):
        # 6 kW in the first half hour, then dusk.
        marks["inverter"].add(put(store, "inverter", minute, min(minute, 30) / 10))
    await subject.evaluate(marks)

    night = {number: amount for number, amount in amounts(store, "site.electricity").items() if 5 <= number < 32}
    assert night == dict.fromkeys(range(5, 32), 2.5)
    assert {store.interval_rows[SITE, "site.electricity", START_MS + n * INTERVAL_MS].quality for n in night} == {
        "interpolated"
    }

    await subject.evaluate({"inverter": {put(store, "inverter", 8 * 60, 3.0)}})

    assert {store.interval_rows[SITE, "site.electricity", START_MS + n * INTERVAL_MS].quality for n in night} == {
        "measured"
    }
    assert amounts(store, "site.electricity")[20] == 2.5

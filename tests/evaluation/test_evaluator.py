import random
from zoneinfo import ZoneInfo

import pytest

from evaluation.accounting.day_writer import Written
from evaluation.accounting.days import day_of
from evaluation.evaluator import Evaluator
from evaluation.site_model import SiteModel
from site_config.points import Assignment, Point, Resource, Role
from store.protocol import IntervalRow
from store.schema import INTERVAL_MS
from tests.evaluation.memory_store import MemoryStore

SITE = "bakery"
ENERGY = "active_energy_import_total"
UTC = ZoneInfo("UTC")
DAY_MS = 24 * 3_600_000
START_MS = 20_000 * DAY_MS
MAIN = Point("main", "Main", Resource.ELECTRICITY, Role.MAIN)
OVEN = Point("oven", "Oven", Resource.ELECTRICITY, Role.PART, parent="main")
MIXER = Point("mixer", "Mixer", Resource.ELECTRICITY, Role.PART, parent="main")


def evaluator(store: MemoryStore, *assignments: Assignment, points: tuple[Point, ...] = (MAIN, OVEN)) -> Evaluator:
    return Evaluator(store, SiteModel(SITE, UTC, points, assignments), gap_limit_ms=60_000)


def put(store: MemoryStore, device: str, minute: float, value: float) -> int:
    """Store a reading and return the start of the interval that a collector would mark."""
    time_ms = START_MS + round(minute * 60_000)
    store.put(SITE, device, ENERGY, time_ms, value)
    return time_ms - time_ms % INTERVAL_MS


def amounts(store: MemoryStore, point: str) -> dict[int, float]:
    """Amounts by the number of the interval since the start."""
    return {
        (row.start_ms - START_MS) // INTERVAL_MS: round(row.amount, 6)
        for row in store.interval_rows.values()
        if row.point == point
    }


OVEN_METER = Assignment("oven-meter", "oven", ENERGY)


async def test_a_running_interval_is_partial_until_it_is_over() -> None:
    store = MemoryStore()
    subject = evaluator(store, OVEN_METER)
    marks = {put(store, "oven-meter", minute, float(minute)) for minute in range(8)}

    await subject.evaluate({"oven-meter": marks})

    row = store.interval_rows[SITE, "oven", START_MS]
    assert (row.amount, row.demand, row.quality) == (7.0, None, "partial")
    assert row.coverage == pytest.approx(7 / 15)

    marks = {put(store, "oven-meter", minute, float(minute)) for minute in range(8, 17)}
    await subject.evaluate({"oven-meter": marks})

    assert store.interval_rows[SITE, "oven", START_MS] == IntervalRow(
        SITE, "oven", START_MS, 15, 60, 1.0, "measured", "electricity"
    )
    assert store.interval_rows[SITE, "oven", START_MS + INTERVAL_MS].quality == "partial"


async def test_the_mark_of_one_interval_completes_the_one_before() -> None:
    store = MemoryStore()
    subject = evaluator(store, OVEN_METER)
    for minute in range(15):
        put(store, "oven-meter", minute + 0.5, float(minute))
    await subject.evaluate({"oven-meter": [START_MS]})
    assert store.interval_rows[SITE, "oven", START_MS].quality == "partial"

    mark = put(store, "oven-meter", 15.5, 15.0)
    assert mark == START_MS + INTERVAL_MS
    await subject.evaluate({"oven-meter": [mark]})

    # Its first half minute stays unknown: nothing was read before.
    assert amounts(store, "oven") == {0: 14.5, 1: 0.5}


async def test_a_gap_is_filled_when_the_device_comes_back_and_refined_by_late_data() -> None:
    store = MemoryStore()
    subject = evaluator(store, OVEN_METER)
    await subject.evaluate({"oven-meter": {put(store, "oven-meter", 0, 0.0), put(store, "oven-meter", 1, 1.0)}})
    await subject.evaluate({"oven-meter": [put(store, "oven-meter", 61, 121.0)]})

    assert amounts(store, "oven") == {0: 29.0, 1: 30.0, 2: 30.0, 3: 30.0, 4: 2.0}
    assert store.interval_rows[SITE, "oven", START_MS + INTERVAL_MS].quality == "interpolated"

    late = [put(store, "oven-meter", 31, 121.0)]
    await subject.evaluate({"oven-meter": late})

    assert amounts(store, "oven") == {0: 57.0, 1: 60.0, 2: 4.0, 3: 0.0, 4: 0.0}


async def test_in_any_order_and_any_repetition_the_rows_are_those_of_one_pass() -> None:
    reference, shuffled = MemoryStore(), MemoryStore()
    assignments = (
        Assignment("clamp", "oven", ENERGY, to_ms=START_MS + 100 * 60_000),
        Assignment("clamp", "mixer", ENERGY, from_ms=START_MS + 100 * 60_000),
        Assignment("main-meter", "main", ENERGY),
    )
    chosen = random.Random(7)
    readings = [
        (device, minute / 2, minute * rise)
        for device, rise in (("clamp", 0.1), ("main-meter", 0.4))
        for minute in range(480)
        if not 100 < minute < 300
    ]
    whole = evaluator(reference, *assignments, points=(MAIN, OVEN, MIXER))
    marks: dict[str, set[int]] = {}
    for device, minute, value in readings:
        marks.setdefault(device, set()).add(put(reference, device, minute, value))
    await whole.evaluate(marks)

    chosen.shuffle(readings)
    pieces = evaluator(shuffled, *assignments, points=(MAIN, OVEN, MIXER))
    for first in range(0, len(readings), 20):
        marks = {}
        for device, minute, value in readings[first : first + 20]:
            marks.setdefault(device, set()).add(put(shuffled, device, minute, value))
        await pieces.evaluate(marks)
        if chosen.random() < 0.3:
            await pieces.evaluate(marks)

    assert shuffled.interval_rows == reference.interval_rows
    assert shuffled.day_rows == reference.day_rows
    assert len(amounts(reference, "oven")) == 7
    assert len(amounts(reference, "mixer")) == 10


async def test_days_are_written_with_the_intervals() -> None:
    store = MemoryStore()
    subject = evaluator(store, OVEN_METER)
    marks = {put(store, "oven-meter", minute, minute / 4) for minute in range(24 * 60 + 31)}

    await subject.evaluate({"oven-meter": marks})

    days = await store.days(SITE, START_MS, START_MS + 2 * DAY_MS, "oven")
    assert [(round(day.amount, 6), day.quality, round(day.demand or 0.0, 6)) for day in days] == [
        (360.0, "measured", 15.0),
        (7.5, "partial", 15.0),
    ]


async def test_a_corrected_assignment_moves_the_amounts() -> None:
    store = MemoryStore()
    marks = {put(store, "clamp", minute, float(minute)) for minute in range(46)}
    await evaluator(store, Assignment("clamp", "oven", ENERGY), points=(MAIN, OVEN, MIXER)).evaluate({"clamp": marks})

    corrected = Assignment("clamp", "mixer", ENERGY)
    await evaluator(store, corrected, points=(MAIN, OVEN, MIXER)).evaluate({"clamp": marks})

    assert amounts(store, "mixer") == {0: 15.0, 1: 15.0, 2: 15.0}
    assert amounts(store, "oven") == {0: 0.0, 1: 0.0, 2: 0.0}
    assert {row.quality for row in store.interval_rows.values() if row.point == "oven"} == {"partial"}
    (day,) = await store.days(SITE, START_MS, START_MS + DAY_MS, "oven")
    assert (day.amount, day.quality) == (0.0, "partial")


async def test_intervals_whose_readings_are_past_their_retention_stay() -> None:
    store = MemoryStore()
    subject = evaluator(store, OVEN_METER)
    marks = {put(store, "oven-meter", minute, float(minute)) for minute in range(46)}
    await subject.evaluate({"oven-meter": marks})
    await store.delete_readings_before(START_MS + DAY_MS)

    await subject.evaluate({"oven-meter": marks})

    assert amounts(store, "oven") == {0: 15.0, 1: 15.0, 2: 15.0}


async def test_what_is_unmetered_is_a_series_of_its_own() -> None:
    store = MemoryStore()
    subject = evaluator(store, OVEN_METER, Assignment("main-meter", "main", ENERGY))
    marks = {
        device: {put(store, device, minute, minute * rise) for minute in range(31)}
        for device, rise in (("oven-meter", 1.0), ("main-meter", 3.0))
    }

    await subject.evaluate(marks)

    assert amounts(store, "main.unmetered") == {0: 30.0, 1: 30.0}
    (day,) = await store.days(SITE, START_MS, START_MS + DAY_MS, "main.unmetered")
    assert (round(day.amount, 6), round(day.demand or 0.0, 6)) == (60.0, 120.0)


async def test_a_device_that_measures_no_point_writes_nothing() -> None:
    store = MemoryStore()

    written = await evaluator(store).evaluate({"spare": [put(store, "spare", 1, 1.0)]})

    assert (written, store.interval_rows, store.day_rows) == (0, {}, {})


async def test_a_time_of_long_ago_does_not_make_decades_of_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evaluation.evaluator.MAXIMUM_GAP_MS", 10 * DAY_MS)
    store = MemoryStore()
    store.put(SITE, "oven-meter", ENERGY, 1000, 0.0)
    mark = put(store, "oven-meter", 5, 100.0)

    written = await evaluator(store, OVEN_METER).evaluate({"oven-meter": [mark]})

    assert 10 * 96 <= written <= 11 * 96


async def test_days_of_before_resources_were_stored_get_them_and_the_sites_series() -> None:
    store = MemoryStore()
    subject = evaluator(store, OVEN_METER, Assignment("main-meter", "main", ENERGY))
    old = [
        IntervalRow(SITE, point, START_MS, amount, 4 * amount, 1.0, "measured", "")
        for point, amount in (("main", 5.0), ("oven", 3.0), ("main.unmetered", 2.0))
    ]
    await store.write_intervals(old)

    written = await subject.rederive(day_of(START_MS, UTC))

    assert {row.point: row.resource for row in store.interval_rows.values()} == {
        "main": "electricity",
        "oven": "electricity",
        "main.unmetered": "electricity",
        "site.electricity": "electricity",
        "site.energy": "energy",
    }
    assert {row.resource for row in store.day_rows.values()} == {"electricity", "energy"}
    assert (written.intervals, written.days) == (5, 5)
    assert await subject.rederive(day_of(START_MS, UTC)) == Written(0, 0)

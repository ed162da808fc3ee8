"""What both stores of readings do, whichever it is."""

import asyncio
import json
import math
import random
import subprocess
import sys
from dataclasses import replace

import pytest

from store.factory import open_readings
from store.protocol import IntervalRow, Latest, OperatedReadingStore, Series, StoredCount
from store.settings import StoreSettings
from tests.store.rows import START_MS, column, powers, rows
from wire_format.events import Event
from wire_format.quality import Quality

SITE = "bakery"
POWER = "active_power_total"
ENERGY = "active_energy_import_total"
END_MS = START_MS + 86_400_000


async def all_readings(store: OperatedReadingStore, device: str = "oven", quantity: str = POWER) -> dict[int, float]:
    series = await store.readings(SITE, device, quantity, START_MS, END_MS)
    return {(at - START_MS) // 1000: value for at, value in zip(series.times_ms, series.values, strict=True)}


async def test_what_was_written_is_read_as_the_nearest_double(store: OperatedReadingStore) -> None:
    assert await store.write(SITE, [powers("oven", {0: 12345, 1: -7, 2: 0})]) == ()
    assert await all_readings(store) == {0: 1234.5, 1: -0.7, 2: 0.0}


async def test_values_of_many_digits_come_back_bit_for_bit(store: OperatedReadingStore) -> None:
    chance = random.Random(20_261_123)
    written = rows(
        "oven",
        [START_MS + index for index in range(200)],
        *[
            column(f"q{exponent + 18}", *[chance.randrange(-(2**63), 2**63) for _ in range(200)], exponent=exponent)
            for exponent in range(-18, 19)
        ],
    )
    assert await store.write(SITE, [written]) == ()
    for expected in written.columns:
        series = await store.readings(SITE, "oven", expected.quantity, START_MS, END_MS)
        assert list(series.values) == expected.values()


async def test_the_same_rows_twice_are_stored_once(store: OperatedReadingStore) -> None:
    for _ in range(2):
        await store.write(SITE, [powers("oven", {0: 10, 1: 20}), powers("mixer", {0: 10})])
    assert await store.count(SITE) == StoredCount(3, 0, {"oven": 2, "mixer": 1})


async def test_a_row_adds_quantities_to_a_time_that_is_stored(store: OperatedReadingStore) -> None:
    await store.write(SITE, [rows("oven", [START_MS], column(POWER, 10), column(ENERGY, None))])
    await store.write(SITE, [rows("oven", [START_MS], column(ENERGY, 990))])
    await store.write(SITE, [rows("oven", [START_MS], column(POWER, None), column(ENERGY, 990))])
    assert await all_readings(store) == {0: 1.0}
    assert await all_readings(store, quantity=ENERGY) == {0: 99.0}
    assert (await store.count(SITE)).values == 2


async def test_a_missing_value_is_missing_and_not_zero(store: OperatedReadingStore) -> None:
    times = [START_MS, START_MS + 1000, START_MS + 2000]
    await store.write(SITE, [rows("oven", times, column(POWER, 10, None, 30), column(ENERGY, None, None, 5))])
    assert await all_readings(store) == {0: 1.0, 2: 3.0}
    assert await all_readings(store, quantity=ENERGY) == {2: 0.5}
    assert await store.count(SITE) == StoredCount(3, 0, {"oven": 3})


async def test_quality_is_kept_where_it_is_not_good(store: OperatedReadingStore) -> None:
    times = [START_MS, START_MS + 1000, START_MS + 2000, START_MS + 3000]
    marks = [Quality.GOOD, Quality.LINK_ERROR, Quality.OUT_OF_RANGE, Quality.GOOD]
    await store.write(
        SITE, [rows("oven", times, column(POWER, 10, None, 30, 40, quality=marks), column(ENERGY, 1, 2, 3, 4))]
    )
    found = await store.qualities(SITE, "oven", POWER, START_MS, END_MS)
    assert found == {START_MS + 1000: Quality.LINK_ERROR, START_MS + 2000: Quality.OUT_OF_RANGE}
    assert await store.qualities(SITE, "oven", ENERGY, START_MS, END_MS) == {}
    assert await store.qualities(SITE, "oven", POWER, START_MS + 1001, START_MS + 2000) == {}
    assert await all_readings(store) == {0: 1.0, 2: 3.0, 3: 4.0}
    assert await store.count(SITE) == StoredCount(7, 0, {"oven": 7})


async def test_rows_that_can_never_be_stored_come_back_and_the_others_are_stored(store: OperatedReadingStore) -> None:
    times = [5, START_MS, START_MS + 1000, 4_200_000_000_000]
    refused = await store.write(SITE, [rows("oven", times, column(POWER, 1, 20, 10**400, 1)), powers("mixer", {0: 10})])
    assert [(row.device, row.time_ms) for row in refused] == [
        ("oven", 5),
        ("oven", START_MS + 1000),
        ("oven", 4_200_000_000_000),
    ]
    assert "2000 and 2100" in refused[0].reason
    assert POWER in refused[1].reason
    assert await all_readings(store) == {0: 2.0}
    assert await all_readings(store, "mixer") == {0: 1.0}


async def test_a_whole_number_first_does_not_forbid_fractions_after_it(store: OperatedReadingStore) -> None:
    await store.write(SITE, [rows("oven", [START_MS], column(POWER, 5, exponent=0))])
    assert await store.write(SITE, [rows("oven", [START_MS + 1000], column(POWER, 55))]) == ()
    await store.write(SITE, [rows("oven", [START_MS + 2000], column(POWER, 5, exponent=1))])
    assert await all_readings(store) == {0: 5.0, 1: 5.5, 2: 50.0}


async def test_ranges_are_half_open_and_devices_and_sites_apart(store: OperatedReadingStore) -> None:
    await store.write(SITE, [powers("oven", {0: 10, 1: 20, 2: 30}), powers("mixer", {1: 99})])
    await store.write("laundry", [powers("oven", {1: 77})])
    series = await store.readings(SITE, "oven", POWER, START_MS + 1000, START_MS + 2000)
    assert series == Series((START_MS + 1000,), (2.0,))
    assert await store.readings(SITE, "oven", "unknown", START_MS, END_MS) == Series((), ())
    assert await store.count("nowhere") == StoredCount(0, 0, {})


async def test_latest_is_the_newest_value_of_each_quantity(store: OperatedReadingStore) -> None:
    await store.write(SITE, [powers("oven", {second: second for second in range(100)})])
    await store.write(SITE, [rows("oven", [START_MS + 3000], column(ENERGY, 70))])
    await store.write(SITE, [rows("mixer", [START_MS, START_MS + 5000], column(POWER, 80, None))])
    await store.write("laundry", [powers("dryer", {100: 1})])
    assert await store.latest(SITE, START_MS) == {
        ("oven", POWER): Latest(START_MS + 99_000, 9.9),
        ("oven", ENERGY): Latest(START_MS + 3000, 7.0),
        ("mixer", POWER): Latest(START_MS, 8.0),
    }
    assert set(await store.latest(SITE, START_MS + 3001)) == {("oven", POWER)}
    assert await store.latest(SITE, END_MS) == {}


async def test_nearest_values_before_and_after(store: OperatedReadingStore) -> None:
    await store.write(SITE, [powers("oven", {0: 10, 10: None, 20: 30})])
    await store.write(SITE, [rows("oven", [START_MS + 15_000], column(ENERGY, 1), column(POWER, 25))])

    async def before(second: int) -> Latest | None:
        return await store.last_before(SITE, "oven", POWER, START_MS + 1000 * second)

    async def after(second: int) -> Latest | None:
        return await store.first_after(SITE, "oven", POWER, START_MS + 1000 * second)

    assert await before(-1) is None
    assert await before(0) == await before(14) == Latest(START_MS, 1.0)
    assert await before(15) == await before(19) == Latest(START_MS + 15_000, 2.5)
    assert await before(10**6) == await after(16) == await after(20) == Latest(START_MS + 20_000, 3.0)
    assert await after(-(10**6)) == await after(0) == Latest(START_MS, 1.0)
    assert await after(1) == Latest(START_MS + 15_000, 2.5)
    assert await after(21) is None
    assert await store.last_before(SITE, "nothing", POWER, END_MS) is None


async def test_sampled_is_the_mean_of_each_window_counted_from_the_start(store: OperatedReadingStore) -> None:
    await store.write(SITE, [powers("oven", {3: 10, 4: 20, 12: 40, 13: 60, 43: 70})])
    series = await store.sampled(SITE, "oven", POWER, START_MS + 3000, START_MS + 43_000, 10_000)
    assert series == Series((START_MS + 3000, START_MS + 13_000), ((1.0 + 2.0 + 4.0) / 3, 6.0))


RESET = Event("oven", "counter_reset", START_MS, ENERGY, 'set to 0, as "they" say\\', {"before": 123.456, "after": 0.0})
OUTAGE = Event("agent-edge-1", "outage", START_MS + 1000, text="no mains")


async def test_events_are_read_by_time_and_kind_in_order(store: OperatedReadingStore) -> None:
    bare = replace(RESET, subject="", text="", numbers={})
    assert await store.write_events(SITE, [OUTAGE, RESET, bare]) == ()
    await store.write_events("laundry", [OUTAGE])
    assert await store.events(SITE, START_MS, START_MS + 1001) == [bare, RESET, OUTAGE]
    assert await store.events(SITE, START_MS, START_MS + 1000) == [bare, RESET]
    assert await store.events(SITE, START_MS, END_MS, "outage") == [OUTAGE]
    assert await store.write_events(SITE, []) == ()


async def test_an_event_told_twice_is_stored_once_and_further_numbers_are_added(store: OperatedReadingStore) -> None:
    ended = replace(OUTAGE, numbers={"until_ms": START_MS + 5000.5})
    for event in (OUTAGE, OUTAGE, ended, OUTAGE):
        await store.write_events(SITE, [event])
    assert await store.events(SITE, START_MS, END_MS) == [ended]
    moved = replace(OUTAGE, text="no mains since noon", numbers={"until_ms": START_MS + 6000.0, "phases": 3.0})
    await store.write_events(SITE, [moved])
    assert await store.events(SITE, START_MS, END_MS) == [moved]


async def test_an_event_with_an_impossible_time_comes_back_and_the_others_are_stored(
    store: OperatedReadingStore,
) -> None:
    (refused,) = await store.write_events(SITE, [RESET, replace(OUTAGE, time_ms=1000)])
    assert (refused.device, refused.time_ms) == ("agent-edge-1", 1000)
    assert await store.events(SITE, START_MS, END_MS) == [RESET]


def interval(point: str, number: int, amount: float = 1.5) -> IntervalRow:
    return IntervalRow(SITE, point, START_MS + 900_000 * number, amount, 6.0, 1.0, "measured", "electricity")


async def test_intervals_are_ordered_and_chosen_by_start_and_point(store: OperatedReadingStore) -> None:
    written = [interval("oven", 1), interval("main", 1), interval("oven", 0), interval("oven", 2)]
    await store.write_intervals(written)
    await store.write_intervals([replace(interval("oven", 0), site="laundry")])
    assert await store.intervals(SITE, START_MS, START_MS + 1_800_000) == [written[2], written[1], written[0]]
    assert await store.intervals(SITE, START_MS, END_MS, "main") == [written[1]]
    assert await store.days(SITE, START_MS, END_MS) == []


async def test_intervals_and_days_are_replaced_whole(store: OperatedReadingStore) -> None:
    full = replace(
        interval("oven", 0), peak_ms=START_MS + 1, minimum=0.25, month="2026-11", cost=3.5, co2e=0.4, expected=9.0,
        goal=8.0, lower=7.0, upper=10.0, avoided_co2e=1.25, co2e_market=0.75, quality="interpolated",
    )  # fmt: skip
    bare = IntervalRow(SITE, "oven", START_MS, 2.0, None, 0.5, "partial", "electricity")
    await store.write_days([full, replace(full, start_ms=START_MS + 86_400_000)])
    assert await store.days(SITE, START_MS, END_MS) == [full]
    assert await store.day_starts(SITE, START_MS, END_MS + 1) == [START_MS, START_MS + 86_400_000]
    await store.write_days([bare])
    assert await store.days(SITE, START_MS, END_MS + 1) == [bare, replace(full, start_ms=START_MS + 86_400_000)]
    await store.write_intervals([replace(full, month=None)])
    await store.write_intervals([bare])
    await store.write_intervals([bare])
    assert await store.intervals(SITE, START_MS, END_MS) == [bare]
    await store.write_intervals([])


async def test_a_row_of_before_resources_were_stored_is_replaced_and_not_doubled(store: OperatedReadingStore) -> None:
    await store.write_intervals([replace(interval("oven", 0), resource="")])
    assert await store.intervals(SITE, START_MS, END_MS) == [replace(interval("oven", 0), resource="")]
    await store.write_intervals([interval("oven", 0)])
    assert await store.intervals(SITE, START_MS, END_MS) == [interval("oven", 0)]


async def test_old_readings_are_deleted_and_intervals_stay(store: OperatedReadingStore) -> None:
    await store.write(SITE, [powers("oven", {0: 10, 1: 20, 2: 30})])
    await store.write_intervals([interval("oven", 0)])
    await store.delete_readings_before(START_MS + 1000)
    assert await all_readings(store) == {1: 2.0, 2: 3.0}
    assert await store.intervals(SITE, START_MS, END_MS) == [interval("oven", 0)]


async def test_many_writes_at_once_are_all_stored(store: OperatedReadingStore) -> None:
    answers = await asyncio.gather(*[store.write(SITE, [powers(f"d{n % 7}", {n: n})]) for n in range(300)])
    assert set(answers) == {()}
    assert (await store.count(SITE)).values == 300


async def test_a_cancelled_write_does_not_disturb_the_others(store: OperatedReadingStore) -> None:
    writes = [asyncio.create_task(store.write(SITE, [powers("oven", {n: n})])) for n in range(50)]
    await asyncio.sleep(0)
    for write in writes[::2]:
        write.cancel()
    done = await asyncio.gather(*writes, return_exceptions=True)
    assert [answer for answer in done if answer == ()] == [()] * 25
    stored = await all_readings(store)
    assert set(range(1, 50, 2)) <= set(stored)


async def test_check_passes_on_an_empty_store(store: OperatedReadingStore) -> None:
    await store.check()


_WRITER = """
import asyncio, sys
from store.factory import open_readings
from store.settings import StoreSettings
from tests.store.rows import powers

async def write() -> None:
    store = open_readings(StoreSettings.model_validate_json(sys.argv[1]))
    for second in range(50):
        assert await store.write("bakery", [powers(sys.argv[2], {second: second})]) == ()
    await store.close()

asyncio.run(write())
"""


def _plain(settings: StoreSettings) -> dict[str, object]:
    if settings.influx is None:
        return {"sqlite": str(settings.sqlite)}
    return {"influx": {**settings.influx.model_dump(exclude_none=True), "token": settings.influx.read_token()}}


@pytest.mark.timeout(60)
async def test_several_processes_write_and_read_the_same_store(settings: StoreSettings) -> None:
    text = json.dumps(_plain(settings))
    writers = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", _WRITER, text, device, stderr=subprocess.PIPE)
        for device in ("oven", "mixer", "main")
    ]
    complaints = [asyncio.create_task(writer.communicate()) for writer in writers]
    store = open_readings(settings)
    while not all(task.done() for task in complaints):
        await store.write(SITE, [powers("fan", {0: 1})])
        await store.count(SITE)
    for writer, task in zip(writers, complaints, strict=True):
        assert writer.returncode == 0, task.result()
    assert await store.count(SITE) == StoredCount(151, 0, {"oven": 50, "mixer": 50, "main": 50, "fan": 1})
    await store.close()


async def test_amounts_that_are_no_numbers_are_an_error_and_change_nothing(store: OperatedReadingStore) -> None:
    with pytest.raises(Exception, match="finite"):
        await store.write_intervals([interval("main", 0), interval("oven", 0, math.nan)])
    assert await store.intervals(SITE, START_MS, END_MS) == []

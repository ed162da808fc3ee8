import math
import random
from collections.abc import Iterable
from zoneinfo import ZoneInfo

import pytest

from evaluation.evaluator import Evaluator
from evaluation.metering.shaping import LONGEST_STANDSTILL_MS, amount_per_ms, shaped, standstills
from evaluation.site_model import SiteModel
from site_config.points import Assignment, Point, Resource, Role
from store.protocol import Series
from store.schema import INTERVAL_MS
from tests.evaluation.coarse_meter import ENERGY, RATE, Cell, CoarseMeter
from tests.evaluation.memory_store import MemoryStore

SITE = "bakery"
PACKING = Point("packing", "Packing", Resource.ELECTRICITY, Role.PART)
METER = Assignment("meter", "packing", ENERGY, RATE)
START_MS = 20_000 * 86_400_000
QUARTER_S = 900


def machine(second: float) -> float:
    """Runs, stands by, and is off at night."""
    hour = second / 3600 % 24
    if not 6 <= hour < 18:
        return 0.0
    return 1500.0 + 900.0 * math.sin(second / 40) if second % 600 < 420 else 60.0


def fill(store: MemoryStore, cells: Iterable[Cell]) -> set[int]:
    marks = set()
    for quantity, time_ms, value in cells:
        store.put(SITE, "meter", quantity, time_ms, value)
        marks.add(time_ms - time_ms % INTERVAL_MS)
    return marks


def evaluator(store: MemoryStore, assignment: Assignment = METER) -> Evaluator:
    return Evaluator(store, SiteModel(SITE, ZoneInfo("UTC"), (PACKING,), (assignment,)), gap_limit_ms=60_000)


def amounts(store: MemoryStore) -> list[float]:
    rows = sorted(store.interval_rows.values(), key=lambda row: row.start_ms)
    return [row.amount for row in rows if row.point == "packing"]


async def evaluated(meter: CoarseMeter, last_s: int, assignment: Assignment = METER) -> MemoryStore:
    store = MemoryStore()
    await evaluator(store, assignment).evaluate({"meter": fill(store, meter.cells(0, last_s))})
    return store


@pytest.mark.parametrize("power_w", [60.0, 230.0, 1100.0, 4000.0, 12_000.0, 36_000.0])
async def test_a_constant_load_is_right_to_two_percent(power_w: float) -> None:
    store = await evaluated(CoarseMeter(lambda _: power_w, START_MS), 6 * 3600)

    # Up to the last step is shaped and fitted; after it the integral stands alone.
    found = amounts(store)[:24]
    assert found == pytest.approx([power_w / 4000] * 24, rel=0.02)
    assert {row.quality for row in store.interval_rows.values() if row.start_ms < START_MS + 24 * INTERVAL_MS} == {
        "measured"
    }


async def test_a_day_of_a_changing_load_stays_within_a_step_of_the_counter() -> None:
    meter = CoarseMeter(machine, START_MS)
    store = await evaluated(meter, 86_400)

    found, counted = 0.0, []
    for number, amount in enumerate(amounts(store)[:96], start=1):
        assert amount >= 0
        found += amount
        counted.append(abs(found - (meter.shown_kwh(number * QUARTER_S) - meter.shown_kwh(0))))
    assert max(counted) <= 0.1 + 1e-9

    truth = meter.true_amounts(list(range(0, 86_401, QUARTER_S)))
    errors = [abs(amount - true) for amount, true in zip(amounts(store), truth, strict=False)]
    assert max(errors) < 0.02
    assert sum(errors) < 0.02 * sum(truth)
    plain = amounts(await evaluated(meter, 86_400, Assignment("meter", "packing", ENERGY)))
    assert sum(abs(amount - true) for amount, true in zip(plain, truth, strict=False)) > 5 * sum(errors)


async def test_a_rate_that_is_wrong_makes_no_drift() -> None:
    meter = CoarseMeter(lambda _: 800.0, START_MS)
    store = MemoryStore()
    cells = [(name, time, value * (1.25 if name == RATE else 1.0)) for name, time, value in meter.cells(0, 36_000)]
    await evaluator(store).evaluate({"meter": fill(store, cells)})

    assert sum(amounts(store)[:40]) == pytest.approx(8.0, abs=0.1)
    # Up to the first step nothing tells how wrong it is.
    assert amounts(store)[1:39] == pytest.approx([0.2] * 38, rel=0.02)


@pytest.mark.parametrize("seconds", [60, 300])
async def test_before_the_first_step_there_is_an_amount_already(seconds: int) -> None:
    meter = CoarseMeter(lambda _: 600.0, START_MS)
    store = await evaluated(meter, seconds)

    assert amounts(store) == [pytest.approx(0.6 * seconds / 3600, rel=0.02)]


@pytest.mark.parametrize("first_kwh", [1512.134, 1512.195])
async def test_what_is_not_counted_yet_stays_below_the_next_step(first_kwh: float) -> None:
    stuck = CoarseMeter(lambda _: 50.0, START_MS, first_kwh=first_kwh)
    store = MemoryStore()
    cells = [(name, time, 9000.0 if name == RATE else value) for name, time, value in stuck.cells(0, 3600)]
    await evaluator(store).evaluate({"meter": fill(store, cells)})

    assert sum(amounts(store)) - (stuck.shown_kwh(3600) - stuck.shown_kwh(0)) <= 0.1 + 1e-9


async def test_in_any_order_and_any_repetition_the_rows_are_those_of_one_pass() -> None:
    meter = CoarseMeter(lambda second: 900.0 if second % 5000 < 3500 else 0.0, START_MS)
    cells = [cell for cell in meter.cells(0, 30_000) if not 9_000 < (cell[1] - START_MS) / 1000 < 16_400]
    reference = MemoryStore()
    await evaluator(reference).evaluate({"meter": fill(reference, cells)})
    chosen = random.Random(5)
    chosen.shuffle(cells)
    # First what hides the steps: a few readings far apart, in any order.
    pieces = [cells[:20], cells[20:60], *(cells[first : first + 900] for first in range(60, len(cells), 900))]

    store = MemoryStore()
    for piece in pieces:
        await evaluator(store).evaluate({"meter": fill(store, piece)})

    assert store.interval_rows.keys() == reference.interval_rows.keys()
    assert amounts(store) == pytest.approx(amounts(reference), abs=1e-12)
    assert store.day_rows.keys() == reference.day_rows.keys()


@pytest.mark.parametrize("mean_w", [150.0, 900.0])
async def test_a_row_is_the_same_as_time_goes_by(mean_w: float) -> None:
    # At 150 W the register stands still over several intervals, and a step changes them all.
    meter = CoarseMeter(lambda second: mean_w * (1.0 + 0.5 * math.sin(second / 300)), START_MS)
    live = MemoryStore()
    running = 0.0
    for first in range(0, 9000, 50):
        await evaluator(live).evaluate({"meter": fill(live, meter.cells(first, first + 48))})
        assert sum(amounts(live)) >= running - 0.006
        running = sum(amounts(live))
    whole = MemoryStore()
    cells = [cell for first in range(0, 9000, 50) for cell in meter.cells(first, first + 48)]
    await evaluator(whole).evaluate({"meter": fill(whole, cells)})

    assert amounts(live) == pytest.approx(amounts(whole), abs=1e-12)


async def test_a_reset_in_a_standstill_is_no_spike() -> None:
    meter = CoarseMeter(lambda _: 600.0, START_MS)
    store = MemoryStore()
    cells = [
        (name, time, value - 1512.0 if name == ENERGY and time > START_MS + 700_000 else value)
        for name, time, value in meter.cells(0, 1800)
    ]
    await evaluator(store).evaluate({"meter": fill(store, cells)})

    assert sum(amounts(store)) == pytest.approx(0.3, abs=0.1)
    assert amounts(store)[0] == pytest.approx(0.15, abs=0.1)


async def test_export_is_shaped_by_what_flows_back() -> None:
    assignment = Assignment("meter", "packing", ENERGY, RATE, export_quantity="active_energy_export_total")
    sun = CoarseMeter(lambda _: 800.0, START_MS)
    store = MemoryStore()
    marks = set()
    for name, time_ms, value in sun.cells(0, 7200):
        if name == RATE:
            marks |= fill(store, [(RATE, time_ms, -value)])
        else:
            marks |= fill(store, [("active_energy_export_total", time_ms, value), (ENERGY, time_ms, 77.7)])
    await evaluator(store, assignment).evaluate({"meter": marks})

    assert amounts(store)[:8] == pytest.approx([-0.2] * 8, rel=0.02)


async def test_fine_totals_stay_as_they_were_read() -> None:
    meter = CoarseMeter(machine, START_MS + 6 * 3_600_000, step_kwh=0.001)
    plain = await evaluated(meter, 20_000, Assignment("meter", "packing", ENERGY))
    rated = await evaluated(meter, 20_000)

    assert rated.interval_rows == plain.interval_rows


def test_what_stands_still_too_long_stays_as_it_was_read() -> None:
    def total(length_ms: int) -> Series:
        return Series((0, 1000, 1000 + length_ms // 2, 1000 + length_ms, 2000 + length_ms), (7.4, 7.5, 7.5, 7.5, 7.6))

    assert len(standstills(total(LONGEST_STANDSTILL_MS), [5000])) == 1
    assert standstills(total(LONGEST_STANDSTILL_MS + 1), [5000]) == []


def test_without_readings_of_the_rate_nothing_changes() -> None:
    total = Series((0, 10_000, 20_000, 30_000), (7.4, 7.5, 7.5, 7.6))
    (found,) = standstills(total, [15_000])

    assert shaped(total, {found: Series((), ())}, 1.0, 60_000) == total
    assert shaped(total, {found: Series((10_000, 20_000), (0.0, -5.0))}, 1.0, 60_000) == total


def test_rates_that_are_no_derivative_shape_nothing() -> None:
    assert amount_per_ms(RATE, ENERGY) == pytest.approx(1 / 3.6e9)
    assert amount_per_ms("flow_rate", "water_volume_forward") == pytest.approx(1 / 3.6e6)
    assert amount_per_ms("weight_net", "weighed_mass_total") is None
    assert amount_per_ms(None, ENERGY) is None
    assert amount_per_ms(RATE, "water_volume_forward") is None

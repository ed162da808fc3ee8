import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.metering.intervals import (
    AssignedReadings,
    IntervalAmount,
    Total,
    contiguous,
    interval_amount,
    interval_starts,
)
from site_config.points import Assignment
from store.protocol import Series
from store.schema import INTERVAL_MS

MINUTE_MS = 60_000
ENERGY = "active_energy_import_total"
EXPORT = "active_energy_export_total"
METER = Assignment("meter", "oven", ENERGY)


def clock(text: str) -> int:
    hours, minutes = text.split(":")
    return (int(hours) * 60 + int(minutes)) * MINUTE_MS


def series(readings: dict[str, float]) -> Series:
    return Series(tuple(clock(time) for time in readings), tuple(readings.values()))


def interval(
    readings: Series | list[AssignedReadings], start: str, gap_limit_ms: int = MINUTE_MS
) -> IntervalAmount | None:
    assigned = [AssignedReadings(METER, readings)] if isinstance(readings, Series) else readings
    return interval_amount(assigned, clock(start), clock(start) + INTERVAL_MS, gap_limit_ms)


def known(found: IntervalAmount | None) -> IntervalAmount:
    assert found is not None
    return found


ALIGNED = series({"10:00": 1000.0, "10:15": 1012.5, "10:30": 1027.5, "10:45": 1037.5, "11:00": 1047.5})
IRREGULAR = series({"09:55": 500.0, "10:10": 512.0, "10:20": 530.0, "10:40": 542.0, "10:50": 548.0})


@pytest.mark.parametrize(
    ("start", "amount", "demand"),
    [("10:00", 12.5, 50.0), ("10:15", 15.0, 60.0), ("10:30", 10.0, 40.0), ("10:45", 10.0, 40.0)],
)
def test_a_register_read_on_the_quarter_hours(start: str, amount: float, demand: float) -> None:
    found = known(interval(ALIGNED, start, gap_limit_ms=INTERVAL_MS))

    assert (found.amount, found.demand, found.coverage, found.quality) == (amount, demand, 1.0, "measured")


def test_a_peak_that_straddles_the_boundary_is_billed_by_the_clock() -> None:
    runs = [(20.0, 8), (80.0, 15), (20.0, 7)]
    powers = [power for power, minutes in runs for _ in range(minutes)]
    values = [0.0]
    for power in powers:
        values.append(values[-1] + power / 60)
    total = Series(tuple(clock("10:00") + minute * MINUTE_MS for minute in range(31)), tuple(values))

    first, second = known(interval(total, "10:00")), known(interval(total, "10:15"))

    assert (round(first.amount, 9), round(first.demand or 0.0, 9)) == (12.0, 48.0)
    assert (round(second.amount, 9), round(second.demand or 0.0, 9)) == (13.0, 52.0)
    assert first.quality == second.quality == "measured"


@pytest.mark.parametrize(
    ("start", "amount", "demand"), [("10:00", 17.0, 68.0), ("10:15", 15.0, 60.0), ("10:30", 9.0, 36.0)]
)
def test_a_register_read_off_the_quarter_hours(start: str, amount: float, demand: float) -> None:
    found = known(interval(IRREGULAR, start, gap_limit_ms=20 * MINUTE_MS))

    assert (round(found.amount, 9), round(found.demand or 0.0, 9)) == (amount, demand)
    assert (found.coverage, found.quality) == (1.0, "measured")


@pytest.mark.parametrize(("start", "amount", "coverage"), [("09:45", 4.0, 1 / 3), ("10:45", 3.0, 1 / 3)])
def test_an_interval_of_which_a_part_is_known_has_no_demand(start: str, amount: float, coverage: float) -> None:
    found = known(interval(IRREGULAR, start, gap_limit_ms=20 * MINUTE_MS))

    assert found.amount == pytest.approx(amount)
    assert found.coverage == pytest.approx(coverage)
    assert (found.demand, found.quality) == (None, "partial")


def test_across_a_gap_the_amount_is_interpolated_and_says_so() -> None:
    total = series({"09:59": 0.0, "10:00": 1.0, "10:01": 2.0, "12:01": 122.0})

    found = known(interval(total, "10:00"))

    assert found.amount == pytest.approx(15.0)
    assert found.quality == "interpolated"
    assert found.coverage == pytest.approx(1 / 15)
    assert known(interval(total, "11:00")) == IntervalAmount(15.0, 60.0, 0.0, "interpolated")


def test_nothing_known_is_no_row() -> None:
    assert interval(series({"09:00": 1.0, "09:15": 2.0}), "10:00") is None
    assert interval(series({"10:05": 1.0}), "10:00") is None
    assert interval([], "10:00") is None


def test_a_clamp_that_moves_splits_the_interval() -> None:
    total = series({"10:45": 100.0, "11:00": 115.0, "11:15": 130.0})
    moved = clock("11:05")
    compressor = AssignedReadings(Assignment("clamp", "compressor", ENERGY, to_ms=moved), total)
    oven = AssignedReadings(Assignment("clamp", "oven", ENERGY, from_ms=moved), total)

    before = known(interval([compressor], "11:00", gap_limit_ms=INTERVAL_MS))
    after = known(interval([oven], "11:00", gap_limit_ms=INTERVAL_MS))

    assert (round(before.amount, 9), before.quality, before.demand) == (5.0, "partial", None)
    assert (round(after.amount, 9), after.quality, after.demand) == (10.0, "partial", None)
    assert before.coverage == pytest.approx(1 / 3)
    assert after.coverage == pytest.approx(2 / 3)
    assert known(interval([compressor], "10:45", gap_limit_ms=INTERVAL_MS)).amount == 15.0
    assert interval([compressor], "11:15", gap_limit_ms=INTERVAL_MS) is None


def test_a_meter_swapped_within_an_interval_leaves_it_whole() -> None:
    moved = clock("10:05")
    old = AssignedReadings(Assignment("old", "oven", ENERGY, to_ms=moved), series({"10:00": 900.0, "10:05": 905.0}))
    new = AssignedReadings(Assignment("new", "oven", ENERGY, from_ms=moved), series({"10:05": 0.0, "10:15": 10.0}))

    found = known(interval([old, new], "10:00", gap_limit_ms=INTERVAL_MS))

    assert found == IntervalAmount(15.0, 60.0, 1.0, "measured")


def test_two_meters_of_one_point_are_added() -> None:
    first = AssignedReadings(Assignment("a", "oven", ENERGY), series({"10:00": 0.0, "10:15": 4.0}))
    second = AssignedReadings(Assignment("b", "oven", ENERGY), series({"10:00": 0.0, "10:15": 6.0}))
    half = AssignedReadings(Assignment("b", "oven", ENERGY), series({"10:00": 0.0, "10:09": 6.0}))

    assert known(interval([first, second], "10:00", INTERVAL_MS)) == IntervalAmount(10.0, 40.0, 1.0, "measured")
    assert known(interval([first, half], "10:00", INTERVAL_MS)) == IntervalAmount(10.0, None, 0.8, "partial")


def test_export_is_subtracted_and_the_factor_applied() -> None:
    assignment = Assignment("main", "main", ENERGY, export_quantity=EXPORT, factor=2.0)
    taken, returned = series({"10:00": 10.0, "10:15": 15.0}), series({"10:00": 7.0, "10:15": 8.0})

    found = known(interval([AssignedReadings(assignment, taken, returned)], "10:00", INTERVAL_MS))

    assert found == IntervalAmount(8.0, 32.0, 1.0, "measured")


def test_import_and_export_are_compared_over_the_same_time() -> None:
    assignment = Assignment("main", "main", ENERGY, export_quantity=EXPORT)
    taken, returned = series({"10:00": 0.0, "10:15": 15.0}), series({"10:00": 0.0, "10:10": 20.0})

    found = known(interval([AssignedReadings(assignment, taken, returned)], "10:00", INTERVAL_MS))

    assert (round(found.amount, 9), found.demand, found.quality) == (-10.0, None, "partial")


def test_a_device_without_readings_of_export_exports_nothing() -> None:
    assignment = Assignment("main", "main", ENERGY, export_quantity=EXPORT)
    taken = series({"10:00": 0.0, "10:15": 15.0})

    found = known(interval([AssignedReadings(assignment, taken, Series((), ()))], "10:00", INTERVAL_MS))

    assert found == IntervalAmount(15.0, 60.0, 1.0, "measured")


def test_a_total_that_falls_is_a_reset_and_no_spike() -> None:
    total = series({"10:00": 5000.0, "10:05": 5005.0, "10:10": 0.0, "10:15": 5.0})

    found = known(interval(total, "10:00", gap_limit_ms=INTERVAL_MS))

    assert (round(found.amount, 9), found.demand, found.quality) == (10.0, None, "partial")
    assert found.coverage == pytest.approx(2 / 3)


def test_a_signed_net_total_may_fall() -> None:
    signed = AssignedReadings(
        Assignment("main", "main", "active_energy_net_total"), series({"10:00": 5.0, "10:15": 2.0})
    )

    assert known(interval([signed], "10:00", INTERVAL_MS)) == IntervalAmount(-3.0, -12.0, 1.0, "measured")


@given(
    steps=st.lists(st.tuples(st.integers(1, 3_000_000), st.integers(0, 10_000)), min_size=1, max_size=40),
    offset=st.integers(0, INTERVAL_MS),
)
def test_the_intervals_add_up_to_the_total(steps: list[tuple[int, int]], offset: int) -> None:
    times, values = [offset], [0.0]
    for step_ms, rise in steps:
        times.append(times[-1] + step_ms)
        values.append(values[-1] + rise / 10)
    total = Series(tuple(times), tuple(values))

    found = [
        interval_amount([AssignedReadings(METER, total)], start, start + INTERVAL_MS, MINUTE_MS)
        for start in interval_starts(times[0], times[-1])
    ]

    assert sum(known(entry).amount for entry in found) == pytest.approx(values[-1], abs=1e-6)
    assert all(known(entry).quality != "partial" for entry in found[1:-1])
    assert Total(total).counted(times[0], times[-1], MINUTE_MS).known_ms == times[-1] - times[0]


def test_ranges_are_joined_and_bounded() -> None:
    starts = [9 * INTERVAL_MS, 0, INTERVAL_MS, 2 * INTERVAL_MS, 0]

    assert list(contiguous(starts, 96)) == [(0, 3 * INTERVAL_MS), (9 * INTERVAL_MS, 10 * INTERVAL_MS)]
    assert list(contiguous(starts[:4], 2)) == [
        (0, 2 * INTERVAL_MS),
        (2 * INTERVAL_MS, 3 * INTERVAL_MS),
        (9 * INTERVAL_MS, 10 * INTERVAL_MS),
    ]

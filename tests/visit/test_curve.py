import pytest

from site_config.points import Point, Resource, Role
from visit.curve import MAXIMUM_POINTS, build_curve, coarser_step, example_baseline, step_for

MAIN = Point("main", "Main", Resource.ELECTRICITY, Role.MAIN)
SOLAR = Point("pv", "Solar", Resource.ELECTRICITY, Role.GENERATION)
DAY = (0, 24 * 3_600_000)
STEP_MS = 60_000


def test_the_site_is_the_sum_by_the_tree_and_a_gap_stays_a_gap() -> None:
    windows = {"main": {0: 1.0, STEP_MS: 2.0, 3 * STEP_MS: 4.0}, "pv": {0: 0.5, STEP_MS: 0.5, 3 * STEP_MS: 0.0}}

    curve = build_curve([MAIN, SOLAR], windows, STEP_MS, DAY, example=False)

    assert curve.times_ms == (30_000, 90_000, 150_000, 210_000)
    assert curve.site_kw == (1.5, 2.5, None, 4.0)
    assert curve.generation_kw == (0.5, 0.5, None, 0.0)
    assert curve.example_kw == ()


def test_without_own_generation_there_is_no_line_for_it() -> None:
    assert build_curve([MAIN], {"main": {0: 1.0}}, STEP_MS, DAY, example=False).generation_kw == ()


def test_a_missing_meter_makes_a_hole_and_no_smaller_site() -> None:
    curve = build_curve([MAIN, SOLAR], {"main": {0: 5.0, STEP_MS: 5.0}, "pv": {0: 1.0}}, STEP_MS, DAY, example=False)

    assert curve.site_kw == (6.0, None)


def test_the_axis_grows_into_a_day() -> None:
    young = build_curve([MAIN], {"main": {STEP_MS: 1.0, 2 * STEP_MS: 1.0}}, STEP_MS, DAY, example=False)
    grown = build_curve([MAIN], {"main": {0: 1.0, 3 * 3_600_000: 1.0}}, STEP_MS, DAY, example=False)

    assert (young.start_ms, young.end_ms) == (STEP_MS, 11 * STEP_MS)
    assert (grown.start_ms, grown.end_ms) == DAY


def test_nothing_measured_is_an_empty_day() -> None:
    curve = build_curve([MAIN], {}, STEP_MS, DAY, example=True)

    assert (curve.times_ms, curve.start_ms, curve.end_ms) == ((), *DAY)


@pytest.mark.parametrize("span_ms", [1, 600_000, 3_000_000, 3_000_001, 20_000_000, 25 * 3_600_000])
def test_a_curve_has_a_bounded_number_of_points(span_ms: int) -> None:
    assert span_ms / step_for(span_ms) <= MAXIMUM_POINTS


def test_the_example_lies_above_what_was_measured() -> None:
    example = example_baseline([8.8, 8.8, None, 8.8], 1)

    assert [round(value or 0.0, 9) for value in example] == [10.0] * 4
    assert example_baseline([None], 5) == (None,)


def test_a_step_is_no_finer_than_the_readings() -> None:
    a_minute = {"main": {0: 1.0, 60_000: 1.0, 120_000: 1.0}}
    assert coarser_step(a_minute, 2_000) == 10_000
    assert coarser_step(a_minute, 10_000) == 60_000
    assert coarser_step(a_minute, 60_000) is None
    assert coarser_step({"main": {0: 1.0, 600_000: 1.0}}, 300_000) is None
    # One gap is no seldom reading.
    assert coarser_step({"main": {**dict.fromkeys(range(0, 40000, 2000), 1.0), 900_000: 1.0}}, 2_000) is None

from dataclasses import replace

import pytest

from baselines.linear_model import fit
from baselines.live import RunningRow, judge
from tests.baselines.plants import observed

MODEL = fit(observed([121, 139, 161, 179, 201, 219], pieces=[10, 20, 30, 40, 50, 60]), ["pieces"])
MONDAY = RunningRow("Mon", {"pieces": 30.0}, 130.0)


def test_a_day_is_judged_when_its_production_is_known_and_not_before() -> None:
    waiting = judge(MODEL, [RunningRow("today", {"pieces": None}, 80.0)], 0.9)
    assert (waiting.verdict, waiting.expected, waiting.actual) == ("not yet known", None, 80.0)
    assert waiting.sentence("kWh") == "not judged yet: pieces of today not known."
    found = judge(MODEL, [RunningRow("today", {"pieces": 30.0}, 200.0, goal_share=0.1)], 0.9)
    (band,) = MODEL.band_of_each([[30.0]], 0.9)
    assert (found.expected, found.lower, found.upper) == pytest.approx((band.expected, band.lower, band.upper))
    assert found.goal == pytest.approx(0.9 * band.expected)
    assert found.verdict == "more"
    told = f"{band.expected:.1f} (90 %: {band.lower:.1f} to {band.upper:.1f}), goal {0.9 * band.expected:.1f}."
    assert found.sentence("kWh") == f"200.0 kWh, more than expected: {told}"


def test_a_week_is_of_its_judged_days() -> None:
    days = [
        MONDAY,
        RunningRow("Tue", {"pieces": 40.0}, 150.0),
        RunningRow("Wed", {"pieces": None}, 50.0),
        RunningRow("Thu", {"pieces": 20.0}, 50.0, left_out="without mains"),
    ]
    found = judge(MODEL, days, 0.9)
    band = MODEL.band_of_sum([[30.0], [40.0]], 0.9)
    assert (found.judged, found.rows, found.actual, found.verdict) == (2, 4, 280.0, "less")
    assert (found.expected, found.lower, found.upper) == (band.expected, band.lower, band.upper)
    assert found.sentence("").startswith("280.0, less than expected: 3")
    assert found.sentence("").endswith(" 2 of 4 days left out: pieces of Wed not known, Thu without mains.")


def test_within_the_band_is_as_expected() -> None:
    assert judge(MODEL, [replace(MONDAY, actual=161.0)], 0.9).verdict == "as expected"


def test_what_is_adjusted_is_expected_and_part_of_the_goal() -> None:
    plain = judge(MODEL, [replace(MONDAY, goal_share=0.1), replace(MONDAY, goal_share=0.2)], 0.9)
    found = judge(MODEL, [replace(MONDAY, goal_share=0.1), replace(MONDAY, goal_share=0.2, adjustment=2000.0)], 0.9)
    assert plain.expected is not None
    assert plain.goal is not None
    assert plain.goal == pytest.approx(0.85 * plain.expected)
    assert found.expected == pytest.approx(plain.expected + 2000.0)
    assert found.goal == pytest.approx(plain.goal + 0.8 * 2000.0)
    assert "less than expected: 2,3" in found.sentence("kWh")

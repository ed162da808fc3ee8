import pytest

from baselines.linear_model import fit
from baselines.live import RunningRow, judge
from tests.baselines.plants import observed

MODEL = fit(observed([121, 139, 161, 179, 201, 219], pieces=[10, 20, 30, 40, 50, 60]), ["pieces"])


def test_a_day_is_judged_when_its_production_is_known_and_not_before() -> None:
    waiting = judge(MODEL, [RunningRow("today", {"pieces": None}, 80.0)], 0.9)
    assert (waiting.verdict, waiting.expected, waiting.actual) == ("not yet known", None, 80.0)
    assert waiting.sentence() == "Not judged yet: pieces of today not known."
    found = judge(MODEL, [RunningRow("today", {"pieces": 30.0}, 200.0)], 0.9, goal_share=0.1)
    assert found.expected == pytest.approx(160.0, abs=1.0)
    assert found.goal == pytest.approx(0.9 * 160.0, abs=1.0)
    assert found.verdict == "more"
    assert found.sentence().startswith("More than expected: 200, expected 15")


def test_a_week_is_of_its_judged_days() -> None:
    days = [RunningRow("Mon", {"pieces": 30.0}, 130.0), RunningRow("Tue", {"pieces": 40.0}, 150.0)]
    found = judge(MODEL, [*days, RunningRow("Wed", {"pieces": None}, 50.0)], 0.9)
    assert (found.judged, found.rows, found.actual, found.verdict) == (2, 3, 280.0, "less")
    assert found.expected == pytest.approx(340.0, abs=2.0)
    assert found.sentence().endswith("1 of 3 left out: pieces of Wed not known.")


def test_within_the_band_is_as_expected() -> None:
    assert judge(MODEL, [RunningRow("Mon", {"pieces": 30.0}, 161.0)], 0.9).verdict == "as expected"

from dataclasses import replace
from datetime import date

from baselines.savings import Savings
from evaluation.standing import Standing
from store.protocol import IntervalRow
from visit.curve import expected_powers
from visit.savings import no_baseline_text, saving_views

WAITING = Standing("energy", "site.energy", "energy", "kWh", "waiting", "3 days are known so far; 12 are needed.")
FOUND = Savings(1000.0, 890.0, 110.0, 0.11, 30.0, 30.0, 0.0, 0.0, 1.0, 0.9, 0.27, proven=True, findings=())
COUNTED = replace(
    WAITING, state="counted", text="11.0 % less energy.", version=1, valid=True, verdict="Good enough.", savings=FOUND,
    first_day="2026-07-13", last_day="2026-07-26", days=14, judged=13, goal_share=0.27, asked_share=0.0675,
    goal_is_average=True,
)  # fmt: skip


def test_before_a_baseline_the_page_says_what_is_missing() -> None:
    (view,) = saving_views([WAITING])
    assert (view.name, view.state, view.figure) == ("All energy: no baseline yet", "waiting", "")
    assert view.text == WAITING.text
    assert "3 of the 12 whole days" in no_baseline_text(3, date(2026, 11, 26))
    assert "2026-12-05" in no_baseline_text(3, date(2026, 11, 26))
    assert "enough for a provisional baseline" in no_baseline_text(12, date(2026, 11, 26))


def test_progress_is_of_the_goal_and_names_whose_average_it_is() -> None:
    (view,) = saving_views([COUNTED])
    assert (view.figure, view.state) == ("11.0\N{NARROW NO-BREAK SPACE}% less", "proven")
    assert round(view.progress or 0, 3) == round(0.11 / 0.27, 3)
    assert view.asked == 0.25
    assert (
        view.progress_text
        == "11 of 27 points of the goal (the mark: 7 by today); SCORE firms report 27 points on average"
    )
    assert view.notes == ("2026-07-13 to 2026-07-26, 13 of 14 days judged.",)


def test_what_is_not_proven_is_no_progress() -> None:
    (view,) = saving_views([replace(COUNTED, savings=replace(FOUND, proven=False), valid=False, verdict="Not good.")])
    assert (view.state, view.progress) == ("unproven", 0.0)
    assert view.progress_text.startswith("0 of 27 points")
    assert view.notes[1] == "Not good."


def test_what_is_expected_of_intervals_becomes_power() -> None:
    row = IntervalRow(
        "site", "site.energy", 0, 2.0, 8.0, 1.0, "measured", "energy", expected=3.0, lower=-1.0, upper=5.0
    )
    (power,) = expected_powers([row, replace(row, expected=None)])
    assert (power.time_ms, power.expected_kw, power.lower_kw, power.upper_kw) == (450_000, 12.0, 0.0, 20.0)
    assert power.goal_kw is None

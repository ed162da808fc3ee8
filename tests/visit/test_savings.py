from dataclasses import replace
from datetime import date

import pytest

from baselines.savings import Savings
from baselines.sayings import say
from baselines.validity import Finding
from evaluation.judging.standing import Standing
from languages.texts import texts
from store.protocol import IntervalRow
from visit.curve import expected_powers
from visit.savings import NoBaseline, no_baseline_text, saving_views, without_baseline
from visit.wording import ENGLISH, Wording

WAITING = Standing("energy", "site.energy", "energy", "kWh", "waiting", say("3 days are known so far."))
FOUND = Savings(
    1000.0, 890.0, 110.0, 0.11, 30.0, 30.0, 30.0, 0.0, 0.0, 0.9, 0.27, valid=True, provisional=False, proven=True,
    findings=(),
)  # fmt: skip
COUNTED = replace(
    WAITING, state="counted", text=FOUND.sentence(), version=1, valid=True, verdict=say("Good enough."), savings=FOUND,
    first_day="2026-07-13", last_day="2026-07-26", days=14, judged=13, goal_share=0.27, asked_share=0.0675,
    goal_is_average=True,
)  # fmt: skip


def test_before_a_baseline_the_page_says_what_is_missing() -> None:
    (view,) = saving_views([WAITING], ENGLISH)
    assert (view.name, view.state, view.figure) == ("All energy: no baseline yet", "waiting", "")
    assert view.text == WAITING.text
    told = no_baseline_text(NoBaseline(3, date(2026, 12, 5)), ENGLISH)
    assert told.endswith("12 whole days; 3 are measured, and it can be made from Dec 5, 2026 on.")
    assert "enough for a first baseline" in no_baseline_text(NoBaseline(12, date(2026, 12, 5)), ENGLISH)


@pytest.mark.parametrize(
    ("measured", "whole_days", "ready"),
    [(0, 0, date(2026, 12, 9)), (1, 0, date(2026, 12, 8)), (4, 3, date(2026, 12, 5)), (20, 19, date(2026, 11, 26))],
)
def test_the_first_day_is_never_whole(measured: int, whole_days: int, ready: date) -> None:
    """On the first day itself, of which nothing stands before today, the next one is the first whole one."""
    assert without_baseline(measured, date(2026, 11, 26)) == NoBaseline(whole_days, ready)


def test_progress_is_of_the_goal_and_names_whose_average_it_is() -> None:
    (view,) = saving_views([COUNTED], ENGLISH)
    assert (view.figure, view.state) == ("11.0% less", "proven")
    assert round(view.progress or 0, 3) == round(0.11 / 0.27, 3)
    assert view.asked == 0.25
    assert view.text == "11.0% less energy than expected (90%: 8.0 to 14.0)"
    mark = "The mark on the bar is what the goal asks for by today: 7 points."
    assert view.progress_text == f"{mark} SCORE firms report 27 points on average."
    assert view.warnings == ()
    assert view.details == ("Jul 13, 2026 to Jul 26, 2026: 13 of 14 days judged.", "Good enough.")


def test_what_is_not_proven_is_no_progress() -> None:
    not_good = replace(COUNTED, savings=replace(FOUND, proven=False), valid=False, verdict=say("Not good."))
    (view,) = saving_views([not_good], ENGLISH)
    assert (view.state, view.progress) == ("unproven", 0.0)
    assert view.progress_text.startswith("0 of 27 points")
    assert view.warnings == ("Not good.",)


def test_a_saving_in_spanish() -> None:
    (view,) = saving_views([COUNTED], Wording(texts("es")))
    space = "\N{NO-BREAK SPACE}"
    assert (view.name, view.figure) == ("Toda la energía", f"11,0{space}% menos")
    assert view.text == f"11,0{space}% menos energía de lo esperado (90{space}%: 8,0 a 14,0)"
    assert view.details[0] == "Del 13 jul 2026 al 26 jul 2026: se juzgan 13 de 14 días."


def test_what_is_expected_of_intervals_becomes_power() -> None:
    row = IntervalRow(
        "site", "site.energy", 0, 2.0, 8.0, 1.0, "measured", "energy", expected=3.0, lower=-1.0, upper=5.0
    )
    (power,) = expected_powers([row, replace(row, expected=None)])
    assert (power.time_ms, power.expected_kw, power.lower_kw, power.upper_kw) == (450_000, 12.0, 0.0, 20.0)
    assert power.goal_kw is None


def test_findings_are_sentences_of_their_own() -> None:
    findings = (Finding("a", say("residuals alternate"), fails=False), Finding("b", "leave it out?", fails=False))
    (view,) = saving_views([replace(COUNTED, findings=findings)], ENGLISH)
    assert view.details[-2:] == ("Residuals alternate.", "Leave it out?")

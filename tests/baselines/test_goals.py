from datetime import date

import pytest

from baselines.errors import BaselineError
from baselines.goals import SCORE_AVERAGES, Goal

GOAL = Goal("energy", 0.27, date(2026, 1, 1), date(2027, 1, 1), ((date(2026, 7, 2), 0.10),))


def test_a_goal_grows_through_its_milestones() -> None:
    assert GOAL.share_on(date(2025, 6, 1)) == 0.0
    assert GOAL.share_on(date(2026, 4, 2)) == pytest.approx(0.05)  # 91 of 182 days
    assert GOAL.share_on(date(2026, 7, 2)) == pytest.approx(0.10)
    assert GOAL.share_on(date(2028, 1, 1)) == 0.27
    assert GOAL.goal_of(1000.0, date(2027, 1, 1)) == pytest.approx(730.0)


def test_the_defaults_are_what_firms_report() -> None:
    assert SCORE_AVERAGES == {"energy": 0.27, "materials_wasted": 0.35, "waste": 0.40}


def test_a_goal_out_of_order_or_over_all_is_refused() -> None:
    with pytest.raises(BaselineError, match="must ascend"):
        Goal("energy", 0.2, date(2026, 1, 1), date(2026, 1, 1))
    with pytest.raises(BaselineError, match=r"27 % is 0\.27"):
        Goal("energy", 27.0, date(2026, 1, 1), date(2027, 1, 1))

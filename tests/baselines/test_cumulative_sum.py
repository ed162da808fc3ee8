import numpy as np
import pytest

from baselines.cumulative_sum import Alarm, alarms
from tests.baselines.plants import correlated
from tests.scale import scaled


def test_a_step_is_found_and_dated() -> None:
    expected = [100.0] * 30
    actual = [100.0, 101.0, 99.0] * 5 + [97.0] * 15
    assert alarms(actual, expected, deviation=2.0)[0] == Alarm(row=15, found_at=20, direction="less")


def test_it_begins_again_after_an_alarm() -> None:
    found = alarms([110.0] * 12, [100.0] * 12, deviation=5.0)
    assert [(alarm.row, alarm.found_at) for alarm in found] == [(0, 3), (4, 7), (8, 11)]


def test_false_alarms_are_as_rare_as_the_textbook_says() -> None:
    # Montgomery, table 9.3: with both sides a run of 465 rows on average.
    chance = np.random.default_rng(5)
    rows = scaled(40_000, 400_000)
    found = alarms(chance.normal(size=rows).tolist(), [0.0] * rows, deviation=1.0)
    assert rows / len(found) == pytest.approx(465, rel=0.25)


def test_a_model_that_fits_exactly_has_no_deviation_to_measure_by() -> None:
    assert alarms([1.0], [2.0], deviation=0.0) == []


def test_where_errors_follow_each_other_false_alarms_stay_as_rare() -> None:
    rows = 20_000
    errors = correlated(np.random.default_rng(6), rows, 0.6)
    plain = alarms(errors, [0.0] * rows, 1.0)
    found = alarms(errors, [0.0] * rows, 1.0, autocorrelation=0.6)
    assert len(plain) > rows / 60
    assert rows / 700 < len(found) < rows / 250
    assert alarms([error + 1.0 for error in errors[:200]], [0.0] * 200, 1.0, autocorrelation=0.6)[0].direction == "more"

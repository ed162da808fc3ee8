import pytest

from baselines.indicator import ratio


def test_ten_per_cent_less_than_expected_is_nine_tenths() -> None:
    assert ratio(90.0, 100.0) == pytest.approx(0.9)


def test_there_is_none_where_nothing_is_expected() -> None:
    assert ratio(1.0, 0.0) is None

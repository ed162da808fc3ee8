import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.protocol import IntervalRow, StoreError
from store.row_checks import check_finite, sift
from store.schema import EARLIEST_MS, LATEST_MS
from tests.store.rows import START_MS, column, rows
from wire_format.quality import Quality


def test_plain_rows_are_passed_on_as_they_are() -> None:
    devices = [rows("oven", [EARLIEST_MS, LATEST_MS - 1], column("a", 1, None)), rows("mixer", [])]
    accepted, refused = sift(devices)
    assert accepted is devices
    assert refused == []


def test_what_is_left_of_a_device_keeps_its_quality() -> None:
    marks = [Quality.GOOD, Quality.ESTIMATED, Quality.LINK_ERROR]
    accepted, refused = sift(
        [
            rows(
                "oven",
                [LATEST_MS, START_MS, START_MS + 1],
                column("a", 1, 2, None, quality=marks),
                column("b", 4, 5, 6),
            )
        ]
    )
    assert [row.time_ms for row in refused] == [LATEST_MS]
    assert accepted == [
        rows("oven", [START_MS, START_MS + 1], column("a", 2, None, quality=marks[1:]), column("b", 5, 6))
    ]


@given(st.integers(-(10**400), 10**400), st.integers(-400, 400))
def test_exactly_what_a_double_holds_is_accepted(integer: int, exponent: int) -> None:
    accepted, refused = sift([rows("oven", [START_MS], column("a", integer, exponent=exponent))])
    assert bool(accepted) != bool(refused)
    finite = math.isfinite(float(f"{integer}e{exponent}"))
    assert bool(accepted) == finite


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_intervals_have_finite_numbers_only(value: float) -> None:
    good = IntervalRow("bakery", "oven", START_MS, 1.0, None, 1.0, "measured", "electricity")
    check_finite([good])
    with pytest.raises(StoreError, match="point oven"):
        check_finite([good, IntervalRow("bakery", "oven", START_MS, 1.0, value, 1.0, "measured", "electricity")])

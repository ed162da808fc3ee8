import pytest

from baselines.errors import BaselineError
from baselines.indicator import backcast_ratio, normalised_specific_use, ratio, standard_ratio
from baselines.linear_model import fit
from tests.baselines.plants import observed

BEFORE = fit(observed([120.1, 139.9, 160.0], pieces=[10, 20, 30]), ["pieces"])
AFTER = fit(observed([108.1, 125.9, 144.0], pieces=[10, 20, 30]), ["pieces"])


def test_ten_per_cent_better_is_nine_tenths_by_each_method() -> None:
    assert ratio(90.0, 100.0) == pytest.approx(0.9)
    assert backcast_ratio(AFTER, [[10.0], [20.0], [30.0]], 420.0) == pytest.approx(0.9)
    assert standard_ratio(BEFORE, AFTER, [[15.0], [25.0]]) == pytest.approx(0.9, abs=1e-3)


def test_less_output_alone_does_not_make_the_normalised_use_worse() -> None:
    # 100 + 2 a piece: at 10 pieces 12 a piece, at 30 pieces 5.3, and nothing was wasted in between.
    slow = normalised_specific_use(120.0, 120.0, standard_use=160.0, standard_output=30.0)
    assert slow == pytest.approx(normalised_specific_use(160.0, 160.0, 160.0, 30.0))


def test_what_has_no_meaning_is_refused() -> None:
    with pytest.raises(BaselineError, match="has no meaning"):
        ratio(1.0, 0.0)
    with pytest.raises(BaselineError, match="other variables"):
        standard_ratio(BEFORE, fit(observed([1.0, 2.0, 3.0]), []), [[1.0]])

import pytest

from baselines.errors import BaselineError
from baselines.specific_use import specific_use
from tests.baselines.plants import observed

PIECES = [10.0, 20.0, 30.0, 40.0, 50.0]


def test_a_base_load_makes_the_ratio_misleading_and_it_says_so() -> None:
    found = specific_use(observed([131.0, 159.0, 190.0, 221.0, 249.0], pieces=PIECES), "pieces")
    assert found.ratio == pytest.approx(950 / 150)
    assert found.base_share == pytest.approx(0.526, abs=0.01)
    # 100 + 3 a piece at 24 pieces
    assert found.ratio_at_less == pytest.approx(100 / 24 + 3, abs=0.05)
    assert found.warning.startswith("53 % of the energy does not depend on pieces: with a fifth less of it the ratio")


def test_without_a_base_load_there_is_nothing_to_warn_of() -> None:
    assert specific_use(observed([30.5, 59.0, 91.0, 119.0, 150.5], pieces=PIECES), "pieces").warning == ""


def test_no_output_has_no_ratio() -> None:
    with pytest.raises(BaselineError, match="energy a unit of it has no meaning"):
        specific_use(observed([1.0, 2.0, 4.0], pieces=[-1.0, 0.0, 1.0]), "pieces")

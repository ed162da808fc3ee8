import pytest

from baselines.errors import BaselineError
from baselines.generation import avoided_emissions_kg, generation_balance


def test_shares_of_own_generation() -> None:
    found = generation_balance(generated_kwh=100.0, imported_kwh=60.0, exported_kwh=40.0)
    assert (found.used_kwh, found.self_consumption, found.self_sufficiency) == (120.0, 0.6, 0.5)


def test_all_that_was_generated_avoided_emissions() -> None:
    assert avoided_emissions_kg(generation_balance(100.0, 60.0, 40.0), 0.5) == pytest.approx(50.0)
    assert avoided_emissions_kg(generation_balance(100.0, 60.0, 40.0), 0.5, own_kg_a_kwh=0.8) == pytest.approx(-30.0)


def test_a_night_without_sun_has_shares_of_nothing() -> None:
    found = generation_balance(0.0, 10.0, 0.0)
    assert (found.self_consumption, found.self_sufficiency) == (0.0, 0.0)


@pytest.mark.parametrize("amounts", [(1.0, 1.0, 3.0), (-1.0, 0.0, 0.0)])
def test_what_cannot_be_is_refused(amounts: tuple[float, float, float]) -> None:
    with pytest.raises(BaselineError):
        generation_balance(*amounts)

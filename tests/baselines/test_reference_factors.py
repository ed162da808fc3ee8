import pytest

from baselines.errors import BaselineError
from baselines.reference_factors import (
    FUELS,
    REFRIGERANTS,
    reference_calorific_value,
    reference_emission_factor,
)


def test_a_litre_of_diesel() -> None:
    # 43 MJ/kg × 0.835 kg/l / 3.6; (74,100 + 28 × 3 + 265 × 0.6) kg/TJ × 43 MJ/kg × 0.835 kg/l
    assert reference_calorific_value("diesel", "l").kwh_a_unit == pytest.approx(9.9736, abs=1e-4)
    assert reference_emission_factor("diesel", "l").kg_a_unit == pytest.approx(2.6693, abs=1e-4)


def test_wood_counts_its_methane_and_not_its_carbon() -> None:
    assert reference_emission_factor("wood", "kg").kg_a_unit == pytest.approx(0.02964, abs=1e-5)


def test_blends_of_refrigerants() -> None:
    assert REFRIGERANTS["R404A"] == pytest.approx(3942.8)
    assert REFRIGERANTS["R410A"] == pytest.approx(1923.5)
    assert REFRIGERANTS["R407C"] == pytest.approx(1624.21)
    assert reference_emission_factor("R134a", "kg").kg_a_unit == 1300.0


def test_every_fuel_lies_where_fuels_lie() -> None:
    for fuel in FUELS:
        assert 3.0 < reference_calorific_value(fuel, "kg").kwh_a_unit < 13.5


@pytest.mark.parametrize(
    ("carrier", "unit", "told"),
    [
        ("natural gas", "m3", "natural gas in m3; give the supplier's"),
        ("peat", "kg", "no reference values for peat; there are diesel"),
        ("R22", "l", "counted in kg"),
    ],
)
def test_what_is_not_known_is_said(carrier: str, unit: str, told: str) -> None:
    with pytest.raises(BaselineError, match=told):
        reference_emission_factor(carrier, unit)

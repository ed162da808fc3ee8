import pytest

from baselines.reference_factors import FUELS, REFRIGERANTS


def test_a_litre_of_diesel() -> None:
    # 43 MJ/kg × 0.835 kg/l / 3.6; (74,100 + 28 × 3 + 265 × 0.6) kg/TJ × 43 MJ/kg × 0.835 kg/l
    diesel = FUELS["diesel"]
    assert diesel.kg_a_litre == 0.835
    assert diesel.kwh_a_kg * 0.835 == pytest.approx(9.9736, abs=1e-4)
    assert diesel.co2e_kg_a_kg * 0.835 == pytest.approx(2.6693, abs=1e-4)


def test_wood_counts_its_methane_and_not_its_carbon() -> None:
    assert FUELS["wood"].co2e_kg_a_kg == pytest.approx(0.02964, abs=1e-5)


def test_blends_of_refrigerants() -> None:
    assert REFRIGERANTS["R404A"] == pytest.approx(3942.8)
    assert REFRIGERANTS["R410A"] == pytest.approx(1923.5)
    assert REFRIGERANTS["R407C"] == pytest.approx(1624.21)
    assert REFRIGERANTS["R134a"] == 1300.0


def test_every_fuel_lies_where_fuels_lie() -> None:
    for fuel in FUELS.values():
        assert 3.0 < fuel.kwh_a_kg < 13.5

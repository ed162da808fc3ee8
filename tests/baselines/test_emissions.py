from datetime import date

import pytest

from baselines.carriers import CarrierUse
from baselines.emissions import EmissionFactor, emissions_kg
from baselines.errors import BaselineError

FACTORS = [
    EmissionFactor("electricity", "kWh", 0.5, date(2025, 1, 1), "grid 2025", date(2026, 1, 1), "location"),
    EmissionFactor("electricity", "kWh", 0.4, date(2026, 1, 1), "grid 2026", None, "location"),
    EmissionFactor("electricity", "kWh", 0.0, date(2025, 1, 1), "contract", None, "market"),
    EmissionFactor("diesel", "l", 2.7, date(2020, 1, 1), "national inventory"),
    EmissionFactor("R404A", "kg", 3922.0, date(2020, 1, 1), "IPCC AR4, 100 years"),
]
USES = [
    CarrierUse("electricity", "kWh", date(2025, 12, 31), 100.0),
    CarrierUse("electricity", "kWh", date(2026, 1, 1), 100.0),
    CarrierUse("diesel", "l", date(2026, 1, 1), 10.0),
    CarrierUse("R404A", "kg", date(2026, 1, 1), 0.5),
]


def test_both_methods_count_the_same_fuels_and_each_its_own_electricity() -> None:
    assert emissions_kg(USES, FACTORS, "location") == pytest.approx(50.0 + 40.0 + 27.0 + 1961.0)
    assert emissions_kg(USES, FACTORS, "market") == pytest.approx(27.0 + 1961.0)


def test_a_missing_factor_is_named() -> None:
    with pytest.raises(BaselineError, match="no emission factor for wood in kg on 2026-01-01"):
        emissions_kg([CarrierUse("wood", "kg", date(2026, 1, 1), 1.0)], FACTORS, "location")


def test_two_factors_for_a_day_are_one_too_many() -> None:
    with pytest.raises(BaselineError, match="2 emission factors for diesel"):
        emissions_kg([USES[2]], [*FACTORS, FACTORS[3]], "location")

from datetime import date

import pytest

from baselines.calorific_values import CalorificValue, energy_kwh, kwh_a_unit
from baselines.carriers import CarrierUse
from baselines.errors import BaselineError

JANUARY, JUNE = date(2026, 1, 15), date(2026, 6, 15)
VALUES = [
    CalorificValue("gas", "m3", 10.0, "net", date(2026, 1, 1), "bill of January", date(2026, 6, 1)),
    CalorificValue("gas", "m3", 9.8, "net", date(2026, 6, 1), "bill of June"),
    CalorificValue("diesel", "l", 10.0, "net", date(2020, 1, 1), "IPCC 2006, table 1.2"),
    CalorificValue("wood", "kg", 4.6, "gross", date(2020, 1, 1), "supplier"),
]


def test_the_value_of_the_day_counts() -> None:
    uses = [CarrierUse("electricity", "kWh", JUNE, 100.0), CarrierUse("gas", "m3", JANUARY, 10.0)]
    assert energy_kwh([*uses, CarrierUse("gas", "m3", JUNE, 10.0)], VALUES, "net") == pytest.approx(298.0)


def test_energy_in_other_units_needs_no_value() -> None:
    assert kwh_a_unit("steam", "MJ", JUNE, [], "net") == pytest.approx(1 / 3.6)


def test_a_missing_value_and_one_of_the_other_basis_are_named() -> None:
    with pytest.raises(BaselineError, match=r"no net calorific value for coal in kg on 2026-06-15; give one$"):
        kwh_a_unit("coal", "kg", JUNE, VALUES, "net")
    with pytest.raises(BaselineError, match=r"no net calorific value for wood in kg on 2026-06-15; .*but gross"):
        kwh_a_unit("wood", "kg", JUNE, VALUES, "net")
    with pytest.raises(BaselineError, match=r"2 calorific values for diesel"):
        kwh_a_unit("diesel", "l", JUNE, [*VALUES, VALUES[2]], "net")


def test_a_value_of_nothing_is_refused() -> None:
    with pytest.raises(BaselineError, match=r"calorific value of gas: 0\.0 kWh a m3"):
        CalorificValue("gas", "m3", 0.0, "net", JANUARY, "")

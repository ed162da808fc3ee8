import pytest

from languages.texts import texts
from visit import wording
from visit.wording import ENGLISH, Wording

SPANISH = Wording(texts("es"))


@pytest.mark.parametrize(
    ("power_kw", "text"),
    [
        (None, wording.NO_VALUE),
        (0.0, "0 W"),
        (0.0421, "42 W"),
        (0.9994, "999 W"),
        (0.9996, "1.00 kW"),
        (7.428, "7.43 kW"),
        (9.996, "10.0 kW"),
        (84.24, "84.2 kW"),
        (1234.6, "1,235 kW"),
        (-1.5, f"{wording.MINUS}1.50 kW"),
        (-0.0002, "0 W"),
    ],
)
def test_powers_have_three_figures_and_a_unit_that_fits(power_kw: float | None, text: str) -> None:
    assert ENGLISH.power_text(power_kw) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "kWh", wording.NO_VALUE),
        (0.29, "kWh", "0.29 kWh"),
        (84.24, "kWh", "84.2 kWh"),
        (12_345.6, "kWh", "12,346 kWh"),
        (0.008, "m3", "8 L"),
        (5.04, "m3", "5.0 m³"),
        (648.0, "kg", "648 kg"),
    ],
)
def test_amounts_of_today(value: float | None, unit: str, text: str) -> None:
    assert ENGLISH.today(value, unit) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.321, "m3/h", ("321", "L/h")),
        (2.5, "m3/h", ("2.50", "m³/h")),
        (12.4, "kg", ("12.40", "kg")),
        (None, "m3/h", (wording.NO_VALUE, "m³/h")),
        (0.5, "kW", ("500", "W")),
    ],
)
def test_rates(value: float | None, unit: str, text: tuple[str, str]) -> None:
    assert ENGLISH.rate(value, unit) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (0.4, "just now"),
        (8.9, "8 s ago"),
        (200, "3 min ago"),
        (7300, "2 h ago"),
        (200_000, "2 days ago"),
    ],
)
def test_ages(seconds: float | None, text: str) -> None:
    assert ENGLISH.age(seconds) == text


def test_shares() -> None:
    assert ENGLISH.percent(0.586) == "59%"
    assert ENGLISH.percent(None) == ""


def test_another_language_has_its_own_words_and_numbers() -> None:
    assert SPANISH.power_text(1234.6) == "1.235 kW"
    assert SPANISH.today(84.24, "kWh") == "84,2 kWh"
    assert SPANISH.percent(0.1234, 1) == "12,3\N{NO-BREAK SPACE}%"
    assert SPANISH.age(200) == "hace 3 min"

import math
from dataclasses import replace

import numpy as np
import pytest

from baselines.errors import BaselineError
from baselines.savings import savings
from baselines.validity import assess, range_findings
from baselines.weather_model import DegreeTerm, Kind, Temperatures, fit_weather
from tests.baselines.plants import observed
from tests.scale import scaled

DAILY_SWING = 6.0 * np.sin(np.arange(24) / 24 * 2 * np.pi)


def year(chance: np.random.Generator, rows: int, *, hourly: bool) -> Temperatures:
    means = 12.0 + 9.0 * np.cos(np.arange(rows) * 2 * np.pi / 12) + 1.5 * chance.normal(size=rows)
    swing = DAILY_SWING if hourly else np.zeros(1)
    return Temperatures(tuple(tuple((mean + swing).tolist()) for mean in means), (1.0,) * rows)


def part(temperatures: Temperatures, start: int, end: int) -> Temperatures:
    return Temperatures(temperatures.samples[start:end], temperatures.days[start:end])


def test_a_balance_point_without_scatter_is_found() -> None:
    temperatures = year(np.random.default_rng(1), 24, hourly=True)
    energy = [500.0 + 20.0 * days for days in temperatures.degree_days("heating", 14.2)]
    found = fit_weather(observed(energy), [], temperatures, [DegreeTerm("heating")])
    assert found.bases["heating"] == pytest.approx(14.2, abs=0.01)
    assert found.model.coefficients["heating"] == pytest.approx(20.0, rel=1e-3)


def test_heating_and_cooling_are_searched_together() -> None:
    temperatures = year(np.random.default_rng(2), 60, hourly=False)
    warm, cold = temperatures.degree_days("cooling", 17.0), temperatures.degree_days("heating", 9.0)
    noise = np.random.default_rng(3).normal(size=60)
    energy = [500.0 + 20.0 * a + 30.0 * b + 5.0 * float(e) for a, b, e in zip(cold, warm, noise, strict=True)]
    found = fit_weather(observed(energy), [], temperatures, [DegreeTerm("heating"), DegreeTerm("cooling")])
    assert found.bases == {"heating": pytest.approx(9.0, abs=0.3), "cooling": pytest.approx(17.0, abs=0.3)}
    assert found.model.degrees_of_freedom == 60 - 5
    assert assess(found.model).valid
    # None of 1,999 random energies comes near: no smaller p can be told.
    assert (found.model.p["heating"], found.model.p["cooling"], found.model.f_p) == (1 / 2000, 1 / 2000, 1 / 2000)


def test_a_period_out_of_range_is_told_of_degree_days_and_not_of_what_stands_for_the_search() -> None:
    temperatures = year(np.random.default_rng(5), 36, hourly=False)
    noise = np.random.default_rng(6).normal(size=36)
    energy = [
        500.0 + 20.0 * d + float(e) for d, e in zip(temperatures.degree_days("heating", 12.0), noise, strict=True)
    ]
    found = fit_weather(observed(energy), [], temperatures, [DegreeTerm("heating")])
    arctic = found.observe(observed([2000.0, 2100.0]), Temperatures(((-40.0,), (-41.0,)), (1.0, 1.0)))
    told = range_findings(found.model, arctic.rows_of(found.model.variables))
    assert [finding.text.split()[1] for finding in told] == ["heating"]
    always = replace(found.model, slopes_inverse=found.model.slopes_inverse * 1e6)
    assert not [f for f in assess(always).findings if f.code == "collinear" and "balance" in f.text]


def test_a_base_that_is_given_is_ordinary_least_squares() -> None:
    temperatures = year(np.random.default_rng(4), 24, hourly=False)
    energy = [500.0 + 20.0 * days + index % 3 for index, days in enumerate(temperatures.degree_days("heating", 15.0))]
    found = fit_weather(observed(energy), [], temperatures, [DegreeTerm("heating", 15.0)])
    assert found.model.variables == ("heating",)
    assert found.model.degrees_of_freedom == 22


@pytest.mark.parametrize("hourly", [False, True])
def test_bands_with_a_searched_balance_point_hold_the_truth_as_often_as_they_say(*, hourly: bool) -> None:
    chance = np.random.default_rng(7)
    inside = 0
    factories = scaled(100, 2000)
    for _ in range(factories):
        temperatures = year(chance, 36, hourly=hourly)
        pieces = chance.uniform(100, 300, 36)
        truth = 500.0 + 2.0 * pieces + 20.0 * np.array(temperatures.degree_days("heating", 15.0))
        rows = observed((truth + 40.0 * chance.normal(size=36)).tolist(), pieces=pieces.tolist())
        model = fit_weather(rows.select(range(24)), ["pieces"], part(temperatures, 0, 24), [DegreeTerm("heating")])
        reporting = model.observe(rows.select(range(24, 36)), part(temperatures, 24, 36))
        found = savings(model.model, reporting)
        inside += abs(found.savings) <= found.half_width
    assert inside / factories == pytest.approx(0.9, abs=0.015 + 3.0 * math.sqrt(0.09 / factories))


def test_a_search_through_noise_is_not_mistaken_for_a_dependence() -> None:
    chance = np.random.default_rng(8)
    tried = scaled(100, 1000)
    valid = found = 0
    for _ in range(tried):
        temperatures = year(chance, 12, hourly=False)
        try:
            model = fit_weather(
                observed((500 + 40 * chance.normal(size=12)).tolist()), [], temperatures, [DegreeTerm("heating")]
            )
        except BaselineError:
            continue  # no balance point to be found: what should happen
        found += model.model.p["heating"] is not None and model.model.p["heating"] < 0.1
        valid += assess(model.model).valid
    assert found / tried <= 0.1 + 3.0 * math.sqrt(0.09 / tried)
    assert valid <= found


def test_temperatures_that_cannot_tell_are_said() -> None:
    same = Temperatures(((15.0,),) * 12, (1.0,) * 12)
    heating: list[DegreeTerm] = [DegreeTerm("heating")]
    with pytest.raises(BaselineError, match="differ too little"):
        fit_weather(observed([1.0, 2.0] * 6), [], same, heating)
    with pytest.raises(BaselineError, match="too few to search"):
        fit_weather(observed([1.0, 2.0, 3.0, 4.0]), [], part(same, 0, 4), heating)
    with pytest.raises(BaselineError, match="each once"):
        fit_weather(observed([1.0, 2.0] * 6), [], same, heating * 2)
    with pytest.raises(BaselineError, match="row 2: temperatures are missing"):
        Temperatures(((1.0,), ()), (1.0, 1.0))


@pytest.mark.parametrize("kind", ["heating", "cooling"])
def test_the_derivative_by_the_base_is_that_of_the_degree_days(kind: Kind) -> None:
    temperatures = year(np.random.default_rng(9), 12, hourly=True)
    step = 1e-6
    high, low = (np.array(temperatures.degree_days(kind, 14.03 + sign * step)) for sign in (1, -1))
    np.testing.assert_allclose((high - low) / (2 * step), temperatures.by_base(kind, 14.03), atol=1e-6)

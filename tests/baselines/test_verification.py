"""Published cases with known answers. `cusum` figures are facts; `verifi` data stay where they are licensed."""

import csv
import math
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import statsmodels.api
import yaml

from baselines.bills import Bill, calendarise
from baselines.cumulative_sum import cumulative_sum
from baselines.degree_days import cooling_degree_days, heating_degree_days
from baselines.linear_model import INTERCEPT, LinearModel, fit
from baselines.observations import Observations
from baselines.savings import savings
from baselines.validity import assess
from tests.scale import scaled

SHARED = Path(__file__).parents[2].parent / "shared" / "verification"
PRODUCTION = (380, 440, 460, 520, 320, 520, 240, 620, 600, 560, 440, 360, 420, 480, 540, 280, 260, 500)
ENERGY = (340, 340, 380, 380, 300, 400, 280, 424, 420, 400, 360, 320, 340, 372, 380, 280, 280, 380)
CASE = Observations(
    tuple(str(month) for month in range(1, 19)),
    tuple(map(float, ENERGY)),
    {"production": tuple(map(float, PRODUCTION))},
)


def close(value: float) -> Any:
    return pytest.approx(value, rel=1e-9, abs=1e-9)


def test_the_heat_recovery_case_to_its_digits() -> None:
    model = fit(CASE.select(range(12)), ["production"])
    assert model.coefficients == {INTERCEPT: close(181.729803123), "production": close(0.396198234895)}
    assert model.standard_errors == {INTERCEPT: close(11.7406782318), "production": close(0.0250711277583)}
    assert model.t == {INTERCEPT: close(15.4786460828), "production": close(15.8029682076)}
    assert model.p[INTERCEPT] == pytest.approx(2.58438587321e-08, rel=1e-9)
    assert model.f_p == pytest.approx(2.11614041581e-08, rel=1e-9)
    assert (model.r2, model.r2_adjusted) == (close(0.9614990431), close(0.95764894741))
    assert (model.f, model.residual_sum) == (close(249.733804172), close(925.871011541))
    assert (model.cv_rmse, model.nmbe) == (close(0.0265807158529), close(0.0))
    assert model.autocorrelation == close(-0.620200210033)
    assert assess(model).valid


def test_the_savings_of_the_case_are_not_proven_and_ashrae_is_not_understated() -> None:
    found = savings(fit(CASE.select(range(12)), ["production"]), CASE.select(range(12, 18)))
    assert (found.expected, found.actual, found.savings) == (close(2072.95044128), 2032.0, close(40.9504412763))
    assert (found.half_width, found.half_width / found.savings) == (close(53.538794691), close(1.30740458521))
    assert found.fsu == close(1.21623753039)
    assert not found.proven
    assert found.sentence() == "2.0 % less energy than expected (90 %: -0.6 to 4.6); not yet proven"


def test_the_cumulative_sum_against_the_published_line() -> None:
    expected = [180.0 + 0.4 * pieces for pieces in PRODUCTION]
    assert cumulative_sum(ENERGY, expected)[-1] == close(-40.0)
    model = fit(CASE.select(range(12)), ["production"])
    assert cumulative_sum(ENERGY, model.expected(CASE.rows_of(["production"])))[-1] == close(-40.9504412763)


def test_each_months_band() -> None:
    model = fit(CASE.select(range(12)), ["production"])
    first, last = model.band_of_each([[380.0], [500.0]], 0.9)
    assert (first.lower, first.upper) == (close(313.815953349), close(350.754311417))
    assert (last.lower, last.upper) == (close(361.562088008), close(398.095753133))


def test_degree_days_are_of_hours_and_not_of_means() -> None:
    spring = [8, 7, 6, 6, 6, 7, 9, 11, 13, 15, 17, 18, 19, 20, 20, 19, 18, 17, 15, 13, 12, 11, 10, 9]
    assert heating_degree_days(spring, 15.0) == close(3.41666666667)
    assert cooling_degree_days(spring, 15.0) == close(1.16666666667)


def agrees(model: LinearModel, design: Any, energy: Any) -> None:
    other = statsmodels.api.OLS(energy, statsmodels.api.add_constant(design, has_constant="add")).fit()
    for mine, theirs in (
        (model.coefficients, other.params),
        (model.standard_errors, other.bse),
        (model.t, other.tvalues),
    ):
        assert list(mine.values()) == pytest.approx(list(theirs), rel=1e-9)
    assert model.r2 == pytest.approx(other.rsquared, rel=1e-9)
    assert model.f == pytest.approx(other.fvalue, rel=1e-9)


def test_random_designs_agree_with_statsmodels() -> None:
    chance = np.random.default_rng(20260)
    for _ in range(scaled(50, 1000)):
        n, width = int(chance.integers(8, 60)), int(chance.integers(1, 5))
        design = chance.normal(size=(n, width)) * chance.uniform(0.1, 100.0, width) + chance.uniform(-50, 50, width)
        energy = 1000.0 + design @ chance.uniform(1, 5, width) + chance.normal(size=n) * 20.0
        names = [f"v{index}" for index in range(width)]
        observed = Observations(
            tuple(map(str, range(n))),
            tuple(map(float, energy)),
            {name: tuple(map(float, column)) for name, column in zip(names, design.T, strict=True)},
        )
        agrees(fit(observed, names), design, energy)


def test_longleys_collinear_data_keep_their_certified_digits() -> None:
    data = statsmodels.api.datasets.longley.load_pandas().data
    names = ["GNPDEFL", "GNP", "UNEMP", "ARMED", "POP", "YEAR"]
    observed = Observations(
        tuple(map(str, range(len(data)))),
        tuple(map(float, data["TOTEMP"])),
        {name: tuple(map(float, data[name])) for name in names},
    )
    # NIST Statistical Reference Datasets, Longley: certified values.
    certified = [
        -3482258.63459582, 15.0618722713733, -0.358191792925910e-01, -2.02022980381683,
        -1.03322686717359, -0.511041056535807e-01, 1829.15146461355,
    ]  # fmt: skip
    np.testing.assert_allclose(list(fit(observed, names).coefficients.values()), certified, rtol=1e-9)


def test_the_band_holds_the_truth_as_often_as_it_says_and_proven_is_seldom_wrong() -> None:
    chance = np.random.default_rng(7)
    factories = scaled(300, 2000)
    inside = wrong = 0
    for _ in range(factories):
        pieces = chance.uniform(100, 1000, 24)
        truth = 500.0 + 2.0 * pieces
        energy = truth + chance.normal(size=24) * 60.0
        observed = Observations(tuple(map(str, range(24))), tuple(energy), {"pieces": tuple(pieces)})
        # Nothing was saved: the truth is zero.
        found = savings(fit(observed.select(range(12)), ["pieces"]), observed.select(range(12, 24)))
        inside += abs(found.savings) <= found.half_width
        wrong += found.proven
    assert inside / factories == pytest.approx(0.90, abs=3.0 * math.sqrt(0.09 / factories))
    assert wrong / factories <= 0.05 + 3.0 * math.sqrt(0.0475 / factories)


@pytest.mark.parametrize("name", ["hq_gas_2023", "roasting_gas_2022", "roasting_electricity_2023"])
def test_calendarised_bills_reproduce_the_published_model(name: str) -> None:
    folder = SHARED / "verifi" / name
    if not folder.exists():
        pytest.skip("the published bills are not beside this checkout (../shared/verification)")
    told = yaml.safe_load((folder / "expected.yaml").read_text(encoding="utf-8"))
    with (folder / "bills.csv").open(encoding="utf-8") as file:
        bills = [Bill(_day(row["reading_date"]), float(row["energy_use"])) for row in csv.DictReader(file)]
    with (folder / "predictors.csv").open(encoding="utf-8") as file:
        predictors = list(csv.DictReader(file))
    year = int(name[-4:])
    factor = 3.0 * 3.6 / 1055.06 if "electricity" in name else 1.0
    months = calendarise(bills)
    names = told["model"]["predictors"]
    rows = [row for row in predictors if int(row["year"]) == year]
    observed = Observations(
        tuple(row["month"] for row in rows),
        tuple(months[year, int(row["month"])] * factor for row in rows),
        {each: tuple(float(row[each]) for row in rows) for each in names},
    )
    model = fit(observed, names)
    computed = told["computed"]
    assert model.coefficients == {key: close(value) for key, value in computed["coefficients"].items()}
    assert model.standard_errors == {key: close(value) for key, value in computed["standard_errors"].items()}
    assert (model.r2, model.f, model.cv_rmse) == (
        close(computed["r2"]),
        close(computed["f_statistic"]),
        close(computed["cv_rmse"]),
    )


def _day(text: str) -> date:
    return date.fromisoformat(text)

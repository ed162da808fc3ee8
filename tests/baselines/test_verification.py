"""Published models and statsmodels. The `verifi` data stay where they are licensed; facts are in test_facts.py."""

import csv
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import statsmodels.api
import yaml

from baselines.bills import Bill, calendarise
from baselines.linear_model import LinearModel, fit
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


def test_the_heat_recovery_case_in_words() -> None:
    model = fit(CASE.select(range(12)), ["production"])
    assert assess(model).valid
    found = savings(model, CASE.select(range(12, 18)))
    assert not found.proven
    assert found.sentence() == "2.0 % less energy than expected (90 %: -0.6 to 4.6); not yet proven"


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
    rows = statsmodels.api.add_constant(design[:3] * 1.1, has_constant="add")
    bounds = other.get_prediction(rows).conf_int(obs=True, alpha=0.1)
    bands = model.independent().band_of_each((design[:3] * 1.1).tolist(), 0.9)
    assert [band.lower for band in bands] == pytest.approx(list(bounds[:, 0]), rel=1e-9)
    assert [band.upper for band in bands] == pytest.approx(list(bounds[:, 1]), rel=1e-9)


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
    certified_errors = [
        890420.383607373, 84.9149257747669, 0.334910077722432e-01, 0.488399681651699,
        0.214274163161675, 0.226073200069370, 455.478499142212,
    ]  # fmt: skip
    model = fit(observed, names)
    np.testing.assert_allclose(list(model.coefficients.values()), certified, rtol=1e-9)
    np.testing.assert_allclose(list(model.standard_errors.values()), certified_errors, rtol=1e-9)
    assert (model.r2, model.f) == (close(0.995479004577296), close(330.285339234588))
    assert model.deviation == close(304.854073561965)


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
    for mine, theirs in ((model.t, "t_values"), (model.p, "p_values")):
        assert dict(mine) == {key: pytest.approx(value, rel=1e-9) for key, value in computed[theirs].items()}
    assert list(observed.energy) == pytest.approx(computed["calendarised_energy_jan_to_dec"], rel=1e-9)
    assert model.coefficients == {key: close(value) for key, value in computed["coefficients"].items()}
    assert model.standard_errors == {key: close(value) for key, value in computed["standard_errors"].items()}
    for figure, key in (
        (model.r2, "r2"),
        (model.r2_adjusted, "adjusted_r2"),
        (model.f, "f_statistic"),
        (model.residual_sum, "residual_sum_of_squares"),
        (model.deviation, "residual_standard_deviation"),
        (model.mean_energy, "mean_energy"),
        (model.cv_rmse, "cv_rmse"),
        (model.nmbe, "nmbe"),
    ):
        assert figure == close(computed[key])
    assert model.f_p == pytest.approx(computed["f_p_value"], rel=1e-9)
    assert [len(names), model.degrees_of_freedom] == computed["f_df"]

    by_reading = dict.fromkeys(range(1, 13), 0.0)
    for bill in bills[1:]:
        if bill.reading_date.year == year:
            by_reading[bill.reading_date.month] += bill.energy * factor
    told_wrong = told["negative_test_without_calendarisation"]
    wrong = fit(replace(observed, energy=tuple(by_reading.values())), names)
    assert wrong.r2 == close(told_wrong["r2"])
    assert wrong.coefficients == {key: close(value) for key, value in told_wrong["coefficients"].items()}

    for other in told["out_of_sample"]:
        later = [row for row in predictors if int(row["year"]) == other["year"]]
        found = savings(
            model,
            Observations(
                tuple(row["month"] for row in later),
                tuple(months[other["year"], int(row["month"])] * factor for row in later),
                {each: tuple(float(row[each]) for row in later) for each in names},
            ),
        )
        assert (found.actual, found.expected) == (close(other["actual"]), close(other["predicted"]))
        assert -found.savings / found.actual == close(other["nmbe"])


def _day(text: str) -> date:
    return date.fromisoformat(text)

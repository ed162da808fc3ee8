import math

import numpy as np
import pytest

from baselines.errors import BaselineError
from baselines.linear_model import fit
from baselines.validity import assess
from baselines.variable_selection import choose_variables, left_out_cv
from tests.baselines.plants import observed
from tests.scale import scaled


def test_what_matters_is_chosen_and_everything_tried_is_told() -> None:
    chance = np.random.default_rng(1)
    columns = {name: chance.uniform(0, 100, 24) for name in ("pieces", "hours", "rain")}
    energy = 500 + 3 * columns["pieces"] + 8 * columns["hours"] + 20 * chance.normal(size=24)
    rows = observed(energy.tolist(), **{name: column.tolist() for name, column in columns.items()})
    found = choose_variables(rows, ["pieces", "hours", "rain"])
    assert set(found.model.variables) >= {"pieces", "hours"}
    assert len(found.tried) == 8
    assert "among 8 combinations of pieces, hours, rain" in found.findings[0].text
    alone = fit(rows, found.model.variables)
    assert found.model.f_p == pytest.approx(8 * (alone.f_p or 0.0))


def test_the_error_on_rows_left_out_is_that_of_refitting_without_them() -> None:
    chance = np.random.default_rng(2)
    rows = observed((chance.normal(size=10) + 50).tolist(), a=chance.normal(size=10).tolist())
    errors = []
    for row in range(10):
        others = fit(rows.select([other for other in range(10) if other != row]), ["a"])
        errors.append(rows.energy[row] - others.expected([[rows.variables["a"][row]]])[0])
    direct = math.sqrt(math.fsum(error**2 for error in errors) / 10) / fit(rows, ["a"]).mean_energy
    assert left_out_cv(fit(rows, ["a"]), rows) == pytest.approx(direct, rel=1e-9)


def test_noise_that_was_searched_for_patterns_is_seldom_valid() -> None:
    chance = np.random.default_rng(3)
    tried = scaled(100, 1000)
    valid = plain = 0
    for _ in range(tried):
        columns = {f"v{index}": chance.normal(size=12).tolist() for index in range(5)}
        rows = observed((500 + 40 * chance.normal(size=12)).tolist(), **columns)
        model = choose_variables(rows, list(columns)).model
        valid += assess(model).valid and bool(model.variables)
        plain += assess(fit(rows, model.variables)).valid and bool(model.variables)
    assert valid / tried <= 0.1
    assert plain / tried > 0.12  # what picking the best and telling nobody would have passed


def test_candidates_that_cannot_be_fitted_are_told_and_too_many_are_refused() -> None:
    rows = observed([1.0, 2.0, 4.0, 4.5, 6.0], a=[1, 2, 3, 4, 5], same=[2, 4, 6, 8, 10])
    found = choose_variables(rows, ["a", "same"])
    assert found.tried[-1].problem == "variable same: follows from a; leave one of them out"
    with pytest.raises(BaselineError, match="7 variables to choose from; give 1 to 6"):
        choose_variables(rows, ["a"] * 7)

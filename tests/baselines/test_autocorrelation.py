"""Durbin–Watson, the errors' autocorrelation and what it does to bands."""

import math

import numpy as np
import pytest
from statsmodels.stats.stattools import durbin_watson as reference

from baselines.autocorrelation import durbin_watson, points_each, restricted_autocorrelation, variance_of_sum
from baselines.distributions import t_for_confidence
from baselines.linear_model import LinearModel, fit
from tests.baselines.plants import correlated, observed
from tests.scale import scaled


def least_squares(chance: np.random.Generator, rows: int, rho: float) -> tuple[np.ndarray, np.ndarray]:
    """An orthonormal basis of intercept, a scattered and a slow variable, and the residuals."""
    slow = np.sin(np.arange(rows) / rows * 2.0 * np.pi)
    basis = np.linalg.qr(np.column_stack([np.ones(rows), chance.uniform(0.0, 1.0, rows), slow]))[0]
    errors = np.array(correlated(chance, rows, rho))
    return basis, errors - basis @ (basis.T @ errors)


def model_of(rho: float, rows: int = 60, seed: int = 4) -> tuple[LinearModel, np.ndarray]:
    chance = np.random.default_rng(seed)
    pieces = chance.uniform(100.0, 1000.0, rows)
    energy = 500.0 + 2.0 * pieces + 50.0 * np.array(correlated(chance, rows, rho))
    return fit(observed(energy.tolist(), pieces=pieces.tolist()), ["pieces"]), pieces


def test_durbin_watson_is_statsmodels_and_its_p_even_among_independent_errors() -> None:
    chance, factories = np.random.default_rng(1), scaled(400, 4000)
    found = []
    for _ in range(factories):
        basis, residuals = least_squares(chance, 12, 0.0)
        statistic, p = durbin_watson(basis, residuals)
        assert statistic == pytest.approx(reference(residuals), rel=1e-9)
        found.append(p)
    for level in (0.05, 0.1, 0.5, 0.9):
        share = sum(p < level for p in found) / factories
        assert abs(share - level) <= 3.5 * math.sqrt(level * (1.0 - level) / factories)


@pytest.mark.parametrize("rho", [0.3, 0.6])
def test_the_estimate_of_thirty_rows_is_less_low_than_pearsons(rho: float) -> None:
    chance = np.random.default_rng(2)
    mine, pearson = [], []
    for _ in range(scaled(200, 2000)):
        basis, residuals = least_squares(chance, 30, rho)
        mine.append(restricted_autocorrelation(basis, residuals))
        pearson.append(float(np.corrcoef(residuals[1:], residuals[:-1])[0, 1]))
    assert abs(float(np.mean(mine)) - rho) < 0.07
    assert float(np.mean(pearson)) < rho - 0.1


def test_the_estimate_maximises_the_restricted_likelihood_written_out() -> None:
    basis, residuals = least_squares(np.random.default_rng(3), 40, 0.5)

    def likelihood(rho: float) -> float:
        apart = np.abs(np.subtract.outer(np.arange(40), np.arange(40)))
        inverse = np.linalg.inv(rho**apart)
        shared = basis.T @ inverse @ basis
        left = inverse - inverse @ basis @ np.linalg.inv(shared) @ basis.T @ inverse
        logs = -np.linalg.slogdet(inverse)[1] + np.linalg.slogdet(shared)[1]
        return -0.5 * float(logs + 37.0 * math.log(residuals @ left @ residuals))

    best = restricted_autocorrelation(basis, residuals)
    assert 0.1 < best < 0.9
    assert likelihood(best) > max(likelihood(best - 1e-4), likelihood(best + 1e-4))


def test_the_variance_of_a_sum_is_that_of_its_matrix() -> None:
    deviations, rho = [1.0, 2.0, 0.5, 1.5], 0.4
    matrix = rho ** np.abs(np.subtract.outer(np.arange(4), np.arange(4))) * np.outer(deviations, deviations)
    assert variance_of_sum(rho, deviations) == pytest.approx(matrix.sum())
    assert variance_of_sum(0.0, [1.0] * 7) == 7.0
    alike = 30 * 1.4 / 0.6 - 2.0 * rho * (1.0 - rho**30) / 0.36
    assert variance_of_sum(rho, [1.0] * 30) == pytest.approx(alike)


def test_without_shown_autocorrelation_the_band_is_the_exact_one_to_its_digits() -> None:
    model, pieces = model_of(0.0)
    assert model.durbin_watson_p is not None
    assert model.durbin_watson_p > 0.1
    design = np.column_stack([np.ones(60), pieces])
    row = np.array([[1.0, 400.0], [1.0, 700.0]]).sum(axis=0)
    exact = t_for_confidence(0.9, 58) * model.deviation * math.sqrt(2.0 + row @ np.linalg.inv(design.T @ design) @ row)
    assert model.band_of_sum([[400.0], [700.0]], 0.9).half_width == pytest.approx(exact, rel=1e-12)


def test_with_it_bands_widen_by_the_points_that_are_left_and_the_other_band_stays_to_be_had() -> None:
    model, pieces = model_of(0.6)
    rho = model.error_autocorrelation
    assert 0.3 < rho < 0.9
    each = (1.0 + rho) / (1.0 - rho)
    design = np.column_stack([np.ones(60), pieces])
    inverse = np.linalg.inv(design.T @ design)
    scale = t_for_confidence(0.9, 60 / each - 2) * math.sqrt(model.residual_sum / (60 - 2 * each))
    (band,) = model.band_of_each([[400.0]], 0.9)
    row = np.array([1.0, 400.0])
    assert band.half_width == pytest.approx(scale * math.sqrt(1.0 + each * row @ inverse @ row), rel=1e-9)
    total = 10.0 * row
    own = 10.0 * each - 2.0 * rho * (1.0 - rho**10) / (1.0 - rho) ** 2
    of_sum = model.band_of_sum([[400.0]] * 10, 0.9)
    assert of_sum.half_width == pytest.approx(scale * math.sqrt(own + each * total @ inverse @ total), rel=1e-9)
    narrow = model.independent().band_of_sum([[400.0]] * 10, 0.9)
    plain = t_for_confidence(0.9, 58) * model.deviation * math.sqrt(10.0 + total @ inverse @ total)
    assert narrow.half_width == pytest.approx(plain, rel=1e-9)
    assert of_sum.half_width > 1.5 * narrow.half_width


def test_few_rows_always_leave_two_degrees_of_freedom() -> None:
    assert points_each(0.0, 12, 2) == 1.0
    assert points_each(0.9, 12, 2) == 3.0
    assert points_each(0.9, 4, 3) == 1.0
    assert points_each(0.5, 365, 2) == pytest.approx(3.0)


def test_one_residual_more_than_coefficients_says_nothing() -> None:
    model = fit(observed([10.0, 21.0, 29.0], pieces=[1.0, 2.0, 3.0]), ["pieces"])
    assert (model.durbin_watson_p, model.error_autocorrelation) == (1.0, 0.0)


def test_a_row_that_weighs_less_has_a_wider_band() -> None:
    model, _ = model_of(0.0)
    whole, half = model.band_of_each([[400.0], [400.0]], 0.9, [1.0, 0.5])
    assert whole == model.band_of_each([[400.0]], 0.9)[0]
    assert half == model.band_of_sum([[400.0]], 0.9, [0.5])
    assert half.half_width > 1.3 * whole.half_width

"""Residuals that follow each other: whether they do, how far the errors behind them do, and what that does to a sum.

The errors are taken as a first-order autoregression: each is ρ times the one before it and something new. Rows with
weights w have sqrt(w) times their error in that place.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from baselines.distributions import beta_p_value

SIGNIFICANCE = 0.10
"""Of the Durbin–Watson test, one-sided; the level of DOE's F test. Measured coverage: docs/baselines.md."""
MOST = 0.99
LEAST_FREE = 2
"""Degrees of freedom that are always left: the independent points are never fewer than coefficients and these."""
_STEPS = 100

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Autocorrelation:
    """`pearson` of each residual with the one before (None where they do not vary), and Durbin–Watson's d with its p.

    `of_errors` is ρ of the errors where p is below SIGNIFICANCE and ρ above zero, else 0.
    """

    pearson: float | None
    durbin_watson: float
    p: float
    of_errors: float


def autocorrelation_of(basis: Matrix, residuals: Matrix) -> Autocorrelation:
    """Of least squares' `residuals` (n) in the order of time.

    `basis` (n × p) has orthonormal columns that span the design, the intercept's column too: nothing here depends on
    more of the design than that.
    """
    statistic, p = durbin_watson(basis, residuals)
    rho = restricted_autocorrelation(basis, residuals) if p < SIGNIFICANCE else 0.0
    return Autocorrelation(lag_one_autocorrelation(residuals), statistic, p, rho)


def lag_one_autocorrelation(residuals: Matrix) -> float | None:
    """Pearson's correlation of each residual with the one before; None where one side does not vary."""
    later, earlier = residuals[1:] - residuals[1:].mean(), residuals[:-1] - residuals[:-1].mean()
    size = math.sqrt(float(later @ later) * float(earlier @ earlier))
    return float(later @ earlier) / size if size > 0.0 else None


def durbin_watson(basis: Matrix, residuals: Matrix) -> tuple[float, float]:
    """Of d = Σ(e_t − e_t₋₁)² / Σe² its value and the probability of one as small among independent normal errors.

    d/4 is taken as a beta variable with d's exact mean and variance for this design (Durbin & Watson 1951, Biometrika
    38, section 4; 1971, Biometrika 58). One residual more than coefficients has one possible d only: p is 1.
    """
    n, p = basis.shape
    steps = np.diff(basis, axis=0)
    differences = np.zeros_like(basis)
    differences[:-1] -= steps
    differences[1:] += steps
    shared = basis.T @ differences
    trace = 2.0 * (n - 1) - float(np.trace(shared))
    squared = 2.0 * (3 * n - 4) - 2.0 * float((differences**2).sum()) + float((shared**2).sum())
    mean = trace / (n - p)
    variance = 2.0 * (squared - trace * mean) / ((n - p) * (n - p + 2))
    statistic = float((np.diff(residuals) ** 2).sum() / (residuals @ residuals))
    is_certain = n - p < 2 or variance <= 0.0
    return statistic, 1.0 if is_certain else beta_p_value(statistic / 4.0, mean / 4.0, variance / 16.0)


def restricted_autocorrelation(basis: Matrix, residuals: Matrix) -> float:
    """ρ at the maximum of the restricted likelihood, from 0 to MOST.

    Pearson's is too low by about (1 + 3ρ)/n beside a mean (Marriott & Pope 1954, Biometrika 41) and by more beside slow
    variables, because fitting takes away what residuals have in common; this one by about 2ρ/n whatever the design
    (Cheang & Reinsel 2000, "Bias reduction of autoregressive estimates in time series regression model through
    restricted maximum likelihood", JASA 95). With G the sums of products of basis and residuals, C those with the row
    before and B those of the first and last row, the sums of products of what is new in each row (the first one's times
    1 − ρ²) are G + ρ²(G − B) − ρ(C + C').
    """
    n, p = basis.shape
    both = np.column_stack([basis, residuals / math.sqrt(float(residuals @ residuals))])
    own, lagged = both.T @ both, both[1:].T @ both[:-1]
    ends = np.outer(both[0], both[0]) + np.outer(both[-1], both[-1])

    def lost(rho: float) -> float:
        sums = own + rho * rho * (own - ends) - rho * (lagged + lagged.T)
        of_design, of_all = np.linalg.slogdet(sums[:p, :p])[1], np.linalg.slogdet(sums)[1]
        return float((n - p) * (of_all - of_design) + of_design - math.log1p(-rho * rho))

    grid = np.linspace(0.0, MOST, _STEPS)
    best = int(np.argmin([lost(float(rho)) for rho in grid]))
    low, high = float(grid[max(best - 1, 0)]), float(grid[min(best + 1, _STEPS - 1)])
    found = minimize_scalar(lost, bounds=(low, high), method="bounded", options={"xatol": 1e-9})
    return float(found.x) if best > 0 or found.fun < lost(0.0) else 0.0


def points_each(rho: float, rows: int, coefficients: int) -> float:
    """How many rows tell as much of a mean as one independent point: n / n' = (1 + ρ)/(1 − ρ).

    Bartlett 1935, Journal of the Royal Statistical Society 98; ASHRAE Guideline 14-2014, annex B. 1 for ρ = 0; never so
    many that fewer than LEAST_FREE degrees of freedom were left.
    """
    return max(1.0, min((1.0 + rho) / (1.0 - rho), rows / (coefficients + LEAST_FREE)))


def variance_of_sum(rho: float, deviations: Sequence[float]) -> float:
    """Of the sum of errors that follow each other by ρ, with these standard deviations: Σ_ij ρ^|i − j| s_i s_j.

    For m alike it is m (1 + ρ)/(1 − ρ) − 2ρ(1 − ρ^m)/(1 − ρ)², and their number where ρ is 0.
    """
    squares = math.fsum(each * each for each in deviations)
    if rho == 0.0:
        return squares
    before, products = 0.0, []
    for each in deviations:
        products.append(each * before)
        before = rho * (before + each)
    return squares + 2.0 * math.fsum(products)

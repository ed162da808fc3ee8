"""Multi-variable least squares: the model of a baseline, its statistics and its prediction band.

Sources: ISO 50006:2014 annex D; IPMVP, Statistics and Uncertainty (2014); Draper & Smith, Applied Regression Analysis,
3rd ed., chapters 1 to 5 for the formulas.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from baselines.autocorrelation import autocorrelation_of, points_each, variance_of_sum
from baselines.distributions import f_p_value, t_for_confidence, t_p_value
from baselines.errors import BaselineError
from baselines.observations import Observations

INTERCEPT = "intercept"
_COLLINEAR = 1e-10

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Band:
    """An expected use and half the width of its band, in the unit of the energy."""

    expected: float
    half_width: float

    @property
    def lower(self) -> float:
        """The lower end."""
        return self.expected - self.half_width

    @property
    def upper(self) -> float:
        """The upper end."""
        return self.expected + self.half_width


@dataclass(frozen=True, slots=True)
class VariableRange:
    """What a relevant variable was in the baseline period; `deviation` is the sample standard deviation."""

    minimum: float
    maximum: float
    mean: float
    deviation: float


@dataclass(frozen=True, slots=True, eq=False)
class LinearModel:
    """energy = intercept + sum of coefficient × variable, fitted on the baseline period.

    With n rows, p coefficients (the intercept counted) and residuals e: `residual_sum` = Σe²;
    `deviation` = sqrt(Σe² / (n − p)); `r2` = 1 − Σe² / Σ(y − ȳ)²; `r2_adjusted` = 1 − (1 − R²)(n − 1)/(n − p);
    `f` = ((Σ(y − ȳ)² − Σe²)/(p − 1)) / (Σe²/(n − p)); `cv_rmse` = deviation / ȳ, a fraction;
    `nmbe` = Σe / ((n − p) ȳ), a fraction (both as in ASHRAE Guideline 14-2014, denominator n − p);
    `autocorrelation` is Pearson's of e(2..n) with e(1..n−1).
    Where rows have weights w (variance of a row's error = deviation² / w), each sum over rows, ȳ's too, is weighted and
    `autocorrelation` is that of sqrt(w) e; `residuals` are always y − ŷ.
    `t`, `f` and their p are None where the model fits exactly, `autocorrelation` where the residuals do not vary.

    Bands are those of independent normal errors (Draper & Smith), exact, unless residuals are shown to follow each
    other (`error_autocorrelation` ρ > 0, see autocorrelation.py). Then n rows are n' = n (1 − ρ)/(1 + ρ) independent
    points: s² = Σe² / (n − p n/n'), which least squares of such errors has as its mean; t with n' − p degrees of
    freedom; (X'X)⁻¹ times n/n'; and the m errors of the sum itself have the variance of a sum of such. For ρ = 0 this
    is the exact band, and it is never narrower.
    """

    variables: tuple[str, ...]
    coefficients: Mapping[str, float]
    standard_errors: Mapping[str, float]
    t: Mapping[str, float | None]
    p: Mapping[str, float | None]
    n: int
    r2: float
    r2_adjusted: float
    f: float | None
    f_p: float | None
    cv_rmse: float
    nmbe: float
    deviation: float
    residual_sum: float
    mean_energy: float
    autocorrelation: float | None
    durbin_watson: float | None
    durbin_watson_p: float | None
    """Of as small a d by chance: one-sided, against errors that follow each other. Both None where the fit is exact."""
    error_autocorrelation: float
    """ρ of the errors where Durbin–Watson's p is below 0.10, estimated without Pearson's bias; else 0."""
    residuals: tuple[float, ...]
    ranges: Mapping[str, VariableRange]
    centre: tuple[float, ...]
    """The (weighted) mean of each variable."""
    slopes_inverse: Matrix
    """(Z'Z)⁻¹ of the variables less their means: (X'X)⁻¹ without the intercept, and without its loss of digits."""
    weight_sum: float
    """The rows, or the sum of their weights."""
    searched: tuple[str, ...] = ()
    """Variables that stand for a searched constant (a balance point): their coefficient is 0, they have no p, and what
    they do is make everything else as uncertain as the search makes it."""

    @property
    def degrees_of_freedom(self) -> int:
        """Rows less coefficients."""
        return self.n - len(self.coefficients)

    def expected(self, rows: Sequence[Sequence[float]]) -> list[float]:
        """The expected use of rows of variables, in the order of `variables`."""
        slopes = [self.coefficients[name] for name in self.variables]
        return [
            self.coefficients[INTERCEPT] + math.fsum(slope * value for slope, value in zip(slopes, row, strict=True))
            for row in rows
        ]

    def independent(self) -> "LinearModel":
        """The same with bands that take errors as independent, whatever the residuals say."""
        return replace(self, error_autocorrelation=0.0)

    def band_of_each(
        self, rows: Sequence[Sequence[float]], confidence: float, weights: Sequence[float] | None = None
    ) -> list[Band]:
        """The prediction band of each row by itself: t s sqrt(1/w + (n/n') x'(X'X)⁻¹x), w 1 without `weights`."""
        if not rows:
            return []
        distances = np.array(rows, dtype=np.float64).reshape(len(rows), -1) - np.array(self.centre)
        known = 1.0 / self.weight_sum + ((distances @ self.slopes_inverse) * distances).sum(axis=1)
        scale, each = self._scale(confidence)
        own = 1.0 if weights is None else 1.0 / np.array(weights)
        reach = scale * np.sqrt(own + each * known)
        return [Band(*pair) for pair in zip(self.expected(rows), reach.tolist(), strict=True)]

    def band_of_sum(
        self, rows: Sequence[Sequence[float]], confidence: float, weights: Sequence[float] | None = None
    ) -> Band:
        """The band of what the rows use together: t s sqrt(m + (n/n') 1'R(X'X)⁻¹R'1), R the m rows.

        It counts what the rows' expected values have in common, the uncertainty of the coefficients, which adding the
        rows' own bands would not. m stands for the variance of the sum of their errors, in units of s²: with `weights`
        of independent ones the sum of 1/w.
        """
        count = len(rows)
        deviations = [1.0] * count if weights is None else [1.0 / math.sqrt(weight) for weight in weights]
        own = variance_of_sum(self.error_autocorrelation, deviations)
        distance = np.array([math.fsum(column) for column in zip(*rows, strict=True)]) - count * np.array(self.centre)
        known = count * count / self.weight_sum + float(distance @ self.slopes_inverse @ distance)
        scale, each = self._scale(confidence)
        return Band(math.fsum(self.expected(rows)), scale * math.sqrt(own + each * known))

    def _scale(self, confidence: float) -> tuple[float, float]:
        """Both t s and n/n'."""
        each, p = points_each(self.error_autocorrelation, self.n, len(self.coefficients)), len(self.coefficients)
        deviation = self.deviation * math.sqrt((self.n - p) / (self.n - p * each))
        return t_for_confidence(confidence, self.n / each - p) * deviation, each


def fit(observations: Observations, variables: Sequence[str], searched: Sequence[str] = ()) -> LinearModel:
    """Fit energy on the variables named; with none of them the model is the mean.

    `searched` are those of them that hold the derivative of the model by a constant that was searched (non-linear least
    squares, Draper & Smith chapter 24): they take no part in the coefficients, but in their uncertainty.
    Raises BaselineError when there are too few rows, a variable does not vary, or two say the same.
    """
    n, p = len(observations), len(variables) + 1
    if INTERCEPT in variables:
        raise BaselineError(f"variable {INTERCEPT}: is what the part without variables is called; give it another name")
    if len(set(variables)) != len(variables):
        raise BaselineError(f"variables: {', '.join(variables)}: one is named twice")
    rows = observations.rows_of(variables)
    if n < p + 1:
        raise BaselineError(f"too few rows: {n} for {p} coefficients; at least {p + 1} are needed, better 12")
    energy = np.array(observations.energy, dtype=np.float64)
    values = np.array(rows, dtype=np.float64).reshape(n, p - 1)
    weights = np.ones(n) if observations.weights is None else np.array(observations.weights, dtype=np.float64)
    means = np.array([math.fsum(weights * column) / math.fsum(weights) for column in values.T])
    mean = math.fsum(weights * energy) / math.fsum(weights)
    roots = np.sqrt(weights)
    centred, scales = _scaled((values - means) * roots[:, None], values, variables)
    slopes, inverse_of_slopes, orthogonal = _solve(centred, (energy - mean) * roots, variables)
    if searched:
        kept = [index for index, name in enumerate(variables) if name not in searched]
        slopes = np.zeros(p - 1)
        slopes[kept], _, _ = _solve(centred[:, kept], (energy - mean) * roots, [variables[index] for index in kept])
    slopes, inverse_of_slopes = slopes / scales, inverse_of_slopes / np.outer(scales, scales)
    estimates = np.array([mean - math.fsum(slopes * means), *slopes])
    # From the mean outwards: the intercept of a large variable would cost digits here.
    residuals = energy - mean - np.array([math.fsum(slopes * (row - means)) for row in values])
    basis = np.column_stack([roots / math.sqrt(math.fsum(weights)), orthogonal])
    named = (tuple(variables), tuple(searched))
    return _model(*named, energy, values, weights, means, estimates, inverse_of_slopes, basis, residuals)


def _scaled(centred: Matrix, values: Matrix, variables: Sequence[str]) -> tuple[Matrix, Matrix]:
    """Columns of length one: what is large only because of its unit then costs no digits."""
    scales = np.sqrt((centred**2).sum(axis=0))
    for name, scale, column in zip(variables, scales, values.T, strict=True):
        if scale <= 1e-12 * np.abs(column).max(initial=0.0) * math.sqrt(len(column)):
            raise BaselineError(f"variable {name}: is {column[0]:g} in every row; what does not vary explains nothing")
    return centred / scales if len(scales) else centred, scales


def _solve(design: Matrix, energy: Matrix, variables: Sequence[str]) -> tuple[Matrix, Matrix, Matrix]:
    """Slopes, the inverse of the normal matrix and a basis by QR, with one step of refinement."""
    orthogonal, triangular = np.linalg.qr(design)
    for index, name in enumerate(variables):
        if abs(triangular[index, index]) < _COLLINEAR:
            others = ", ".join(variables[:index])
            raise BaselineError(f"variable {name}: follows from {others}; leave one of them out")
    inverse = np.linalg.inv(triangular) if len(variables) else np.zeros((0, 0))
    slopes = inverse @ (orthogonal.T @ energy)
    slopes = slopes + inverse @ (orthogonal.T @ (energy - design @ slopes))
    return slopes, inverse @ inverse.T, orthogonal


def _model(  # the statistics in the order in which they need each other
    variables: tuple[str, ...],
    searched: tuple[str, ...],
    energy: Vector,
    values: Matrix,
    weights: Vector,
    means: Vector,
    estimates: Vector,
    slopes_inverse: Matrix,
    basis: Matrix,
    residuals: Vector,
) -> LinearModel:
    n, p = len(energy), len(estimates)
    mean = math.fsum(weights * energy) / math.fsum(weights)
    names = (INTERCEPT, *variables)
    residual_sum = math.fsum(weights * residuals * residuals)
    total_sum = math.fsum(weights * (energy - mean) ** 2)
    if total_sum <= 0.0:
        raise BaselineError(f"energy: is {energy[0]:g} in every row; there is nothing to explain")
    if mean == 0.0:
        raise BaselineError("energy: its mean is zero; CV(RMSE) and NMBE have no meaning")
    is_exact = residual_sum <= 1e-24 * total_sum
    deviation = 0.0 if is_exact else math.sqrt(residual_sum / (n - p))
    squares = [1.0 / math.fsum(weights) + float(means @ slopes_inverse @ means), *np.diagonal(slopes_inverse)]
    errors = [deviation * math.sqrt(square) for square in squares]
    t = {
        name: None if is_exact or name in searched else value / error
        for name, value, error in zip(names, estimates.tolist(), errors, strict=True)
    }
    r2 = 1.0 - residual_sum / total_sum
    found = None if is_exact else autocorrelation_of(basis, np.sqrt(weights) * residuals)
    f = None if is_exact or not variables else ((total_sum - residual_sum) / (p - 1)) / (residual_sum / (n - p))
    return LinearModel(
        variables=variables,
        coefficients=dict(zip(names, estimates.tolist(), strict=True)),
        standard_errors=dict(zip(names, errors, strict=True)),
        t=t,
        p={name: None if value is None else t_p_value(value, n - p) for name, value in t.items()},
        n=n,
        r2=r2,
        r2_adjusted=1.0 - (1.0 - r2) * (n - 1) / (n - p),
        f=f,
        f_p=None if f is None else f_p_value(f, p - 1, n - p),
        cv_rmse=deviation / mean,
        nmbe=math.fsum(weights * residuals) / ((n - p) * mean),
        deviation=deviation,
        residual_sum=residual_sum,
        mean_energy=mean,
        autocorrelation=None if found is None else found.pearson,
        durbin_watson=None if found is None else found.durbin_watson,
        durbin_watson_p=None if found is None else found.p,
        error_autocorrelation=0.0 if found is None else found.of_errors,
        residuals=tuple(residuals.tolist()),
        ranges={name: _range(column) for name, column in zip(variables, values.T, strict=True)},
        centre=tuple(means.tolist()),
        slopes_inverse=slopes_inverse,
        weight_sum=math.fsum(weights),
        searched=searched,
    )


def _range(column: Matrix) -> VariableRange:
    return VariableRange(
        float(column.min()), float(column.max()), math.fsum(column) / len(column), float(column.std(ddof=1))
    )

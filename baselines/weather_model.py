"""Energy that depends on the weather: degree days whose balance point is searched, with or without other variables.

With one temperature a row and no other variable this is the three-parameter change point model of heating or cooling:
energy = base load + slope × max(0, balance − T) (Kissock, Haberl & Claridge 2003, "Inverse modeling toolkit", ASHRAE
Transactions 109(2); ASHRAE Guideline 14-2014, annex D). With the hours of each row it is the variable-base degree day
model.

A balance point that was searched is a coefficient like any other. It costs a degree of freedom, and its derivative
takes part in the covariance (non-linear least squares, linear near its best fit), so that standard errors and bands are
as wide as the search makes them. The slope's p cannot come from t: without any dependence there is no balance point,
and the search finds the luckiest. It is the share of random energies, searched in the same way, that fit at least as
well (Davies 1987, Biometrika 74; Hansen 1996, Econometrica 64).
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from baselines.errors import BaselineError
from baselines.linear_model import LinearModel, fit
from baselines.observations import Observations

Kind = Literal["heating", "cooling"]
Matrix = NDArray[np.float64]

BALANCE = " balance point"
GRID_STEPS = 40
DRAWS = 1999
BLOCK = 2_000_000
"""Random numbers at a time."""
FEWEST_ON_A_SIDE = 2


@dataclass(frozen=True, slots=True)
class Temperatures:
    """Outdoor temperatures in °C: of each row its samples (24 hours of a day, or one mean) and its length in days.

    Where each row has one mean and no length that matters, give 1 day: the slope is then energy a degree and row.
    """

    samples: tuple[tuple[float, ...], ...]
    days: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.samples) != len(self.days):
            raise BaselineError(f"temperatures: {len(self.samples)} rows of samples, {len(self.days)} lengths")
        for row, samples in enumerate(self.samples, start=1):
            if not samples or not all(map(math.isfinite, samples)):
                raise BaselineError(f"row {row}: temperatures are missing or no numbers")

    def degree_days(self, kind: Kind, base: float) -> tuple[float, ...]:
        """Of each row: its days × the mean of what the temperature was below (heating) or above (cooling) the base."""
        return tuple(_Samples(self).degree_days(kind, base).tolist())

    def by_base(self, kind: Kind, base: float) -> tuple[float, ...]:
        """The derivative of `degree_days` by the base: days on its cold side, or minus those on its warm one."""
        return tuple(_Samples(self).by_base(kind, base).tolist())


class _Samples:
    """All rows' samples in one array: a search looks at a year of hours some hundred times."""

    def __init__(self, temperatures: Temperatures) -> None:
        counts = [len(samples) for samples in temperatures.samples]
        self._flat = np.array(list(itertools.chain.from_iterable(temperatures.samples)), dtype=np.float64)
        self._starts = np.array([0, *itertools.accumulate(counts[:-1])], dtype=np.intp)
        self._share = np.array(temperatures.days, dtype=np.float64) / np.array(counts, dtype=np.float64)

    def degree_days(self, kind: Kind, base: float) -> Matrix:
        below = base - self._flat if kind == "heating" else self._flat - base
        return np.asarray(np.add.reduceat(np.maximum(below, 0.0), self._starts) * self._share)

    def by_base(self, kind: Kind, base: float) -> Matrix:
        side = np.where(self._flat < base, 1.0, 0.0) if kind == "heating" else np.where(self._flat > base, -1.0, 0.0)
        return np.asarray(np.add.reduceat(side, self._starts) * self._share)


@dataclass(frozen=True, slots=True)
class DegreeTerm:
    """Heating or cooling degree days to a base in °C; None: searched."""

    kind: Kind
    base: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class WeatherModel:
    """A fitted model; `bases` of its terms in °C, `searched` which of them were searched.

    `model` is an ordinary linear model on `observe`d rows: its variables `heating` and `cooling` are degree days,
    `heating balance point` stands for the search, and its standard error is the balance point's, in K.
    """

    model: LinearModel
    bases: dict[Kind, float]
    searched: frozenset[Kind]

    def observe(self, observations: Observations, temperatures: Temperatures) -> Observations:
        """Rows of any period with the model's own variables added."""
        slopes = {kind: self.model.coefficients[kind] for kind in self.searched}
        return _with_terms(observations, temperatures, self.bases, slopes)


def fit_weather(
    observations: Observations, variables: Sequence[str], temperatures: Temperatures, terms: Sequence[DegreeTerm]
) -> WeatherModel:
    """Fit energy on variables and degree days, searching the balance points that are not given.

    Raises BaselineError as `fit` does, and when the temperatures cannot tell where a balance point lies.
    """
    if len(temperatures.samples) != len(observations):
        raise BaselineError(f"{len(temperatures.samples)} rows of temperatures for {len(observations)} of energy")
    if not terms or len({term.kind for term in terms}) != len(terms):
        raise BaselineError("give heating, cooling or both, each once")
    taken = {name for term in terms for name in (term.kind, f"{term.kind}{BALANCE}")}
    if clash := next((name for name in variables if name in taken), None):
        raise BaselineError(f"variable {clash}: is what the model calls its own degree days; give it another name")
    searched = [term.kind for term in terms if term.base is None]
    bases: dict[Kind, float] = {term.kind: term.base for term in terms if term.base is not None}
    if searched:
        search = _Search(observations, variables, temperatures, bases, searched)
        bases = bases | search.best()
    names = [*variables, *(term.kind for term in terms)]
    plain = _with_terms(observations, temperatures, bases, {})
    slopes = fit(plain, names).coefficients
    full = _with_terms(observations, temperatures, bases, {kind: slopes[kind] for kind in searched})
    extra = [f"{kind}{BALANCE}" for kind in searched]
    try:
        model = fit(full, [*names, *extra], extra)
    except BaselineError as problem:
        raise BaselineError(
            f"the balance point cannot be found from these temperatures ({problem}); give one"
        ) from problem
    if searched:
        p = dict(model.p) | {kind: search.p_of(kind, bases) for kind in searched}
        model = replace(model, p=p, f_p=search.p_of_all())
    return WeatherModel(model, bases, frozenset(searched))


def _with_terms(
    observations: Observations, temperatures: Temperatures, bases: dict[Kind, float], slopes: dict[Kind, float]
) -> Observations:
    columns = dict(observations.variables)
    for kind, base in bases.items():
        columns[kind] = temperatures.degree_days(kind, base)
    for kind, slope in slopes.items():
        columns[f"{kind}{BALANCE}"] = tuple(slope * value for value in temperatures.by_base(kind, bases[kind]))
    return replace(observations, variables=columns)


class _Search:
    """The best balance points, and how well random energies would have been fitted by the same search."""

    def __init__(
        self,
        observations: Observations,
        variables: Sequence[str],
        temperatures: Temperatures,
        given: dict[Kind, float],
        searched: Sequence[Kind],
    ) -> None:
        weights = observations.weights or (1.0,) * len(observations)
        self._roots = np.sqrt(np.array(weights))
        self._energy = np.array(observations.energy) * self._roots
        self._ones = np.ones((len(observations), 1))
        self._other = np.array(observations.rows_of(variables), dtype=np.float64).reshape(len(observations), -1)
        self._samples = _Samples(temperatures)
        self._given = given
        self._searched = tuple(searched)
        self._grid = _candidates(temperatures)

    def best(self) -> dict[Kind, float]:
        """Of a grid over the temperatures seen the best, then refined within a step of it."""
        start = min(self._combinations(), key=self._residual_sum)
        step = self._grid[1] - self._grid[0]
        low, high = self._grid[0], self._grid[-1]
        bounds = [(max(low, base - step), min(high, base + step)) for base in start]
        found = minimize(self._residual_sum, start, method="Nelder-Mead", bounds=bounds, options={"xatol": 1e-6})
        best = found.x if self._residual_sum(found.x) <= self._residual_sum(start) else start
        return {kind: float(base) for kind, base in zip(self._searched, best, strict=True)}

    def p_of_all(self) -> float:
        """Of the model against no dependence on anything."""
        return self._share(self._ones, [self._design(bases) for bases in self._combinations()])

    def p_of(self, kind: Kind, bases: dict[Kind, float]) -> float:
        """Of one term against the model without it."""
        others = tuple(other for other in self._searched if other != kind)
        without = self._design_of({**self._given, **{other: bases[other] for other in others}})
        index = self._searched.index(kind)
        fixed = [bases[other] for other in self._searched]
        designs = [self._design((*fixed[:index], base, *fixed[index + 1 :])) for base in self._grid]
        return self._share(without, designs)

    def _combinations(self) -> list[tuple[float, ...]]:
        return [
            bases
            for bases in itertools.product(self._grid, repeat=len(self._searched))
            if len(bases) < 2 or bases[self._searched.index("heating")] <= bases[self._searched.index("cooling")]
        ]

    def _design(self, bases: Sequence[float]) -> Matrix:
        return self._design_of({**self._given, **dict(zip(self._searched, map(float, bases), strict=True))})

    def _design_of(self, bases: dict[Kind, float]) -> Matrix:
        terms = [self._samples.degree_days(kind, base)[:, None] for kind, base in bases.items()]
        return np.hstack([self._ones, self._other, *terms])

    def _residual_sum(self, bases: Sequence[float]) -> float:
        design = self._design(bases) * self._roots[:, None]
        solved = np.linalg.lstsq(design, self._energy, rcond=None)[0]
        residuals = self._energy - design @ solved
        return float(residuals @ residuals)

    def _share(self, without: Matrix, designs: Sequence[Matrix]) -> float:
        """The share of random energies for which the best design explains at least as much of what is left."""
        chance = np.random.default_rng(0)
        left, bases = _basis(without * self._roots[:, None]), [_basis(each * self._roots[:, None]) for each in designs]
        told = _best_ratios(left, bases, self._energy[:, None])[0]
        rows, better, drawn = len(self._energy), 0, 0
        while drawn < DRAWS:
            # In blocks: a year of quarters of an hour times all draws would not fit into a Pi's memory.
            count = min(DRAWS - drawn, max(1, BLOCK // rows))
            ratios = _best_ratios(left, bases, chance.normal(size=(rows, count)))
            better, drawn = better + int(np.count_nonzero(ratios <= told)), drawn + count
        return (1 + better) / (DRAWS + 1)


def _basis(design: Matrix) -> Matrix:
    """Orthonormal columns that span the design's."""
    basis, sizes, _ = np.linalg.svd(design, full_matrices=False)
    spanned: Matrix = basis[:, sizes > 1e-10 * sizes[0]]
    return spanned


def _best_ratios(without: Matrix, designs: Sequence[Matrix], energies: Matrix) -> Matrix:
    """Of each energy what the best design leaves, over what is left without."""
    squares = (energies**2).sum(axis=0)
    explained = np.max([((basis.T @ energies) ** 2).sum(axis=0) for basis in designs], axis=0)
    ratios: Matrix = (squares - explained) / (squares - ((without.T @ energies) ** 2).sum(axis=0))
    return ratios


def _candidates(temperatures: Temperatures) -> list[float]:
    """From the second coldest to the second warmest row's mean: beyond them, a balance point is one row's affair."""
    means = sorted(math.fsum(samples) / len(samples) for samples in temperatures.samples)
    if len(means) < 2 * FEWEST_ON_A_SIDE + 1:
        raise BaselineError(f"{len(means)} rows of temperatures are too few to search a balance point; give one")
    low, high = means[FEWEST_ON_A_SIDE - 1], means[-FEWEST_ON_A_SIDE]
    if high - low < 1.0:
        raise BaselineError("temperatures differ too little to search a balance point; give one")
    return [low + (high - low) * step / GRID_STEPS for step in range(GRID_STEPS + 1)]

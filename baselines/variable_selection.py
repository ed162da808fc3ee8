"""Which relevant variables? Every combination is tried, all of them are told, and luck is paid for.

The one with the least error on rows that were left out is taken (leave-one-out, PRESS: Allen 1974, Technometrics 16;
e / (1 − leverage) needs no refitting): unlike R² it does not always ask for more variables. Who tries many models finds
a good one among them by chance alone, so the chosen model's F probability is multiplied by the number tried
(Bonferroni), and the tests of validity are made with that.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from baselines.errors import BaselineError
from baselines.linear_model import LinearModel, fit
from baselines.observations import Observations
from baselines.validity import Finding

MOST_CANDIDATES = 6
MOST_VARIABLES = 3


@dataclass(frozen=True, slots=True)
class Tried:
    """A combination and its error: `left_out_cv` is the root mean square error on rows left out, over the mean use.

    `problem` says why a combination could not be fitted.
    """

    variables: tuple[str, ...]
    left_out_cv: float
    r2_adjusted: float | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Selection:
    """The model chosen, with its F probability corrected; all that was tried, best first; what a verifier must know."""

    model: LinearModel
    tried: tuple[Tried, ...]
    findings: tuple[Finding, ...]


def choose_variables(observations: Observations, candidates: Sequence[str]) -> Selection:
    """Fit every combination of up to three of at most six candidates, and none of them, and take the best.

    Raises BaselineError when there are no or too many candidates, or none can be fitted.
    """
    if not 1 <= len(candidates) <= MOST_CANDIDATES:
        raise BaselineError(
            f"{len(candidates)} variables to choose from; give 1 to {MOST_CANDIDATES}, by what you know"
        )
    models: dict[tuple[str, ...], LinearModel] = {}
    tried = []
    for size in range(min(MOST_VARIABLES, len(candidates)) + 1):
        for names in itertools.combinations(candidates, size):
            try:
                model = fit(observations, names)
            except BaselineError as problem:
                tried.append(Tried(names, math.inf, None, str(problem)))
                continue
            models[names] = model
            tried.append(Tried(names, left_out_cv(model, observations), model.r2_adjusted))
    if not models:
        raise BaselineError(f"no combination of {', '.join(candidates)} can be fitted: {tried[0].problem}")
    ranked = sorted(tried, key=lambda each: (each.left_out_cv, len(each.variables)))
    chosen = models[ranked[0].variables]
    count = len(models)
    if chosen.f_p is not None:
        chosen = replace(chosen, f_p=min(1.0, count * chosen.f_p))
    named = " + ".join(chosen.variables) or "none"
    text = (
        f"{named} was chosen among {count} combinations of {', '.join(candidates)}: the variables' own p are too good, "
        f"the F test's is multiplied by {count}; error on rows left out {100.0 * ranked[0].left_out_cv:.1f} %, "
        f"fitted {100.0 * chosen.cv_rmse:.1f} %"
    )
    return Selection(chosen, tuple(ranked), (Finding("chosen", text, fails=False),))


def left_out_cv(model: LinearModel, observations: Observations) -> float:
    """The root mean square error of each row predicted from the others, over the mean use, a fraction."""
    rows = np.array(observations.rows_of(model.variables), dtype=np.float64).reshape(len(observations), -1)
    weights = np.array(observations.weights or (1.0,) * len(observations))
    distances = rows - np.array(model.centre)
    leverages = weights * (1.0 / model.weight_sum + ((distances @ model.slopes_inverse) * distances).sum(axis=1))
    # A row with all the leverage cannot be predicted from the others.
    if float(leverages.max()) >= 1.0 - 1e-9:
        return math.inf
    errors = np.array(model.residuals) / (1.0 - leverages)
    return math.sqrt(math.fsum(weights * errors**2) / model.weight_sum) / abs(model.mean_energy)

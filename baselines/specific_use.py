"""Energy a piece, a kg, a bed: the number that everybody knows, and why it misleads where there is a base load.

Energy = base load + slope × output, so energy over output falls when more is made and rises when less is, without
anybody saving or wasting (ISO 50006:2014, 4.2.3 and annex C; Carbon Trust CTG008).
"""

import math
from dataclasses import dataclass

from baselines.errors import BaselineError
from baselines.linear_model import INTERCEPT, LinearModel, fit
from baselines.observations import Observations
from baselines.validity import percent

SURE_P = 0.10
LESS_OUTPUT = 0.8


@dataclass(frozen=True, slots=True)
class SpecificUse:
    """`ratio` = all energy over all output; `base_share` is the part of the energy that does not depend on output.

    `ratio_at_less` is what the ratio becomes at 80 % of the output when nothing else changes. `warning` is empty where
    no base load is sure to be there (its p is 0.10 or more).
    """

    variable: str
    ratio: float
    base_share: float
    ratio_at_less: float
    warning: str


def specific_use(observations: Observations, variable: str) -> SpecificUse:
    """Energy a unit of output over all rows; raises BaselineError where there is no output, or as `fit` does."""
    return specific_use_of(fit(observations, [variable]), observations)


def specific_use_of(model: LinearModel, observations: Observations) -> SpecificUse:
    """The same from a model of one variable fitted on these rows."""
    (variable,) = model.variables
    output = math.fsum(observations.variables[variable])
    if output <= 0.0:
        raise BaselineError(f"variable {variable}: is {output:g} in all; energy a unit of it has no meaning")
    ratio = math.fsum(observations.energy) / output
    mean = output / len(observations)
    base, slope = model.coefficients[INTERCEPT], model.coefficients[variable]
    share = base / (base + slope * mean)
    at_less = base / (LESS_OUTPUT * mean) + slope
    p = model.p[INTERCEPT]
    is_sure = base > 0.0 and (p is None or p < SURE_P)
    warning = (
        f"{percent(min(share, 1.0))} of the energy does not depend on {variable}: with a fifth less of it the ratio "
        f"becomes {at_less:.4g} instead of {ratio:.4g}, though nothing is wasted; compare with the formula instead"
    )
    return SpecificUse(variable, ratio, share, at_less, warning if is_sure else "")

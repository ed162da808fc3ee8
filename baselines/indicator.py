"""Energy performance indicators (EnPI) made comparable: normalised for what the plant made and the weather did.

ISO 50006:2014, 4.2 and annex D; ISO 50015. DOE's Superior Energy Performance protocol calls the ratio SEnPI.
"""

import math
from collections.abc import Sequence

from baselines.errors import BaselineError
from baselines.linear_model import LinearModel


def ratio(actual: float, expected: float) -> float:
    """Actual over expected use under the same conditions: 0.89 is 11 % better than the baseline (forecast method)."""
    if expected <= 0.0:
        raise BaselineError(f"expected use is {expected:g}; a ratio to it has no meaning")
    return actual / expected


def backcast_ratio(reporting: LinearModel, baseline_rows: Sequence[Sequence[float]], baseline_use: float) -> float:
    """What the reporting period's model would have used in the baseline period, over what was used then."""
    return ratio(math.fsum(reporting.expected(baseline_rows)), baseline_use)


def standard_ratio(baseline: LinearModel, reporting: LinearModel, standard_rows: Sequence[Sequence[float]]) -> float:
    """Both models under the same standard conditions (a normal year's output and weather)."""
    if baseline.variables != reporting.variables:
        raise BaselineError(
            f"the models have other variables: {', '.join(baseline.variables)}; {', '.join(reporting.variables)}"
        )
    return ratio(math.fsum(reporting.expected(standard_rows)), math.fsum(baseline.expected(standard_rows)))


def normalised_specific_use(actual: float, expected: float, standard_use: float, standard_output: float) -> float:
    """Use a unit of output at standard output: the ratio × what the baseline uses then, a unit.

    Unlike use over output it does not get worse merely because less was made.
    """
    if standard_output <= 0.0:
        raise BaselineError(f"standard output is {standard_output:g}; it must be above zero")
    return ratio(actual, expected) * standard_use / standard_output

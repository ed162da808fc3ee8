"""What a site uses at each quarter of an hour of the week: what the live curve expects while output is not known.

The time-of-week part of the time-of-week-and-temperature model (Mathieu, Price, Kiliccote & Piette 2011, IEEE
Transactions on Smart Grid 2(3)): a mean for each of the week's 672 quarters. A quarter's scatter is taken together with
its neighbours', since a few weeks are too few for 672 of them; how far a running day may be off by some time of day is
taken from how far whole days were off by that time, because quarters of a day are not independent.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from baselines.distributions import t_for_confidence
from baselines.errors import BaselineError
from baselines.linear_model import Band

QUARTERS_A_DAY = 96
DAYS_A_WEEK = 7
NEIGHBOURS = 2
FEWEST_WEEKS = 3
LEAST_OF_A_DAY = 0.9


@dataclass(frozen=True, slots=True)
class DayCurve:
    """A local day: weekday (0 = Monday; give a holiday as 6) and its quarters' use, None where not known.

    Quarters are by the local clock, 96 of them: an hour that the clocks skip is None, of one that comes twice give the
    mean.
    """

    weekday: int
    amounts: tuple[float | None, ...]

    def __post_init__(self) -> None:
        if not 0 <= self.weekday < DAYS_A_WEEK or len(self.amounts) != QUARTERS_A_DAY:
            raise BaselineError(f"a day curve needs a weekday from 0 to 6 and {QUARTERS_A_DAY} quarters")


@dataclass(frozen=True, slots=True, eq=False)
class WeekProfile:
    """`means` and `deviations` of each quarter by weekday (7 × 96), in the unit of the amounts; `weeks` seen of each.

    `day_deviations` (7 × 96) is the scatter of the running sum of a day up to and including each quarter, from `days`
    whole days of that weekday. Bands hold at least as often as they say: neighbours that move together are counted as
    one.
    """

    means: NDArray[np.float64]
    deviations: NDArray[np.float64]
    weeks: NDArray[np.float64]
    day_deviations: NDArray[np.float64]
    days: NDArray[np.float64]

    def quarter(self, weekday: int, quarter: int, confidence: float) -> Band:
        """The band of one quarter's use."""
        weeks = float(self.weeks[weekday, quarter])
        reach = t_for_confidence(confidence, max(1, round(weeks) - 1)) * float(self.deviations[weekday, quarter])
        return Band(float(self.means[weekday, quarter]), reach * math.sqrt(1.0 + 1.0 / weeks))

    def until(self, weekday: int, quarter: int, confidence: float) -> Band:
        """The band of a day's use from midnight up to and including a quarter."""
        days = float(self.days[weekday])
        reach = t_for_confidence(confidence, max(1, round(days) - 1)) * float(self.day_deviations[weekday, quarter])
        expected = math.fsum(self.means[weekday, : quarter + 1].tolist())
        return Band(expected, reach * math.sqrt(1.0 + 1.0 / days))

    def share_until(self, weekday: int, quarter: int) -> float:
        """The share of a day's use that has usually been used by then: spreads a day's expected use over its hours."""
        whole = math.fsum(self.means[weekday].tolist())
        return math.fsum(self.means[weekday, : quarter + 1].tolist()) / whole if whole else 0.0


def fit_profile(days: Sequence[DayCurve]) -> WeekProfile:
    """Fit a profile; raises BaselineError when a quarter of the week was seen in fewer than three weeks."""
    curves = np.array(
        [[math.nan if value is None else value for value in day.amounts] for day in days], dtype=np.float64
    )
    curves = curves.reshape(len(days), QUARTERS_A_DAY)
    weekdays = np.array([day.weekday for day in days], dtype=np.intp)
    means = np.zeros((DAYS_A_WEEK, QUARTERS_A_DAY))
    weeks, squares, day_deviations = np.zeros_like(means), np.zeros_like(means), np.zeros_like(means)
    whole = np.zeros(DAYS_A_WEEK)
    for weekday in range(DAYS_A_WEEK):
        own = curves[weekdays == weekday]
        known = ~np.isnan(own)
        weeks[weekday] = known.sum(axis=0)
        whole[weekday] = (known.mean(axis=1) >= LEAST_OF_A_DAY).sum()
        if min(weeks[weekday].min(), whole[weekday]) < FEWEST_WEEKS:
            name = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")[weekday]
            raise BaselineError(f"no weekly profile yet: fewer than {FEWEST_WEEKS} weeks with a whole {name}")
        means[weekday] = np.nansum(own, axis=0) / weeks[weekday]
        residuals = np.nan_to_num(own - means[weekday])
        squares[weekday] = (residuals**2).sum(axis=0)
        running = np.cumsum(residuals[known.mean(axis=1) >= LEAST_OF_A_DAY], axis=1)
        day_deviations[weekday] = np.sqrt((running**2).sum(axis=0) / (whole[weekday] - 1.0))
    return WeekProfile(means, np.sqrt(_around(squares) / _around(weeks - 1.0)), weeks, day_deviations, whole)


def _around(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sum of each quarter and its neighbours, Sunday's midnight beside Monday's."""
    week = values.reshape(-1)
    rolled = [np.roll(week, shift) for shift in range(-NEIGHBOURS, NEIGHBOURS + 1)]
    summed: NDArray[np.float64] = np.sum(rolled, axis=0).reshape(values.shape)
    return summed

"""A saving in the one sentence that an owner reads."""

from dataclasses import dataclass

from baselines.savings import Savings
from baselines.sayings import Saying, joined, say

DAYS_A_YEAR = 365.25


@dataclass(frozen=True, slots=True)
class Worth:
    """What a unit of energy costs; `days` is the length of the reporting period."""

    price: float
    currency: str
    days: float

    def a_year(self, amount: float) -> float:
        """What an amount saved in the reporting period is worth in a year of the same."""
        return amount * self.price * DAYS_A_YEAR / self.days


def headline(
    found: Savings, goal_share: float | None = None, worth: Worth | None = None, what: str | None = None
) -> Saying:
    """11.4 % less energy than expected (90 %: 8.3 to 14.5), 11 of the 27 points of your goal, worth 1,830 EUR a year.

    What is not proven is worth nothing yet, and is no part of a goal.
    """
    told = [found.sentence(what)]
    if not found.proven:
        return joined([*told, "."])
    if goal_share and found.savings_fraction >= goal_share:
        told.append(say(", all {goal:.0f} points of your goal", goal=100.0 * goal_share))
    elif goal_share:
        told.append(
            say(
                ", {reached:.0f} of the {goal:.0f} points of your goal",
                reached=100.0 * found.savings_fraction,
                goal=100.0 * goal_share,
            )
        )
    if worth is not None:
        told.append(
            say(
                ", worth {worth:,.0f}{currency} a year if it continues",
                worth=worth.a_year(found.savings),
                currency=" " + worth.currency if worth.currency else "",
            )
        )
    if found.provisional:
        told.append(say("; provisional, because the baseline has too little data"))
    return joined([*told, "."])

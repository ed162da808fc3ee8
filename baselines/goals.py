"""Goals with milestones, by resource."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from baselines.errors import BaselineError

SCORE_AVERAGES: Mapping[str, float] = {"energy": 0.27, "materials_wasted": 0.35, "waste": 0.40}
"""What firms in the ILO's SCORE programme report on average: where a goal starts from, not a promise."""


@dataclass(frozen=True, slots=True)
class Goal:
    """Use so much less (a share, 0.27 is 27 %) of a resource by a day, against the baseline.

    `milestones` are (day, share) in between, ascending; before `start` nothing is asked.
    """

    resource: str
    share: float
    start: date
    end: date
    milestones: tuple[tuple[date, float], ...] = ()

    def __post_init__(self) -> None:
        days = [self.start, *(day for day, _ in self.milestones), self.end]
        if any(later <= earlier for earlier, later in itertools.pairwise(days)):
            raise BaselineError(f"goal for {self.resource}: start, milestones and end must ascend: {days}")
        if not all(0.0 <= share < 1.0 for share in (self.share, *(share for _, share in self.milestones))):
            raise BaselineError(f"goal for {self.resource}: shares are between 0 and 1, 27 % is 0.27")

    def share_on(self, day: date) -> float:
        """What is asked on a day: a straight line from nothing at `start` through the milestones to the goal."""
        points = [(self.start, 0.0), *self.milestones, (self.end, self.share)]
        if day <= self.start:
            return 0.0
        for (before, low), (after, high) in itertools.pairwise(points):
            if day <= after:
                return low + (high - low) * (day - before).days / (after - before).days
        return self.share

    def goal_of(self, expected: float, day: date) -> float:
        """The use that the goal allows where the baseline expects `expected`."""
        return expected * (1.0 - self.share_on(day))

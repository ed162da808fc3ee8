"""Is today, or this week, what the baseline expects? Judged only when that can be known."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from baselines.linear_model import Band, LinearModel

Verdict = Literal["less", "as expected", "more", "not yet known"]


@dataclass(frozen=True, slots=True)
class RunningRow:
    """A day or shift: its relevant variables (None: not yet known) and its use so far."""

    label: str
    variables: Mapping[str, float | None]
    actual: float


@dataclass(frozen=True, slots=True)
class Judgement:
    """`expected`, its band and the `goal` are None while a relevant variable is not known; `waiting_for` names it.

    For a week they are of the `judged` of its `rows`, and `actual` is the use of these.
    """

    actual: float
    expected: float | None
    lower: float | None
    upper: float | None
    goal: float | None
    verdict: Verdict
    judged: int
    rows: int
    waiting_for: tuple[str, ...] = ()

    def sentence(self) -> str:
        """In words."""
        if self.expected is None or self.lower is None or self.upper is None:
            return f"Not judged yet: {' and '.join(self.waiting_for)} not known."
        words = {"less": "Less than expected", "more": "More than expected", "as expected": "As expected"}
        told = f"{words[self.verdict]}: {self.actual:.4g}, expected {self.lower:.4g} to {self.upper:.4g}."
        missing = self.rows - self.judged
        return (
            told
            if not missing
            else f"{told} {missing} of {self.rows} left out: {' and '.join(self.waiting_for)} not known."
        )


def judge(model: LinearModel, rows: Sequence[RunningRow], confidence: float, goal_share: float = 0.0) -> Judgement:
    """Judge a day (one row) or a week (its days): the rows whose variables are all known, together.

    `goal_share` is what the goal asks to save by then (0.27 is 27 %).
    """
    known: list[list[float]] = []
    missing: list[str] = []
    actual = []
    for row in rows:
        values = [row.variables.get(name) for name in model.variables]
        absent = [name for name, value in zip(model.variables, values, strict=True) if value is None]
        if absent:
            missing += [f"{name} of {row.label}" for name in absent]
        else:
            known.append([value for value in values if value is not None])
            actual.append(row.actual)
    if not known:
        return Judgement(
            math.fsum(row.actual for row in rows), None, None, None, None, "not yet known", 0, len(rows), tuple(missing)
        )
    band = model.band_of_sum(known, confidence)
    used = math.fsum(actual)
    goal = band.expected * (1.0 - goal_share)
    return Judgement(
        used, band.expected, band.lower, band.upper, goal, verdict_of(used, band), len(known), len(rows), tuple(missing)
    )


def verdict_of(actual: float, band: Band) -> Verdict:
    """Where a use lies: within the band it is as expected."""
    if actual < band.lower:
        return "less"
    return "more" if actual > band.upper else "as expected"

"""Is a day, or a week so far, what the baseline expects? Judged only when that can be known."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from baselines.linear_model import Band, LinearModel
from baselines.sayings import Saying, joined, say

Verdict = Literal["less", "as expected", "more", "not yet known"]

_WORDS: Mapping[Verdict, Saying] = {
    "less": say("less than expected"),
    "as expected": say("as expected"),
    "more": say("more than expected"),
}

DAYS = say("days")


@dataclass(frozen=True, slots=True)
class RunningRow:
    """A day or shift: its relevant variables (None: not yet known) and its use.

    `adjustment` is its non-routine one, `goal_share` what the goal asks to save of it (0.27 is 27 %), None without a
    goal. `left_out` says why it is not judged whatever its variables, such as "without mains"; empty when it may be.
    """

    label: str
    variables: Mapping[str, float | None]
    actual: float
    adjustment: float = 0.0
    goal_share: float | None = None
    left_out: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the `judged` of `rows` used and were expected to, in the unit of the energy.

    `expected`, its band and the `goal` are None while no row can be judged; `missing` says what keeps a row from it.
    The `goal` is None without one too.
    """

    actual: float
    expected: float | None
    lower: float | None
    upper: float | None
    goal: float | None
    verdict: Verdict
    confidence: float
    judged: int
    rows: int
    missing: tuple[str, ...] = ()

    def sentence(self, unit: str, rows: Saying = DAYS) -> Saying:
        """In words: 75.3 kWh, less than expected: 83.2 (90 %: 80.1 to 86.2), goal 82.1; `rows` is what they are."""
        if self.expected is None or self.lower is None or self.upper is None:
            return say("not judged yet: {missing}.", missing=self.missing)
        told: list[str] = [
            say(
                "{used}, {verdict}: {expected} ({confidence:%}: {lower} to {upper})",
                used=told_amount(self.actual, unit),
                verdict=_WORDS[self.verdict],
                expected=told_amount(self.expected),
                confidence=Decimal(str(self.confidence)),
                lower=told_amount(self.lower),
                upper=told_amount(self.upper),
            )
        ]
        if self.goal is not None:
            told.append(say(", goal {goal}", goal=told_amount(self.goal)))
        told.append(".")
        if self.missing:
            told.append(
                say(
                    " {count} of {all_rows} {rows} left out: {missing}.",
                    count=self.rows - self.judged,
                    all_rows=self.rows,
                    rows=rows,
                    missing=self.missing,
                )
            )
        return joined(told)


def judge(model: LinearModel, rows: Sequence[RunningRow], confidence: float) -> Judgement:
    """Judge a day (one row) or a week (its days): the rows that can be, together, by the exact band of their sum."""
    missing: list[str] = []
    known = []
    for row in rows:
        needed = [name for name in model.variables if row.variables.get(name) is None]
        # What stands for a searched balance point is missing with its variable.
        absent = [
            say("{name} of {day} not known", name=name, day=row.label) for name in needed if name not in model.searched
        ]
        lacks = [joined([row.label, row.left_out], " ")] if row.left_out else absent
        missing += lacks
        if not lacks:
            known.append(row)
    if not known:
        used = math.fsum(row.actual for row in rows)
        return Judgement(used, None, None, None, None, "not yet known", confidence, 0, len(rows), tuple(missing))
    values = [[row.variables[name] or 0.0 for name in model.variables] for row in known]
    band = model.band_of_sum(values, confidence)
    band = Band(band.expected + math.fsum(row.adjustment for row in known), band.half_width)
    used = math.fsum(row.actual for row in known)
    return Judgement(
        used,
        band.expected,
        band.lower,
        band.upper,
        _goal(known, model.expected(values)),
        verdict_of(used, band),
        confidence,
        len(known),
        len(rows),
        tuple(missing),
    )


def verdict_of(actual: float, band: Band) -> Verdict:
    """Where a use lies: within the band it is as expected."""
    if actual < band.lower:
        return "less"
    return "more" if actual > band.upper else "as expected"


def _goal(rows: Sequence[RunningRow], expected: Sequence[float]) -> float | None:
    goals = [
        (each + row.adjustment) * (1.0 - row.goal_share)
        for row, each in zip(rows, expected, strict=True)
        if row.goal_share is not None
    ]
    return math.fsum(goals) if len(goals) == len(rows) else None


def told_amount(value: float, unit: str = "") -> Saying:
    """An amount with three digits or more: 1,234 kWh, 83.2 kWh, 0.75 m³."""
    size = abs(value)
    told = {"amount": Decimal(f"{value:.{0 if size >= 1000.0 else 1 if size >= 10.0 else 2}f}")}
    return Saying("{amount} " + unit if unit else "{amount}", told)

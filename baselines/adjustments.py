"""What changes between two periods besides the relevant variables (IPMVP: static factors, non-routine adjustments)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from baselines.errors import BaselineError
from baselines.sayings import say
from baselines.validity import Finding


@dataclass(frozen=True, slots=True)
class NonRoutineAdjustment:
    """Energy that the reporting period would have used more (positive) or less had the baseline period had the change.

    `label` names the row of the reporting period, `amount` is in the unit of the energy. Without reason and author no
    verifier accepts it, so neither do we.
    """

    label: str
    amount: float
    reason: str
    author: str

    def __post_init__(self) -> None:
        if not self.reason.strip() or not self.author.strip():
            raise BaselineError(f"adjustment of {self.label}: needs a reason and an author")
        if not math.isfinite(self.amount):
            raise BaselineError(f"adjustment of {self.label}: {self.amount} is no number")


def total_adjustment(adjustments: Sequence[NonRoutineAdjustment], labels: Sequence[str]) -> float:
    """The sum to add to the expected use; raises BaselineError for a label outside the reporting period."""
    for adjustment in adjustments:
        if adjustment.label not in labels:
            raise BaselineError(f"adjustment of {adjustment.label}: is not in the reporting period")
    return math.fsum(adjustment.amount for adjustment in adjustments)


def static_factor_findings(baseline: Mapping[str, str], reporting: Mapping[str, str]) -> tuple[Finding, ...]:
    """Static factors (floor area, shifts a week, product range) that are not what they were, each by name."""
    findings = []
    for name in sorted({*baseline, *reporting}):
        before, after = baseline.get(name), reporting.get(name)
        if before != after:
            text = say(
                "static factor {name}: {before} then, {after} now; adjust for it",
                name=name,
                before=before or say("not recorded"),
                after=after or say("not recorded"),
            )
            findings.append(Finding("static_factor", text, fails=False))
    return tuple(findings)

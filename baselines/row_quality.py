"""Rows that are known unequally well are weighed as what they are.

A row's error has the variance s² (what the model does not explain, here ROW_SCATTER of the row's energy) and, beside
it, that of how the row came to be; the weight is the share of the first, 1 / (1 + (u / s)²). Weighted least squares
with known relative variances: Draper & Smith, chapter 9.

* measured, corrected, thinned: 1. A thinned row lost when within it energy was used, not how much.
* interpolated: the energy on both sides of the gap is exact, how a gap is shared out between rows is guessed by the
  clock. The uncovered share of the row is wrong by GAP_SCATTER of itself.
* manual: both readings were taken at a time known to MANUAL_DAYS; sqrt(2) MANUAL_DAYS / length of the row is wrong.
* partial (a part is not known) and outage (no mains: neither normal operation nor a saving) are left out.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from baselines.errors import BaselineError
from baselines.observations import Observations
from baselines.sayings import say
from baselines.validity import Finding

ROW_SCATTER = 0.1
GAP_SCATTER = 0.5
MANUAL_DAYS = 1.0 / 12.0
EXACT = frozenset({"measured", "corrected", "thinned"})
LEFT_OUT = frozenset({"partial", "outage"})
KNOWN = frozenset({*EXACT, *LEFT_OUT, "interpolated", "manual"})
NEVER_A_PEAK = frozenset({"interpolated", "partial", "manual", "outage"})
"""Qualities of intervals whose power nobody measured: they set no peak (a thinned one has readings at its ends)."""


@dataclass(frozen=True, slots=True)
class RowQuality:
    """How a row came to be; `coverage` is the share of its time with readings, `days` its length."""

    quality: str
    coverage: float = 1.0
    days: float = 1.0

    @property
    def weight(self) -> float | None:
        """1 for a measured row, less for others, None for one that must be left out."""
        if self.quality in LEFT_OUT:
            return None
        if self.quality in EXACT:
            return 1.0
        if self.quality == "interpolated":
            wrong = GAP_SCATTER * (1.0 - min(max(self.coverage, 0.0), 1.0))
        elif self.quality == "manual":
            wrong = math.sqrt(2.0) * MANUAL_DAYS / self.days
        else:
            raise BaselineError(f"quality {self.quality!r} is not known; there are {', '.join(sorted(KNOWN))}")
        return 1.0 / (1.0 + (wrong / ROW_SCATTER) ** 2)


@dataclass(frozen=True, slots=True)
class WeighedRows:
    """The rows that count, with weights where one is not 1; `coverage` is the share of all rows that are left."""

    observations: Observations
    coverage: float
    findings: tuple[Finding, ...]
    kept: tuple[int, ...]
    """Their indices among the rows given."""


def weighed(observations: Observations, qualities: Sequence[RowQuality]) -> WeighedRows:
    """Weigh rows by their quality; raises BaselineError naming the row of a quality that is not known."""
    if len(qualities) != len(observations):
        raise BaselineError(f"{len(qualities)} qualities for {len(observations)} rows")
    weights: list[float | None] = []
    for label, quality in zip(observations.labels, qualities, strict=True):
        try:
            weights.append(quality.weight)
        except BaselineError as problem:
            raise BaselineError(f"{label}: {problem}") from problem
    kept = [row for row, weight in enumerate(weights) if weight is not None]
    rows = observations.select(kept)
    given = [weight for weight in weights if weight is not None]
    findings = []
    if len(kept) < len(observations):
        out = [label for row, label in enumerate(observations.labels) if weights[row] is None]
        text = say(
            "{count} rows with parts unknown or without mains are left out: {rows}", count=len(out), rows=_listed(out)
        )
        findings.append(Finding("left_out", text, fails=False))
    light = [rows.labels[row] for row, weight in enumerate(given) if weight < 1.0]
    if light:
        text = say(
            "{count} rows that were interpolated or read by hand weigh less: {rows}",
            count=len(light),
            rows=_listed(light),
        )
        findings.append(Finding("weighed", text, fails=False))
        rows = Observations(rows.labels, rows.energy, rows.variables, tuple(given))
    share = len(kept) / len(observations) if len(observations) else 0.0
    return WeighedRows(rows, share, tuple(findings), tuple(kept))


def _listed(labels: Sequence[str]) -> Sequence[str]:
    if len(labels) > 3:
        return say("{rows} and {count} more", rows=labels[:3], count=len(labels) - 3)
    return labels

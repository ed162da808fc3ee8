"""Avoided energy use in a reporting period, with the uncertainty that a verifier asks for."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from baselines.adjustments import NonRoutineAdjustment, total_adjustment
from baselines.distributions import t_for_confidence
from baselines.errors import BaselineError
from baselines.linear_model import LinearModel
from baselines.meter_accuracy import MeterAccuracy, systematic_half_width
from baselines.observations import Observations
from baselines.sayings import Fact, Saying, joined, say
from baselines.validity import Finding, assess, range_findings

Granularity = Literal["month", "day", "other"]

DEFAULT_CONFIDENCE = 0.9
_DAYS_IN_MONTH = 365.25 / 12.0


@dataclass(frozen=True, slots=True)
class Savings:
    """`savings` = `expected` − `actual`, in the unit of the energy; `savings_fraction` of the expected.

    `half_width` is half the band at `confidence`: sqrt(model² + meter²), the model's prediction band of the sum and,
    where the meters' classes are known, their systematic error. `half_width_independent` is the same with errors taken
    as independent: it differs, and is smaller, only where the baseline's residuals follow each other (linear_model.py).
    `fsu` is ASHRAE's fractional savings uncertainty, half width over savings, None where savings are zero.
    `adjustment` is the part of `expected` that is non-routine. `valid` means that the baseline passes DOE's tests and
    is good for this reporting period; `proven` that it is, and that the band lies wholly on the side of a saving;
    `provisional` that the baseline has too few points or too little coverage (validity.py).
    """

    expected: float
    actual: float
    savings: float
    savings_fraction: float
    half_width: float
    half_width_independent: float
    model_half_width: float
    meter_half_width: float
    adjustment: float
    confidence: float
    fsu: float | None
    valid: bool
    provisional: bool
    proven: bool
    findings: tuple[Finding, ...]

    def sentence(self, what: str | None = None) -> Saying:
        """The result in words, with its band; `what` names the resource, all energy where nobody does."""
        share, reach = abs(self.savings_fraction), self.half_width / abs(self.expected)
        facts: dict[str, Fact] = {
            "share": share,
            "what": what or say("energy"),
            "confidence": Decimal(str(self.confidence)),
            "low": 100.0 * (share - reach),
            "high": 100.0 * (share + reach),
        }
        if self.savings >= 0.0:
            told = say("{share:.1%} less {what} than expected ({confidence:%}: {low:.1f} to {high:.1f})", **facts)
        else:
            told = say("{share:.1%} more {what} than expected ({confidence:%}: {low:.1f} to {high:.1f})", **facts)
        if self.proven:
            return told
        if self.savings > self.half_width:
            return joined([told, say("; not proven, because the baseline is not valid for this")])
        if self.savings >= 0.0:
            return joined([told, say("; not yet proven")])
        within = -self.savings <= self.half_width
        return joined([told, say("; no saving proven") if within else say("; no saving")])


def savings(
    model: LinearModel,
    reporting: Observations,
    *,
    confidence: float = DEFAULT_CONFIDENCE,
    granularity: Granularity = "month",
    adjustments: Sequence[NonRoutineAdjustment] = (),
    accuracy: MeterAccuracy | None = None,
    same_meter: bool = True,
    coverage: float = 1.0,
) -> Savings:
    """Compare a reporting period with its baseline, of whose period `coverage` has readings (0 to 1).

    Raises BaselineError when there is nothing to compare.
    """
    if not len(reporting):
        raise BaselineError("the reporting period has no rows")
    if not 0.5 <= confidence < 1.0:
        raise BaselineError(f"confidence: {confidence:g} must be at least 0.5 and below 1, such as 0.9")
    rows = reporting.rows_of(model.variables)
    band = model.band_of_sum(rows, confidence, reporting.weights)
    adjustment = total_adjustment(adjustments, reporting.labels)
    expected, actual = band.expected + adjustment, math.fsum(reporting.energy)
    if expected <= 0.0:
        what = f"the expected use of {len(rows)} rows is {expected:g}, adjustments included"
        raise BaselineError(f"{what}; a share of it has no meaning")
    saved = expected - actual
    of_meter = 0.0
    if accuracy is not None:
        of_meter = systematic_half_width(expected, actual, confidence, accuracy, same_meter=same_meter)
    half_width = math.hypot(band.half_width, of_meter)
    independent = model.independent().band_of_sum(rows, confidence, reporting.weights).half_width
    findings = range_findings(model, rows)
    validity = assess(model, coverage=coverage)
    valid = validity.valid and not any(finding.fails for finding in findings)
    return Savings(
        expected=expected,
        actual=actual,
        savings=saved,
        savings_fraction=saved / expected,
        half_width=half_width,
        half_width_independent=math.hypot(independent, of_meter),
        model_half_width=band.half_width,
        meter_half_width=of_meter,
        adjustment=adjustment,
        confidence=confidence,
        fsu=fractional_savings_uncertainty(model, saved / expected, len(rows), confidence, granularity),
        valid=valid,
        provisional=validity.provisional,
        proven=valid and saved > half_width,
        findings=findings,
    )


def fractional_savings_uncertainty(
    model: LinearModel, fraction: float, rows: int, confidence: float, granularity: Granularity
) -> float | None:
    """ASHRAE Guideline 14-2014, annex B: t k CV(RMSE) / F sqrt((n / n') (1 + 2 / n') / m).

    F is the saving as a fraction of the expected use, m the rows of the reporting period, n' = n (1 − ρ)/(1 + ρ), here
    never more than n: residuals that alternate (ρ < 0) would make it larger and understate the uncertainty by half. k
    for months and days by Sun & Baltazar (2013), "Analysis and Improvement of the Estimation of Building Energy Savings
    Uncertainty", with M the reporting period in months; otherwise 1.26 as in the guideline. None for no saving at all.
    """
    if fraction == 0.0:
        return None
    rho = max(model.autocorrelation or 0.0, 0.0)
    independent = model.n * (1.0 - rho) / (1.0 + rho)
    if independent <= 0.0:
        return math.inf
    t = t_for_confidence(confidence, model.degrees_of_freedom)
    k = _correction(rows, granularity)
    spread = math.sqrt((model.n / independent) * (1.0 + 2.0 / independent) / rows)
    return abs(t * k * model.cv_rmse / fraction) * spread


def _correction(rows: int, granularity: Granularity) -> float:
    if granularity == "month":
        return -0.00022 * rows**2 + 0.03306 * rows + 0.94054
    if granularity == "day":
        months = rows / _DAYS_IN_MONTH
        return -0.00024 * months**2 + 0.03535 * months + 1.00286
    return 1.26

"""A reporting period against its baseline, in words for people and as JSON for machines, row by row."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from baselines.adjustments import NonRoutineAdjustment
from baselines.cumulative_sum import Alarm, alarms, cumulative_sum
from baselines.indicator import ratio
from baselines.linear_model import Band, LinearModel
from baselines.observations import Observations
from baselines.savings import Savings
from baselines.validity import Finding
from leanmeter.baselines.baseline_report import finding_lines, findings_as_json, finite, short


@dataclass(frozen=True, slots=True)
class JudgedPeriod:
    """Savings with their rows: `bands` and `cusum` are of each."""

    result: Savings
    sentence: str
    findings: tuple[Finding, ...]
    labels: tuple[str, ...]
    actual: tuple[float, ...]
    bands: tuple[Band, ...]
    cusum: tuple[float, ...]
    alarms: tuple[Alarm, ...]


def judge_period(
    model: LinearModel,
    reporting: Observations,
    result: Savings,
    sentence: str,
    findings: Sequence[Finding],
    adjustments: Sequence[NonRoutineAdjustment],
) -> JudgedPeriod:
    """Put together what `savings` found with what each row says."""
    added = dict.fromkeys(reporting.labels, 0.0)
    for adjustment in adjustments:
        added[adjustment.label] += adjustment.amount
    of_model = model.band_of_each(reporting.rows_of(model.variables), result.confidence, reporting.weights)
    bands = [
        Band(band.expected + added[label], band.half_width)
        for label, band in zip(reporting.labels, of_model, strict=True)
    ]
    expected = [band.expected for band in bands]
    return JudgedPeriod(
        result,
        sentence,
        tuple(findings),
        reporting.labels,
        reporting.energy,
        tuple(bands),
        tuple(cumulative_sum(reporting.energy, expected)),
        tuple(alarms(reporting.energy, expected, model.deviation, autocorrelation=model.error_autocorrelation)),
    )


def savings_as_json(period: JudgedPeriod) -> dict[str, Any]:
    """Savings for machines, in the unit of the energy."""
    result = period.result
    return {
        "verdict": period.sentence,
        "expected": result.expected,
        "actual": result.actual,
        "savings": result.savings,
        "savings_fraction": result.savings_fraction,
        "enpi": ratio(result.actual, result.expected),
        "half_width": result.half_width,
        "half_width_independent": result.half_width_independent,
        "model_half_width": result.model_half_width,
        "meter_half_width": result.meter_half_width,
        "adjustment": result.adjustment,
        "confidence": result.confidence,
        "fsu": finite(result.fsu),
        "proven": result.proven,
        "valid": result.valid,
        "provisional": result.provisional,
        "rows": len(period.labels),
        "by_row": [
            {
                "row": label,
                "actual": actual,
                "expected": band.expected,
                "lower": band.lower,
                "upper": band.upper,
                "cusum": total,
            }
            for label, actual, band, total in zip(period.labels, period.actual, period.bands, period.cusum, strict=True)
        ],
        "alarms": [
            {"since": period.labels[alarm.row], "found_at": period.labels[alarm.found_at], "direction": alarm.direction}
            for alarm in period.alarms
        ],
        "findings": findings_as_json(period.findings),
    }


def savings_report(period: JudgedPeriod) -> list[str]:
    """Savings for people: the verdict, the numbers behind it, since when, what was noticed."""
    result = period.result
    fsu = "none" if result.fsu is None else f"{result.fsu:.3g}"
    lines = [period.sentence, "", f"  expected    {short(result.expected)}"]
    if result.adjustment:
        lines[-1] += f" (of it {short(result.adjustment)} by non-routine adjustments)"
    lines += [
        f"  actual      {short(result.actual)}",
        f"  savings     {short(result.savings)} ± {short(result.half_width)} ({100.0 * result.confidence:g} % band)",
    ]
    if result.meter_half_width:
        model, meter = short(result.model_half_width), short(result.meter_half_width)
        lines.append(f"              of the band: model ± {model}, meters ± {meter}")
    if result.half_width_independent < result.half_width:
        narrow = short(result.half_width_independent)
        lines.append(f"              ± {narrow} if the baseline's residuals did not follow each other")
    lines.append(f"  ASHRAE      {fsu} (uncertainty as a share of the savings; below 1 the savings stand out)")
    enpi = ratio(result.actual, result.expected)
    if enpi is not None:
        lines.append(f"  EnPI        {enpi:.3f} (actual over expected use; below 1 is better than the baseline)")
    if period.alarms:
        first = period.alarms[0]
        since, found = period.labels[first.row], period.labels[first.found_at]
        lines.append(f"  CUSUM       {first.direction} than expected since {since}, noticeable from {found} on")
    return [*lines, *finding_lines(period.findings)]

"""Is a model good enough to claim savings with? Tests, findings and a verdict in one plain sentence.

The tests on F, p and R² and on the range of the variables are those of the U.S. Department of Energy's Superior Energy
Performance Measurement and Verification Protocol (2019), section on model validity; they are called DOE's everywhere.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from baselines.linear_model import INTERCEPT, LinearModel
from baselines.sayings import say

MODEL_P = 0.10
VARIABLE_P = 0.20
BEST_VARIABLE_P = 0.10
LEAST_R2 = 0.5
RANGE_DEVIATIONS = 3.0
FEWEST_POINTS = 12
LEAST_COVERAGE = 0.9
# Montgomery, Peck & Vining, Introduction to Linear Regression Analysis, section 9.4.2: above 10 coefficients mislead.
MOST_INFLATION = 10.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a verifier would say. `code` is stable, `text` is for people; `fails` makes the model invalid."""

    code: str
    text: str
    fails: bool


@dataclass(frozen=True, slots=True)
class Validity:
    """`valid` by DOE's tests; `provisional` when there are too few points to trust them; `verdict` is a sentence."""

    valid: bool
    provisional: bool
    findings: tuple[Finding, ...]
    verdict: str


def assess(model: LinearModel, *, coverage: float = 1.0) -> Validity:
    """Judge a fitted model; `coverage` is the share of the baseline period that has readings, 0 to 1."""
    findings = [*_fit_findings(model), *_variable_findings(model)]
    provisional = model.n < FEWEST_POINTS or coverage < LEAST_COVERAGE
    if model.n < FEWEST_POINTS:
        text = say("{n} points; with fewer than {fewest} this is provisional", n=model.n, fewest=FEWEST_POINTS)
        findings.append(Finding("few_points", text, fails=False))
    if coverage < LEAST_COVERAGE:
        text = say(
            "readings cover {share:%} of the baseline period; below {least:%} this is provisional",
            share=share_told(coverage),
            least=share_told(LEAST_COVERAGE),
        )
        findings.append(Finding("low_coverage", text, fails=False))
    findings += _autocorrelation_findings(model)
    valid = not any(finding.fails for finding in findings)
    return Validity(valid, provisional, tuple(findings), _verdict(model, valid, provisional, findings))


def range_findings(model: LinearModel, rows: Sequence[Sequence[float]]) -> tuple[Finding, ...]:
    """DOE's test of a reporting period: each variable's mean within what was observed, or within 3 deviations."""
    findings = []
    for name, column in zip(model.variables, zip(*rows, strict=True), strict=True):
        if name in model.searched:
            continue
        mean = sum(column) / len(column)
        seen = model.ranges[name]
        reach = RANGE_DEVIATIONS * seen.deviation
        low, high = min(seen.minimum, seen.mean - reach), max(seen.maximum, seen.mean + reach)
        if not low <= mean <= high:
            text = say(
                "mean {name} {mean:g} in the reporting period lies outside {low:g} to {high:g}, for which the baseline "
                "is good (DOE)",
                name=name,
                mean=mean,
                low=low,
                high=high,
            )
            findings.append(Finding("out_of_range", text, fails=True))
    return tuple(findings)


def share_told(share: float) -> Decimal:
    """A share with the digits that are shown; never 100 % or 0 % for what is only nearly so."""
    decimals = 0 if 0.01 <= share < 0.99 or share in {0.0, 1.0} else 1
    return Decimal(f"{100.0 * share:.{decimals}f}") / 100


def percent(share: float) -> str:
    """A share in words."""
    return f"{share_told(share):%}".replace("%", " %")


def alternates(model: LinearModel) -> bool:
    """Residuals change sides more often than chance lets them: autocorrelation below −2/sqrt(n)."""
    return model.autocorrelation is not None and model.autocorrelation < -2.0 / math.sqrt(model.n)


def inflation(model: LinearModel, name: str) -> float:
    """Variance inflation factor: how much less is known of a coefficient because other variables move with it."""
    index = model.variables.index(name)
    scatter = (model.n - 1) * model.ranges[name].deviation ** 2
    return float(model.slopes_inverse[index, index]) * scatter


def _autocorrelation_findings(model: LinearModel) -> list[Finding]:
    if alternates(model):
        text = say(
            "residuals alternate (lag 1: {lag:.2f}); ASHRAE's uncertainty then counts no more than the points there "
            "are",
            lag=model.autocorrelation or 0.0,
        )
        return [Finding("negative_autocorrelation", text, fails=False)]
    if model.error_autocorrelation > 0.0:
        text = say(
            "residuals follow each other (Durbin–Watson {statistic:.2f}; lag 1 of the errors {lag:.2f}): "
            "there are fewer independent points than rows, so bands are wider; longer periods (weeks, months) or a "
            "missing variable?",
            statistic=model.durbin_watson or 0.0,
            lag=model.error_autocorrelation,
        )
        return [Finding("autocorrelation", text, fails=False)]
    return []


def _fit_findings(model: LinearModel) -> list[Finding]:
    findings = []
    if model.variables and model.f_p is None:
        text = say("the model fits exactly; is the energy calculated from the variables instead of measured?")
        findings.append(Finding("exact_fit", text, fails=False))
    if model.f_p is not None and model.f_p >= MODEL_P:
        text = say(
            "the model as a whole may be chance (F test p = {p:.2f}; DOE asks for less than {limit:g})",
            p=model.f_p,
            limit=MODEL_P,
        )
        findings.append(Finding("f_test", text, fails=True))
    if not model.variables:
        text = say("without a relevant variable the baseline is the mean; what does the energy depend on?")
        findings.append(Finding("no_variable", text, fails=True))
    elif model.r2 < LEAST_R2:
        text = say(
            "the variables explain {share:%} of the changes (R²; DOE asks for {least:%} or more)",
            share=share_told(model.r2),
            least=share_told(LEAST_R2),
        )
        findings.append(Finding("r2", text, fails=True))
    return findings


def _variable_findings(model: LinearModel) -> list[Finding]:
    findings = []
    known = {name: p for name, p in model.p.items() if name != INTERCEPT and p is not None}
    own = [name for name in model.variables if name not in model.searched]
    factors = {name: inflation(model, name) for name in own} if len(own) > 1 else {}
    together = {name: factor for name, factor in factors.items() if factor > MOST_INFLATION}
    for name, p in known.items():
        if p < VARIABLE_P:
            continue
        if name in together:
            text = say(
                "the influence of {name} cannot be told (p = {p:.2f}; DOE asks for less than {limit:g}), because it "
                "moves with the other variables; leave one of them out?",
                name=name,
                p=p,
                limit=VARIABLE_P,
            )
        else:
            text = say(
                "{name} may have no influence (p = {p:.2f}; DOE asks for less than {limit:g}); leave it out?",
                name=name,
                p=p,
                limit=VARIABLE_P,
            )
        findings.append(Finding("variable_p", text, fails=True))
    for name, factor in together.items():
        text = say(
            "{name} moves with the other variables (VIF {factor:.0f}); their coefficients cannot be told apart",
            name=name,
            factor=factor,
        )
        findings.append(Finding("collinear", text, fails=False))
    if known and min(known.values()) >= BEST_VARIABLE_P:
        text = say(
            "no variable is certain to have an influence (DOE asks for one p below {limit:g})", limit=BEST_VARIABLE_P
        )
        findings.append(Finding("no_strong_variable", text, fails=True))
    for name in model.variables:
        if model.coefficients[name] < 0.0:
            text = say("more {name} goes with less energy; is that how the plant works, or chance?", name=name)
            findings.append(Finding("negative_coefficient", text, fails=False))
    if model.coefficients[INTERCEPT] < 0.0:
        text = say("the base load comes out below zero; a variable is missing, or the range is too narrow")
        findings.append(Finding("negative_intercept", text, fails=False))
    return findings


def _verdict(model: LinearModel, valid: bool, provisional: bool, findings: Sequence[Finding]) -> str:
    own = [name for name in model.variables if name not in model.searched]
    if not valid:
        first = next(finding.text for finding in findings if finding.fails)
        if first.endswith("?"):
            return say("Not good enough to claim savings with: {reason}", reason=first)
        return say("Not good enough to claim savings with: {reason}.", reason=first)
    told = share_told(model.r2)
    if len(own) == 1:
        share = say("{name} explains {share:%} of the changes", name=own[0], share=told)
    else:
        names = say("{names} and {last}", names=own[:-1], last=own[-1]) if own else say("no variable")
        share = say("{names} explain {share:%} of the changes", names=names, share=told)
    if provisional:
        return say("Provisional: {share}, but there is too little data yet.", share=share)
    return say("Good enough to claim savings with: {share}, and it passes DOE's tests.", share=share)

"""DOE's tests at their limits, what makes a baseline provisional, and the sentence that says it."""

from dataclasses import replace

import numpy as np
import pytest

from baselines.linear_model import LinearModel, fit
from baselines.validity import Validity, assess, range_findings
from tests.baselines.plants import observed

ROWS = 24


def two_variables(likeness: float = 0.0) -> LinearModel:
    """Energy that depends on pieces and hours; with `likeness` near 1 hours follow pieces."""
    chance = np.random.default_rng(8)
    pieces = chance.uniform(100.0, 200.0, ROWS)
    hours = likeness * pieces + (1.0 - likeness) * chance.uniform(100.0, 200.0, ROWS)
    energy = 300.0 + 2.0 * pieces + 3.0 * hours + 10.0 * chance.normal(size=ROWS)
    return fit(observed(energy.tolist(), pieces=pieces.tolist(), hours=hours.tolist()), ["pieces", "hours"])


MODEL = two_variables()


def failed(validity: Validity) -> set[str]:
    return {finding.code for finding in validity.findings if finding.fails}


def test_a_model_that_passes_says_so() -> None:
    told = assess(MODEL)
    assert (told.valid, told.provisional, failed(told)) == (True, False, set())
    assert told.verdict == (
        "Good enough to claim savings with: pieces and hours explain 99.1 % of the changes, and it passes DOE's tests."
    )


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"f_p": 0.0999}, None),
        ({"f_p": 0.10}, "f_test"),
        ({"r2": 0.5}, None),
        ({"r2": 0.4999}, "r2"),
        ({"p": {"intercept": 0.9, "pieces": 0.01, "hours": 0.1999}}, None),
        ({"p": {"intercept": 0.0, "pieces": 0.01, "hours": 0.20}}, "variable_p"),
        ({"p": {"intercept": 0.0, "pieces": 0.0999, "hours": 0.15}}, None),
        ({"p": {"intercept": 0.0, "pieces": 0.10, "hours": 0.15}}, "no_strong_variable"),
    ],
)
def test_each_of_does_tests_at_its_limit(change: dict[str, object], code: str | None) -> None:
    told = assess(replace(MODEL, **change))  # type: ignore[arg-type]
    assert failed(told) == ({code} if code else set())
    assert told.valid is (code is None)
    assert told.verdict.startswith("Good" if code is None else "Not good enough to claim savings with: ")


def test_the_mean_alone_is_no_baseline() -> None:
    model = fit(observed([10.0, 12.0, 11.0, 13.0]), [])
    assert failed(assess(model)) == {"no_variable"}


@pytest.mark.parametrize("edge", ["minimum", "maximum", "below", "above"])
def test_a_reporting_period_within_what_was_observed_or_three_deviations(edge: str) -> None:
    seen = MODEL.ranges["pieces"]
    wide = {"below": seen.mean - 3.0 * seen.deviation, "above": seen.mean + 3.0 * seen.deviation}
    # Three deviations reach further here; where an observation lies beyond them, that is what counts.
    far = {"minimum": wide["below"] - 50.0, "maximum": wide["above"] + 50.0}
    model = MODEL
    if edge in far:
        model = replace(MODEL, ranges={**MODEL.ranges, "pieces": replace(seen, **{edge: far[edge]})})
    limit = {**wide, **far}[edge]
    outwards = -1.0 if edge in {"minimum", "below"} else 1.0
    within = [[limit - outwards * 0.01, 150.0], [limit - outwards * 0.01, 150.0]]
    assert range_findings(model, within) == ()
    # It is the mean that counts: a row beyond it does no harm.
    assert range_findings(model, [[limit + outwards * 20.0, 150.0], [limit - outwards * 30.0, 150.0]]) == ()
    (finding,) = range_findings(model, [[limit + outwards * 0.02, 150.0]])
    assert (finding.code, finding.fails) == ("out_of_range", True)


@pytest.mark.parametrize(
    ("rows", "coverage", "provisional"), [(12, 1.0, False), (11, 1.0, True), (12, 0.9, False), (12, 0.899, True)]
)
def test_few_points_or_little_coverage_make_it_provisional(rows: int, coverage: float, provisional: bool) -> None:
    told = assess(replace(MODEL, n=rows), coverage=coverage)
    assert (told.valid, told.provisional) == (True, provisional)
    if provisional:
        assert told.verdict.startswith("Provisional: pieces and hours explain")


def test_variables_that_move_together_are_not_called_without_influence() -> None:
    told = assess(two_variables(0.9999))
    assert not told.valid
    assert "the influence of pieces cannot be told (p = " in told.verdict
    assert "because it moves with the other variables" in told.verdict
    assert "may have no influence" not in told.verdict
    assert {"collinear"} <= {finding.code for finding in told.findings}


def test_residuals_that_follow_each_other_are_told_with_their_test() -> None:
    found = assess(replace(MODEL, error_autocorrelation=0.42, durbin_watson=1.1, durbin_watson_p=0.0123))
    (text,) = [finding.text for finding in found.findings if finding.code == "autocorrelation"]
    assert text.startswith("residuals follow each other (Durbin–Watson 1.10; lag 1 of the errors 0.42)")
    assert found.valid

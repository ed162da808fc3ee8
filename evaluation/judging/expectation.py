"""What a baseline expects of a day and of its intervals. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from baselines.goals import Goal
from baselines.linear_model import Band
from baselines.row_quality import LEFT_OUT
from baselines.week_profile import QUARTERS_A_DAY
from evaluation.judging.baseline_rows import BaselineRow
from evaluation.judging.frozen_baseline import FrozenBaseline
from store.protocol import IntervalRow


@dataclass(frozen=True, slots=True)
class Terms:
    """What a baseline's version alone does not say. `adjustment` is the day's non-routine one."""

    confidence: float
    goal: Goal | None
    adjustment: float = 0.0


def expect_row(baseline: FrozenBaseline, entry: BaselineRow, terms: Terms) -> IntervalRow | None:
    """The series' row of a day, week, month or shift with what is expected of it; None where there is none.

    It is judged only when it is over, its use is whole, it had mains, and each relevant variable is known; else nothing
    is expected of it. Before the baseline period nothing is either.
    """
    model, row = baseline.version.model, entry.row
    if row is None:
        return None
    completed = baseline.completed(entry).variables
    known = [value for name in model.variables if (value := completed.get(name)) is not None]
    early = entry.first.isoformat() < baseline.first_day
    if row.quality in LEFT_OUT or len(known) < len(model.variables) or early:
        return without_expected(row)
    band = model.band_of_each([known], terms.confidence)[0]
    expected = band.expected + terms.adjustment
    return replace(
        row,
        expected=expected,
        lower=expected - band.half_width,
        upper=expected + band.half_width,
        goal=None if terms.goal is None else terms.goal.goal_of(expected, entry.last),
    )


def without_expected(row: IntervalRow) -> IntervalRow:
    """The row of which nothing is expected."""
    return replace(row, expected=None, goal=None, lower=None, upper=None)


def shares_of(baseline: FrozenBaseline, days: Sequence[date]) -> list[float]:
    """Which part of a week's or month's use usually falls on each of its days: by the week's shape, else evenly."""
    usual = [1.0] * len(days)
    if baseline.profile is not None:
        usual = [math.fsum(baseline.profile.means[day.weekday()].tolist()) for day in days]
    whole = math.fsum(usual)
    return [each / whole if whole > 0.0 else 1.0 / len(days) for each in usual]


def expect_intervals(
    baseline: FrozenBaseline,
    rows: Sequence[IntervalRow],
    judged: IntervalRow | None,
    terms: Terms,
    day: date,
    zone: ZoneInfo,
) -> list[IntervalRow]:
    """A day's intervals with what is expected of each.

    Of a day that is `judged` (it has an expected use) the week's shape is scaled so that the intervals add up to it; of
    a running day it is what is usual at this weekday and time, whatever is being produced.
    """
    profile = baseline.profile
    if profile is None or not rows or day.isoformat() < baseline.first_day:
        return [without_expected(row) for row in rows]
    bands = [_usual(baseline, row, terms.confidence, zone) for row in rows]
    if judged is not None and judged.expected is not None:
        usual = math.fsum(band.expected for band in bands)
        even = judged.expected / len(rows)
        bands = [
            Band(judged.expected * band.expected / usual if usual > 0.0 else even, band.half_width) for band in bands
        ]
    share = 0.0 if terms.goal is None else terms.goal.share_on(day)
    return [
        replace(
            row,
            expected=band.expected,
            lower=band.lower,
            upper=band.upper,
            goal=None if terms.goal is None else band.expected * (1.0 - share),
        )
        for row, band in zip(rows, bands, strict=True)
    ]


def _usual(baseline: FrozenBaseline, row: IntervalRow, confidence: float, zone: ZoneInfo) -> Band:
    profile = baseline.profile
    assert profile is not None  # noqa: S101  # asked by the caller
    local = datetime.fromtimestamp(row.start_ms / 1000, zone)
    weekday, quarter = local.weekday(), (local.hour * 60 + local.minute) // (24 * 60 // QUARTERS_A_DAY)
    return profile.quarter(weekday, quarter, confidence)

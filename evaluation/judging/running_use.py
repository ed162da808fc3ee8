"""The running day and week so far beside what is usual by then, which is known before production is. Judges nothing."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

from baselines.autocorrelation import variance_of_sum
from baselines.linear_model import Band
from baselines.live import told_amount
from baselines.sayings import Fact, Saying, joined, say
from baselines.week_profile import QUARTERS_A_DAY, WeekProfile
from evaluation.accounting.days import Day
from evaluation.judging.baseline_rows import BaselineRow
from evaluation.judging.frozen_baseline import FrozenBaseline
from evaluation.metering.intervals import PARTIAL
from evaluation.plan.accounts import SiteAccounts
from store.protocol import IntervalRow
from store.schema import INTERVAL_MS

_DAY_MINUTES = 24 * 60


@dataclass(frozen=True, slots=True)
class RunningUse:
    """What was used from a midnight until `until_ms`, in the unit of the series, and what is usual for that time.

    Whole days of the week that can be judged are expected by the baseline, the others and today by the shape of the
    week. `goal` is None without one.
    """

    period: Literal["day", "week"]
    first_day: str
    until_ms: int
    actual: float
    expected: float
    lower: float
    upper: float
    goal: float | None
    text: Saying


def running_uses(
    accounts: SiteAccounts,
    baseline: FrozenBaseline,
    day: Day,
    intervals: Sequence[IntervalRow],
    week: Sequence[BaselineRow],
    zone: ZoneInfo,
    unit: str,
) -> tuple[RunningUse, ...]:
    """Of the running day, and of the week from its second day on.

    `intervals` are the day's so far, `week` the whole days of the week before it. Empty while the week's shape is not
    known or the day's first quarter of an hour is missing; the week is left out where one of its days has no use.
    """
    profile, so_far = baseline.profile, _unbroken(intervals, day)
    if profile is None or not so_far:
        return ()
    local = datetime.fromtimestamp(day.start_ms / 1000, zone).date()
    until_ms = so_far[-1].start_ms + INTERVAL_MS
    clock = datetime.fromtimestamp(so_far[-1].start_ms / 1000, zone)
    quarter = (clock.hour * 60 + clock.minute) * QUARTERS_A_DAY // _DAY_MINUTES
    confidence = accounts.plan.confidence
    share = profile.share_until(local.weekday(), quarter)
    usual = profile.until(local.weekday(), quarter, confidence)
    today = _Part(
        math.fsum(row.amount for row in so_far),
        Band(usual.expected + accounts.terms(baseline, local).adjustment * share, usual.half_width),
        local,
    )
    found = [_use("day", [today], accounts, baseline, until_ms, zone, unit)]
    parts = [_part(accounts, baseline, profile, row) for row in week]
    known = [part for part in parts if part is not None]
    if known and len(known) == len(parts):
        found.append(_use("week", [*known, today], accounts, baseline, until_ms, zone, unit))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Part:
    actual: float
    band: Band
    day: date


def _part(accounts: SiteAccounts, baseline: FrozenBaseline, profile: WeekProfile, entry: BaselineRow) -> _Part | None:
    if entry.row is None or entry.row.quality == PARTIAL:
        return None
    model, confidence = baseline.version.model, accounts.plan.confidence
    values: Mapping[str, float | None] = baseline.completed(entry).variables
    known = [value for name in model.variables if (value := values.get(name)) is not None]
    band = profile.until(entry.first.weekday(), QUARTERS_A_DAY - 1, confidence)
    if baseline.step == "day" and len(known) == len(model.variables):
        band = model.band_of_each([known], confidence)[0]
    adjustment = accounts.terms(baseline, entry.first).adjustment
    return _Part(entry.row.amount, Band(band.expected + adjustment, band.half_width), entry.first)


def _use(
    period: Literal["day", "week"],
    parts: Sequence[_Part],
    accounts: SiteAccounts,
    baseline: FrozenBaseline,
    until_ms: int,
    zone: ZoneInfo,
    unit: str,
) -> RunningUse:
    expected = math.fsum(part.band.expected for part in parts)
    # Days are taken to follow each other as far as the baseline's do.
    rho = baseline.version.model.error_autocorrelation if baseline.step == "day" else 0.0
    reach = math.sqrt(variance_of_sum(rho, [part.band.half_width for part in parts]))
    # A meter does not count less than nothing, however few days its band is made of.
    lower = max(expected - reach, min(expected, 0.0))
    goal = accounts.goals.get(baseline.series)
    aimed = None if goal is None else math.fsum(goal.goal_of(part.band.expected, part.day) for part in parts)
    used = math.fsum(part.actual for part in parts)
    facts: dict[str, Fact] = {
        "clock": f"{datetime.fromtimestamp(until_ms / 1000, zone):%H:%M}",
        "used": told_amount(used, unit.replace("m3", "m³")),
        "expected": told_amount(expected),
        "confidence": Decimal(str(accounts.plan.confidence)),
        "lower": told_amount(lower),
        "upper": told_amount(expected + reach),
    }
    told = [
        say("Today until {clock}: {used}; usual by then: {expected} ({confidence:%}: {lower} to {upper})", **facts)
        if period == "day"
        else say(
            "This week until {clock} today: {used}; usual by then: {expected} ({confidence:%}: {lower} to {upper})",
            **facts,
        )
    ]
    if aimed is not None:
        told.append(say(", goal {goal}", goal=told_amount(aimed)))
    return RunningUse(
        period,
        parts[0].day.isoformat(),
        until_ms,
        used,
        expected,
        lower,
        expected + reach,
        aimed,
        joined([*told, "."]),
    )


def _unbroken(intervals: Sequence[IntervalRow], day: Day) -> list[IntervalRow]:
    """The intervals from midnight on, up to the first that is missing or not whole."""
    found: list[IntervalRow] = []
    for row in intervals:
        if row.quality == PARTIAL or row.start_ms != day.start_ms + len(found) * INTERVAL_MS:
            break
        found.append(row)
    return found

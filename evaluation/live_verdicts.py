"""Yesterday and the running week against a baseline: expected, goal and band, in the words of every screen. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from baselines.live import Judgement, RunningRow, judge
from baselines.row_quality import LEFT_OUT
from baselines.sayings import Saying, say
from evaluation.accounts import SiteAccounts
from evaluation.baseline_days import BaselineDay
from evaluation.frozen_baseline import FrozenBaseline
from evaluation.intervals import PARTIAL


@dataclass(frozen=True, slots=True)
class LiveVerdict:
    """The whole days from the first to the last, judged together; `text` is a line for people."""

    period: Literal["day", "week"]
    first_day: str
    last_day: str
    judgement: Judgement
    text: Saying


def live_verdicts(
    accounts: SiteAccounts, baseline: FrozenBaseline, days: Sequence[BaselineDay], today: date, unit: str
) -> tuple[LiveVerdict, ...]:
    """Of yesterday, the last of `days`, and of the running week from its second whole day on."""
    if not days:
        return ()
    rows = [_row(accounts, baseline, day) for day in days]
    monday = first_of_week(today).isoformat()
    week = [row for row in rows if row.label >= monday]
    found = [_verdict("day", baseline, rows[-1:], accounts.plan.confidence, unit)]
    if len(week) > 1:
        found.append(_verdict("week", baseline, week, accounts.plan.confidence, unit))
    return tuple(found)


def first_of_week(today: date) -> date:
    """Its Monday."""
    return today - timedelta(days=today.weekday())


def _verdict(
    period: Literal["day", "week"], baseline: FrozenBaseline, rows: Sequence[RunningRow], confidence: float, unit: str
) -> LiveVerdict:
    judgement = judge(baseline.version.model, rows, confidence)
    first, last = rows[0].label, rows[-1].label
    sentence = judgement.sentence(unit.replace("m3", "m³"))
    if period == "day":
        text = say("Yesterday, {day}: {sentence}", day=last, sentence=sentence)
    else:
        text = say("This week, {first} to {last}: {sentence}", first=first, last=last, sentence=sentence)
    return LiveVerdict(period, first, last, judgement, text)


def _row(accounts: SiteAccounts, baseline: FrozenBaseline, day: BaselineDay) -> RunningRow:
    local = date.fromisoformat(day.label)
    terms = accounts.terms(baseline, local)
    left_out = ""
    if day.row is None or day.row.quality == PARTIAL:
        left_out = say("without all its readings")
    elif day.row.quality in LEFT_OUT:
        left_out = say("without mains")
    return RunningRow(
        day.label,
        day.variables,
        0.0 if day.row is None else day.row.amount,
        terms.adjustment,
        None if terms.goal is None else terms.goal.share_on(local),
        left_out,
    )

"""What was over last against a baseline: expected, goal and band, in the words of every screen. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from baselines.live import Judgement, RunningRow, judge
from baselines.row_quality import LEFT_OUT
from baselines.sayings import Saying, say
from evaluation.judging.baseline_rows import BaselineRow
from evaluation.judging.frozen_baseline import FrozenBaseline
from evaluation.judging.steps import ROWS, span_of
from evaluation.metering.intervals import PARTIAL
from evaluation.plan.accounts import SiteAccounts
from evaluation.plan.plan_variables import Step

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class LiveVerdict:
    """The whole rows from the first day to the last, judged together; `text` is a line for people."""

    period: Step
    first_day: str
    last_day: str
    judgement: Judgement
    text: Saying


def first_judged(step: Step, today: date) -> date:
    """From which day on rows are judged as the last ones: yesterday's week, or the week or month before this one."""
    if step in {"week", "month"}:
        return span_of(step, span_of(step, today).first - _DAY).first
    return min(span_of("week", today).first, today - _DAY)


def live_verdicts(
    accounts: SiteAccounts, baseline: FrozenBaseline, rows: Sequence[BaselineRow], today: date, unit: str
) -> tuple[LiveVerdict, ...]:
    """Of yesterday, the last of `rows`, and of the running week from its second whole day on.

    Of a baseline by week or month: of the last of them that is over.
    """
    if not rows:
        return ()
    if baseline.step in {"week", "month"}:
        return (_verdict(accounts, baseline, baseline.step, rows[-1:], unit),)
    monday, last = span_of("week", today).first, rows[-1].first
    found = [_verdict(accounts, baseline, "day", [row for row in rows if row.first == last], unit)]
    if monday < last:
        found.append(_verdict(accounts, baseline, "week", [row for row in rows if row.first >= monday], unit))
    return tuple(found)


def _verdict(
    accounts: SiteAccounts, baseline: FrozenBaseline, period: Step, rows: Sequence[BaselineRow], unit: str
) -> LiveVerdict:
    running = [_row(accounts, baseline, row) for row in rows]
    judgement = judge(baseline.version.model, running, accounts.plan.confidence)
    first, last = rows[0].first.isoformat(), rows[-1].last.isoformat()
    sentence = judgement.sentence(unit.replace("m3", "m³"), ROWS[baseline.step])
    if period == "day":
        text = say("Yesterday, {day}: {sentence}", day=last, sentence=sentence)
    elif baseline.step == "week":
        text = say("The last week, {first} to {last}: {sentence}", first=first, last=last, sentence=sentence)
    elif baseline.step == "month":
        text = say("The last month, {first} to {last}: {sentence}", first=first, last=last, sentence=sentence)
    else:
        text = say("This week, {first} to {last}: {sentence}", first=first, last=last, sentence=sentence)
    return LiveVerdict(period, first, last, judgement, text)


def _row(accounts: SiteAccounts, baseline: FrozenBaseline, entry: BaselineRow) -> RunningRow:
    terms = accounts.terms(baseline, entry.first, entry.last, entry.part)
    left_out = ""
    if entry.row is None or entry.row.quality == PARTIAL:
        left_out = say("without all its readings")
    elif entry.row.quality in LEFT_OUT:
        left_out = say("without mains")
    return RunningRow(
        entry.label,
        entry.variables,
        0.0 if entry.row is None else entry.row.amount,
        terms.adjustment,
        None if terms.goal is None else terms.goal.share_on(entry.last),
        left_out,
    )

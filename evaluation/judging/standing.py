"""Where a site stands against its baselines: what screens, reports and `leanmeter plan show` say."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

from baselines.adjustments import NonRoutineAdjustment, static_factor_findings
from baselines.headline import Worth, headline
from baselines.indicator import ratio
from baselines.savings import Granularity, Savings, savings
from baselines.sayings import Saying, joined, say
from baselines.validity import FEWEST_POINTS, Finding, assess
from evaluation.accounting.days import day_on
from evaluation.accounting.stream_notes import stream_notes
from evaluation.judging.baseline_days import BaselineReader
from evaluation.judging.baseline_rows import BaselineRow, observed
from evaluation.judging.fitting import period_rows, unit_of
from evaluation.judging.frozen_baseline import FrozenBaseline
from evaluation.judging.live_verdicts import LiveVerdict, first_judged, live_verdicts
from evaluation.judging.running_use import RunningUse, running_uses
from evaluation.judging.steps import ROWS, span_of
from evaluation.plan.accounts import SiteAccounts, resource_of
from evaluation.plan.plan_baselines import BaselineSettings
from evaluation.plan.plan_variables import Step
from evaluation.site_model import SiteModel
from store.plans import Plans
from store.protocol import ReadingStore
from store.schema import MATERIALS_WASTED

_WORDS = {
    "electricity": say("electricity"),
    "fuel": say("fuel"),
    "heat": say("heat"),
    "water": say("water"),
    "compressed_air": say("compressed air"),
    "material": say("material"),
    "waste": say("waste"),
    MATERIALS_WASTED: say("material wasted"),
    "product": say("product"),
}

_GRANULARITIES: Mapping[str, Granularity] = {"day": "day", "month": "month"}

State = Literal["waiting", "no days", "counted"]


@dataclass(frozen=True, slots=True)
class Standing:
    """A baseline and what has been saved against it.

    `state` is `waiting` before there is a version (`text` says what is missing and from when it can be), `no days`
    while no day after the baseline period can be judged, else `counted`, and then `text` is the headline. `first_day`
    to `last_day` is the reporting period so far, `judged` of its `days` (weeks, months, shifts: `step`) can be judged.
    `savings` are proven only where the baseline is valid for them too. `worth_a_year` is None without a price or a
    proven saving. `goal_share` is None without a goal; `asked_share` is what it asks for today. `enpi` is actual over
    expected use, `live` of yesterday and the running week, or of the last week or month, also where they are not
    reported yet; `running` is what was used today and this week so far, beside what is usual. `streams` tell of
    materials wasted and of waste what was lost lately, and where it went.
    """

    baseline: str
    series: str
    resource: str
    unit: str
    state: State
    text: str
    version: int | None = None
    frozen_on: str | None = None
    author: str | None = None
    data_hash: str | None = None
    step: Step = "day"
    verdict: str = ""
    provisional: bool = False
    valid: bool = False
    first_day: str | None = None
    last_day: str | None = None
    days: int = 0
    judged: int = 0
    savings: Savings | None = None
    enpi: float | None = None
    live: tuple[LiveVerdict, ...] = ()
    running: tuple[RunningUse, ...] = ()
    streams: tuple[Saying, ...] = ()
    goal_share: float | None = None
    asked_share: float | None = None
    goal_is_average: bool = False
    worth_a_year: float | None = None
    currency: str | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def lines(self) -> tuple[Saying, ...]:
        """What is said of now and of what was over last, a line each."""
        return (*(each.text for each in self.running), *(each.text for each in self.live), *self.streams)


class Standings:
    """Reads where a site stands.

    Args:
        readings: where days are.
        plans: where values of tables are.
    """

    def __init__(self, readings: ReadingStore, plans: Plans) -> None:
        self._readings = readings
        self._plans = plans

    async def of_site(self, model: SiteModel, today: date) -> list[Standing]:
        """Each baseline of the site's plan, in its order; `today` is the site's."""
        accounts = model.accounts
        if accounts is None:
            return []
        return [
            replace(
                await self._of_baseline(model, accounts, settings, today),
                streams=await stream_notes(self._readings, model, settings.series, today),
            )
            for settings in accounts.plan.baselines
        ]

    async def reported(
        self, model: SiteModel, settings: BaselineSettings, baseline: FrozenBaseline, today: date
    ) -> list[BaselineRow]:
        """The rows of the reporting period that are over, with the variables of the baseline's version."""
        first = settings.report_from or settings.period.last + timedelta(days=1)
        return await self._whole_rows(model, settings, baseline, first, today)

    async def _whole_rows(
        self, model: SiteModel, settings: BaselineSettings, baseline: FrozenBaseline, first: date, today: date
    ) -> list[BaselineRow]:
        reader, last = self._reader(model), today - timedelta(days=1)
        rows = await reader.rows(settings.series, baseline.step, baseline.variables, first, last, baseline.shifts)
        return [baseline.completed(row) for row in rows]

    def _reader(self, model: SiteModel) -> BaselineReader:
        return BaselineReader(self._readings, self._plans, model.site, model.time_zone)

    async def _running(
        self, model: SiteModel, accounts: SiteAccounts, baseline: FrozenBaseline, today: date, unit: str
    ) -> tuple[RunningUse, ...]:
        if baseline.profile is None:
            return ()
        day = day_on(today, model.time_zone)
        intervals = await self._readings.intervals(model.site, day.start_ms, day.end_ms, baseline.series)
        definitions = baseline.variables if baseline.step == "day" else {}
        monday = span_of("week", today).first
        week = await self._reader(model).days(baseline.series, definitions, monday, today - timedelta(days=1))
        return running_uses(accounts, baseline, day, intervals, week, model.time_zone, unit)

    async def _of_baseline(
        self, model: SiteModel, accounts: SiteAccounts, settings: BaselineSettings, today: date
    ) -> Standing:
        resource = resource_of(settings.series, model.points) or ""
        facts = (settings.id, settings.series, resource, unit_of(settings.series, model))
        baseline = accounts.baselines.get(settings.series)
        if baseline is None:
            return Standing(*facts, "waiting", await self._what_is_missing(model, accounts, settings, today))
        validity = assess(baseline.version.model, coverage=baseline.coverage)
        entries = await self.reported(model, settings, baseline, today)
        since = max(first_judged(baseline.step, today), settings.period.last + timedelta(days=1))
        lately = await self._whole_rows(model, settings, baseline, since, today)
        goal = accounts.goals.get(settings.series)
        standing = Standing(
            *facts,
            "no days",
            say("Nothing after the baseline period can be judged yet.")
            if not entries
            else say(
                "Nothing can be judged yet: {missing} of {day} not known.",
                missing=entries[-1].waits_for,
                day=entries[-1].label,
            ),
            step=baseline.step,
            version=baseline.version.number,
            frozen_on=baseline.version.frozen_on.isoformat(),
            author=baseline.version.author,
            data_hash=baseline.version.data_hash,
            verdict=validity.verdict,
            provisional=validity.provisional,
            valid=validity.valid,
            days=len(entries),
            live=live_verdicts(accounts, baseline, lately, today, facts[3]),
            running=await self._running(model, accounts, baseline, today, facts[3]),
            goal_share=None if goal is None else goal.share,
            asked_share=None if goal is None else goal.share_on(today),
            goal_is_average=any(each.series == settings.series and each.share is None for each in accounts.plan.goals),
        )
        if not any(entry.is_known for entry in entries):
            return standing
        priced = entries
        if baseline.step == "shift":
            priced = await self._reader(model).days(settings.series, {}, entries[0].first, entries[-1].last)
        return self._counted(standing, accounts, settings, baseline, entries, _mean_price(priced))

    @staticmethod
    def _counted(
        standing: Standing,
        accounts: SiteAccounts,
        settings: BaselineSettings,
        baseline: FrozenBaseline,
        entries: Sequence[BaselineRow],
        price: float | None,
    ) -> Standing:
        rows = observed(entries)
        judged = [entry for entry in entries if entry.is_known]
        adjustments = [
            NonRoutineAdjustment(entry.label, each.amount_a_day * days * entry.part, each.reason, each.author)
            for each in accounts.plan.adjustments
            if each.baseline == settings.id
            for entry in judged
            if (days := each.days_within(entry.first, entry.last))
        ]
        found = savings(
            baseline.version.model,
            rows.observations,
            confidence=accounts.plan.confidence,
            granularity=_GRANULARITIES.get(baseline.step, "other"),
            adjustments=adjustments,
            accuracy=settings.accuracy,
            coverage=baseline.coverage,
        )
        covered = sum((entry.last - entry.first).days + 1 for entry in judged)
        if baseline.step == "shift":
            covered = len({entry.first for entry in judged})
        currency = accounts.plan.currency
        worth = None if price is None or currency is None else Worth(price, currency, float(covered))
        text = headline(found, standing.goal_share, worth, _WORDS.get(standing.resource))
        return replace(
            standing,
            state="counted",
            text=text,
            first_day=entries[0].first.isoformat(),
            last_day=judged[-1].last.isoformat(),
            judged=len(judged),
            savings=found,
            enpi=ratio(found.actual, found.expected),
            worth_a_year=None if worth is None or not found.proven else worth.a_year(found.savings),
            currency=currency,
            findings=(*rows.findings, *found.findings, *_found(baseline), *_static_factors(accounts, baseline)),
        )

    async def _what_is_missing(
        self, model: SiteModel, accounts: SiteAccounts, settings: BaselineSettings, today: date
    ) -> Saying:
        period = settings.period
        last = period.last if settings.bills is not None else min(period.last, today - timedelta(days=1))
        rows = await period_rows(self._reader(model), accounts.plan, settings, model.site, last)
        known = say(
            "{known} {rows} are known so far; {needed} are needed for one that is not provisional.",
            known=sum(row.is_known for row in rows),
            rows=ROWS[settings.step],
            needed=FEWEST_POINTS,
        )
        if today <= period.last:
            return say(
                "The baseline period runs until {last}; the baseline can be made on {ready}. {known}",
                last=period.last,
                ready=period.last + timedelta(days=1),
                known=known,
            )
        waits = next((row for row in rows if not row.is_known), None)
        if waits is None:
            return known
        return joined([known, say(" ({day}: no {missing})", day=waits.label, missing=waits.waits_for)])


def _found(baseline: FrozenBaseline) -> list[Finding]:
    """What was searched and chosen when the version was made."""
    found = [
        Finding(
            "balance_point", say("balance point of {name}: {base:.1f} °C, searched", name=name, base=base), fails=False
        )
        for name, base in baseline.version.bases.items()
    ]
    if not baseline.candidates:
        return found
    text = say(
        "chosen among {candidates}: {chosen}; each one's own p is too good, the F test's is corrected for it",
        candidates=baseline.candidates,
        chosen=tuple(baseline.variables) or say("none"),
    )
    return [*found, Finding("chosen", text, fails=False)]


def _static_factors(accounts: SiteAccounts, baseline: FrozenBaseline) -> tuple[Finding, ...]:
    before = baseline.version.static_factors
    return static_factor_findings(before, {**before, **accounts.plan.static_factors})


def _mean_price(days: Sequence[BaselineRow]) -> float | None:
    """What a unit cost in these days, of those whose cost is known."""
    rows = [day.row for day in days if day.row is not None and day.row.cost is not None]
    amount = math.fsum(row.amount for row in rows)
    return math.fsum(row.cost or 0.0 for row in rows) / amount if amount > 0.0 else None

"""The spans that a baseline judges at once: days, weeks from Monday to Sunday, calendar months, shifts. Pure."""

import calendar
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from baselines.sayings import Saying, say
from evaluation.plan.plan_baselines import ShiftSettings
from evaluation.plan.plan_variables import Step

_STEP_SERIES = re.compile(r"\.(week|month|shift\.[a-z0-9_]+)$")

ROWS: Mapping[Step, Saying] = {
    "day": say("days"),
    "week": say("weeks"),
    "month": say("months"),
    "shift": say("shifts"),
}
"""What a baseline's rows are, for people."""


@dataclass(frozen=True, slots=True)
class Span:
    """Whole site-local days from the first to the last, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many."""
        return (self.last - self.first).days + 1

    def dates(self) -> Iterator[date]:
        """Each of them."""
        for number in range(self.days):
            yield self.first + timedelta(days=number)


@dataclass(frozen=True, slots=True)
class ShiftWindow:
    """A shift of a day as the half-open time [start_ms, end_ms) in UTC; `day` is that on which it begins."""

    name: str
    day: date
    start_ms: int
    end_ms: int
    label: str


def span_of(step: Step, day: date) -> Span:
    """The week or the month that a day lies in; of other steps the day itself."""
    if step == "week":
        first = day - timedelta(days=day.weekday())
        return Span(first, first + timedelta(days=6))
    if step == "month":
        return Span(day.replace(day=1), day.replace(day=calendar.monthrange(day.year, day.month)[1]))
    return Span(day, day)


def whole_spans(step: Step, first: date, last: date) -> list[Span]:
    """The steps of which every day lies between two days, both included."""
    found = []
    span = span_of(step, first)
    while span.last <= last:
        if span.first >= first:
            found.append(span)
        span = span_of(step, span.last + timedelta(days=1))
    return found


def label_of(step: Step, span: Span) -> str:
    """By which a row is known: 2026-11 for a month, else the ISO date of the first day."""
    return f"{span.first:%Y-%m}" if step == "month" else span.first.isoformat()


def step_series(series: str, step: Step, shift: str = "") -> str:
    """The id under which rows of a step are stored beside the days: `site.energy.week`, `oven.shift.night`."""
    return f"{series}.{step}.{shift}" if shift else f"{series}.{step}"


def is_step_series(series: str) -> bool:
    """Whether rows under this id are weeks, months or shifts of another series."""
    return _STEP_SERIES.search(series) is not None


def shift_windows(shifts: Mapping[str, ShiftSettings], day: date, zone: ZoneInfo) -> list[ShiftWindow]:
    """The shifts that begin on a day, in the order of the plan."""
    found = []
    for name, shift in shifts.items():
        ends = day if shift.end > shift.start else day + timedelta(days=1)
        start_ms, end_ms = moment_ms(day, shift.start, zone), moment_ms(ends, shift.end, zone)
        found.append(ShiftWindow(name, day, start_ms, end_ms, f"{day.isoformat()}T{shift.start:%H:%M}"))
    return found


def moment_ms(day: date, clock: time, zone: ZoneInfo) -> int:
    """A moment of the local clock, in ms since 1970 UTC."""
    return round(datetime.combine(day, clock, zone).astimezone(UTC).timestamp() * 1000)

"""A series' days with their relevant variables, as a baseline is fitted on them and savings are counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from baselines.observations import Observations
from baselines.row_quality import LEFT_OUT, RowQuality, WeighedRows, weighed
from baselines.sayings import say
from evaluation.day_variables import DayVariables
from evaluation.days import day_of
from evaluation.intervals import PARTIAL
from evaluation.plan_file import VariableSettings
from store.protocol import IntervalRow, ReadingStore


@dataclass(frozen=True, slots=True)
class BaselineDay:
    """A site-local day: the series' row, None where there is none, and each variable, None where it is not known."""

    label: str
    row: IntervalRow | None
    variables: Mapping[str, float | None]

    @property
    def is_known(self) -> bool:
        """Whether the day can be judged: its use is whole, there were mains, and each variable is known."""
        whole = self.row is not None and self.row.quality not in LEFT_OUT
        return whole and None not in self.variables.values()

    @property
    def waits_for(self) -> str:
        """What is missing, in a word; empty when nothing is."""
        if self.row is None or self.row.quality == PARTIAL:
            return say("readings")
        if self.row.quality in LEFT_OUT:
            return say("mains")
        return ", ".join(name for name, value in self.variables.items() if value is None)


async def read_days(
    readings: ReadingStore,
    variables: DayVariables,
    site: str,
    series: str,
    definitions: Mapping[str, VariableSettings],
    first: date,
    last: date,
    zone: ZoneInfo,
) -> list[BaselineDay]:
    """The site-local days from the first to the last, both included."""
    start_ms, end_ms = _midnight_ms(first, zone), _midnight_ms(last + timedelta(days=1), zone)
    by_start: dict[int, dict[str, IntervalRow]] = {}
    needed = {series, *(name for entry in definitions.values() for name in entry.series)}
    needed |= {entry.hours.point for entry in definitions.values() if entry.hours is not None}
    for name in sorted(needed):
        for row in await readings.days(site, start_ms, end_ms, name):
            by_start.setdefault(row.start_ms, {})[name] = row
    found = []
    for number in range((last - first).days + 1):
        local = first + timedelta(days=number)
        day = day_of(_midnight_ms(local, zone), zone)
        rows = by_start.get(day.start_ms, {})
        values = await variables.of_day(definitions, day, rows)
        found.append(BaselineDay(local.isoformat(), rows.get(series), values))
    return found


def observed(days: Sequence[BaselineDay]) -> WeighedRows:
    """The days that are known, weighed as what they are; see `baselines.row_quality`."""
    known = [day for day in days if day.is_known]
    names = list(days[0].variables) if days else []
    rows = [day.row for day in known if day.row is not None]
    observations = Observations(
        tuple(day.label for day in known),
        tuple(row.amount for row in rows),
        {name: tuple(day.variables[name] or 0.0 for day in known) for name in names},
    )
    return weighed(observations, [RowQuality(row.quality, row.coverage) for row in rows])


def _midnight_ms(local: date, zone: ZoneInfo) -> int:
    return round(datetime.combine(local, time(), zone).astimezone(UTC).timestamp() * 1000)

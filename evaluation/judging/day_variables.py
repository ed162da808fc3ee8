"""Relevant variables of site-local days: each known, or not, as what is stored says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from evaluation.accounting.days import Day, day_of
from evaluation.judging.baseline_rows import Samples, weather_value
from evaluation.metering.intervals import PARTIAL
from evaluation.plan.plan_variables import HoursSettings, TemperatureSettings, VariableSettings
from store.plans import Plans
from store.protocol import IntervalRow, ReadingStore
from store.schema import INTERVAL_MS

HOUR_MS = 3_600_000
DAYS_AT_ONCE = 31
FEWEST_HOURS = 0.9
"""The share of a day's hours that must have a temperature; the others are taken as their mean."""

Definitions = Mapping[str, VariableSettings]


def label_of(day: Day, zone: ZoneInfo) -> str:
    """The ISO date by which a day's values are known."""
    return date_of(day, zone).isoformat()


def date_of(day: Day, zone: ZoneInfo) -> date:
    """The same as a date."""
    return datetime.fromtimestamp(day.start_ms / 1000, zone).date()


@dataclass(frozen=True, slots=True)
class DayValues:
    """Variables of a day, as those of a `BaselineRow`."""

    variables: Mapping[str, float | None]
    temperatures: Samples
    tables: Mapping[str, float] = field(default_factory=dict)


class DayVariables:
    """Reads variables of days.

    Args:
        readings: where temperatures and intervals are.
        plans: where values of tables are; the hours' temperatures are kept there too, since raw ones are not for ever.
        site: its id.
        zone: its clock.
    """

    def __init__(self, readings: ReadingStore, plans: Plans, site: str, zone: ZoneInfo) -> None:
        self._readings = readings
        self._plans = plans
        self._site = site
        self._zone = zone

    async def of_days(
        self,
        definitions: Definitions,
        days: Sequence[Day],
        rows: Mapping[int, Mapping[str, IntervalRow]],
        *,
        anew: bool = False,
    ) -> list[DayValues]:
        """The variables of each day, in the order given; `rows` are the days' rows by start and series.

        Temperatures of hours that are kept are taken as they are, unless `anew` asks for those that are stored now.
        """
        if not days or not definitions:
            return [DayValues({}, {}) for _ in days]
        first, last = label_of(days[0], self._zone), label_of(days[-1], self._zone)
        tables: Mapping[str, Mapping[str, float]] = {}
        if any(entry.is_table for entry in definitions.values()):
            tables = await self._plans.daily(self._site, first, last)
        kept = {
            source: await self._plans.temperatures(self._site, source, first, last)
            for source in sorted({source_of(each) for each in temperature_devices(definitions)})
        }
        running = await self._intervals(definitions, days)
        found = []
        for day in days:
            label = label_of(day, self._zone)
            given = {name: values[label] for name, values in tables.items() if label in values}
            hours = await self._hours_of(definitions, day, label, kept, anew=anew)
            read = {point: mine.get(day.start_ms, ()) for point, mine in running.items()}
            found.append(_of_day(definitions, rows.get(day.start_ms, {}), given, hours, read))
        return found

    async def _intervals(
        self, definitions: Definitions, days: Sequence[Day]
    ) -> dict[str, dict[int, list[IntervalRow]]]:
        """The intervals of points whose hours count, by point and the start of their day; a month is read at once."""
        found: dict[str, dict[int, list[IntervalRow]]] = {}
        for point in {entry.hours.point for entry in definitions.values() if entry.hours is not None}:
            mine = found.setdefault(point, {})
            for number in range(0, len(days), DAYS_AT_ONCE):
                some = days[number : number + DAYS_AT_ONCE]
                rows = await self._readings.intervals(self._site, some[0].start_ms, some[-1].end_ms, point)
                for row in rows:
                    mine.setdefault(day_of(row.start_ms, self._zone).start_ms, []).append(row)
        return found

    async def _hours_of(
        self,
        definitions: Definitions,
        day: Day,
        label: str,
        kept: Mapping[str, Mapping[str, tuple[float, ...]]],
        *,
        anew: bool,
    ) -> Samples:
        """The mean temperature of each hour by source; of those alone that have enough of them."""
        hours = (day.end_ms - day.start_ms) // HOUR_MS
        found: dict[str, tuple[float, ...]] = {}
        for place in temperature_devices(definitions):
            source = source_of(place)
            before = kept[source].get(label, ())
            if source in found:
                continue
            if anew or len(before) < hours:
                series = await self._readings.sampled(
                    self._site, place.device or "", place.quantity, day.start_ms, day.end_ms, HOUR_MS
                )
                if len(series.values) >= max(FEWEST_HOURS * hours, len(before)):
                    if series.values != before:
                        await self._plans.keep_temperatures(self._site, source, label, series.values)
                    before = series.values
            if before:
                found[source] = before
        return found


def _of_day(
    definitions: Definitions,
    rows: Mapping[str, IntervalRow],
    given: Mapping[str, float],
    hours: Samples,
    intervals: Mapping[str, Sequence[IntervalRow]],
) -> DayValues:
    variables: dict[str, float | None] = {}
    temperatures: dict[str, tuple[float, ...]] = {}
    for name, entry in definitions.items():
        if entry.weather is not None:
            source = entry.weather.temperature
            samples = hours.get(source_of(source), ()) if source.device else (given[name],) if name in given else ()
            if samples:
                temperatures[name] = samples
            variables[name] = weather_value(entry, samples, 1.0) if samples else None
        elif entry.series and not (entry.per == "day" and name in given):
            variables[name] = _production(entry.series, rows)
        elif entry.hours is not None:
            variables[name] = _hours(entry.hours, rows, intervals)
        else:
            variables[name] = given.get(name)
    return DayValues(variables, temperatures, given)


def _hours(
    entry: HoursSettings, rows: Mapping[str, IntervalRow], intervals: Mapping[str, Sequence[IntervalRow]]
) -> float | None:
    row = rows.get(entry.point)
    return None if row is None or row.quality == PARTIAL else hours_above(entry, intervals[entry.point])


def source_of(place: TemperatureSettings) -> str:
    """Under which a device's temperatures are kept."""
    return f"{place.device}/{place.quantity}"


def temperature_devices(definitions: Definitions) -> list[TemperatureSettings]:
    """Where variables have temperatures of a device."""
    return [
        entry.weather.temperature
        for entry in definitions.values()
        if entry.weather is not None and entry.weather.temperature.device is not None
    ]


def hours_above(entry: HoursSettings, intervals: Sequence[IntervalRow]) -> float:
    """The hours of some intervals in which the point's power was above the threshold."""
    above = [each for each in intervals if each.demand is not None and each.demand > entry.above_kw]
    return len(above) * INTERVAL_MS / HOUR_MS


def _production(series: Sequence[str], rows: Mapping[str, IntervalRow]) -> float | None:
    found = [rows.get(name) for name in series]
    known = [row.amount for row in found if row is not None and row.quality != PARTIAL]
    return sum(known) if len(known) == len(series) else None

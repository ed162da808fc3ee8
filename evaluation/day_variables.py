"""Relevant variables of site-local days: each known, or not, as what is stored says."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from baselines.degree_days import cooling_degree_days, heating_degree_days
from evaluation.days import Day
from evaluation.intervals import PARTIAL
from evaluation.plan_file import DegreeDaySettings, HoursSettings, VariableSettings
from store.plans import Plans
from store.protocol import IntervalRow, ReadingStore
from store.schema import INTERVAL_MS

HOUR_MS = 3_600_000
FEWEST_HOURS = 0.9
"""The share of a day's hours that must have a temperature; the others are taken as their mean."""


def label_of(day: Day, zone: ZoneInfo) -> str:
    """The ISO date by which a day's values are known."""
    return datetime.fromtimestamp(day.start_ms / 1000, zone).date().isoformat()


def date_of(day: Day, zone: ZoneInfo) -> date:
    """The same as a date."""
    return datetime.fromtimestamp(day.start_ms / 1000, zone).date()


class DayVariables:
    """Reads variables of days.

    Args:
        readings: where temperatures and intervals are.
        plans: where values of tables are; degree days are kept there too, since raw temperatures are not kept for ever.
        site: its id.
        zone: its clock.
    """

    def __init__(self, readings: ReadingStore, plans: Plans, site: str, zone: ZoneInfo) -> None:
        self._readings = readings
        self._plans = plans
        self._site = site
        self._zone = zone

    async def of_day(
        self, variables: Mapping[str, VariableSettings], day: Day, rows: Mapping[str, IntervalRow]
    ) -> dict[str, float | None]:
        """Each variable of a day, None where it is not known; `rows` are the day's rows by series."""
        label = label_of(day, self._zone)
        daily: Mapping[str, Mapping[str, float]] = {}
        if any(not entry.series for entry in variables.values()):
            daily = await self._plans.daily(self._site, label, label)
        return {
            name: await self._value(name, entry, day, rows, daily.get(name, {}).get(label))
            for name, entry in variables.items()
        }

    async def _value(
        self,
        name: str,
        entry: VariableSettings,
        day: Day,
        rows: Mapping[str, IntervalRow],
        given: float | None,
    ) -> float | None:
        if entry.series:
            return _production(entry.series, rows)
        if entry.hours is not None:
            return await self._hours(entry.hours, day, rows)
        if entry.degree_days is not None:
            if entry.degree_days.temperature.csv is not None:
                return None if given is None else _degree_days(entry.degree_days, [given] * 24)
            return await self._measured_degree_days(name, entry.degree_days, day, given)
        return given

    async def _hours(self, entry: HoursSettings, day: Day, rows: Mapping[str, IntervalRow]) -> float | None:
        row = rows.get(entry.point)
        if row is None or row.quality == PARTIAL:
            return None
        intervals = await self._readings.intervals(self._site, day.start_ms, day.end_ms, entry.point)
        above = [each for each in intervals if each.demand is not None and each.demand > entry.above_kw]
        return len(above) * INTERVAL_MS / HOUR_MS

    async def _measured_degree_days(
        self, name: str, entry: DegreeDaySettings, day: Day, kept: float | None
    ) -> float | None:
        device, quantity = entry.temperature.device or "", entry.temperature.quantity
        series = await self._readings.sampled(self._site, device, quantity, day.start_ms, day.end_ms, HOUR_MS)
        hours = (day.end_ms - day.start_ms) // HOUR_MS
        if len(series.values) < FEWEST_HOURS * hours:
            return kept
        value = _degree_days(entry, series.values) * hours / len(series.values)
        if value != kept:
            await self._plans.put_daily(self._site, name, {label_of(day, self._zone): value})
        return value


def _production(series: Sequence[str], rows: Mapping[str, IntervalRow]) -> float | None:
    found = [rows.get(name) for name in series]
    known = [row.amount for row in found if row is not None and row.quality != PARTIAL]
    return sum(known) if len(known) == len(series) else None


def _degree_days(entry: DegreeDaySettings, hourly: Sequence[float]) -> float:
    count = heating_degree_days if entry.kind == "heating" else cooling_degree_days
    return count(hourly, entry.base)

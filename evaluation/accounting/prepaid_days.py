"""Prepaid electricity by day: kWh left on the meter at its end, and for how many days they last.

Left is what tokens have brought since the first one, less what was bought from the mains since its day. A day on which
that falls below zero has no row: a token is missing. Days left are at the mean use of the days before, up to 14.
"""

import itertools
import math
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from baselines.prepaid import Token, left_after
from evaluation.accounting.days import Day, day_on
from evaluation.metering.intervals import MEASURED, PARTIAL
from evaluation.metering.site_series import main_points
from evaluation.site_model import SiteModel
from site_config.points import Resource
from store.protocol import IntervalRow, ReadingStore
from store.schema import EARLIEST_MS, LATEST_MS, PREPAID, PREPAID_DAYS_LEFT, PREPAID_LEFT

USUAL_DAYS = 14


@dataclass(frozen=True, slots=True)
class PrepaidLeft:
    """What is left on a prepaid meter by the end of a day; `days_left` is None before there is a usual use."""

    day: str
    left_kwh: float
    days_left: float | None


async def prepaid_left(readings: ReadingStore, model: SiteModel) -> PrepaidLeft | None:
    """The last that is known; None without tokens, or while one is missing."""
    found: dict[str, list[IntervalRow]] = {}
    for series in (PREPAID_LEFT, PREPAID_DAYS_LEFT):
        rows = await readings.days(model.site, EARLIEST_MS, LATEST_MS, series)
        found[series] = [row for row in rows if row.coverage]
    if not found[PREPAID_LEFT]:
        return None
    last = found[PREPAID_LEFT][-1]
    lasting = [row.amount for row in found[PREPAID_DAYS_LEFT] if row.start_ms == last.start_ms]
    day = datetime.fromtimestamp(last.start_ms / 1000, model.time_zone).date()
    return PrepaidLeft(day.isoformat(), last.amount, lasting[0] if lasting else None)


class PrepaidDays:
    """Writes the prepaid series of one site; only rows that change are written.

    Args:
        readings: where days are.
        model: the site.
        before_write: awaited before anything is written; what it raises ends the work.
    """

    def __init__(self, readings: ReadingStore, model: SiteModel, before_write: Callable[[], Awaitable[None]]) -> None:
        self._readings = readings
        self._model = model
        self._before_write = before_write
        settings = () if model.accounts is None else model.accounts.plan.prepaid_tokens
        self.tokens = tuple(Token(each.day, each.paid, each.energy_kwh) for each in settings)
        self._mains = main_points(model.points, Resource.ELECTRICITY)

    async def write(self, days: Collection[date] | None = None) -> int:
        """Write what follows from the use of these days, of all when None; returns how many rows were written."""
        if not self.tokens and days is not None:
            return 0
        first = min((token.bought_on for token in self.tokens), default=date(2000, 1, 1))
        start_ms = day_on(first, self._model.time_zone).start_ms
        since = first if days is None else min(days)
        used = await self._used(start_ms) if self.tokens else {}
        rows = self._rows(used, since)
        from_ms = day_on(since, self._model.time_zone).start_ms
        stored: dict[tuple[str, int], IntervalRow] = {}
        for series in (PREPAID_LEFT, PREPAID_DAYS_LEFT):
            found = await self._readings.days(self._model.site, from_ms, LATEST_MS, series)
            stored |= {(row.point, row.start_ms): row for row in found}
        for key, old in stored.items():
            if key not in rows:
                rows[key] = replace(old, amount=0.0, coverage=0.0, quality=PARTIAL)
        changed = [row for key, row in rows.items() if stored.get(key) != row]
        if changed:
            await self._before_write()
            await self._readings.write_days(changed)
        return len(changed)

    async def _used(self, start_ms: int) -> dict[date, float]:
        """What was bought on each day that has data, in the order of time."""
        found: dict[date, float] = {}
        for main in self._mains:
            for row in await self._readings.days(self._model.site, start_ms, LATEST_MS, main):
                day = datetime.fromtimestamp(row.start_ms / 1000, self._model.time_zone).date()
                found[day] = found.get(day, 0.0) + max(row.amount, 0.0)
        return dict(sorted(found.items()))

    def _rows(self, used: Mapping[date, float], since: date) -> dict[tuple[str, int], IntervalRow]:
        so_far = dict(zip(used, itertools.accumulate(used.values()), strict=True))
        before = list(used.values())
        found: dict[tuple[str, int], IntervalRow] = {}
        for number, (day, total) in enumerate(so_far.items()):
            left = left_after(self.tokens, day, total)
            if day < since or left < 0.0:
                continue
            usual = before[max(0, number - USUAL_DAYS) : number]
            known = {PREPAID_LEFT: left}
            if usual and math.fsum(usual) > 0.0:
                known[PREPAID_DAYS_LEFT] = left / (math.fsum(usual) / len(usual))
            for series, amount in known.items():
                row = self._row(series, day_on(day, self._model.time_zone), amount)
                found[series, row.start_ms] = row
        return found

    def _row(self, series: str, day: Day, amount: float) -> IntervalRow:
        return IntervalRow(
            self._model.site, series, day.start_ms, amount, None, 1.0, MEASURED, PREPAID, month=day.month
        )

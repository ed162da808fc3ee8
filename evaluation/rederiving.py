"""Days whose costs or expected values a changed plan has made out of date: the newest first, some at a time."""

from datetime import UTC, date, datetime, time, timedelta

from evaluation.accounting.days import Day, day_of
from evaluation.evaluator import Evaluator
from evaluation.site_model import SiteModel
from store.plans import Rederivation
from store.protocol import ReadingStore
from store.schema import EARLIEST_MS, LATEST_MS


class Rederiving:
    """Works on the rederivations of one site.

    Args:
        readings: where days are.
        evaluator: of the site.
        model: the site.
        days_at_once: how many are computed before live data get their turn again.
    """

    def __init__(self, readings: ReadingStore, evaluator: Evaluator, model: SiteModel, days_at_once: int) -> None:
        self._readings = readings
        self._evaluator = evaluator
        self._model = model
        self._days_at_once = days_at_once

    async def newest_days(self, waiting: Rederivation) -> str | None:
        """Compute the newest of its days; returns the last day that is left, None when all are done."""
        start_ms, end_ms = EARLIEST_MS, LATEST_MS
        if waiting.first_day is not None:
            start_ms = self._midnight_ms(date.fromisoformat(waiting.first_day))
        if waiting.last_day is not None:
            end_ms = self._midnight_ms(date.fromisoformat(waiting.last_day) + timedelta(days=1))
        starts = await self._readings.day_starts(self._model.site, start_ms, end_ms)
        days = [day_of(start, self._model.time_zone) for start in starts[-self._days_at_once :]]
        await self._evaluator.rederive_days(reversed(days))
        await self._evaluator.settle(days)
        left = starts[: -self._days_at_once]
        if left:
            return self._label(day_of(left[-1], self._model.time_zone))
        await self._evaluator.bills.write()
        return None

    def _midnight_ms(self, local: date) -> int:
        return round(datetime.combine(local, time(), self._model.time_zone).astimezone(UTC).timestamp() * 1000)

    def _label(self, day: Day) -> str:
        return datetime.fromtimestamp(day.start_ms / 1000, self._model.time_zone).date().isoformat()

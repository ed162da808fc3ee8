"""Freezes a version of each baseline when its period is over and measured. A version is never fitted anew by itself."""

import logging
import time
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock

from baselines.errors import BaselineError
from evaluation.judging.fitting import Fitted, fit_baseline
from evaluation.judging.frozen_baseline import definition_hash
from evaluation.plan.plan_baselines import BaselineSettings
from evaluation.plan.plan_file import PlanFile
from evaluation.site_model import SiteModel, load_model
from store.entities import Entities, SiteEntry
from store.protocol import ReadingStore
from store.schema import LATEST_MS

logger = logging.getLogger(__name__)

FIRST_REASON = "first version of its definition"
# A period that cannot be fitted yet is looked at again at this pace: a table may be imported, late data may come.
_AGAIN_S = 60.0


class Freezer:
    """Makes versions of baselines.

    Args:
        readings: where days are.
        entities: where plans and versions are.
    """

    def __init__(self, readings: ReadingStore, entities: Entities) -> None:
        self._readings = readings
        self._entities = entities
        self._next_s: dict[str, float] = {}
        self._told: dict[str, str] = {}

    async def freeze_what_is_due(self, entry: SiteEntry) -> bool:
        """Freeze the baselines of a site's plan that have no version yet and can have one; True when one was frozen."""
        stored = await self._entities.plans.plan(entry.site)
        if stored is None or time.monotonic() < self._next_s.get(f"{entry.site} {stored.version}", 0.0):
            return False
        plan = PlanFile.model_validate(stored.document)
        versions = await self._entities.plans.baselines(entry.site)
        frozen = False
        for settings in plan.baselines:
            wanted = definition_hash(plan, settings)
            if any(each.baseline == settings.id and each.definition_hash == wanted for each in versions):
                continue
            model = await load_model(self._entities, entry)
            if not await self._is_over(model, settings):
                continue
            try:
                await self.freeze(model, plan, settings, stored.author, FIRST_REASON)
                frozen = True
            except BaselineError as problem:
                self._tell(entry.site, settings.id, str(problem))
        if not frozen:
            self._next_s[f"{entry.site} {stored.version}"] = time.monotonic() + _AGAIN_S
        return frozen

    async def freeze(
        self, model: SiteModel, plan: PlanFile, settings: BaselineSettings, author: str, reason: str
    ) -> Fitted:
        """Fit a baseline and freeze it as a new version; raises BaselineError when it cannot be fitted."""
        versions = await self._entities.plans.baselines(model.site)
        number = 1 + max((each.version for each in versions if each.baseline == settings.id), default=0)
        today = datetime.now(model.time_zone).date()
        fitted = await fit_baseline(
            self._readings, self._entities.plans, model, plan, settings, author=author, number=number, today=today
        )
        await self._entities.plans.add_baseline(
            model.site,
            settings.id,
            definition_hash(plan, settings),
            fitted.baseline.version.data_hash,
            fitted.baseline.document(),
            author,
            reason,
        )
        logger.info("site %s: baseline %s: %s", model.site, settings.id, fitted.validity.verdict)
        return fitted

    async def _is_over(self, model: SiteModel, settings: BaselineSettings) -> bool:
        """Whether something has been measured after the period, or its last day is whole; bills are all there."""
        after_ms = _midnight_ms(settings.period.last + timedelta(days=1), model)
        if time.time() * 1000 < after_ms:
            return False
        if settings.bills is not None:
            return True
        return bool(await self._readings.day_starts(model.site, _midnight_ms(settings.period.last, model), LATEST_MS))

    def _tell(self, site: str, baseline: str, problem: str) -> None:
        if self._told.get(f"{site} {baseline}") != problem:
            self._told[f"{site} {baseline}"] = problem
            logger.info("site %s: no baseline yet: %s", site, problem)


def _midnight_ms(local: date, model: SiteModel) -> int:
    return round(datetime.combine(local, clock(), model.time_zone).astimezone(UTC).timestamp() * 1000)

"""Reads the store once for all clients: they share views and one curve, and ask the store nothing."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from evaluation.accounting.days import day_of
from evaluation.judging.standing import Standing
from evaluation.metering.intervals import overlap
from evaluation.metering.site_series import counted_points, site_series
from evaluation.site_model import SiteModel
from site_config.points import Assignment, Resource, Role, counted_rate
from store.protocol import IntervalRow, Latest, OperatedReadingStore, StoreConfigurationError, StoreError
from store.schema import EARLIEST_MS, ENERGY
from visit.curve import Curve, ExpectedPower, build_curve, coarser_step, expected_powers, step_for
from visit.live import OLD_AFTER_S, LiveView, Situation, build
from visit.savings import NoBaseline, without_baseline
from visit.wording import ENGLISH, Wording
from wire_format.quality import Quality

logger = logging.getLogger(__name__)

VIEW_INTERVAL_S = 1.0
MODEL_INTERVAL_S = 10.0
DAYS_INTERVAL_S = 3.0
QUALITIES_INTERVAL_S = 5.0
CURVE_INTERVAL_S = 10.0
STANDINGS_INTERVAL_S = 30.0
# Late readings reach the part of the curve that is drawn already only when it is read anew.
WHOLE_CURVE_INTERVAL_S = 600.0

_FIRST_LOOK_MS = 7 * 24 * 3_600_000
# Readings of a slow device or of a delayed batch are still newest ones; older values are remembered here.
_LOOK_BACK_MS = 120_000
_FIRST_STEP_MS = 300_000
_CURVE_ROLES = frozenset({Role.MAIN, Role.GENERATION, Role.STORAGE})


@dataclass(frozen=True, slots=True)
class NamedSite:
    """A site with the name that people call it by.

    `missing_values` and `wrong_days`: what of the last days its edges have read and the store does not hold.
    """

    name: str
    model: SiteModel
    missing_values: int = 0
    wrong_days: int = 0


class LiveReader:
    """Keeps views and `curve` up to date while `run` runs.

    Args:
        readings: the store, of which this is the only reader in the process.
        site: its id.
        load_site: how points and assignments are read; None while nobody has declared the site.
        example: whether the curve carries an example of a baseline.
        load_standings: how it is read where the site stands on a day; None where nobody asks.
        now_ms: the clock.
    """

    def __init__(
        self,
        readings: OperatedReadingStore,
        site: str,
        load_site: Callable[[], Awaitable[NamedSite | None]],
        *,
        example: bool = False,
        load_standings: Callable[[SiteModel, date], Awaitable[list[Standing]]] | None = None,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._readings = readings
        self._site = site
        self._load_site = load_site
        self._example = example
        self._load_standings = load_standings
        self._standings: list[Standing] = []
        self._no_baseline: NoBaseline | None = None
        self._now_ms = now_ms
        self._named: NamedSite | None = None
        self._latest: dict[tuple[str, str], Latest] = {}
        self._qualities: dict[tuple[str, str], Quality] = {}
        self._days: dict[str, IntervalRow] = {}
        self._windows: dict[str, dict[int, float]] = {}
        self._step_ms = self._finest_step_ms = 0
        self._due: dict[str, float] = {}
        self._problem = ""
        self.curve = Curve(0, 0, (), (), ())
        self.curve_version = 0
        self._situation, self._situation_ms = self._now()
        self._views: dict[str, LiveView] = {}

    @property
    def view(self) -> LiveView:
        """What there is to be seen, in English."""
        return self.view_in(ENGLISH)

    def view_in(self, words: Wording) -> LiveView:
        """The same in a language, made once for all who read it."""
        language = words.texts.language
        if language not in self._views:
            self._views[language] = build(self._situation, self._situation_ms, words)
        return self._views[language]

    @property
    def time_zone(self) -> ZoneInfo:
        """The site's, UTC while nobody has declared it."""
        return ZoneInfo("UTC") if self._named is None else self._named.model.time_zone

    async def run(self) -> None:
        """Read until cancelled; a store that does not answer is shown and tried again."""
        while True:
            started = time.monotonic()
            await self.refresh()
            await asyncio.sleep(max(VIEW_INTERVAL_S - (time.monotonic() - started), 0.05))

    async def refresh(self) -> None:
        """Read what is due and make the view of it."""
        try:
            await self._read()
        except StoreError as problem:
            if not self._problem:
                level = logging.ERROR if isinstance(problem, StoreConfigurationError) else logging.WARNING
                logger.log(level, "the store does not answer: %s", problem)
            self._problem = str(problem)
        else:
            if self._problem:
                logger.warning("the store answers again")
            self._problem = ""
        self._situation, self._situation_ms = self._now()
        self._views.clear()

    async def _read(self) -> None:
        now_ms = self._now_ms()
        since_ms = now_ms - (_LOOK_BACK_MS if self._latest else _FIRST_LOOK_MS)
        for key, value in (await self._readings.latest(self._site, since_ms)).items():
            known = self._latest.get(key)
            if known is None or value.time_ms >= known.time_ms:
                self._latest[key] = value
        if self._is_due("model", MODEL_INTERVAL_S) or self._named is None:
            self._named = await self._load_site()
        if self._named is None:
            return
        model = self._named.model
        if self._is_due("days", DAYS_INTERVAL_S):
            day = day_of(now_ms, model.time_zone)
            rows = await self._readings.days(self._site, day.start_ms, day.end_ms)
            self._days = {row.point: row for row in rows}
        if self._load_standings is not None and self._is_due("standings", STANDINGS_INTERVAL_S):
            await self._read_standings(model, self._load_standings, now_ms)
        if self._is_due("qualities", QUALITIES_INTERVAL_S):
            self._qualities = await self._newest_qualities(model, now_ms)
        if self._is_due("curve", CURVE_INTERVAL_S):
            await self._read_curve(model, now_ms)

    async def _read_standings(
        self, model: SiteModel, load: Callable[[SiteModel, date], Awaitable[list[Standing]]], now_ms: int
    ) -> None:
        today = datetime.fromtimestamp(now_ms / 1000, model.time_zone).date()
        self._standings = await load(model, today)
        if self._standings:
            self._no_baseline = None
            return
        midnight_ms = day_of(now_ms, model.time_zone).start_ms
        measured = await self._readings.day_starts(model.site, EARLIEST_MS, midnight_ms)
        self._no_baseline = without_baseline(len(measured), today)

    def _is_due(self, what: str, every_s: float) -> bool:
        now = time.monotonic()
        if now < self._due.get(what, 0.0):
            return False
        self._due[what] = now + every_s
        return True

    async def _newest_qualities(self, model: SiteModel, now_ms: int) -> dict[tuple[str, str], Quality]:
        """Of each quantity shown now, the quality of its newest row, where it is not good."""
        found = {}
        for assignment in model.assignments:
            if not assignment.covers(now_ms):
                continue
            quantity = assignment.rate_quantity or assignment.amount_quantity
            key = (assignment.device, quantity)
            start_ms = now_ms - round(OLD_AFTER_S * 1000)
            marks = await self._readings.qualities(self._site, *key, start_ms, now_ms)
            good = self._latest.get(key)
            newest = max(marks, default=None)
            if newest is not None and (good is None or newest >= good.time_ms):
                found[key] = marks[newest]
        return found

    async def _read_curve(self, model: SiteModel, now_ms: int) -> None:
        """Read the windows since the last one, or all of today's when the day, the step or the hour asks for it."""
        day = day_of(now_ms, model.time_zone)
        drawn = [start for windows in self._windows.values() for start in windows]
        step_ms = max(step_for(now_ms - min(drawn)), self._finest_step_ms) if drawn else _FIRST_STEP_MS
        stale = not drawn or min(drawn) < day.start_ms or step_ms != self._step_ms
        if self._is_due("whole curve", WHOLE_CURVE_INTERVAL_S) or stale:
            self._windows = await self._read_windows(model, day.start_ms, now_ms, _FIRST_STEP_MS)
            first = min((start for windows in self._windows.values() for start in windows), default=now_ms)
            step_ms = step_for(now_ms - first)
            if step_ms != _FIRST_STEP_MS:
                self._windows = await self._read_windows(model, first, now_ms, step_ms)
            while (coarser := coarser_step(self._windows, step_ms)) is not None:
                step_ms = self._finest_step_ms = coarser
                self._windows = await self._read_windows(model, first, now_ms, step_ms)
        else:
            # The newest window was not over when it was read.
            newer = await self._read_windows(model, max(drawn), now_ms, step_ms)
            for point, windows in newer.items():
                self._windows.setdefault(point, {}).update(windows)
        self._step_ms = step_ms
        self.curve = build_curve(
            model.points, self._windows, step_ms, (day.start_ms, day.end_ms), example=self._example
        )
        series = _compared_series(model)
        if series is not None:
            rows = await self._readings.intervals(model.site, day.start_ms, day.end_ms, series)
            self.curve = replace(self.curve, expected=_within(expected_powers(rows), self.curve))
        self.curve_version += 1

    async def _read_windows(
        self, model: SiteModel, start_ms: int, end_ms: int, step_ms: int
    ) -> dict[str, dict[int, float]]:
        """Mean powers in kW of the points that make the site's power, by start of window on the step's grid."""
        counted = {
            point.id: point.role
            for point in model.points
            if point.resource is Resource.ELECTRICITY and point.role in _CURVE_ROLES
        }
        start_ms -= start_ms % step_ms
        found: dict[str, dict[int, float]] = {}
        for assignment in model.assignments:
            part = overlap(assignment, start_ms, end_ms)
            if assignment.point in counted and assignment.rate_quantity is not None and part is not None:
                windows = found.setdefault(assignment.point, {})
                await self._add_windows(windows, assignment, counted[assignment.point], part, step_ms)
        return found

    async def _add_windows(
        self, windows: dict[int, float], assignment: Assignment, role: Role, part: tuple[int, int], step_ms: int
    ) -> None:
        # A window in which the device changes belongs to the later one.
        start_ms = part[0] - part[0] % step_ms
        quantity = assignment.rate_quantity or ""
        series = await self._readings.sampled(self._site, assignment.device, quantity, start_ms, part[1], step_ms)
        for time_ms, value in zip(series.times_ms, series.values, strict=True):
            windows[time_ms] = counted_rate(role, value * assignment.factor) / 1000

    def _now(self) -> tuple[Situation, int]:
        now_ms = self._now_ms()
        named = self._named
        length_s = 86_400.0
        if named is not None:
            day = day_of(now_ms, named.model.time_zone)
            length_s = (day.end_ms - day.start_ms) / 1000
        situation = Situation(
            site=self._site,
            site_name=self._site if named is None else named.name,
            points=() if named is None else named.model.points,
            assignments=() if named is None else named.model.assignments,
            latest=self._latest,
            days=self._days,
            day_length_s=length_s,
            qualities=self._qualities,
            problem=self._problem,
            standings=self._standings,
            no_baseline=self._no_baseline,
            missing_values=0 if named is None else named.missing_values,
            wrong_days=0 if named is None else named.wrong_days,
        )
        return situation, now_ms


def _compared_series(model: SiteModel) -> str | None:
    """The series with a baseline whose use is that of the curve: electricity, or all energy where that is the same."""
    if model.accounts is None:
        return None
    electricity = site_series(Resource.ELECTRICITY.value)
    if electricity in model.accounts.baselines:
        return electricity
    only = all(point.resource is Resource.ELECTRICITY for point in counted_points(model.points, ENERGY))
    energy = site_series(ENERGY)
    return energy if only and energy in model.accounts.baselines else None


def _within(expected: Sequence[ExpectedPower], curve: Curve) -> tuple[ExpectedPower, ...]:
    return tuple(entry for entry in expected if curve.start_ms <= entry.time_ms <= curve.end_ms)

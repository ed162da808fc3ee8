"""A bakery with a plan, whose truth is known: 40 kWh a day, 0.1 kWh a kg, and a measure that takes a tenth off both."""

import asyncio
import random
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from evaluation.accounting.days import day_of
from evaluation.evaluator import Evaluator
from evaluation.judging.freezing import Freezer
from evaluation.judging.standing import Standing, Standings
from evaluation.plan.plan_file import PlanFile
from evaluation.site_model import SiteModel, load_model
from site_config.schema import Site, SiteFile
from store.entities import Entities
from store.factory import open_readings
from store.protocol import IntervalRow, OperatedReadingStore
from store.schema import INTERVAL_MS
from store.settings import StoreSettings

SITE = "bakery"
FIRST = date(2026, 6, 1)
BASELINE_DAYS = 42
DAYS = 56
BASE_KWH = 40.0
KWH_A_KG = 0.1
SAVED = 0.1
DAY_MS = 24 * 3_600_000

POINTS: tuple[dict[str, Any], ...] = (
    {"id": "main", "name": "Main", "resource": "electricity", "role": "main", "measured_by": "main-meter"},
    {"id": "oven", "name": "Oven", "resource": "electricity", "parent": "main", "measured_by": "oven-meter"},
    {"id": "bread", "name": "Bread", "resource": "product", "role": "output", "measured_by": "scale"},
)


def plan_document(**change: Any) -> dict[str, Any]:
    """What stands in `plan.yaml`."""
    last = FIRST + timedelta(days=BASELINE_DAYS - 1)
    return {
        "site": SITE,
        "currency": "GHS",
        "variables": {"bread": {"series": ["bread"]}},
        "baselines": [
            {
                "id": "energy",
                "series": "site.energy",
                "period": {"from": FIRST.isoformat(), "to": last.isoformat()},
                "variables": ["bread"],
            }
        ],
        "goals": [{"series": "site.energy", "from": (last + timedelta(days=1)).isoformat(), "to": "2027-07-12"}],
        "emission_factors": [{"of": "electricity", "kg_a_unit": 0.5, "source": "test"}],
        "electricity_tariff": {
            "currency": "GHS",
            "tariffs": [{"name": "flat", "valid_from": "2026-01-01", "energy": [{"price": 2}]}],
        },
        **change,
    }


def midnight_ms(number: int) -> int:
    """The start of a day, counted from the first."""
    return round(datetime.combine(FIRST, datetime.min.time(), UTC).timestamp() * 1000) + number * DAY_MS


@dataclass(frozen=True)
class Truth:
    """Use and production of each day, by number; `unsaved` is what it would have used without the measure."""

    used: tuple[float, ...]
    unsaved: tuple[float, ...]
    bread: tuple[float, ...]


def truth(seed: int = 1, scatter: float = 1.0, *, saved: float = SAVED) -> Truth:
    chance = random.Random(seed)
    bread = tuple(0.0 if number % 7 == 6 else chance.uniform(300, 700) for number in range(DAYS))
    unsaved = tuple(BASE_KWH + KWH_A_KG * kg + chance.gauss(0.0, scatter) for kg in bread)
    used = tuple(use * (1.0 - saved) if day >= BASELINE_DAYS else use for day, use in enumerate(unsaved))
    return Truth(used, unsaved, bread)


class PlannedSite:
    """Stores, a plan, and intervals written as the evaluation would have."""

    def __init__(self, readings: OperatedReadingStore, entities: Entities, folder: Path) -> None:
        self.readings = readings
        self.entities = entities
        self.folder = folder
        self.today = FIRST + timedelta(days=DAYS)

    async def model(self) -> SiteModel:
        entry = await self.entities.site(SITE)
        assert entry is not None
        return await load_model(self.entities, entry)

    async def plan(self, daily: Mapping[str, Mapping[str, float]] | None = None, **change: Any) -> None:
        plan = PlanFile.model_validate(plan_document(**change))
        await self.entities.plans.put(SITE, plan.model_dump(mode="json", by_alias=True), daily or {}, "ana")

    async def write_day(self, number: int, used_kwh: float, bread_kg: float | None) -> None:
        """A day's intervals: half of the use between 6 and 12 o'clock. None: the scale's last quarter is missing."""
        rows = []
        for quarter in range(96):
            start = midnight_ms(number) + quarter * INTERVAL_MS
            share = 0.5 / 24 if 24 <= quarter < 48 else 0.5 / 72
            kg = (bread_kg or 0.0) / 24 if 24 <= quarter < 48 else 0.0
            rows += [row("main", start, used_kwh * share, "electricity"), row("oven", start, 0.1, "electricity")]
            if bread_kg is not None or quarter < 95:
                rows.append(row("bread", start, kg, "product"))
        await self.readings.write_intervals(rows)

    async def write_all(self, found: Truth) -> None:
        for number in range(DAYS):
            await self.write_day(number, found.used[number], found.bread[number])
        await self.rederive()

    async def rederive(self, first: int = 0, last: int = DAYS - 1) -> int:
        """Derive days anew; returns how many rows were written."""
        model = await self.model()
        evaluator = Evaluator(self.readings, model, 60_000, plans=self.entities.plans)
        written = 0
        for number in range(first, last + 1):
            found = await evaluator.rederive(day_of(midnight_ms(number), model.time_zone))
            written += found.intervals + found.days
        await evaluator.settle(day_of(midnight_ms(number), model.time_zone) for number in range(first, last + 1))
        return written + await evaluator.bills.write(
            {FIRST + timedelta(days=number) for number in range(first, last + 1)}
        )

    async def evaluate(self, device: str, days: range) -> None:
        """Evaluate days of which a device's readings have come."""
        evaluator = Evaluator(self.readings, await self.model(), 60_000, plans=self.entities.plans)
        await evaluator.evaluate({device: range(midnight_ms(days.start), midnight_ms(days.stop), INTERVAL_MS)})

    async def freeze(self) -> bool:
        entry = await self.entities.site(SITE)
        assert entry is not None
        return await Freezer(self.readings, self.entities).freeze_what_is_due(entry)

    async def standing(self) -> Standing:
        (found,) = await Standings(self.readings, self.entities.plans).of_site(await self.model(), self.today)
        return found

    async def day(self, number: int, series: str = "site.energy") -> IntervalRow:
        (found,) = await self.readings.days(SITE, midnight_ms(number), midnight_ms(number) + 1, series)
        return found

    async def intervals(self, number: int, series: str = "site.energy") -> list[IntervalRow]:
        return await self.readings.intervals(SITE, midnight_ms(number), midnight_ms(number + 1), series)


def row(point: str, start_ms: int, amount: float, resource: str) -> IntervalRow:
    return IntervalRow(SITE, point, start_ms, amount, amount * 4, 1.0, "measured", resource)


def site(points: Sequence[Mapping[str, Any]] = POINTS) -> Site:
    devices = [{"id": point["measured_by"], "profile": "eastron/sdm630"} for point in points]
    declared = {
        "site": SITE,
        "lines": [{"id": "gateway", "tcp": {"host": "127.0.0.1"}, "devices": devices}],
        "points": points,
    }
    return Site(SiteFile.model_validate(declared))


@asynccontextmanager
async def planned_site(
    folder: Path, store: Mapping[str, Any] | None = None, points: Sequence[Mapping[str, Any]] = POINTS
) -> AsyncIterator[PlannedSite]:
    """A site with stores in a folder, or in the store given; no plan yet."""
    readings = open_readings(StoreSettings.model_validate(store or {"sqlite": folder / "readings.sqlite"}))
    entities = Entities(folder / "entities.sqlite")
    try:
        await entities.import_site(site(points), "ana")
        yield PlannedSite(readings, entities, folder)
    finally:
        await entities.close()
        await readings.close()


def filled_site(folder: Path, fill: Callable[[PlannedSite], Awaitable[None]]) -> Path:
    """A folder with a site that `fill` has written, for tests that each take a copy of it."""

    async def work() -> None:
        async with planned_site(folder) as site:
            await fill(site)

    asyncio.run(work())
    return folder


@asynccontextmanager
async def copied_site(filled: Path, folder: Path) -> AsyncIterator[PlannedSite]:
    """A copy of a filled site, in a folder that is not there yet."""
    shutil.copytree(filled, folder)
    async with planned_site(folder) as site:
        yield site


async def evaluate_all(folder: Path, store: Mapping[str, Any] | None = None) -> None:
    """Make the site in a folder, or in the store given, with a plan, a frozen baseline and everything derived."""
    async with planned_site(folder, store) as opened:
        await opened.plan()
        await opened.write_all(truth())
        waiting = await opened.standing()
        assert (waiting.state, waiting.version) == ("waiting", None)
        assert await opened.freeze()
        await opened.rederive()

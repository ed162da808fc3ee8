"""What the demo says of itself: it reads the store as anybody else would, and counts there."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from leanmeter.demo.child_processes import ChildError
from site_config.points import Resource
from store.factory import open_entities, open_readings
from store.protocol import StoredCount, StoreUnavailableError
from store.server_file import load_server_file
from visit.live import LiveView, Situation, build

_EVER_MS = (0, 4_000_000_000_000)
_RECENT_MS = 60_000
_POLL_INTERVAL_S = 0.2


class DemoStore:
    """The store of a running demo."""

    def __init__(self, directory: Path, site: str) -> None:
        settings = load_server_file(directory / "server.yaml")
        self._site = site
        self._readings = open_readings(settings.store)
        self._entities = open_entities(settings.entities)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._readings.close()
        await self._entities.close()

    async def status_line(self) -> str:
        """One line for the terminal."""
        try:
            view = await self._view()
        except StoreUnavailableError as problem:
            return f"the store does not answer: {problem}"
        if view.site_power_kw is None:
            return f"waiting for the first readings ({view.site_power_note or view.state_text})"
        used = sorted(
            ((point.rate, point.name) for point in view.points if point.group == "use" and point.rate is not None),
            reverse=True,
        )
        shares = ", ".join(f"{name} {rate:.1f}" for rate, name in used)
        return (
            f"site {view.site_power_kw:.1f} kW now: {shares} · newest reading {view.site_power_age_s or 0.0:.0f} s old"
        )

    async def site_power_kw(self) -> float | None:
        """What the site draws now, by the tree of points; None when a meter that counts is silent."""
        power_kw = (await self._view()).site_power_kw
        return None if power_kw is None else round(power_kw, 3)

    async def count(self) -> StoredCount:
        """Count the readings of this demo."""
        return await self._readings.count(self._site)

    async def energy_kwh(self) -> Mapping[str, float]:
        """Electrical energy of each point since the demo's start, from the intervals."""
        electrical = {
            point.id for point in await self._entities.points(self._site) if point.resource is Resource.ELECTRICITY
        }
        sums: dict[str, float] = defaultdict(float)
        for row in await self._readings.intervals(self._site, *_EVER_MS):
            if row.point in electrical:
                sums[row.point] += row.amount
        return {point: round(amount, 6) for point, amount in sorted(sums.items())}

    async def wait_until_evaluated(self, timeout_s: float) -> None:
        """Wait until no interval is marked; raises ChildError when for so long not one of them was done."""
        deadline, fewest = time.monotonic() + timeout_s, None
        while (left := await self._entities.dirty_count()) > 0:
            if fewest is None or left < fewest:
                deadline, fewest = time.monotonic() + timeout_s, left
            if time.monotonic() > deadline:
                raise ChildError(f"evaluation stands still for {timeout_s:.0f} s, with {left} intervals to do")
            await asyncio.sleep(_POLL_INTERVAL_S)

    async def _view(self) -> LiveView:
        now_ms = round(time.time() * 1000)
        situation = Situation(
            site=self._site,
            site_name=self._site,
            points=await self._entities.points(self._site),
            assignments=await self._entities.assignments(self._site),
            latest=await self._readings.latest(self._site, now_ms - _RECENT_MS),
            days={},
            day_length_s=86400.0,
        )
        return build(situation, now_ms)

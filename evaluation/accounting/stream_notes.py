"""What is told of material and waste beside their baselines: what was lost and its cost, and where waste went."""

import math
from collections.abc import Sequence
from datetime import date, timedelta

from baselines.sayings import Saying, say
from evaluation.accounting.days import day_on
from evaluation.metering.site_series import site_series
from evaluation.site_model import SiteModel
from site_config.points import Resource
from store.protocol import IntervalRow, ReadingStore
from store.schema import (
    MATERIALS_WASTED,
    WASTE_DESTINATIONS,
    WASTE_DISPOSED,
    WASTE_RECOVERED,
    WASTE_RECYCLED,
    WASTE_REUSED,
)

DAYS_TOLD = 30


async def stream_notes(readings: ReadingStore, model: SiteModel, series: str, today: date) -> tuple[Saying, ...]:
    """A sentence on the last 30 whole days of materials wasted or of waste; none of other series or without rows."""
    zone = model.time_zone
    start_ms, end_ms = day_on(today - timedelta(days=DAYS_TOLD), zone).start_ms, day_on(today, zone).start_ms

    async def rows_of(resource: str) -> list[IntervalRow]:
        found = await readings.days(model.site, start_ms, end_ms, site_series(resource))
        return [row for row in found if row.coverage]

    if series == site_series(MATERIALS_WASTED):
        currency = None if model.accounts is None else model.accounts.plan.currency
        return _lost(await rows_of(MATERIALS_WASTED), currency)
    if series == site_series(Resource.WASTE.value):
        return _sent({name: math.fsum(row.amount for row in await rows_of(name)) for name in WASTE_DESTINATIONS})
    return ()


def _lost(rows: Sequence[IntervalRow], currency: str | None) -> tuple[Saying, ...]:
    if not rows:
        return ()
    wasted = math.fsum(row.amount for row in rows)
    costs = [row.cost for row in rows if row.cost is not None]
    if currency is None or len(costs) < len(rows):
        return (say("Last 30 days: {wasted:,.0f} kg of material were wasted.", wasted=wasted),)
    return (
        say(
            "Last 30 days: {wasted:,.0f} kg of material were wasted; what was lost cost {cost:,.0f} {currency}.",
            wasted=wasted,
            cost=math.fsum(costs),
            currency=currency,
        ),
    )


def _sent(by_destination: dict[str, float]) -> tuple[Saying, ...]:
    waste = math.fsum(by_destination.values())
    if waste <= 0.0:
        return ()
    shares = {name: kg / waste for name, kg in by_destination.items()}
    return (
        say(
            "Last 30 days: {reused:.0%} of the waste was reused, {recycled:.0%} recycled, {recovered:.0%} otherwise "
            "recovered, {disposed:.0%} disposed of.",
            reused=shares[WASTE_REUSED],
            recycled=shares[WASTE_RECYCLED],
            recovered=shares[WASTE_RECOVERED],
            disposed=shares[WASTE_DISPOSED],
        ),
    )

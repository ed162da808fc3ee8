"""Refrigerants that were topped up, as days of a site: what is filled in was lost before. Pure."""

import math
from datetime import date

from evaluation.accounting.days import Day
from evaluation.metering.intervals import MANUAL
from evaluation.metering.site_series import site_series
from evaluation.plan.plan_file import PlanFile
from store.protocol import IntervalRow
from store.schema import REFRIGERANT

SERIES = site_series(REFRIGERANT)


def refrigerant_day(plan: PlanFile, site: str, day: Day, local: date) -> IntervalRow | None:
    """The kg topped up on a day and their kg CO2e, the same by either method; None on days without."""
    filled = [each for each in plan.refrigerants if each.day == local]
    if not filled:
        return None
    emitted = math.fsum(each.kg * each.factor for each in filled)
    by_contract = any(each.method == "market" for each in plan.emission_factors)
    return IntervalRow(
        site,
        SERIES,
        day.start_ms,
        math.fsum(each.kg for each in filled),
        None,
        1.0,
        MANUAL,
        REFRIGERANT,
        month=day.month,
        co2e=emitted,
        co2e_market=emitted if by_contract else None,
    )

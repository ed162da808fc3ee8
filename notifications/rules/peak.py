"""Demand over what was agreed, or over anything in the last three months."""

from collections.abc import Sequence

from notifications.alarm import Verdict
from site_config.notification_settings import AlarmKind
from store.protocol import IntervalRow

_SETS_PEAK = frozenset({"measured", "corrected"})
# So many quarter hours below the limit are needed before an alarm is over.
QUIET_INTERVALS = 4
LEAST_DAYS = 14
"""Fewer days than this say nothing about what is usual."""


def usual_peak_kw(days: Sequence[IntervalRow]) -> float | None:
    """The highest demand of earlier days of the site; None when they are too few."""
    demands = [day.demand for day in days if day.demand is not None]
    return max(demands) if len(demands) >= LEAST_DAYS else None


def judge_peak(intervals: Sequence[IntervalRow], agreed_kw: float | None, usual_kw: float | None) -> Verdict:
    """Whether the latest 15-minute demand of the site is over its limit.

    `intervals` are the site's of the last hours, ascending. Only those that were read throughout count.
    """
    limit_kw = agreed_kw if agreed_kw is not None else usual_kw
    full = [row for row in intervals if row.demand is not None and row.quality in _SETS_PEAK]
    if limit_kw is None or not full:
        return Verdict(AlarmKind.OVER_PEAK, "", None, {})
    recent = full[-QUIET_INTERVALS:]
    highest = max(recent, key=lambda row: row.demand or 0.0)
    demand_kw = highest.demand or 0.0
    latest_kw = full[-1].demand or 0.0
    if latest_kw > limit_kw:
        raised: bool | None = True
    else:
        raised = None if demand_kw > limit_kw else False
    facts = {
        "demand_kw": demand_kw,
        "limit_kw": limit_kw,
        "agreed": agreed_kw is not None,
        "start_ms": highest.start_ms,
    }
    return Verdict(AlarmKind.OVER_PEAK, "", raised, facts)

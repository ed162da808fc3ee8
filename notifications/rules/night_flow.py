"""Water that never stops at night: a leak, or something left open."""

from collections.abc import Sequence

from notifications.alarm import Verdict
from site_config.notification_settings import AlarmKind
from store.protocol import IntervalRow
from store.schema import INTERVAL_MS

LEAST_COVERAGE = 0.9
_HOUR_MS = 3_600_000
_LITRES = 1000.0
_NOTHING_L = 1e-6


def judge_night_flow(
    point: str, intervals: Sequence[IntervalRow], night: tuple[int, int], least_l_per_h: float
) -> Verdict:
    """Whether a water point's flow came to a standstill for an hour of the night [start, end) in ms.

    Hours, because a meter that counts in tens of litres stands still in many quarter hours of a small leak; where it
    never does, the least quarter hour tells the leak from what people use. Nothing can be told of a night that was not
    measured throughout.
    """
    start_ms, end_ms = night
    rows = {row.start_ms: row for row in intervals}
    starts = range(start_ms, end_ms - _HOUR_MS + 1, _HOUR_MS)
    hours = [[rows.get(at) for at in range(start, start + _HOUR_MS, INTERVAL_MS)] for start in starts]
    whole = [[row.amount for row in hour if row is not None and row.coverage >= LEAST_COVERAGE] for hour in hours]
    if not hours or any(len(amounts) < len(hour) for amounts, hour in zip(whole, hours, strict=True)):
        return Verdict(AlarmKind.NIGHT_FLOW, point, None, {})
    least = min(map(sum, whole))
    quarter = min(map(min, whole))
    if quarter > 0:
        least = min(least, quarter * _HOUR_MS / INTERVAL_MS)
    least_l = least * _LITRES
    facts = {"least_l_per_h": least_l, "start_ms": start_ms, "end_ms": end_ms}
    return Verdict(AlarmKind.NIGHT_FLOW, point, least_l >= max(least_l_per_h, _NOTHING_L), facts)

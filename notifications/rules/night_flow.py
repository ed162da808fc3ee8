"""Water that never stops at night: a leak, or something left open."""

from collections.abc import Sequence

from notifications.alarm import Verdict
from site_config.notification_settings import AlarmKind
from store.protocol import IntervalRow
from store.schema import INTERVAL_MS

LEAST_COVERAGE = 0.9
_HOUR_MS = 3_600_000
_LITRES = 1000.0


def judge_night_flow(
    point: str, intervals: Sequence[IntervalRow], night: tuple[int, int], least_l_per_h: float
) -> Verdict:
    """Whether a water point's flow came to a standstill for an hour of the night [start, end) in ms.

    Hours, because a meter that counts in tens of litres stands still in many quarter hours of a small leak. Nothing
    can be told of a night that was not measured throughout.
    """
    start_ms, end_ms = night
    rows = {row.start_ms: row for row in intervals}
    hours = range(start_ms, end_ms - _HOUR_MS + 1, _HOUR_MS)
    amounts_l = []
    for hour_ms in hours:
        found = [rows.get(at) for at in range(hour_ms, hour_ms + _HOUR_MS, INTERVAL_MS)]
        whole = [row for row in found if row is not None and row.coverage >= LEAST_COVERAGE]
        if len(whole) < len(found):
            return Verdict(AlarmKind.NIGHT_FLOW, point, None, {})
        amounts_l.append(sum(row.amount for row in whole) * _LITRES)
    if not amounts_l:
        return Verdict(AlarmKind.NIGHT_FLOW, point, None, {})
    facts = {"least_l_per_h": min(amounts_l), "start_ms": start_ms, "end_ms": end_ms}
    return Verdict(AlarmKind.NIGHT_FLOW, point, min(amounts_l) >= max(least_l_per_h, 1e-6), facts)

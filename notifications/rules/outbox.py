"""A measuring box whose memory fills because its readings are not taken."""

from collections.abc import Mapping, Sequence

from notifications.alarm import Verdict
from site_config.notification_settings import AlarmKind
from store.protocol import Latest

_FRESH_MS = 10 * 60_000
"""An edge tells of its outbox each minute; what is older was told before its readings stopped."""


def judge_outboxes(
    edges: Sequence[str], use_percent: Mapping[str, Latest], now_ms: int, limit_percent: float
) -> list[Verdict]:
    """Whether the outbox of each edge is fuller than a limit; nothing can be told of an edge that says nothing."""
    verdicts = []
    for edge in edges:
        told = use_percent.get(edge)
        if told is None or now_ms - told.time_ms > _FRESH_MS:
            verdicts.append(Verdict(AlarmKind.OUTBOX_FILLING, edge, None, {}))
        else:
            facts = {"share": told.value / 100}
            verdicts.append(Verdict(AlarmKind.OUTBOX_FILLING, edge, told.value > limit_percent, facts))
    return verdicts

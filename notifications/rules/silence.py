"""No data from an edge, and devices that no longer answer."""

from collections.abc import Mapping

from notifications.alarm import Verdict
from site_config.notification_settings import AlarmKind


def judge_edges(stored_ms: Mapping[str, int], now_ms: int, limit_ms: int) -> list[Verdict]:
    """Whether batches still arrive from each edge; `stored_ms` is when its last one was stored.

    An edge that has never sent anything is being set up, and is not in it.
    """
    return [
        Verdict(AlarmKind.NO_DATA, edge, now_ms - last_ms > limit_ms, {"since_ms": last_ms})
        for edge, last_ms in stored_ms.items()
    ]


def judge_devices(
    newest_ms: Mapping[str, int | None], silent_edge_devices: frozenset[str], now_ms: int, limit_ms: int
) -> list[Verdict]:
    """Whether each device still gives readings; `newest_ms` is the time of its newest one, None where none is known.

    Nothing can be told of the devices of an edge that is silent itself, nor of one that has never been read.
    """
    return [
        Verdict(
            AlarmKind.DEVICE_SILENT,
            device,
            None if last_ms is None or device in silent_edge_devices else now_ms - last_ms > limit_ms,
            {} if last_ms is None else {"since_ms": last_ms},
        )
        for device, last_ms in newest_ms.items()
    ]

"""Whether everything that was measured has arrived and been stored."""

from collections.abc import Mapping, Sequence

from notifications.alarm import Verdict
from site_config.notification_settings import AlarmKind
from store.edge_ledger import Reconciliation


def judge_reconciliation(edges: Sequence[str], compared: Sequence[Reconciliation]) -> list[Verdict]:
    """Whether the store holds of each edge what the edge told of, in the days that were compared lately."""
    verdicts = []
    for edge in edges:
        mine = [entry for entry in compared if entry.edge == edge]
        wrong = [entry for entry in mine if not entry.agrees]
        facts: dict[str, str | int | float | bool] = {}
        if wrong:
            facts = {
                "device": wrong[-1].device,
                "day_ms": wrong[-1].day_ms,
                "told": wrong[-1].told,
                "stored": wrong[-1].stored,
                "devices": len({entry.device for entry in wrong}),
            }
        verdicts.append(Verdict(AlarmKind.RECONCILIATION, edge, bool(wrong) if mine else None, facts))
    return verdicts


def judge_quarantine(edges: Sequence[str], entries: Mapping[str, int]) -> list[Verdict]:
    """Whether something of an edge could not be stored and lies in the quarantine; `entries` is how much, if known."""
    return [
        Verdict(
            AlarmKind.QUARANTINE,
            edge,
            None if edge not in entries else entries[edge] > 0,
            {"entries": entries.get(edge, 0)},
        )
        for edge in edges
    ]

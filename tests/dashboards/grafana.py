"""What Grafana does to a panel's query before its InfluxDB data source sends it."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dashboards.build import GENERATED

DAY_MS = 86_400_000
SHORTEST_STEP_MS = 1_000
POINTS_IN_A_PANEL = 800
STEPS = {"2s": 2_000, "10s": 10_000, "15m": 900_000}
RANGES = {"1h": DAY_MS // 24, "24h": DAY_MS, "30d": 30 * DAY_MS}


@dataclass(frozen=True, slots=True)
class Target:
    """One query of a panel; `step_ms` is the panel's shortest interval, `shown` its own time range if it has one."""

    board: str
    title: str
    ref_id: str
    query: str
    step_ms: int
    shown: str | None

    def __str__(self) -> str:
        return f"{self.board}/{self.title}/{self.ref_id}".replace(" ", "-")


def load(path: Path) -> dict[str, Any]:
    board: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return board


def generated() -> list[Path]:
    return sorted(GENERATED.glob("*.json"))


def targets() -> list[Target]:
    return [target for path in generated() for target in targets_of(path.stem, load(path))]


def targets_of(name: str, board: Mapping[str, Any]) -> Iterator[Target]:
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            step_ms = STEPS[panel["interval"]] if "interval" in panel else SHORTEST_STEP_MS
            yield Target(name, panel["title"], target["refId"], target["query"], step_ms, panel.get("timeFrom"))


def render(target: Target, chosen: Mapping[str, str | list[str]], now_ms: int) -> str:
    """The InfluxQL that is sent, for the variables chosen and the time shown.

    Raises KeyError for a variable that the dashboard does not have.
    """
    start_ms = _start_ms(target.shown or "24h", now_ms)
    step_ms = max(target.step_ms, (now_ms - start_ms) // POINTS_IN_A_PANEL)
    query = interpolate(target.query, chosen)
    query = query.replace("$timeFilter", f"time >= {start_ms}ms and time <= {now_ms}ms")
    return query.replace("$__interval", f"{step_ms}ms")


def interpolate(query: str, chosen: Mapping[str, str | list[str]]) -> str:
    """Variables with a format that is named: `regex` escapes each value and joins several, `raw` does neither."""

    def value(match: re.Match[str]) -> str:
        found = chosen[match["name"]]
        if found == "$__all":
            return ".*"
        if match["format"] == "raw":
            if not isinstance(found, str):
                raise TypeError(f"{match[0]}: several values at once")
            return found
        escaped = [
            re.sub(r"[\\^$*+?.()|\[\]{}/]", r"\\\g<0>", each) for each in ([found] if isinstance(found, str) else found)
        ]
        return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"

    return re.sub(r"\$\{(?P<name>\w+):(?P<format>raw|regex)\}", value, query)


def _start_ms(shown: str, now_ms: int) -> int:
    if shown == "now/d":
        midnight = datetime.fromtimestamp(now_ms / 1000, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return round(midnight.timestamp() * 1000)
    return now_ms - RANGES[shown]

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
_UNITS_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": DAY_MS}
_ALL = "$__all"

Chosen = Mapping[str, str | list[str]]


@dataclass(frozen=True, slots=True)
class Target:
    """One query of a panel.

    `step_ms` is the panel's shortest interval, `shown` the time that it shows as Grafana writes it: `now/d`, `30d`.
    `defaults` are what the dashboard's variables are at first, `every` what stands for all of a variable's values.
    """

    board: str
    title: str
    ref_id: str
    query: str
    step_ms: int
    shown: str
    defaults: Mapping[str, Any]
    every: Mapping[str, str]

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
    variables = [each for each in board["templating"]["list"] if each["type"] != "datasource"]
    defaults = {each["name"]: each["current"]["value"] for each in variables}
    every = {each["name"]: each["allValue"] for each in variables if each.get("allValue")}
    for panel in board["panels"]:
        step_ms = duration_ms(panel["interval"]) if "interval" in panel else SHORTEST_STEP_MS
        shown = panel.get("timeFrom") or board["time"]["from"]
        for target in panel.get("targets", []):
            query = target["query"]
            yield Target(name, panel["title"], target["refId"], query, step_ms, shown, defaults, every)
    for mark in board.get("annotations", {}).get("list", []):
        if "query" in mark:
            yield Target(
                name, mark["name"], "marks", mark["query"], SHORTEST_STEP_MS, board["time"]["from"], defaults, every
            )


def render(target: Target, chosen: Chosen, now_ms: int, shown: str | None = None) -> str:
    """The InfluxQL that is sent, for the variables chosen, the time shown and a clock that stands at `now_ms`.

    Raises KeyError for a variable that the dashboard does not have.
    """
    start_ms = start_of(shown or target.shown, now_ms)
    step_ms = max(target.step_ms, (now_ms - start_ms) // POINTS_IN_A_PANEL)
    query = interpolate(target.query, {**target.defaults, **chosen}, target.every)
    query = query.replace("$timeFilter", f"time >= {start_ms}ms and time <= {now_ms}ms")
    return query.replace("$__interval", f"{step_ms}ms").replace("now()", f"{now_ms}ms")


def interpolate(query: str, chosen: Chosen, every: Mapping[str, str]) -> str:
    """Variables with a format that is named: `regex` escapes each value and joins several, `raw` does neither."""

    def value(match: re.Match[str]) -> str:
        found = chosen[match["name"]]
        if found in (_ALL, [_ALL]):
            return every[match["name"]]
        if match["format"] == "raw":
            if not isinstance(found, str):
                raise TypeError(f"{match[0]}: several values at once")
            return found
        escaped = [
            re.sub(r"[\\^$*+?.()|\[\]{}/]", r"\\\g<0>", each) for each in ([found] if isinstance(found, str) else found)
        ]
        return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"

    return re.sub(r"\$\{(?P<name>\w+):(?P<format>raw|regex)\}", value, query)


def duration_ms(text: str) -> int:
    """Of a duration as Grafana and InfluxQL write it: 15m."""
    return int(text[:-1]) * _UNITS_MS[text[-1]]


def start_of(shown: str, now_ms: int) -> int:
    """The beginning of a time range that ends now: `now/d` (of UTC), `now-30d`, `30d`."""
    if shown == "now/d":
        midnight = datetime.fromtimestamp(now_ms / 1000, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return round(midnight.timestamp() * 1000)
    return now_ms - duration_ms(shown.removeprefix("now-"))

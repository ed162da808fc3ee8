"""Alert rules as Grafana provisions them from a file: what somebody should be told without looking.

One rule watches all sites: each site, edge or meter is an alert of its own, with its tags as labels. Grafana takes
queries and annotations of the file as they stand, and fills in its environment in everything else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from dashboards.board import uid_of
from dashboards.influxql import (
    AGENTS,
    AMOUNT,
    DAYS,
    DEMAND,
    DEVICE,
    EDGES,
    EVERY_SITE,
    INTERVALS,
    MINIMUM,
    POINT,
    READING,
    SERVER,
    SHOWN_TIME,
    UPPER,
    nested,
    points,
    select,
    whole_site,
)
from dashboards.query import PLUGIN
from dashboards.site_names import SiteNames
from dashboards.variables import PROVISIONED_DATASOURCE
from store import schema

FOLDER = "Leanmeter"
MINUTE_S = 60
DAY_S = 86_400
YESTERDAY = (2 * DAY_S, DAY_S)
"""Days begin at their site's midnight: exactly one begins between 48 and 24 hours ago, and it is over."""
SILENT_S = 600
RUNNING_TAP_M3_H = 0.02
EXPRESSION = "__expr__"

Seconds = tuple[int, int]
"""From and to, in seconds before now."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One rule.

    `queries` are InfluxQL and the time that each is asked for; the last value of each counts. The rule fires where that
    of the first is above `above`, or above that of the second. `panel` is what to look at, by dashboard and title.
    """

    uid: str
    title: str
    summary: str
    queries: Sequence[tuple[str, Seconds]]
    panel: tuple[str, str]
    above: float | None = None
    waits: str = "5m"
    severity: str = "warning"
    when_nothing_answers: str = "OK"


def alerts(names: SiteNames) -> list[Alert]:
    """All rules; what a site has no points for is left out."""
    found = [_collector_silent(), _edge_silent(), _device_silent(), _outbox_filling(), _not_whole(), _quarantine()]
    if names.main_points:
        found.append(_over_peak(names))
    found.append(_over_expected())
    if "water" in names.points:
        found.append(_night_flow())
    return found


def rules(names: SiteNames, panel_ids: Mapping[tuple[str, str], int]) -> str:
    """The text of the file with the rules; `panel_ids` are those of the dashboards' panels, by dashboard and title."""
    group = {
        "orgId": 1,
        "name": "leanmeter",
        "folder": FOLDER,
        "interval": "1m",
        "rules": [_rule(alert, panel_ids[alert.panel]) for alert in alerts(names)],
    }
    return _file({"groups": [group]})


def notifications() -> str:
    """The text of the file that says who is told: one address, all alerts of a site together, and again after a day."""
    receiver = {
        "uid": "leanmeter-mail",
        "type": "email",
        "settings": {"addresses": "${LEANMETER_ALERT_EMAIL}", "singleEmail": True},
        "disableResolveMessage": False,
    }
    policy = {
        "orgId": 1,
        "receiver": FOLDER,
        "group_by": ["alertname", schema.TAG_SITE],
        "group_wait": "1m",
        "group_interval": "15m",
        "repeat_interval": "1d",
    }
    return _file(
        {"contactPoints": [{"orgId": 1, "name": FOLDER, "receivers": [receiver]}], "policies": [policy]},
    )


def _file(content: dict[str, Any]) -> str:
    return "# Written by `leanmeter dashboards build`; docs/grafana.md says what it does.\n" + yaml.safe_dump(
        {"apiVersion": 1, **content}, sort_keys=False, width=120, allow_unicode=True
    )


def _collector_silent() -> Alert:
    query = select('last("store_available") AS "available"', READING, SERVER, SHOWN_TIME)
    return Alert(
        "leanmeter-collector-silent",
        "Collector or store does not answer",
        "For five minutes neither the collector has told of itself nor could it be asked. Edges keep their readings "
        "until it is back.",
        [(query, (5 * MINUTE_S, 0))],
        ("fleet", "Work that waits"),
        # It can only be above when there is no answer at all.
        above=1.0,
        severity="critical",
        when_nothing_answers="Alerting",
    )


def _edge_silent() -> Alert:
    query = select('last("last_batch_age_s") AS "age"', READING, SERVER, EDGES, SHOWN_TIME, group_by=DEVICE)
    return Alert(
        "leanmeter-no-data",
        "No data from an edge",
        "{{ $labels.device }} has sent nothing for more than ten minutes. It keeps its readings; look at its power and "
        "its network.",
        [(query, (5 * MINUTE_S, 0))],
        ("fleet", "Edges"),
        above=SILENT_S,
        severity="critical",
    )


def _device_silent() -> Alert:
    by = f"{EVERY_SITE}, {DEVICE}"
    installed = select('last("devices_installed") AS "installed"', READING, AGENTS, SHOWN_TIME, group_by=by)
    alive = select('last("devices_alive") AS "alive"', READING, AGENTS, SHOWN_TIME, group_by=by)
    time = (10 * MINUTE_S, 0)
    return Alert(
        "leanmeter-device-silent",
        "A meter does not answer",
        "Of {{ $values.A.Value }} meters and scales of {{ $labels.site }}, {{ $values.B.Value }} answer. leanmeter "
        "edge status names the others.",
        [(installed, time), (alive, time)],
        ("fleet", "Agents"),
        waits="10m",
    )


def _outbox_filling() -> Alert:
    by = f"{EVERY_SITE}, {DEVICE}"
    query = select('last("outbox_use_percent") AS "use"', READING, AGENTS, SHOWN_TIME, group_by=by)
    return Alert(
        "leanmeter-outbox",
        "An outbox fills up",
        "The edge of {{ $labels.site }} has used {{ $values.A.Value }} % of the room for what is not stored yet. When "
        "it is full, readings are thinned: totals stay exact, the course of the day does not.",
        [(query, (10 * MINUTE_S, 0))],
        ("fleet", "Room used in the outbox"),
        above=80,
    )


def _not_whole() -> Alert:
    query = select('last("days_with_mismatch") AS "days"', READING, SERVER, EDGES, SHOWN_TIME, group_by=DEVICE)
    return Alert(
        "leanmeter-reconciliation",
        "A day did not arrive whole",
        "Of {{ $labels.device }} the store holds less of one of the last seven days than the edge has counted.",
        [(query, (5 * MINUTE_S, 0))],
        ("fleet", "Values missing in the last seven days, this site"),
        above=0,
        waits="15m",
    )


def _quarantine() -> Alert:
    query = select('last("quarantine_entries") AS "entries"', READING, SERVER, EDGES, SHOWN_TIME, group_by=DEVICE)
    return Alert(
        "leanmeter-quarantine",
        "Something could not be stored",
        "What {{ $labels.device }} sent was set aside and waits for somebody: leanmeter collector quarantine list.",
        [(query, (5 * MINUTE_S, 0))],
        ("fleet", "In quarantine"),
        above=0,
    )


def _over_peak(names: SiteNames) -> Alert:
    main, by = points(names.main_points), f"{EVERY_SITE}, {POINT}"
    now = select(f"max({DEMAND}) AS {DEMAND}", INTERVALS, main, SHOWN_TIME, group_by=by)
    before = select(f"max({DEMAND}) AS {DEMAND}", DAYS, main, SHOWN_TIME, group_by=by)
    return Alert(
        "leanmeter-over-peak",
        "A new peak",
        "{{ $labels.site }} has just taken {{ $values.A.Value }} kW over 15 minutes, more than in any quarter of an "
        "hour of the last 30 days ({{ $values.B.Value }} kW). Where demand is billed, this one sets the price.",
        [(now, (45 * MINUTE_S, 0)), (before, (31 * DAY_S, DAY_S))],
        ("power", "Highest 15 minutes of each day"),
        waits="0s",
    )


def _over_expected() -> Alert:
    # A week's, month's or shift's row stands at its last day, and is judged instead of its days.
    of = f"{POINT} =~ /^site\\.(energy|electricity|water|waste)(\\.(week|month|shift\\.[a-z0-9_]+))?$/"
    by = f"{EVERY_SITE}, {POINT}"
    over = select(f'{AMOUNT} - {UPPER} AS "over"', DAYS, of, SHOWN_TIME, f"{UPPER} > 0", group_by=by)
    query = select('last("over") AS "over"', nested(over), SHOWN_TIME, group_by=by)
    return Alert(
        "leanmeter-over-expected",
        "More used than expected",
        "{{ $labels.point }} of {{ $labels.site }} was above the band of what was expected of it. Something ran "
        "that should not, or something new was not told to the baseline.",
        [(query, YESTERDAY)],
        ("energy", "Each day against expected and goal"),
        above=0,
        waits="0s",
        severity="info",
    )


def _night_flow() -> Alert:
    query = select(f"last({MINIMUM}) AS {MINIMUM}", DAYS, whole_site("water"), SHOWN_TIME, group_by=EVERY_SITE)
    return Alert(
        "leanmeter-night-flow",
        "Water never stopped",
        "At {{ $labels.site }} water ran through the whole of a day, at {{ $values.A.Value }} m³/h at least. Where "
        "nobody works at night that is a leak.",
        [(query, YESTERDAY)],
        ("water", "Lowest flow of each day"),
        above=RUNNING_TAP_M3_H,
        waits="0s",
        severity="info",
    )


def _rule(alert: Alert, panel_id: int) -> dict[str, Any]:
    named = list(zip("AB", alert.queries, strict=False))
    queries = [_query(f"Q{ref}", influxql, time) for ref, (influxql, time) in named]
    numbers = [_reduced(ref, f"Q{ref}") for ref, _ in named]
    expression = "$A > $B" if alert.above is None else f"$A > {alert.above:g}"
    return {
        "uid": alert.uid,
        "title": alert.title,
        "condition": "C",
        "data": [*queries, *numbers, _expression("C", {"type": "math", "expression": expression})],
        "noDataState": alert.when_nothing_answers,
        # A store that does not answer has a rule of its own, and must not set off all others.
        "execErrState": "Alerting" if alert.when_nothing_answers == "Alerting" else "OK",
        "for": alert.waits,
        "annotations": {
            "summary": alert.summary,
            "__dashboardUid__": uid_of(alert.panel[0]),
            "__panelId__": str(panel_id),
        },
        "labels": {"severity": alert.severity, "source": "leanmeter"},
        "isPaused": False,
    }


def _query(ref_id: str, influxql: str, time: Seconds) -> dict[str, Any]:
    uid = str(PROVISIONED_DATASOURCE.value)
    return {
        "refId": ref_id,
        "relativeTimeRange": {"from": time[0], "to": time[1]},
        "datasourceUid": uid,
        "model": {
            "refId": ref_id,
            "datasource": {"type": PLUGIN, "uid": uid},
            "query": influxql,
            "rawQuery": True,
            "resultFormat": "time_series",
            "intervalMs": 1000,
            "maxDataPoints": 1000,
        },
    }


def _reduced(ref_id: str, of: str) -> dict[str, Any]:
    # Without a value there is no alert, rather than one about nothing.
    return _expression(ref_id, {"type": "reduce", "expression": of, "reducer": "last", "settings": {"mode": "dropNN"}})


def _expression(ref_id: str, model: dict[str, Any]) -> dict[str, Any]:
    return {
        "refId": ref_id,
        "relativeTimeRange": {"from": 0, "to": 0},
        "datasourceUid": EXPRESSION,
        "model": {"refId": ref_id, "datasource": {"type": EXPRESSION, "uid": EXPRESSION}, **model},
    }

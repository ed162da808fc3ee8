"""Brings a Grafana's alert rules, and who is told of them, to what is built; what a user has changed is kept.

Grafana does not say who saved a rule. So each carries a print of what was pushed, in an annotation that Grafana keeps
out of messages: a rule that no longer fits its own print was changed by somebody.
"""

import difflib
import hashlib
import json
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from leanmeter.dashboards.dashboard_push import FOLDER, KEPT, Change
from leanmeter.dashboards.grafana_client import GrafanaClient, GrafanaError

Part = dict[str, Any]
"""A rule, contact point or policy as its JSON."""

PRINT = "__leanmeter__"
SOURCE = ("source", "=", "leanmeter")
"""The label by which our alerts are told from all others."""
_API = "/api/v1/provisioning"
_OF_A_RULE = ("title", "condition", "noDataState", "execErrState", "labels")
_OF_A_MODEL = ("query", "rawQuery", "resultFormat", "type", "expression", "reducer", "settings")
"""What people change; the server adds more, and other things in each version."""
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_EXPRESSION = "__expr__"


@dataclass(frozen=True, slots=True)
class AlertStep:
    """One rule, contact point or policy of a push: what Grafana holds (None: nothing), what it will, and how."""

    name: str
    change: Change
    before: Part | None
    after: Part
    apply: Callable[[], Awaitable[None]]

    def differences(self) -> Iterator[str]:
        """A line for each key that differs, for people."""
        if self.before is not None and self.change is not Change.SAME:
            before = self.before
            yield from (f"~ {key}" for key in sorted({*before, *self.after}) if before.get(key) != self.after.get(key))

    def unified(self) -> Iterator[str]:
        """The difference as a patch of the JSON."""
        if self.change is not Change.SAME:
            yield from difflib.unified_diff(
                _lines(self.before or {}), _lines(self.after), f"grafana/{self.name}", f"built/{self.name}",
                lineterm="", n=2,
            )  # fmt: skip


async def data_source(client: GrafanaClient, wanted: str) -> str:
    """The uid of the InfluxDB that rules shall ask: the one wanted, else the only one. Raises GrafanaError."""
    found = await client.call("GET", "/api/datasources")
    uids = {str(each["uid"]): each["name"] for each in found if each["type"] == "influxdb"}
    if wanted in uids:
        return wanted
    if len(uids) == 1:
        return next(iter(uids))
    known = ", ".join(f"{uid} ({name})" for uid, name in uids.items()) or "no InfluxDB at all"
    raise GrafanaError(f"--data-source {wanted}: Grafana has no such InfluxDB; it has {known}")


async def plan_rules(client: GrafanaClient, rules: Sequence[Part], group: str, source: str) -> list[AlertStep]:
    """What a push of these rules would do; changes nothing. They will ask the data source with the uid `source`.

    A rule stays paused, and in the folder and group, where somebody has put it. Raises GrafanaError when Grafana cannot
    be asked, or holds a rule that comes from a file.
    """
    return [await _rule_step(client, _asking(rule, source), group) for rule in rules]


async def plan_notifications(client: GrafanaClient, receiver: Part, policy: Part, email: str) -> list[AlertStep]:
    """What a push of the contact point and of its policy would do; changes nothing.

    Only our alerts get a policy of their own, before all others; one that somebody has changed is left. Raises
    GrafanaError.
    """
    return [await _contact_step(client, receiver, policy["receiver"], email), await _policy_step(client, policy)]


async def push(client: GrafanaClient, steps: Sequence[AlertStep]) -> None:
    """Do it, in this order. Raises GrafanaError."""
    await client.make_folder(*FOLDER)
    if any(step.change is Change.KEPT_ASIDE for step in steps):
        await client.make_folder(*KEPT)
    for step in steps:
        if step.change not in {Change.SAME, Change.LEFT}:
            await step.apply()


async def _rule_step(client: GrafanaClient, rule: Part, group: str) -> AlertStep:
    place = f"{_API}/alert-rules/{rule['uid']}"
    stored: Part | None = await client.call("GET", place, missing=True)
    after = _essence(rule)
    wanted: Part = {**rule, "orgID": 1, "folderUID": FOLDER[0], "ruleGroup": group}
    wanted["annotations"] = {**rule["annotations"], PRINT: _print(after)}
    if stored is None:

        async def create() -> None:
            await client.call("POST", f"{_API}/alert-rules", wanted)

        return AlertStep(f"alert rule {rule['title']!r}", Change.NEW, None, after, create)
    _no_file(stored, f"alert rule {rule['uid']}")
    before = _essence(stored)
    change = Change.SAME
    if before != after:
        changed = (stored.get("annotations") or {}).get(PRINT) != _print(before)
        change = Change.KEPT_ASIDE if changed else Change.UPDATED

    async def replace() -> None:
        if await client.call("GET", place, missing=True) != stored:
            raise GrafanaError(f"alert rule {rule['uid']}: somebody has just changed it in Grafana; push again")
        if change is Change.KEPT_ASIDE:
            await _keep(client, stored, _print(before))
        kept = {key: stored[key] for key in ("folderUID", "ruleGroup", "isPaused") if key in stored}
        await client.call("PUT", place, wanted | kept, provenance=_provenance(stored))

    return AlertStep(f"alert rule {rule['title']!r}", change, before, after, replace)


async def _keep(client: GrafanaClient, stored: Part, mark: str) -> None:
    uid = f"{stored['uid']}-{mark}"[-40:]
    if await client.call("GET", f"{_API}/alert-rules/{uid}", missing=True) is not None:
        # An earlier push was interrupted between keeping and replacing.
        return
    kept = {key: value for key, value in stored.items() if key not in {"id", "updated", "provenance"}}
    kept |= {"uid": uid, "title": f"{stored['title']} (as changed, {mark})", "folderUID": KEPT[0], "isPaused": True}
    # Should this Grafana not know paused rules, nobody is told twice.
    kept["labels"] = {**(stored.get("labels") or {}), "source": "leanmeter-kept"}
    await client.call("POST", f"{_API}/alert-rules", kept)


async def _contact_step(client: GrafanaClient, receiver: Part, name: str, email: str) -> AlertStep:
    points = await client.call("GET", f"{_API}/contact-points")
    stored: Part | None = next((point for point in points or [] if point.get("uid") == receiver["uid"]), None)
    settings = {**receiver["settings"], **({} if stored is None else stored["settings"]), "addresses": email}
    wanted = {**receiver, "name": name, **({} if stored is None else stored), "settings": settings}
    change = Change.NEW if stored is None else Change.SAME if stored["settings"] == settings else Change.UPDATED
    if stored is not None and change is Change.UPDATED:
        _no_file(stored, f"contact point {name}")

    async def apply() -> None:
        if stored is None:
            await client.call("POST", f"{_API}/contact-points", wanted)
        else:
            place = f"{_API}/contact-points/{receiver['uid']}"
            await client.call("PUT", place, wanted, provenance=_provenance(stored))

    before = None if stored is None else dict(stored["settings"])
    return AlertStep(f"contact point {name!r}", change, before, settings, apply)


async def _policy_step(client: GrafanaClient, policy: Part) -> AlertStep:
    tree: Part = await client.call("GET", f"{_API}/policies")
    ours = {key: value for key, value in policy.items() if key != "orgId"} | {"object_matchers": [list(SOURCE)]}
    routes: list[Part] = tree.get("routes") or []
    stored = next((route for route in routes if _is_of_our_alerts(route)), None)
    change = Change.NEW
    if stored is not None:
        alike = all(stored.get(key) == value for key, value in ours.items())
        change = Change.SAME if alike else Change.LEFT
    else:
        _no_file(tree, "notification policies")

    async def apply() -> None:
        if await client.call("GET", f"{_API}/policies") != tree:
            raise GrafanaError("notification policies: somebody has just changed them in Grafana; push again")
        wanted = {**tree, "routes": [ours, *routes]}
        await client.call("PUT", f"{_API}/policies", wanted, provenance=_provenance(tree))

    return AlertStep("notification policy for our alerts", change, stored, ours, apply)


def _is_of_our_alerts(route: Part) -> bool:
    return list(SOURCE) in [list(matcher) for matcher in route.get("object_matchers") or []]


def _provenance(stored: Part) -> str:
    return str(stored.get("provenance") or "")


def _no_file(stored: Part, what: str) -> None:
    if _provenance(stored) == "file":
        raise GrafanaError(
            f"{what}: this Grafana takes it from a file (provisioning); replace the file, or remove it there first"
        )


def _asking(rule: Part, source: str) -> Part:
    """The rule with its queries sent to another data source."""

    def query(entry: Part) -> Part:
        if entry["datasourceUid"] == _EXPRESSION:
            return entry
        model = {**entry["model"], "datasource": {**entry["model"]["datasource"], "uid": source}}
        return {**entry, "datasourceUid": source, "model": model}

    return {**rule, "data": [query(entry) for entry in rule["data"]]}


def _essence(rule: Mapping[str, Any]) -> Part:
    """What makes a rule this rule, alike before and after Grafana has stored it."""
    essence: Part = {key: rule.get(key) or ({} if key == "labels" else "") for key in _OF_A_RULE}
    notes = rule.get("annotations") or {}
    essence["annotations"] = {key: value for key, value in notes.items() if key != PRINT}
    essence["for"] = _seconds(str(rule.get("for") or "0s"))
    essence["data"] = [
        {
            "refId": entry["refId"],
            "relativeTimeRange": {name: (entry.get("relativeTimeRange") or {}).get(name, 0) for name in ("from", "to")},
            "datasourceUid": entry["datasourceUid"],
            "model": {key: entry["model"][key] for key in _OF_A_MODEL if key in entry["model"]},
        }
        for entry in rule["data"]
    ]
    return essence


def _print(essence: Part) -> str:
    text = json.dumps(essence, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _seconds(duration: str) -> float:
    """Of a duration as Grafana writes it: 5m, 5m0s, 1d."""
    return sum(float(number) * _SECONDS[unit] for number, unit in re.findall(r"([\d.]+)(ms|[smhdw])", duration))


def _lines(part: Part) -> list[str]:
    return json.dumps(part, indent=1, sort_keys=True, ensure_ascii=False).splitlines()

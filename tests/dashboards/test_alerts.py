"""The alert rules: as Grafana documents them, and on real data do they fire when they should and only then."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.models.alerting import Rule

from dashboards.build import GENERATED
from dashboards.query import PLUGIN
from dashboards.variables import PROVISIONED_DATASOURCE
from store import schema
from tests.dashboards.filled import NOW_MS, Filled
from tests.dashboards.grafana import load
from tests.dashboards.provisioning_models import AlertFile, NotificationFile
from tests.servers.influxdb import InfluxDB

ALERTING = GENERATED / "alerting"
DAY_MS = 86_400_000
Ask = Callable[[str], list[dict[str, Any]]]


def read(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ALERTING / name).read_text(encoding="utf-8"))
    return loaded


def rules() -> list[dict[str, Any]]:
    (group,) = read("rules.yaml")["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def rule(uid: str) -> dict[str, Any]:
    return next(each for each in rules() if each["uid"] == f"leanmeter-{uid}")


each_rule = pytest.mark.parametrize("each", rules(), ids=lambda each: each["uid"])


def influxql(query: dict[str, Any], now_ms: int) -> str:
    start_ms, end_ms = (now_ms - query["relativeTimeRange"][name] * 1000 for name in ("from", "to"))
    filled = f"time >= {start_ms}ms and time <= {end_ms}ms"
    text: str = query["model"]["query"]
    return text.replace("$timeFilter", filled)


def numbers(each: dict[str, Any], ask: Ask, now_ms: int) -> dict[str, dict[frozenset[str], float]]:
    """The last number of each reduced query, by the labels of its series."""
    found: dict[str, dict[frozenset[str], float]] = {}
    by_ref = {query["refId"]: query for query in each["data"]}
    for query in each["data"]:
        model = query["model"]
        if model.get("type") != "reduce":
            continue
        assert model["reducer"] == "last"
        values: dict[frozenset[str], float] = {}
        for row in ask(influxql(by_ref[model["expression"]], now_ms)):
            (value,) = [value for key, value in row.items() if key != "time" and isinstance(value, (int, float))]
            values[frozenset(text for text in row.values() if isinstance(text, str))] = value
        found[query["refId"]] = values
    return found


def firing(each: dict[str, Any], ask: Ask, now_ms: int) -> set[frozenset[str]]:
    """The labels for which the condition holds, as Grafana's expressions find them."""
    found = numbers(each, ask, now_ms)
    (condition,) = [query["model"]["expression"] for query in each["data"] if query["refId"] == each["condition"]]
    left, right = re.fullmatch(r"\$(\w) > (\S+)", condition).groups()  # type: ignore[union-attr]  # else the test fails
    if not right.startswith("$"):
        return {labels for labels, value in found[left].items() if value > float(right)}
    other = found[right[1:]]
    return {labels for labels, value in found[left].items() if labels in other and value > other[labels]}


def test_files_are_as_grafana_documents_them() -> None:
    AlertFile.model_validate(read("rules.yaml"))
    written = NotificationFile.model_validate(read("notifications.yaml"))

    assert [policy.receiver for policy in written.policies] == [point.name for point in written.contactPoints]


@each_rule
def test_the_sdk_reads_each_rule(each: dict[str, Any]) -> None:
    duration = {"for": each["for"], "folderUID": "x", "orgID": 1, "ruleGroup": "leanmeter"}
    read_back = Rule.from_json({**each, **duration})

    assert read_back.condition == each["condition"]
    assert [query.ref_id for query in read_back.data or []] == [query["refId"] for query in each["data"]]


def test_rules_are_told_apart_and_short_enough() -> None:
    for key in ("uid", "title"):
        values = [each[key] for each in rules()]
        assert len(values) == len(set(values))
    assert all(len(each["uid"]) <= 40 for each in rules())
    # Grafana fills in its environment here, and would take any other $ away.
    assert not any("$" in each["title"] + "".join(each["labels"].values()) for each in rules())


@each_rule
def test_expressions_follow_from_queries_of_the_provisioned_source(each: dict[str, Any]) -> None:
    refs = {query["refId"] for query in each["data"]}
    for query in each["data"]:
        model = query["model"]
        assert model["refId"] == query["refId"]
        assert model["datasource"]["uid"] == query["datasourceUid"]
        if query["datasourceUid"] == "__expr__":
            assert set(re.findall(r"\$?\b(Q?[ABC])\b", model["expression"])) <= refs
            continue
        assert (model["datasource"]["type"], query["datasourceUid"]) == (PLUGIN, PROVISIONED_DATASOURCE.value)
        assert model["query"].count("SELECT") == model["query"].count("$timeFilter")
        assert len(set(re.findall(r'FROM "(\w+)"', model["query"]))) == 1
    assert each["condition"] in refs


@each_rule
def test_each_leads_to_a_panel(each: dict[str, Any]) -> None:
    uid, panel_id = (each["annotations"][f"__{name}__"] for name in ("dashboardUid", "panelId"))
    board = load(GENERATED / f"{uid.removeprefix('leanmeter-')}.json")

    assert int(panel_id) in {panel["id"] for panel in board["panels"] if panel["type"] != "row"}


@each_rule
def test_each_query_returns_rows_from_simulated_plants(filled: Filled, each: dict[str, Any]) -> None:
    assert all(values for values in numbers(each, filled.ask, NOW_MS).values())


@pytest.mark.parametrize(
    "uid", ["collector-silent", "no-data", "device-silent", "outbox", "reconciliation", "over-expected"]
)
def test_nothing_fires_when_all_is_well(filled: Filled, uid: str) -> None:
    assert firing(rule(uid), filled.ask, NOW_MS) == set()


@pytest.fixture(scope="module")
def told(influxdb: InfluxDB) -> Iterator[Ask]:
    """A bucket in which of each kind of thing one is as it should be (`calm`) and one is not (`bad`)."""
    name = "alerts-told"
    bucket_id = influxdb.create_bucket(name)
    moment, yesterday = NOW_MS - 60_000, NOW_MS - NOW_MS % DAY_MS - DAY_MS
    lines = []
    for site, factor in (("calm", 0.0), ("bad", 1.0)):
        tags = f"site={schema.SERVER_SITE},device={site}.edge-1"
        health = f"last_batch_age_s={5 + factor * 900},days_with_mismatch={factor},quarantine_entries={factor * 2}"
        lines.append(f"{schema.READING},{tags} {health} {moment}")
        agent = f"devices_installed=4,devices_alive={4 - factor},outbox_use_percent={10 + factor * 75}"
        lines.append(f"{schema.READING},site={site},device=agent-edge-1 {agent} {moment}")
        power, water, energy = (
            f"site={site},point={point},resource={resource}"
            for point, resource in (("main", "electricity"), ("site.water", "water"), ("site.energy", "energy"))
        )
        lines.append(f"{schema.CONSUMPTION},{power} demand={40 + factor * 30} {NOW_MS - NOW_MS % 900_000 - 900_000}")
        lines.append(f"{schema.CONSUMPTION_DAY},{power} demand=55.0 {yesterday - 3 * DAY_MS}")
        # The running day is not over, and never judged.
        lines.append(f"{schema.CONSUMPTION_DAY},{power} demand=999.0 {yesterday + DAY_MS}")
        lines.append(f"{schema.CONSUMPTION_DAY},{water} minimum={factor * 0.05} {yesterday}")
        lines.append(f"{schema.CONSUMPTION_DAY},{energy} amount={100 + factor * 30},upper=120.0 {yesterday}")
    influxdb.write(name, "\n".join(lines))
    yield lambda query: influxdb.query(name, query)
    influxdb.delete_bucket(bucket_id)


@pytest.mark.parametrize(
    ("uid", "labels"),
    [
        ("no-data", {"bad.edge-1"}),
        ("device-silent", {"bad", "agent-edge-1"}),
        ("outbox", {"bad", "agent-edge-1"}),
        ("reconciliation", {"bad.edge-1"}),
        ("quarantine", {"bad.edge-1"}),
        ("over-peak", {"bad", "main"}),
        ("over-expected", {"bad", "site.energy"}),
        ("night-flow", {"bad"}),
    ],
)
def test_what_is_wrong_fires_and_what_is_right_does_not(told: Ask, uid: str, labels: set[str]) -> None:
    assert firing(rule(uid), told, NOW_MS) == {frozenset(labels)}


def test_a_collector_that_says_nothing_fires_by_having_no_data(told: Ask) -> None:
    each = rule("collector-silent")

    assert numbers(each, told, NOW_MS + DAY_MS) == {"A": {}}
    assert (each["noDataState"], each["execErrState"]) == ("Alerting", "Alerting")
    assert all(other["execErrState"] == "OK" for other in rules() if other is not each and other["uid"] != each["uid"])

"""`leanmeter dashboards push --alerts`, as a user calls it, against a stand-in that answers as documented."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from dashboards.build import GENERATED
from leanmeter.command_line import main
from leanmeter.dashboards.dashboard_push import FOLDER, KEPT
from tests.leanmeter.grafana_double import TOKEN, GrafanaDouble, grafana_double

UID = "leanmeter-night-flow"
EMAIL = "owner@example.org"
BUILT = yaml.safe_load((GENERATED / "alerting" / "rules.yaml").read_text(encoding="utf-8"))["groups"][0]["rules"]


@pytest.fixture
def grafana(monkeypatch: pytest.MonkeyPatch) -> Iterator[GrafanaDouble]:
    monkeypatch.setenv("GRAFANA_TOKEN", TOKEN)
    with grafana_double() as double:
        yield double


def push(grafana: GrafanaDouble, *options: str) -> int:
    return main(["dashboards", "push", "--grafana", grafana.url, "--alerts", *options])


def last_line(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out.splitlines()[-1]


def test_rules_are_new_at_first_and_the_same_after(grafana: GrafanaDouble, capsys: pytest.CaptureFixture[str]) -> None:
    assert push(grafana, "--yes") == 0

    assert set(grafana.rules) == {rule["uid"] for rule in BUILT}
    assert {rule["folderUID"] for rule in grafana.rules.values()} == {FOLDER[0]}
    assert {rule["provenance"] for rule in grafana.rules.values()} == {""}, "they stay changeable in the browser"
    before = dict(grafana.rules)
    capsys.readouterr()

    assert push(grafana) == 0
    told = capsys.readouterr().out
    assert "alert rule 'Water never stopped': same" in told
    assert grafana.rules == before


def test_without_the_option_alerts_are_left_alone(grafana: GrafanaDouble) -> None:
    assert main(["dashboards", "push", "--grafana", grafana.url, "--yes"]) == 0

    assert grafana.rules == {}


def test_what_a_user_changed_is_kept_aside_paused_before_it_is_replaced(
    grafana: GrafanaDouble, capsys: pytest.CaptureFixture[str]
) -> None:
    push(grafana, "--yes")
    grafana.change_rule_by_hand(UID, **{"for": "1h", "title": "Our tap"})
    capsys.readouterr()

    assert push(grafana, "--yes") == 0
    told = capsys.readouterr().out
    assert "alert rule 'Water never stopped': updated, the changed one is kept aside" in told
    assert "~ for" in told
    assert "~ title" in told
    (kept,) = [rule for rule in grafana.rules.values() if rule["folderUID"] == KEPT[0]]
    assert (kept["for"], kept["isPaused"], kept["labels"]["source"]) == ("1h", True, "leanmeter-kept")
    assert kept["title"].startswith("Our tap (as changed, ")
    assert grafana.rules[UID]["title"] == "Water never stopped"


def test_two_changes_are_both_kept(grafana: GrafanaDouble) -> None:
    push(grafana, "--yes")
    for title in ("One", "Two"):
        grafana.change_rule_by_hand(UID, title=title)
        push(grafana, "--yes")

    kept = {rule["title"].split(" (")[0] for rule in grafana.rules.values() if rule["folderUID"] == KEPT[0]}
    assert kept == {"One", "Two"}


def test_our_own_older_rule_is_replaced_without_keeping_it(
    grafana: GrafanaDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as older:
        older.setattr("dashboards.alerts.RUNNING_TAP_M3_H", 0.5)
        push(grafana, "--yes")
    assert "0.5" in str(grafana.rules[UID]["data"])

    assert push(grafana, "--yes") == 0
    assert "0.02" in str(grafana.rules[UID]["data"])
    assert len(grafana.rules) == len(BUILT)


def test_a_rule_stays_paused_and_where_somebody_put_it(grafana: GrafanaDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as older:
        older.setattr("dashboards.alerts.RUNNING_TAP_M3_H", 0.5)
        push(grafana, "--yes")
    grafana.folders["water"] = "Water people"
    grafana.change_rule_by_hand(UID, isPaused=True, folderUID="water", ruleGroup="at night")

    push(grafana, "--yes")
    rule = grafana.rules[UID]
    assert (rule["isPaused"], rule["folderUID"], rule["ruleGroup"]) == (True, "water", "at night")
    assert "0.02" in str(rule["data"])


def test_a_change_that_crosses_ours_is_not_overwritten(
    grafana: GrafanaDouble, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    push(grafana, "--yes")
    grafana.change_rule_by_hand(UID, title="Mine")
    alerting = grafana._alerting
    asked = 0

    def crossed(method: str, kind: str, uid: str | None, body: dict[str, Any]) -> tuple[int, Any]:
        nonlocal asked
        if (method, uid) == ("GET", UID):
            asked += 1
            if asked == 2:
                grafana.change_rule_by_hand(UID, title="Mine, just now")
        return alerting(method, kind, uid, body)

    monkeypatch.setattr(grafana, "_alerting", crossed)
    assert push(grafana, "--yes") == 2
    assert "push again" in capsys.readouterr().err
    assert grafana.rules[UID]["title"] == "Mine, just now"


def test_who_is_told_gets_a_contact_point_and_a_policy_for_our_alerts_alone(grafana: GrafanaDouble) -> None:
    theirs = list(grafana.policies["routes"])
    assert push(grafana, "--yes", "--email", EMAIL) == 0

    (point,) = grafana.contact_points.values()
    assert (point["type"], point["settings"]["addresses"]) == ("email", EMAIL)
    ours, *others = grafana.policies["routes"]
    assert (ours["receiver"], ours["object_matchers"]) == (point["name"], [["source", "=", "leanmeter"]])
    assert others == theirs
    assert grafana.policies["receiver"] == "theirs"
    assert {rule["labels"]["source"] for rule in grafana.rules.values()} == {"leanmeter"}


def test_a_new_address_keeps_what_somebody_set_beside_it(
    grafana: GrafanaDouble, capsys: pytest.CaptureFixture[str]
) -> None:
    push(grafana, "--yes", "--email", EMAIL)
    (point,) = grafana.contact_points.values()
    point["settings"]["subject"] = "Factory"
    grafana.policies["routes"][0]["repeat_interval"] = "7d"
    capsys.readouterr()

    assert push(grafana, "--yes", "--email", "other@example.org") == 0
    told = capsys.readouterr().out
    (point,) = grafana.contact_points.values()
    assert point["settings"] == {"addresses": "other@example.org", "singleEmail": True, "subject": "Factory"}
    assert grafana.policies["routes"][0]["repeat_interval"] == "7d"
    assert "notification policy for our alerts: changed in Grafana, left as it is" in told


def test_what_another_program_pushed_keeps_its_provenance(grafana: GrafanaDouble) -> None:
    push(grafana, "--yes", "--email", EMAIL)
    for held in (grafana.rules[UID], *grafana.contact_points.values()):
        held["provenance"] = "api"
    grafana.policies = {"receiver": "theirs", "routes": [], "provenance": "api"}
    grafana.change_rule_by_hand(UID, title="By Terraform")

    assert push(grafana, "--yes", "--email", "other@example.org") == 0
    assert (grafana.rules[UID]["title"], grafana.rules[UID]["provenance"]) == ("Water never stopped", "api")
    assert (len(grafana.policies["routes"]), grafana.policies["provenance"]) == (1, "api")


def test_rules_ask_the_influxdb_that_there_is(grafana: GrafanaDouble) -> None:
    grafana.data_sources = {"abc": "influxdb", "logs": "loki"}

    assert push(grafana, "--yes") == 0
    asked = {entry["datasourceUid"] for rule in grafana.rules.values() for entry in rule["data"]}
    assert asked == {"abc", "__expr__"}
    assert push(grafana) == 0, "nothing to change the next time"


@pytest.mark.parametrize(
    ("spoilt", "said"),
    [
        ("two sources", "--data-source leanmeter-influxdb: Grafana has no such InfluxDB; it has abc (abc), def (def)"),
        ("file", "takes it from a file"),
        ("policies from a file", "notification policies: this Grafana takes it from a file"),
        ("no alerts", "add --alerts"),
    ],
)
def test_what_goes_wrong_is_one_line(
    grafana: GrafanaDouble, capsys: pytest.CaptureFixture[str], spoilt: str, said: str
) -> None:
    push(grafana, "--yes")
    capsys.readouterr()
    if spoilt == "two sources":
        grafana.data_sources = {"abc": "influxdb", "def": "influxdb"}
    if spoilt == "file":
        grafana.rules[UID]["provenance"] = "file"
    if spoilt == "policies from a file":
        grafana.policies["provenance"] = "file"
    if spoilt == "no alerts":
        assert main(["dashboards", "push", "--grafana", grafana.url, "--email", EMAIL]) == 2
    else:
        assert push(grafana, "--yes", "--email", EMAIL) == 2

    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert said in told

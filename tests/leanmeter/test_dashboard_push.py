"""`leanmeter dashboards push`, as a user calls it, against a stand-in that answers as Grafana's documentation says."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboards.build import DASHBOARDS, GENERATED
from leanmeter.command_line import main
from leanmeter.dashboards.dashboard_push import FOLDER, KEPT
from tests.leanmeter.grafana_double import TOKEN, GrafanaDouble, grafana_double

UID = "leanmeter-water"


@pytest.fixture
def grafana() -> Iterator[GrafanaDouble]:
    with grafana_double() as double:
        yield double


def push(grafana: GrafanaDouble, *options: str) -> int:
    return main(["dashboards", "push", "--grafana", grafana.url, *options])


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAFANA_TOKEN", TOKEN)


def test_all_are_new_at_first_and_the_same_after(grafana: GrafanaDouble, capsys: pytest.CaptureFixture[str]) -> None:
    assert push(grafana, "--yes") == 0

    told = capsys.readouterr().out
    assert [f"{name}: new" in told for name in DASHBOARDS] == [True] * len(DASHBOARDS)
    assert set(grafana.boards) == {f"leanmeter-{name}" for name in DASHBOARDS}
    assert grafana.folders == dict([FOLDER])
    pushed = {key: value for key, value in grafana.newest(UID).items() if key not in {"id", "version"}}
    assert pushed == json.loads((GENERATED / "water.json").read_text(encoding="utf-8"))
    saves = grafana.saves

    assert push(grafana) == 0
    assert grafana.saves == saves
    assert "water: same" in capsys.readouterr().out


@pytest.mark.parametrize("old_versions", [False, True], ids=["11.6", "9.4"])
def test_what_a_user_changed_is_kept_aside_before_it_is_replaced(
    grafana: GrafanaDouble, capsys: pytest.CaptureFixture[str], *, old_versions: bool
) -> None:
    grafana.old_versions = old_versions
    push(grafana, "--yes")
    panels = [{**panel, "title": "Mine"} if panel["id"] == 1 else panel for panel in grafana.newest(UID)["panels"]]
    grafana.change_by_hand(UID, panels=panels)
    capsys.readouterr()

    assert push(grafana, "--yes") == 0
    told = capsys.readouterr().out
    assert "water: updated, the changed one is kept aside" in told
    assert "- panel 'Mine'" in told
    assert "+ panel 'Water used'" in told
    kept = grafana.newest(f"{UID}-kept-2")
    assert kept["panels"] == panels
    assert kept["tags"] != ["leanmeter"]
    assert grafana.boards[f"{UID}-kept-2"][-1]["folder"] == KEPT[0]
    assert grafana.newest(UID)["panels"][0]["title"] == "Water used"


def test_a_second_change_does_not_replace_the_first_that_was_kept(grafana: GrafanaDouble) -> None:
    push(grafana, "--yes")
    for title in ("One", "Two"):
        grafana.change_by_hand(UID, title=title)
        push(grafana, "--yes")

    kept = sorted(uid for uid in grafana.boards if "-kept-" in uid)
    assert [grafana.newest(uid)["title"].split(" (")[0] for uid in kept] == ["One", "Two"]


def test_our_own_older_version_is_replaced_without_keeping_it(grafana: GrafanaDouble) -> None:
    push(grafana, "--yes")
    grafana.boards[UID][-1]["dashboard"] = {**grafana.newest(UID), "title": "As an older version built it"}

    assert push(grafana, "--yes") == 0
    assert not [uid for uid in grafana.boards if "-kept-" in uid]
    assert grafana.newest(UID)["title"].startswith("Leanmeter · Water")


def test_a_dry_run_and_an_unanswered_question_change_nothing(
    grafana: GrafanaDouble, capsys: pytest.CaptureFixture[str]
) -> None:
    assert push(grafana, "--dry-run") == 0
    assert push(grafana) == 2
    assert "add --yes" in capsys.readouterr().err
    assert grafana.boards == {}


def test_the_difference_as_a_patch(grafana: GrafanaDouble, capsys: pytest.CaptureFixture[str]) -> None:
    push(grafana, "--yes")
    grafana.change_by_hand(UID, title="Mine")
    capsys.readouterr()

    push(grafana, "--dry-run", "--full")
    told = capsys.readouterr().out
    assert '  - "title": "Mine"' in told
    assert '  + "title": "Leanmeter · Water' in told


def test_a_save_that_crosses_ours_is_not_overwritten(
    grafana: GrafanaDouble, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    push(grafana, "--yes")
    grafana.change_by_hand(UID, title="Mine")
    save = grafana._save

    def save_crossed(body: dict[str, object]) -> tuple[int, object]:
        if body["dashboard"]["uid"] == UID:  # type: ignore[index]
            grafana.change_by_hand(UID, title="Mine, just now")
        return save(body)

    monkeypatch.setattr(grafana, "_save", save_crossed)
    assert push(grafana, "--yes") == 2
    assert "push again" in capsys.readouterr().err
    assert grafana.newest(UID)["title"] == "Mine, just now"

    monkeypatch.undo()
    monkeypatch.setenv("GRAFANA_TOKEN", TOKEN)
    assert push(grafana, "--yes") == 0
    assert {grafana.newest(uid)["title"].split(" (")[0] for uid in grafana.boards if "-kept-" in uid} == {
        "Mine",
        "Mine, just now",
    }


@pytest.mark.parametrize(
    ("spoilt", "said"),
    [
        ("token", "does not know the token"),
        ("provisioned", "takes it from a file"),
        ("address", "no Grafana answers there"),
        ("no token", "needs a service account's token"),
    ],
)
def test_what_goes_wrong_is_one_line(
    grafana: GrafanaDouble,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    spoilt: str,
    said: str,
) -> None:
    if spoilt == "provisioned":
        push(grafana, "--yes")
        grafana.provisioned = {UID}
    if spoilt == "address":
        grafana.url = "http://127.0.0.1:1"
    word = {"token": "wrong", "no token": ""}.get(spoilt, TOKEN)
    monkeypatch.delenv("GRAFANA_TOKEN")
    (tmp_path / "token").write_text(word, encoding="utf-8")
    capsys.readouterr()

    assert push(grafana, "--yes", "--token-file", str(tmp_path / "token")) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert said in told

"""The committed JSON, as Grafana will load it."""

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard, Panel

from dashboards import query
from dashboards.build import DASHBOARDS, GENERATED, differing, render, write
from dashboards.overview import overview
from dashboards.query import InfluxQuery
from dashboards.site_names import SiteNames, SupplyMeter
from store import schema
from tests.dashboards.grafana import Target, generated, load, targets, targets_of

boards = pytest.mark.parametrize("path", generated(), ids=lambda path: path.stem)


def panels_of(path: Path) -> list[dict[str, Any]]:
    return [panel for panel in load(path)["panels"] if panel["type"] != "row"]


def test_generated_files_are_up_to_date() -> None:
    assert differing(GENERATED) == [], "run: leanmeter dashboards build"


def test_every_dashboard_is_generated() -> None:
    assert {path.stem for path in generated()} == set(DASHBOARDS)


def test_generation_is_deterministic() -> None:
    assert render() == render()


def test_missing_changed_and_left_over_files_are_named(tmp_path: Path) -> None:
    write(tmp_path)
    assert differing(tmp_path) == []
    (tmp_path / "overview.json").write_text("{}\n", encoding="utf-8")
    (tmp_path / "old.json").write_text("{}\n", encoding="utf-8")

    assert differing(tmp_path) == [tmp_path / "overview.json", tmp_path / "old.json"]
    (tmp_path / "overview.json").unlink()
    assert differing(tmp_path)[0] == tmp_path / "overview.json"


@boards
def test_the_sdk_reads_it_and_loses_nothing(path: Path) -> None:
    register_default_plugins()
    query.register()
    board = Dashboard.from_json(load(path))

    read = [target for panel in board.panels or [] if isinstance(panel, Panel) for target in panel.targets or []]
    assert read
    assert all(isinstance(target, InfluxQuery) for target in read)
    assert json.loads(json.dumps(board, cls=JSONEncoder)) == load(path)


@boards
def test_panels_say_what_they_show(path: Path) -> None:
    titles = [panel["title"] for panel in panels_of(path)]

    assert len(titles) == len(set(titles))
    for panel in panels_of(path):
        assert len(panel["description"]) > 20, panel["title"]
        assert panel["description"].endswith("."), panel["title"]
        assert panel["datasource"] == {"type": "influxdb", "uid": "${datasource}"}, panel["title"]
        assert [target["refId"] for target in panel["targets"]] == ["A", "B", "C"][: len(panel["targets"])]


@boards
def test_numbers_have_a_unit_decimals_and_words_for_nothing(path: Path) -> None:
    for panel in panels_of(path):
        if panel["type"] in {"table", "state-timeline"}:
            continue
        defaults = panel["fieldConfig"]["defaults"]
        assert defaults["unit"], panel["title"]
        assert "decimals" in defaults, panel["title"]
        if panel["type"] in {"stat", "bargauge"}:
            assert defaults["noValue"], panel["title"]


@boards
def test_thresholds_are_chosen_never_those_that_grafana_supposes(path: Path) -> None:
    for panel in panels_of(path):
        steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
        assert steps[0]["value"] is None, panel["title"]


@boards
def test_panels_lie_beside_each_other_within_the_grid(path: Path) -> None:
    panels = load(path)["panels"]
    assert [panel["id"] for panel in panels] == list(range(1, len(panels) + 1))

    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
    for one, other in combinations(panels, 2):
        a, b = one["gridPos"], other["gridPos"]
        apart_x = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        apart_y = a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
        assert apart_x or apart_y, (one["title"], other["title"])


@pytest.mark.parametrize("target", targets(), ids=str)
def test_no_query_crosses_measurements(target: Target) -> None:
    known = {schema.READING, schema.CONSUMPTION, schema.CONSUMPTION_DAY}
    measurements = set(re.findall(r'FROM "(\w+)"', target.query))

    assert len(measurements) == 1
    assert measurements <= known


@pytest.mark.parametrize("target", targets(), ids=str)
def test_every_query_is_of_one_site_and_of_a_bounded_time(target: Target) -> None:
    selections = target.query.count("SELECT")
    bounds = target.query.count("$timeFilter") + target.query.count("time > now() - ")

    assert "'${site:raw}'" in target.query
    assert bounds == selections


def test_a_site_without_water_product_or_main_has_no_panels_on_them() -> None:
    bare = SiteNames("depot", "Depot", electricity_points=("hall",))
    titles = {panel.title for panel in overview(bare).build().panels or []}

    assert "Power by point" in titles
    assert not {title for title in titles if title and re.search("Water|Product|Site power|Demand", title)}


def test_storage_and_turned_clamps_change_the_sign_of_a_meter() -> None:
    names = SiteNames(
        "depot", "Depot", supply_meters=(SupplyMeter("main"), SupplyMeter("battery", "power_dc", factor=-2.0))
    )
    board = json.loads(json.dumps(overview(names).build(), cls=JSONEncoder))
    power = next(target for target in targets_of("overview", board) if target.title == "Site power now")

    assert 'last("active_power_total") * 0.001 ' in power.query
    assert 'last("power_dc") * -0.002 ' in power.query

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
from dashboards.board import uid_of
from dashboards.build import DASHBOARDS, GENERATED, differing, render, write
from dashboards.influxql import AGENTS, SERVER
from dashboards.overview import overview
from dashboards.panels import CHART_HEIGHT, STAT_HEIGHT, WORDS_HEIGHT
from dashboards.query import InfluxQuery
from dashboards.site_names import PowerLevel, SiteNames, SupplyMeter
from leanmeter.dashboards.dashboard_names import demo_names
from store import schema
from tests.dashboards.grafana import DAY_MS, Target, generated, load, start_of, targets, targets_of

ROOT = Path(__file__).parents[2]
NAMES = demo_names()
WITH_VALUES = {"stat", "bargauge", "timeseries"}
boards = pytest.mark.parametrize("path", generated(), ids=lambda path: path.stem)


def panels_of(path: Path) -> list[dict[str, Any]]:
    return [panel for panel in load(path)["panels"] if panel["type"] not in {"row", "text"}]


def test_generated_files_are_up_to_date() -> None:
    assert differing(GENERATED, NAMES) == [], "run: leanmeter dashboards build"


def test_every_dashboard_is_generated() -> None:
    assert {path.stem for path in generated()} == set(DASHBOARDS)


def test_generation_is_deterministic() -> None:
    assert render(NAMES) == render(demo_names())


def test_missing_changed_and_left_over_files_are_named(tmp_path: Path) -> None:
    write(tmp_path, NAMES)
    assert differing(tmp_path, NAMES) == []
    (tmp_path / "overview.json").write_text("{}\n", encoding="utf-8")
    (tmp_path / "old.json").write_text("{}\n", encoding="utf-8")

    assert differing(tmp_path, NAMES) == [tmp_path / "overview.json", tmp_path / "old.json"]
    (tmp_path / "overview.json").unlink()
    assert differing(tmp_path, NAMES)[0] == tmp_path / "overview.json"


@boards
def test_the_sdk_reads_it_and_loses_nothing(path: Path) -> None:
    register_default_plugins()
    query.register()
    board = Dashboard.from_json(load(path))

    read = [target for panel in board.panels or [] if isinstance(panel, Panel) for target in panel.targets or []]
    assert read
    assert all(isinstance(target, InfluxQuery) for target in read)
    # The SDK's annotations have no place for what InfluxDB's data source reads; test_marks has them.
    written = load(path)
    for mark in written.get("annotations", {}).get("list", []):
        for key in (
            "query",
            "queryType",
            "fromAnnotations",
            "textColumn",
            "titleColumn",
            "tagsColumn",
            "timeEndColumn",
        ):
            mark.pop(key, None)
    assert json.loads(json.dumps(board, cls=JSONEncoder)) == written


@boards
def test_panels_say_what_they_show(path: Path) -> None:
    titles = [panel["title"] for panel in panels_of(path)]

    assert len(titles) == len(set(titles))
    for panel in panels_of(path):
        assert len(panel["description"]) > 20, panel["title"]
        assert panel["description"].endswith("."), panel["title"]
        assert panel["datasource"] == {"type": "influxdb", "uid": "${datasource}"}, panel["title"]
        refs = [target["refId"] for target in panel["targets"]]
        assert len(refs) == len(set(refs)), panel["title"]


@boards
def test_numbers_have_a_unit_decimals_and_words_for_nothing(path: Path) -> None:
    for panel in panels_of(path):
        if panel["type"] not in WITH_VALUES:
            continue
        defaults = panel["fieldConfig"]["defaults"]
        assert defaults["unit"], panel["title"]
        assert "decimals" in defaults, panel["title"]
        if panel["type"] in {"stat", "bargauge"}:
            assert defaults["noValue"], panel["title"]


UNITS = {
    "none", "locale", "percent", "percentunit", "s", "bytes", "dateTimeFromNow", "m3", "celsius", "volt", "amp",
}  # fmt: skip
"""Of Grafana's own those that @grafana/data 9.4.7 and 11.6.0 both know and write alike."""


@boards
def test_units_are_known_to_grafana_and_stay_what_they_are_however_large_a_number_is(path: Path) -> None:
    """Its own kWh goes over to MWh, and then rounds to those: 4372 kWh without decimals would be 4 MWh."""
    for panel in panels_of(path):
        config = panel["fieldConfig"]
        used = {config["defaults"].get("unit", "none")} | {
            entry["value"] for each in config["overrides"] for entry in each["properties"] if entry["id"] == "unit"
        }
        own_words = {unit for unit in used if re.fullmatch(r"suffix:\S.*", unit)}
        assert used - own_words <= UNITS, panel["title"]


@boards
def test_thresholds_are_chosen_never_those_that_grafana_supposes(path: Path) -> None:
    for panel in panels_of(path):
        steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
        assert steps[0]["value"] is None, panel["title"]


@boards
def test_panels_lie_beside_each_other_within_the_grid(path: Path) -> None:
    panels = load(path)["panels"]
    assert [panel["id"] for panel in panels] == list(range(1, len(panels) + 1))

    for y in {panel["gridPos"]["y"] for panel in panels}:
        assert sum(panel["gridPos"]["w"] for panel in panels if panel["gridPos"]["y"] == y) == 24, y
    for one, other in combinations(panels, 2):
        a, b = one["gridPos"], other["gridPos"]
        apart_x = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        apart_y = a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
        assert apart_x or apart_y, (one["title"], other["title"])


@boards
def test_numbers_are_as_tall_as_they_asked_for(path: Path) -> None:
    """Beside a chart Grafana would blow a number up, and its words for nothing."""
    numbers = [panel for panel in panels_of(path) if panel["type"] == "stat"]

    assert {panel["gridPos"]["h"] for panel in numbers} <= {STAT_HEIGHT, WORDS_HEIGHT, CHART_HEIGHT}
    tall = [panel["title"] for panel in numbers if panel["gridPos"]["h"] == CHART_HEIGHT]
    assert tall == (["Against expected"] if path.stem == "overview" else [])


@boards
def test_words_for_nothing_are_not_in_the_colour_of_good_news(path: Path) -> None:
    for panel in panels_of(path):
        if panel["type"] == "stat":
            defaults = panel["fieldConfig"]["defaults"]
            (nothing,) = [each["options"] for each in defaults["mappings"] if each["type"] == "special"]
            assert nothing["match"] == "null+nan", panel["title"]
            assert nothing["result"] == {"text": defaults["noValue"], "color": "text"}, panel["title"]


@pytest.mark.parametrize("target", targets(), ids=str)
def test_no_query_crosses_measurements(target: Target) -> None:
    known = {schema.READING, schema.EVENT, schema.CONSUMPTION, schema.CONSUMPTION_DAY}
    measurements = set(re.findall(r'FROM "(\w+)"', target.query))

    assert len(measurements) == 1
    assert measurements <= known


@pytest.mark.parametrize("target", targets(), ids=str)
def test_every_query_is_of_one_site_and_of_a_bounded_time(target: Target) -> None:
    selections = target.query.count("SELECT")
    bounds = target.query.count("$timeFilter") + target.query.count("time > now() - ")

    if target.board not in {"programme", "fleet"}:
        assert "'${site:raw}'" in target.query
    assert bounds == selections


@pytest.mark.parametrize("target", targets(), ids=str)
def test_more_than_sixty_days_are_asked_of_days_alone(target: Target) -> None:
    if start_of(target.shown, 0) < -60 * DAY_MS:
        assert f'FROM "{schema.CONSUMPTION_DAY}"' in target.query


def test_fleet_and_alerts_ask_for_what_the_programs_are_documented_to_tell() -> None:
    documented = set(re.findall(r"`(\w+)`", (ROOT / "docs" / "observability.md").read_text(encoding="utf-8")))
    asked = {
        name
        for target in targets()
        if target.board == "fleet" and (AGENTS in target.query or SERVER in target.query)
        for name in re.findall(r'"(\w+_\w+)"', target.query)
    }
    asked |= set(re.findall(r'last\("(\w+_\w+)"\)', render(NAMES)["alerting/rules.yaml"]))

    assert len(asked) > 15
    assert asked <= documented


@boards
def test_every_dashboard_leads_to_the_others_and_names_its_variables(path: Path) -> None:
    board = load(path)

    (link,) = board["links"]
    assert (link["type"], link["tags"], link["keepTime"], link["includeVars"]) == (
        "dashboards",
        ["leanmeter"],
        True,
        True,
    )
    assert "leanmeter" in board["tags"]
    assert board["uid"] == uid_of(path.stem)


@boards
def test_links_lead_to_dashboards_and_variables_that_there_are(path: Path) -> None:
    known = {
        f"leanmeter-{name}": {each["name"] for each in load(GENERATED / f"{name}.json")["templating"]["list"]}
        for name in DASHBOARDS
    }
    for url in re.findall(r'"url": "(/d/[^"]+)"', path.read_text(encoding="utf-8")):
        found = re.fullmatch(r"/d/([a-z-]+)\?\$\{__url_time_range\}(.*)", url)
        assert found is not None, url
        board, variables = found.groups()
        assert set(re.findall(r"&var-(\w+)=", variables)) <= known[board], url


def test_programme_leads_to_a_site_and_the_site_to_its_points() -> None:
    assert "/d/leanmeter-energy?${__url_time_range}&var-site=${__value.raw}" in render(NAMES)["programme.json"]
    assert "&var-site=${site}&var-point=${__value.raw}" in render(NAMES)["energy.json"]


def test_marks_show_events_to_their_end_and_outages() -> None:
    events, outages = load(GENERATED / "overview.json")["annotations"]["list"]

    assert (events["textColumn"], events["titleColumn"], events["timeEndColumn"]) == ("text", "kind", "until_ms")
    assert "'outage'" in outages["query"]
    assert outages["iconColor"] == "red"


def test_what_was_not_measured_is_dashed_and_an_outage_is_red_ground() -> None:
    (panel,) = [each for each in panels_of(GENERATED / "overview.json") if each["title"] == "Power by point"]
    overrides = {
        str(each["matcher"]["options"]): {entry["id"]: entry["value"] for entry in each["properties"]}
        for each in panel["fieldConfig"]["overrides"]
    }

    assert overrides["B"]["custom.lineStyle"]["fill"] == "dash"
    assert overrides["Outage"]["color"]["fixedColor"] == "red"
    assert panel["fieldConfig"]["defaults"]["custom"]["spanNulls"] is False
    assert "fill(null)" in panel["targets"][0]["query"]


@boards
def test_columns_of_several_tags_are_put_in_order(path: Path) -> None:
    """Grafana gives them as its map of tags happens to lie: another order each time."""
    for panel in panels_of(path):
        tags = re.findall(r'"(site|device|point|resource)"', _grouping(panel))
        if panel["type"] == "table" and len(tags) > 1:
            (change,) = panel["transformations"]
            assert set(tags) < set(change["options"]["indexByName"]), panel["title"]


def _grouping(panel: dict[str, Any]) -> str:
    return str(panel["targets"][0]["query"].rpartition("GROUP BY")[2]) if panel["targets"] else ""


OF_9_4 = {
    "timeseries": {
        "axisPlacement", "axisSoftMin", "barWidthFactor", "drawStyle", "fillBelowTo", "fillOpacity", "hideFrom",
        "lineInterpolation", "lineStyle", "lineWidth", "pointSize", "showPoints", "spanNulls", "stacking",
        "thresholdsStyle",
    },
    "table": {"align", "hidden", "inspect", "minWidth"},
    "state-timeline": {"fillOpacity", "lineWidth"},
}  # fmt: skip
"""Settings of a panel's own that @grafana/schema 9.4.7 has."""


@boards
def test_settings_are_those_of_grafana_9_4(path: Path) -> None:
    for panel in panels_of(path):
        config = panel["fieldConfig"]
        used = set(config["defaults"].get("custom", {})) | {
            entry["id"].removeprefix("custom.")
            for each in config["overrides"]
            for entry in each["properties"]
            if entry["id"].startswith("custom.")
        }
        assert used <= OF_9_4.get(panel["type"], set()), panel["title"]


def test_nothing_newer_than_grafana_9_4_is_used() -> None:
    """Panels and options that came later, and that an older Grafana would not draw or would draw otherwise."""
    for path in generated():
        board = load(path)
        assert {panel["type"] for panel in board["panels"]} <= {
            "row",
            "stat",
            "timeseries",
            "bargauge",
            "state-timeline",
            "table",
            "text",
        }, path
        changes = {each["id"] for panel in board["panels"] for each in panel.get("transformations", [])}
        assert changes <= {"organize", "renameByRegex"}, path
        assert "palette-classic-by-name" not in json.dumps(board)


def test_a_site_without_water_product_or_main_has_no_panels_on_them() -> None:
    bare = SiteNames("depot", "Depot", points={"electricity": ("hall",)})
    titles = {panel.title for panel in overview(bare).build().panels or []}

    assert "Power by point" in titles
    assert not {title for title in titles if title and re.search("Water|Product|Site power|Waste", title)}


def test_storage_and_turned_clamps_change_the_sign_of_a_meter() -> None:
    names = SiteNames(
        "depot",
        "Depot",
        supply_points=("main",),
        supply_meters=(SupplyMeter("main"), SupplyMeter("battery", "power_dc", factor=-2.0)),
    )
    board = json.loads(json.dumps(overview(names).build(), cls=JSONEncoder))
    power = next(target for target in targets_of("overview", board) if target.title == "Site power now")

    assert 'last("active_power_total") * 0.001 ' in power.query
    assert 'last("power_dc") * -0.002 ' in power.query


def test_what_is_generated_is_above_zero_in_the_live_curves_too() -> None:
    levels = (PowerLevel({"main": "Main"}), PowerLevel({"roof": "Solar roof"}, generates=True))
    names = SiteNames("depot", "Depot", points={"electricity": ("main", "roof")}, power_tree=levels)
    board = json.loads(json.dumps(overview(names).build(), cls=JSONEncoder))
    others, generated = (target.query for target in targets_of("overview", board) if target.title == "Power, live")

    assert others.startswith('SELECT mean("active_power_total") / 1000 ')
    assert '"device" !~ /^(roof)$/' in others
    assert generated.startswith('SELECT abs(mean("active_power_total")) / 1000 ')
    assert '"device" =~ /^(roof)$/' in generated

"""`leanmeter dashboards build`, as a user calls it."""

import json
from pathlib import Path

import pytest

from dashboards.build import GENERATED
from dashboards.site_names import SupplyMeter
from leanmeter.command_line import main
from leanmeter.dashboards.dashboard_names import demo_names, names_of
from site_config.schema import load_site

SITE = """
site: depot
name: The depot
time_zone: America/Lima
lines:
  - id: lan
    tcp: {host: 127.0.0.1}
    devices:
      - {id: grid, profile: eastron/sdm630, unit_id: 1}
      - {id: roof, profile: eastron/sdm630, unit_id: 2}
      - {id: battery, profile: eastron/sdm630, unit_id: 3}
      - {id: saw-1, profile: eastron/sdm630, unit_id: 4}
      - {id: tap, profile: arad/octave, unit_id: 5}
points:
  - {id: mains, name: Grid, resource: electricity, role: main, measured_by: grid}
  - {id: roof, name: Roof, resource: electricity, role: generation, measured_by: roof, factor: -1}
  - {id: store, name: Battery, resource: electricity, role: storage, measured_by: battery}
  - {id: saw, name: Saw, resource: electricity, parent: mains, measured_by: saw-1}
  - {id: water, name: Water, resource: water, role: main, measured_by: tap}
  - {id: washing, name: Washing, resource: water, parent: water}
"""


@pytest.fixture
def site_file(tmp_path: Path) -> Path:
    path = tmp_path / "site.yaml"
    path.write_text(SITE, encoding="utf-8")
    return path


def test_build_writes_what_is_committed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dashboards", "build", "--output", str(tmp_path / "new")]) == 0

    written = tmp_path / "new" / "overview.json"
    assert capsys.readouterr().out.splitlines()[0] == str(written)
    assert written.read_bytes() == (GENERATED / "overview.json").read_bytes()


def test_check_names_the_file_that_is_not_up_to_date(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["dashboards", "build", "--output", str(tmp_path)])
    assert main(["dashboards", "build", "--check", "--output", str(tmp_path)]) == 0
    (tmp_path / "overview.json").write_text("{}", encoding="utf-8")
    capsys.readouterr()

    assert main(["dashboards", "build", "--check", "--output", str(tmp_path)]) == 1
    assert str(tmp_path / "overview.json") in capsys.readouterr().err
    assert (tmp_path / "overview.json").read_text(encoding="utf-8") == "{}"


def test_a_site_file_gives_the_dashboard_its_points_and_time_zone(site_file: Path, tmp_path: Path) -> None:
    assert main(["dashboards", "build", "--config", str(site_file), "--output", str(tmp_path / "out")]) == 0

    board = json.loads((tmp_path / "out" / "overview.json").read_text(encoding="utf-8"))
    assert board["timezone"] == "America/Lima"
    assert board["title"].endswith("The depot")
    by_day = next(panel for panel in board["panels"] if panel["title"] == "Electricity by day")
    assert "/^(mains|roof)$/" in by_day["targets"][0]["query"]
    assert '"value": "Grid, not metered further"' in json.dumps(board)


def test_names_follow_from_resource_role_and_assignment(site_file: Path) -> None:
    names = names_of([load_site(site_file)])

    assert names.main_points == ("mains",)
    assert names.supply_points == ("mains", "roof")
    assert names.generation_points == ("roof",)
    assert names.points["electricity"] == ("mains", "mains.unmetered", "roof", "store", "saw")
    assert names.points["water"] == ("water", "water.unmetered", "washing")
    assert names.product_points == names.piece_points == ()
    assert names.main_meters == ("grid",)
    assert names.meter_names["electricity"]["saw-1"] == "Saw"
    assert names.time_zone == "America/Lima"
    assert names.supply_meters == (
        SupplyMeter("grid", factor=1.0),
        SupplyMeter("roof", factor=1.0, generates=True),
        SupplyMeter("battery", factor=-1.0),
    )
    assert names.display_names["saw"] == "Saw"
    mains, roof, below = names.power_tree
    assert mains.meters == {"grid": "Grid", "battery": "Battery"}
    assert (roof.meters, roof.generates) == ({"roof": "Roof"}, True)
    assert below.meters == {"saw-1": "↳ Saw"}


def test_one_set_serves_several_sites(site_file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(SITE.replace("site: depot", "site: mill").replace("name: Saw", "name: Band saw"), encoding="utf-8")
    names = names_of([load_site(site_file), load_site(other)])

    assert names.name == "2 sites"
    assert names.site == "depot"
    assert names.supply_points == ("mains", "roof")
    assert names.display_names["mains"] == "Grid"
    assert names.display_names["saw"] == names.meter_names["electricity"]["saw-1"] == "Saw / Band saw"
    assert len(names.supply_meters) == 3


def test_live_power_is_left_out_where_a_name_means_another_meter_elsewhere(site_file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(SITE.replace("role: storage", "role: part, parent: mains"), encoding="utf-8")

    assert names_of([load_site(site_file), load_site(other)]).supply_meters == ()


def test_the_committed_dashboards_know_every_ready_plant_and_the_demo() -> None:
    names = demo_names()

    assert {"workshop", "bakery", "plastics"} <= set(names.site_names)
    assert len(names.supply_meters) == 4
    assert {"stamping", "rolls"} <= set(names.lines)
    assert "turned" in names.product_points
    assert "stamped" in names.piece_points


def test_a_site_file_needs_an_output_folder(site_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dashboards", "build", "--config", str(site_file)]) == 2

    assert "--output" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")

    assert main(["dashboards", "build", "--output", str(tmp_path / "file")]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert str(tmp_path / "file") in told


def test_costs_are_in_the_currency_of_the_plan(site_file: Path, tmp_path: Path) -> None:
    (tmp_path / "tariff.yaml").write_text(
        (Path(__file__).parents[2] / "docs/examples/tariff.yaml").read_text(encoding="utf-8"), encoding="utf-8"
    )
    plan = tmp_path / "plan.yaml"
    plan.write_text("site: depot\nelectricity_tariff: tariff.yaml\n", encoding="utf-8")
    out = tmp_path / "out"

    assert main(["dashboards", "build", "--config", str(site_file), "--plan", str(plan), "--output", str(out)]) == 0

    titles = {panel["title"] for panel in json.loads((out / "energy.json").read_text(encoding="utf-8"))["panels"]}
    assert {"Cost, GHS", "Cost by day, GHS", "The electricity bill by day, GHS"} <= titles
    assert '"value": "Cost, GHS"' in (out / "programme.json").read_text(encoding="utf-8")


def test_a_plan_of_another_site_is_refused(site_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text("site: bakery\ncurrency: GHS\n", encoding="utf-8")
    build = ["dashboards", "build", "--config", str(site_file), "--plan", str(plan), "--output", str(tmp_path / "out")]

    assert main(build) == 2
    assert capsys.readouterr().err == f"leanmeter: {plan}: site: 'bakery' is in no --config file\n"


def test_sites_that_pay_in_several_currencies_have_each_its_own() -> None:
    programme = (GENERATED / "programme.json").read_text(encoding="utf-8")
    assert '"text": "Saigon Shirts (VND)"' in programme
    assert '"text": "Andes metal parts (PEN)"' in programme

    board = json.loads((GENERATED / "energy.json").read_text(encoding="utf-8"))
    cost = next(panel for panel in board["panels"] if panel["title"] == "Cost")
    named = {each["matcher"]["options"]: each["properties"][0]["value"] for each in cost["fieldConfig"]["overrides"]}
    assert named == demo_names().currencies
    assert cost["targets"][0]["alias"] == "$tag_site"
    assert cost["options"]["textMode"] == "value_and_name"

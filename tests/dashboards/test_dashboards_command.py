"""`leanmeter dashboards build`, as a user calls it."""

import json
from pathlib import Path

import pytest

from dashboards.build import GENERATED
from dashboards.site_names import WORKSHOP, SupplyMeter
from evaluation.unmetered import unmetered_id
from leanmeter.command_line import main
from leanmeter.dashboard_names import names_of
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
    assert capsys.readouterr().out == f"{written}\n"
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
    by_point = next(panel for panel in board["panels"] if panel["title"] == "Energy today by point")
    assert r"/^(mains|roof|store|saw|mains\.unmetered)$/" in by_point["targets"][0]["query"]


def test_names_follow_from_resource_role_and_assignment(site_file: Path) -> None:
    names = names_of(load_site(site_file))

    assert names.main_points == ("mains",)
    assert names.supply_points == ("mains", "roof")
    assert names.storage_points == ("store",)
    assert names.water_points == ("water",)
    assert names.product_points == ()
    assert names.supply_meters == (
        SupplyMeter("grid", factor=1.0),
        SupplyMeter("roof", factor=-1.0),
        SupplyMeter("battery", factor=-1.0),
    )
    assert names.display_names["saw"] == "Saw"


def test_the_demo_names_what_is_unmetered_as_evaluation_does() -> None:
    assert unmetered_id("main") in WORKSHOP.electricity_points
    assert set(WORKSHOP.electricity_points) <= set(WORKSHOP.display_names)


def test_a_site_file_needs_an_output_folder(site_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dashboards", "build", "--config", str(site_file)]) == 2

    assert "--output" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")

    assert main(["dashboards", "build", "--output", str(tmp_path / "file")]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert str(tmp_path / "file") in told

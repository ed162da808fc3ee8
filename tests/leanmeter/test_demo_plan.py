from datetime import date
from pathlib import Path

import pytest

from evaluation.plan.plan_check import check_plan
from evaluation.plan.plan_file import PlanFile
from leanmeter.command_line import main
from leanmeter.demo.demo_plan import SHORTEST_DAYS, DemoHistory, plan_document
from simulators.factory.plant_files import load_plant, ready_plants
from simulators.factory.plant_site import site_document
from site_config.schema import Site, SiteFile


@pytest.mark.parametrize("days", [SHORTEST_DAYS, 90])
@pytest.mark.parametrize("name", ready_plants())
def test_every_ready_plant_has_a_plan_that_fits_it(name: str, days: int) -> None:
    plant = load_plant(name)
    history = DemoHistory(plant, date(2026, 8, 28), days)
    plan = PlanFile.model_validate(plan_document(history, name))
    site = Site(SiteFile.model_validate(site_document(plant)))
    devices = {device.id for line in site.lines for device in line.devices}
    found = check_plan(plan, site.points, devices, date(2026, 11, 26))
    assert (found.mistakes, found.notes) == ((), ())
    assert all(entry.period.last.weekday() == 6 for entry in plan.baselines)
    assert 4 <= (history.measure_day // 7) <= days // 7 - 2


def test_a_programme_needs_a_past(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--programme", "--directory", str(tmp_path / "demo")]) == 2

    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "--history" in told

"""`leanmeter simulate plant` and `simulate history` as a user types them."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from pymodbus.client import ModbusTcpClient

from leanmeter.command_line import main
from simulators.factory.plant_files import load_plant
from site_config.schema import load_site
from tests.servers.processes import Processes


@pytest.fixture
def server_file(tmp_path: Path) -> Path:
    path = tmp_path / "server.yaml"
    path.write_text(f"store: {{sqlite: {tmp_path}/readings.sqlite}}\nentities: {tmp_path}/entities.sqlite\n")
    return path


def test_a_plant_is_served_with_its_site_file(tmp_path: Path, processes: Processes) -> None:
    process = processes.start_leanmeter(
        "simulate", "plant", "bakery", "--directory", tmp_path / "live", "--seed", "3", "--speed", "60",
        "--from", "2026-08-28T10:00Z", "--site", "golden-crust", "--mqtt-port", "1999", "--json",
    )  # fmt: skip
    ready = json.loads(process.wait_for_log(r"\{.*\}")[0])
    site = load_site(Path(ready["site_file"]))
    assert (site.site, site.mqtt.port, len(site.points)) == ("golden-crust", 1999, 15)
    gateway = next(line for line in site.lines if line.id == "gateway")
    assert gateway.tcp is not None
    with ModbusTcpClient("127.0.0.1", port=gateway.tcp.port, retries=0) as client:
        words = client.read_holding_registers(19000, count=2, device_id=1).registers
        assert 200 < client.convert_from_registers(words, client.DATATYPE.FLOAT32) < 260
    assert process.stop() == 0
    assert "Traceback" not in process.log()


def test_history_with_measures_and_truth(server_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truth = tmp_path / "truth.json"
    code = main([
        "simulate", "history", "metal-parts", "--from", "2026-08-28T05:00Z", "--to", "2026-08-29T05:00:00+00:00",
        "--store-config", str(server_file), "--interval-s", "900", "--measure", "fix_water_leak@0",
        "--truth", str(truth), "--json",
    ])  # fmt: skip
    assert code == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["batches"] == 23
    found = json.loads(truth.read_text())
    assert [day["date"] for day in found["days"]] == ["2026-08-28"]
    assert found["saved"]["water"] == pytest.approx(24 * 0.061, rel=0.1)


def test_history_up_to_now(server_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--from", "-6h", "--store-config", str(server_file), "--interval-s", "600", "--no-evaluation"]
    assert main(["simulate", "history", "hotel-laundry", *arguments]) == 0
    # A batch a device and local day: six hours before now lie in one day or in two.
    assert re.match("Nusa resort laundry: (15|30) batches", capsys.readouterr().out)


def test_a_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bakery.svg"
    assert main(["simulate", "picture", "bakery", "--from", "2026-08-25", "--days", "1", "--output", str(path)]) == 0
    assert capsys.readouterr().out == f"{path}: 1 days from 2026-08-25\n"
    drawn = ET.fromstring(path.read_text(encoding="utf-8"))  # noqa: S314  # our own
    strips = drawn.findall("{http://www.w3.org/2000/svg}polyline")
    assert len(strips) == len(load_plant("bakery").points) + 1
    titles = [text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert "Roll oven" in titles
    assert main(["simulate", "picture", "bakery", "--output", str(tmp_path / "no" / "where.svg")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["castle", "--from", "-1d"], "no plant 'castle'; there are bakery, garment"),
        (["missing.yaml", "--from", "-1d"], "missing.yaml: cannot be read"),
        (["bakery", "--from", "yesterday"], "--from yesterday: expected now, -90d"),
        (["bakery", "--from", "-1d", "--to", "-2d"], "--from -1d: is not before --to -2d"),
        (["bakery", "--from", "-1d", "--measure", "fix_air_leak"], "expected NAME@DAY"),
        (["bakery", "--from", "-1d", "--measure", "paint@1"], "no measure 'paint'; there are steady_oven, fix"),
        (["bakery", "--from", "-1d", "--interval-s", "0"], "rows are 1 s apart at least"),
        (["bakery", "--from", "1990-01-01"], "--from 1990-01-01: more than 3700 days"),
        (["bakery", "--from", "1999-01-01", "--to", "1999-01-02"], "is not between the years 2000 and 2100"),
    ],
)
def test_mistakes_get_one_line(
    given: list[str], said: str, server_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["simulate", "history", *given, "--store-config", str(server_file)]) == 2
    found = capsys.readouterr().err
    assert said in found
    assert found.count("\n") == 1


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("line: rolls", "line: buns", "loads.roll-oven.line: no 'buns'; there are bread, rolls"),
        ("phases: [1, 0, 0]", "phases: [1, 1, 0]", "the three shares must add up to 1"),
        ("full_rate: 21000", "full_w: 21000", "full_w: unknown key"),
        ("loads: [roll-oven]", "loads: [gas-oven]", "points.roll-oven.loads: 'gas-oven' takes fuel"),
        ("profile: abb/b23", "profile: sunspec/inverter", "points.cold.profile"),
        ("loads.lighting.on_w: 1250", "loads.lighting.bulbs: 3", "there is no loads.lighting.bulbs"),
    ],
)
def test_a_plant_file_of_ones_own_is_checked(
    key: str, value: str, said: str, tmp_path: Path, server_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = Path("simulators/plants/bakery.yaml").read_text()
    assert key in text
    path = tmp_path / "own.yaml"
    path.write_text(text.replace(key, value, 1))
    arguments = ["--from", "-1h", "--store-config", str(server_file), "--measure", "led_lighting@0"]
    assert main(["simulate", "history", str(path), *arguments]) == 2
    assert said in capsys.readouterr().err

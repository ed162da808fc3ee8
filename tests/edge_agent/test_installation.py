from pathlib import Path

import pytest
import yaml

from edge_agent.errors import AgentConfigurationError
from edge_agent.installation import InstalledLine, installed_lines
from edge_agent.transports import SerialPort, TcpAddress
from simulators.factory.plant_files import load_plant, ready_plants
from simulators.factory.plant_site import site_document
from site_config.schema import load_site


def lines_of(directory: Path, lines: str, points: str = "[]") -> tuple[InstalledLine, ...]:
    path = directory / "site.yaml"
    path.write_text(f"site: bakery\nlines:\n{lines}\npoints: {points}\n", encoding="utf-8")
    return installed_lines(load_site(path))


def line(line_id: str, transport: str, *devices: str) -> str:
    return f"  - {{id: {line_id}, {transport}, devices: [{', '.join(devices)}]}}\n"


TCP = "tcp: {host: 192.168.1.20}"
SDM = "{id: oven, profile: eastron/sdm630, unit_id: 1}"
SCALE = "{id: scale, profile: scales/mt-sics}"


def test_serial_settings_are_the_users_then_the_models_then_9600_8n1(tmp_path: Path) -> None:
    lines = lines_of(
        tmp_path,
        line("a", "serial: {port: /dev/ttyUSB0}", SDM)
        + line("b", "serial: {port: /dev/ttyUSB1, baud: 38400, parity: E}", SDM.replace("oven", "mixer")),
    )
    assert isinstance(lines[0].transport, SerialPort)
    defaults = lines[0].devices[0].profile.serial_defaults
    assert lines[0].transport == SerialPort(
        "/dev/ttyUSB0", defaults.baud or 9600, defaults.parity or "N", defaults.stop_bits or 1
    )
    assert isinstance(lines[1].transport, SerialPort)
    assert (lines[1].transport.baud, lines[1].transport.parity) == (38_400, "E")


def test_an_inverter_and_its_meters_share_a_unit_id(tmp_path: Path) -> None:
    inverter = "{id: pv, profile: sunspec/inverter}"
    first, second = "{id: grid, profile: sunspec/meter}", "{id: house, profile: sunspec/meter, sunspec_block: 2}"
    (one_line,) = lines_of(tmp_path, line("a", TCP, inverter, first, second))
    assert [device.settings.sunspec_block for device in one_line.devices] == [1, 1, 2]
    for other in (first.replace("grid", "house"), SDM):
        with pytest.raises(AgentConfigurationError, match=r"grid and .* have the same unit_id 1"):
            lines_of(tmp_path, line("a", TCP, first, other))


def test_rtu_over_tcp(tmp_path: Path) -> None:
    lines = lines_of(tmp_path, line("a", "rtu_over_tcp: {host: gateway, port: 4001}", SDM))
    assert lines[0].transport == TcpAddress("gateway", 4001, rtu_framing=True)


@pytest.mark.parametrize(
    ("lines", "points", "message"),
    [
        (line("a", TCP, "{id: oven, profile: eastron/sdm360}"), "[]", r"line 'a', device 'oven': .*eastron/sdm630"),
        (
            line("a", TCP, SDM, SDM.replace("oven", "mixer")),
            "[]",
            r"line 'a': oven and mixer have the same unit_id 1",
        ),
        (line("a", TCP, SCALE, SDM), "[]", r"line 'a': a scale is alone"),
        (line("a", "rtu_over_tcp: {host: h}", SCALE), "[]", r"line 'a': a scale has no RTU frames"),
        (
            line("a", "serial: {port: /dev/ttyUSB0}", "{id: oven, profile: eastron/sdm630, unit_id: 0}"),
            "[]",
            r"line 'a': unit_id 0 is the broadcast",
        ),
        (
            line("a", "serial: {port: /dev/ttyUSB0}", SDM)
            + line("b", "serial: {port: /dev/ttyUSB0}", SDM.replace("oven", "mixer")),
            "[]",
            r"lines 'a' and 'b' both use /dev/ttyUSB0",
        ),
        (
            line("a", TCP, SCALE),
            "[{id: main, name: Main, resource: electricity, role: main, measured_by: scale}]",
            r"point 'main': device 'scale' \(scales/mt-sics\) has no 'active_energy_import_total'.*weighed_mass_total",
        ),
    ],
    ids=["profile", "unit id twice", "scale with others", "scale in RTU", "broadcast", "port twice", "quantity"],
)
def test_a_users_mistake_is_one_line_that_names_it(tmp_path: Path, lines: str, points: str, message: str) -> None:
    with pytest.raises(AgentConfigurationError, match=message) as problem:
        lines_of(tmp_path, lines, points)
    assert "\n" not in str(problem.value)


@pytest.mark.parametrize("name", ready_plants())
def test_every_ready_plant_is_read_with_the_site_file_that_it_writes(name: str, tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(yaml.safe_dump(site_document(load_plant(name))))
    assert installed_lines(load_site(path))

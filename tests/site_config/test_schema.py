from pathlib import Path
from textwrap import dedent

import pytest

from site_config.errors import ConfigurationError, SiteFileError
from site_config.points import Resource, Role
from site_config.schema import MqttSettings, load_site

GOOD = """
site: bakery
time_zone: America/Lima
lines:
  - id: rs485
    serial: {port: /dev/ttyUSB0}
    devices:
      - {id: main-meter, profile: eastron/sdm630, unit_id: 1}
      - {id: oven-meter, profile: eastron/sdm630, unit_id: 2}
points:
  - {id: main, name: Main supply, resource: electricity, role: main, measured_by: main-meter}
  - {id: oven, name: Oven, resource: electricity, parent: main, measured_by: oven-meter}
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "site.yaml"
    path.write_text(dedent(text), encoding="utf-8")
    return path


def test_ten_lines_are_a_whole_site(tmp_path: Path) -> None:
    site = load_site(write(tmp_path, GOOD))
    assert [(point.id, point.role) for point in site.points] == [("main", Role.MAIN), ("oven", Role.PART)]
    main, oven = site.assignments
    assert (main.device, main.amount_quantity, main.export_quantity) == (
        "main-meter",
        "active_energy_import_total",
        "active_energy_export_total",
    )
    assert (oven.rate_quantity, oven.export_quantity, oven.factor) == ("active_power_total", None, 1.0)
    assert site.points[1].resource is Resource.ELECTRICITY


@pytest.mark.parametrize(
    ("mqtt", "words"),
    [
        ({"password_file": "secret"}, "mqtt: password_file needs a username"),
        ({"ca_file": "ca.pem"}, "mqtt: ca_file is for `tls: true`"),
        ({"host": "mqtt://broker"}, "mqtt.host: must be a name or address alone"),
        ({"host": "10.0.0.2:1883"}, "mqtt.host: must be a name or address alone"),
        ({"host": ""}, "mqtt.host: must not be empty"),
    ],
)
def test_a_broker_that_cannot_be_meant(tmp_path: Path, mqtt: dict[str, object], words: str) -> None:
    with pytest.raises(SiteFileError, match=words):
        load_site(write(tmp_path, GOOD + f"mqtt: {mqtt}\n"))


def test_an_address_of_ipv6_has_colons(tmp_path: Path) -> None:
    assert load_site(write(tmp_path, GOOD + "mqtt: {host: 'fe80::1'}\n")).mqtt.host == "fe80::1"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("resource: electricity, parent: main", "resource: electrcity", r"points\[1\].resource: must be 'electricity'"),
        ("name: Oven", "name: 5", r"points\[1\].name: must be text; put it between quotes \(given: 5\)"),
        ("name: Oven", "name: Oven, factor: 0", r"points\[1\].factor: must not be 0"),
        ("name: Oven", "name: Oven, factor: .nan", r"points\[1\].factor: must be a number"),
    ],
)
def test_a_point_that_cannot_be_meant(tmp_path: Path, old: str, new: str, words: str) -> None:
    with pytest.raises(SiteFileError, match=words):
        load_site(write(tmp_path, GOOD.replace(old, new)))


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "secret: is empty"), (b" \n", "is empty"), (b"\xff\xfe", "cannot be read"), (None, "No such file")],
)
def test_a_password_that_is_none(tmp_path: Path, content: bytes | None, words: str) -> None:
    secret = tmp_path / "secret"
    if content is not None:
        secret.write_bytes(content)
    with pytest.raises(ConfigurationError, match=rf"^mqtt.password_file: .*{words}"):
        MqttSettings(username="edge-1", password_file=secret).password()


@pytest.mark.parametrize(("content", "words"), [("no certificate", "holds no certificate"), (None, "No such file")])
def test_a_certificate_that_is_none(tmp_path: Path, content: str | None, words: str) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ConfigurationError, match=rf"^mqtt.ca_file: .*{words}"):
        MqttSettings(tls=True, ca_file=file).tls_context()
    assert MqttSettings().tls_context() is None


def test_a_clamp_that_moves_has_times_in_utc_milliseconds(tmp_path: Path) -> None:
    site = load_site(
        write(
            tmp_path,
            GOOD + "assignments:\n  - {device: oven-meter, point: oven, from: 2026-11-23T11:00:00-05:00, factor: -1}\n",
        )
    )
    moved = site.assignments[-1]
    assert moved.from_ms == 1795449600000
    assert not moved.covers(1795449599999)
    assert moved.covers(1795449600000)
    assert moved.factor == -1.0


def test_the_example_in_the_documentation_is_right() -> None:
    site = load_site(Path(__file__).parents[2] / "docs" / "site-file.example.yaml")
    assert {line.id for line in site.lines} >= {"rs485-1", "main-meter", "packing-scale"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("site: bakery", "site: The Bakery"), "site: 'The Bakery' must be lower-case"),
        (("site: bakery", ""), "site: is missing"),
        (("unit_id: 2", "unitid: 2"), "lines[0].devices[1].unitid: unknown key"),
        (("unit_id: 2", "unit_id: 300"), "lines[0].devices[1].unit_id: must be at most 255"),
        (("America/Lima", "Lima"), "time_zone: is no time zone"),
        (("parent: main", "parent: mains"), "points: oven.parent: no point 'mains'"),
        (("parent: main", "parent: oven"), "points: oven.parent: 'oven' is below this point already"),
        (("measured_by: oven-meter", "measured_by: stove"), "points: oven.measured_by: no device 'stove'"),
        (("id: oven-meter", "id: main-meter"), "device id 'main-meter' is used twice"),
        (("id: oven-meter", "id: agent-1"), "device id 'agent-1': names that begin with agent- are those of edges"),
        (("serial: {port: /dev/ttyUSB0}", "{}"), "line 7, column 5"),
        (("    serial: {port: /dev/ttyUSB0}\n", ""), "line 'rs485' needs exactly one of serial, tcp, rtu_over_tcp"),
        (("resource: electricity, parent", "resource: electricity, amount: kwh, parent"), "unknown quantity 'kwh'"),
    ],
)
def test_a_mistake_gets_one_line_that_names_file_and_key(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    assert change[0] in GOOD
    path = write(tmp_path, GOOD.replace(*change))
    with pytest.raises(SiteFileError) as caught:
        load_site(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert told in message
    assert "\n" not in message


@pytest.mark.parametrize("content", [b"\xff\xfe", b"- a\n- b\n", b"a: [", b""])
def test_what_is_no_site_file_is_said(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "site.yaml"
    path.write_bytes(content)
    with pytest.raises(SiteFileError, match=r"site\.yaml"):
        load_site(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SiteFileError, match=r"nowhere\.yaml: cannot be read"):
        load_site(tmp_path / "nowhere.yaml")

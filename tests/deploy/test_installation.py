"""`leanmeter deploy prepare`, as a user calls it."""

import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from leanmeter.command_line import main
from store.server_file import load_server_file

SITE = """
site: {site}
edge: gate
lines:
  - id: lan
    tcp: {{host: 127.0.0.1}}
    devices: [{{id: grid, profile: eastron/sdm630}}]
points:
  - {{id: mains, name: Grid, resource: electricity, role: main, measured_by: grid}}
"""


def prepared(folder: Path, site: str | None, host: str = "10.1.2.3") -> int:
    files = []
    if site is not None:
        path = folder.parent / f"{site}-file.yaml"
        path.write_text(SITE.format(site=site), encoding="utf-8")
        files = [str(path)]
    return main(["deploy", "prepare", *files, "--host", host, "--folder", str(folder)])


def test_it_says_how_the_edge_reaches_the_broker(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert prepared(tmp_path / "local", "mill") == 0

    told = capsys.readouterr().out
    assert "username: mill/gate" in told
    assert "host: 10.1.2.3, port: 8883, tls: true" in told
    assert len((tmp_path / "local" / "edges" / "mill.gate.password").read_text()) >= 32


def test_a_second_site_leaves_every_password_and_certificate_as_it_was(tmp_path: Path) -> None:
    local = tmp_path / "local"
    prepared(local, "mill")
    before = {path: path.read_bytes() for folder in ("secrets", "edges") for path in (local / folder).iterdir()}
    del before[local / "secrets" / "mqtt_passwords"]

    assert prepared(local, "depot") == 0
    assert {path: path.read_bytes() for path in before} == before
    settings = load_server_file(local / "server.yaml")
    assert [path.name for path in settings.collector.sites] == ["depot.yaml", "mill.yaml"]
    accounts = (local / "secrets" / "mqtt_passwords").read_text().splitlines()
    assert [line.split(":")[0] for line in accounts] == ["collector", "depot/gate", "mill/gate"]


def test_folders_with_secrets_are_closed_to_others(tmp_path: Path) -> None:
    prepared(tmp_path / "local", "mill")

    for name in ("secrets", "edges"):
        assert stat.S_IMODE((tmp_path / "local" / name).stat().st_mode) == 0o700


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not here")
@pytest.mark.parametrize("host", ["10.1.2.3", "box.example"])
def test_the_certificate_is_the_brokers_under_each_of_its_names(tmp_path: Path, host: str) -> None:
    prepared(tmp_path / "local", "mill", host)
    folder = tmp_path / "local" / "secrets"

    name = ["-verify_ip", host] if host[0].isdigit() else ["-verify_hostname", host]
    for check in (name, ["-verify_hostname", "mosquitto"]):
        subprocess.run(
            ["openssl", "verify", "-CAfile", folder / "mqtt_ca", *check, folder / "mqtt_server_certificate"],
            check=True, capture_output=True,
        )  # fmt: skip


def test_without_a_site_it_asks_for_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert prepared(tmp_path / "local", None) == 2
    assert "name at least one site file" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "local").touch()

    assert prepared(tmp_path / "local", "mill") == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "--folder" in told

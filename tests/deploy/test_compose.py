"""deploy/compose.yaml against the Compose Specification and against what the containers will find."""

import json
import os
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from leanmeter.command_line import main
from store.server_file import load_server_file

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
SCHEMA = Path(__file__).with_name("compose-spec.json")
SITE = Path(__file__).parents[2] / "docs" / "site-file.example.yaml"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    return loaded


def test_it_is_what_the_compose_specification_allows(compose: dict[str, Any]) -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))

    jsonschema.Draft7Validator(schema).validate(compose)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(schema).validate(compose | {"services": {"page": {"portz": []}}})


def test_every_service_that_others_wait_for_is_watched(compose: dict[str, Any]) -> None:
    services = compose["services"]

    assert set(services) == {"mosquitto", "influxdb", "collector", "evaluation", "page", "grafana"}
    for name, service in services.items():
        assert service["restart"] == "unless-stopped", name
        assert service["logging"]["options"], name
        for other, how in service.get("depends_on", {}).items():
            assert how["condition"] != "service_healthy" or "healthcheck" in services[other], (name, other)


def test_no_secret_stands_in_it_and_each_is_a_file(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        assert set(service.get("secrets", [])) <= set(compose["secrets"])
        for key, value in service.get("environment", {}).items():
            if any(word in key for word in ("PASSWORD", "TOKEN", "SECRET")):
                assert key.endswith("_FILE"), key
                assert value.startswith("/run/secrets/"), key
    assert all(set(secret) == {"file"} for secret in compose["secrets"].values())


def test_only_broker_page_and_grafana_are_reached_and_the_last_two_from_this_machine_alone(
    compose: dict[str, Any],
) -> None:
    ports = {name: service["ports"] for name, service in compose["services"].items() if "ports" in service}

    assert ports == {
        "mosquitto": ["8883:8883"],
        "page": ["${LEANMETER_BIND:-127.0.0.1}:8080:8080"],
        "grafana": ["${LEANMETER_BIND:-127.0.0.1}:3000:3000"],
    }


def test_prepare_makes_every_file_that_is_mounted(compose: dict[str, Any], tmp_path: Path) -> None:
    assert main(["deploy", "prepare", str(SITE), "--host", "box", "--folder", str(tmp_path / "local")]) == 0

    sources = [secret["file"] for secret in compose["secrets"].values()]
    for service in compose["services"].values():
        mounts = [volume.split(":")[0] for volume in service.get("volumes", [])]
        sources += [mount for mount in mounts if mount.startswith("./")]
    for source in sources:
        place = tmp_path / source.removeprefix("./") if source.startswith("./local") else DEPLOY / source
        assert place.exists(), source


def test_preparing_again_keeps_who_is_told(tmp_path: Path) -> None:
    prepare = ["deploy", "prepare", str(SITE), "--host", "box", "--folder", str(tmp_path)]
    assert main(prepare) == 0
    settings = tmp_path / "server.yaml"
    told = "notifications:\n  recipients:\n  - id: ana\n    webhook: {url: 'http://x/'}\n"
    settings.write_text(settings.read_text(encoding="utf-8") + told, encoding="utf-8")
    assert main(prepare) == 0
    section = load_server_file(settings).notifications
    assert section is not None
    assert [recipient.id for recipient in section.recipients] == ["ana"]


def test_the_image_is_built_from_every_package_of_the_wheel() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = {*project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"], "pyproject.toml", "requirements.lock"}
    sent = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()

    assert wanted <= {line.removeprefix("!") for line in sent if line.startswith("!")}


def test_docker_compose_accepts_it_where_there_is_one(tmp_path: Path) -> None:
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("docker's compose plugin is not here")
    shutil.copytree(DEPLOY, tmp_path / "deploy")
    done = subprocess.run(
        [docker, "compose", "-f", str(tmp_path / "deploy" / "compose.yaml"), "config", "--quiet"],
        capture_output=True, text=True, check=False, env={**os.environ, "LEANMETER_BIND": "192.0.2.1"},
    )  # fmt: skip

    assert done.returncode == 0, done.stderr

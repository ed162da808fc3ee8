"""The files that set Grafana up by themselves."""

import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from dashboards.variables import PROVISIONED_DATASOURCE
from tests.dashboards.provisioning_models import DataSources, Providers
from tests.servers.influxdb import InfluxDB

DEPLOY = Path(__file__).parents[2] / "deploy"
PROVISIONING = DEPLOY / "grafana" / "provisioning"
COMPOSE_SOURCE = DEPLOY / "grafana" / "compose-datasource.yaml"


def provisioned(path: str, **environment: str) -> dict[str, Any]:
    """A file with its variables filled in, as Grafana does from its environment."""
    text = (PROVISIONING / path).read_text(encoding="utf-8")
    for name, value in environment.items():
        text = text.replace(f"${{{name}}}", value)
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


def test_the_dashboards_find_the_provisioned_data_source() -> None:
    (source,) = provisioned("datasources/leanmeter.yaml")["datasources"]

    assert source["type"] == "influxdb"
    assert (source["name"], source["uid"]) == (PROVISIONED_DATASOURCE.text, PROVISIONED_DATASOURCE.value)


def test_the_data_source_reads_a_real_bucket(influxdb: InfluxDB, influxdb_bucket: str) -> None:
    influxdb.write(influxdb_bucket, "reading,site=workshop,device=main-meter active_power_total=1.0 1700000000000")
    (source,) = provisioned(
        "datasources/leanmeter.yaml",
        LEANMETER_INFLUX_URL=influxdb.url,
        LEANMETER_INFLUX_BUCKET=influxdb_bucket,
        LEANMETER_INFLUX_TOKEN=influxdb.token,
    )["datasources"]
    settings, secrets = source["jsonData"], source["secureJsonData"]

    assert urlsplit(source["url"]).netloc == urlsplit(influxdb.url).netloc
    assert source["database"] == settings["dbName"] == influxdb_bucket
    assert settings["httpHeaderName1"] == "Authorization"
    assert secrets["httpHeaderValue1"] == f"Token {influxdb.token}"
    found = influxdb.query(settings["dbName"], "SHOW MEASUREMENTS")
    assert found == [{"name": "reading"}]


def test_the_data_source_of_compose_reads_as_a_user_who_may_do_nothing_else(
    influxdb: InfluxDB, influxdb_bucket: str
) -> None:
    """`deploy/influxdb/grafana-user.sh` makes such a user by `influx v1 auth create`, here the same by HTTP."""
    (source,) = yaml.safe_load(COMPOSE_SOURCE.read_text(encoding="utf-8"))["datasources"]
    influxdb.write(influxdb_bucket, "reading,site=workshop,device=main-meter active_power_total=1.0 1700000000000")
    user = f"{source['basicAuthUser']}-{influxdb_bucket}"
    with influxdb.user_who_reads(influxdb_bucket, user, "a password"):
        headers = {"Authorization": "Basic " + base64.b64encode(f"{user}:a password".encode()).decode()}
        asked = {"db": influxdb_bucket, "q": "SHOW MEASUREMENTS"}

        status, answer = influxdb.request("GET", "/query", asked, headers=headers)
        assert (status, json.loads(answer)["results"][0]["series"][0]["values"]) == (200, [["reading"]])
        refused, _ = influxdb.request("POST", "/write", {"db": influxdb_bucket}, "reading x=1.0", headers=headers)
        assert refused in {401, 403}
    assert "influx v1 auth create" in (DEPLOY / "influxdb" / "grafana-user.sh").read_text(encoding="utf-8")


def test_both_data_sources_are_as_grafana_documents_them_and_alike() -> None:
    one, other = (
        DataSources.model_validate(yaml.safe_load(path.read_text(encoding="utf-8"))).datasources[0]
        for path in (PROVISIONING / "datasources" / "leanmeter.yaml", COMPOSE_SOURCE)
    )

    for name in ("name", "uid", "type", "access", "editable"):
        assert getattr(one, name) == getattr(other, name), name
    assert (one.jsonData.version, one.jsonData.httpMode) == (other.jsonData.version, other.jsonData.httpMode)


@pytest.mark.parametrize("path", sorted(PROVISIONING.rglob("*.yaml")), ids=lambda path: path.parent.name)
def test_no_secret_stands_in_a_file(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert all("${" in line for line in text.splitlines() if "httpHeaderValue" in line or "password" in line)


def test_the_provider_loads_files_and_keeps_them_as_they_are() -> None:
    (provider,) = Providers.model_validate(provisioned("dashboards/leanmeter.yaml")).model_dump()["providers"]

    assert provider["type"] == "file"
    assert provider["allowUiUpdates"] is False
    assert provider["options"]["path"] == "/var/lib/grafana/dashboards/leanmeter"

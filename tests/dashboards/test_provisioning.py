"""The files that set Grafana up by themselves."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from dashboards.variables import PROVISIONED_DATASOURCE
from tests.servers.influxdb import InfluxDB

PROVISIONING = Path(__file__).parents[2] / "deploy" / "grafana" / "provisioning"


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


@pytest.mark.parametrize("path", sorted(PROVISIONING.rglob("*.yaml")), ids=lambda path: path.parent.name)
def test_no_secret_stands_in_a_file(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert all("${" in line for line in text.splitlines() if "httpHeaderValue" in line or "password" in line)


def test_the_provider_loads_files_and_keeps_them_as_they_are() -> None:
    (provider,) = provisioned("dashboards/leanmeter.yaml")["providers"]

    assert provider["type"] == "file"
    assert provider["allowUiUpdates"] is False
    assert provider["options"]["path"] == "/var/lib/grafana/dashboards/leanmeter"

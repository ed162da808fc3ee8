"""Where a real Grafana is at hand: it takes every dashboard and alert rule, and draws each without an error.

Pictures go to the folder that LEANMETER_PICTURES names.
"""

import os
from pathlib import Path
from urllib.parse import urlencode

import pytest
import yaml
from playwright.async_api import Browser

from dashboards.build import DASHBOARDS, GENERATED
from dashboards.variables import PROVISIONED_DATASOURCE
from leanmeter.command_line import main
from tests.dashboards.filled import NOW_MS, Filled
from tests.dashboards.grafana import load
from tests.servers.chromium import ON_THE_BROWSERS_LOOP
from tests.servers.grafana import Grafana

DAY_MS = 86_400_000
SIZES = {"wall": (1920, 1080), "phone": (390, 844)}


@pytest.fixture(scope="module")
def pushed(real_grafana: Grafana, filled: Filled, tmp_path_factory: pytest.TempPathFactory) -> Grafana:
    """A Grafana with the data source of the filled bucket, and all dashboards."""
    source = {
        "name": PROVISIONED_DATASOURCE.text,
        "uid": PROVISIONED_DATASOURCE.value,
        "type": "influxdb",
        "access": "proxy",
        "url": filled.influxdb.url,
        "database": filled.bucket,
        "jsonData": {"version": "InfluxQL", "dbName": filled.bucket, "httpHeaderName1": "Authorization"},
        "secureJsonData": {"httpHeaderValue1": f"Token {filled.influxdb.token}"},
    }
    status, answer = real_grafana.call("POST", "/api/datasources", source)
    assert status in {200, 409}, answer
    token = tmp_path_factory.mktemp("token") / "token"
    token.write_text(real_grafana.token, encoding="utf-8")
    assert main(["dashboards", "push", "--grafana", real_grafana.url, "--token-file", str(token), "--yes"]) == 0
    return real_grafana


@pytest.mark.parametrize("name", DASHBOARDS)
def test_it_holds_what_was_pushed(pushed: Grafana, name: str) -> None:
    status, answer = pushed.call("GET", f"/api/dashboards/uid/leanmeter-{name}")

    assert status == 200
    stored = {key: value for key, value in answer["dashboard"].items() if key not in {"id", "version"}}
    assert stored == load(GENERATED / f"{name}.json")


def test_it_takes_every_alert_rule_and_has_nothing_to_change_after(
    pushed: Grafana, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (group,) = yaml.safe_load((GENERATED / "alerting" / "rules.yaml").read_text(encoding="utf-8"))["groups"]
    token = tmp_path / "token"
    token.write_text(pushed.token, encoding="utf-8")
    words = ["dashboards", "push", "--grafana", pushed.url, "--token-file", str(token), "--alerts"]
    assert main([*words, "--email", "owner@example.org", "--yes"]) == 0
    _, held = pushed.call("GET", "/api/v1/provisioning/alert-rules")
    capsys.readouterr()

    assert {rule["uid"] for rule in group["rules"]} <= {rule["uid"] for rule in held}
    assert main([*words, "--dry-run"]) == 0
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("alert rule")]
    assert len(told) == len(group["rules"])
    assert all(line.endswith(": same") for line in told)


@ON_THE_BROWSERS_LOOP
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", DASHBOARDS)
async def test_it_draws_each_without_an_error(
    pushed: Grafana, browser: Browser, tmp_path: Path, name: str, size: str
) -> None:
    width, height = SIZES[size]
    shown = {"from": NOW_MS - 2 * DAY_MS, "to": NOW_MS, "var-site": "bakery", "kiosk": "1"}
    page = await browser.new_page(
        viewport={"width": width, "height": height}, extra_http_headers={"Authorization": f"Bearer {pushed.token}"}
    )
    await page.goto(f"{pushed.url}/d/leanmeter-{name}?{urlencode(shown)}")
    await page.wait_for_load_state("networkidle")
    folder = Path(os.environ.get("LEANMETER_PICTURES") or tmp_path)
    await page.screenshot(path=folder / f"grafana-{name}-{size}.png", full_page=True)

    assert await page.locator("[data-testid='data-testid Panel status error']").count() == 0

"""What stands on the panels is what `leanmeter baselines` says of the same days, to the digit shown."""

import asyncio
import contextlib
import io
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import yaml

from leanmeter.command_line import main
from store.factory import open_readings
from store.settings import StoreSettings
from tests.dashboards.grafana import Target, generated, load, render, targets
from tests.evaluation.planned_site import BASELINE_DAYS, DAYS, FIRST, SITE, midnight_ms, planned_site, truth
from tests.servers.influxdb import InfluxDB

END_MS = midnight_ms(DAYS) - 1
REPORTED = f"{DAYS - BASELINE_DAYS}d"
BASELINE_PERIOD = f"{FIRST}/{FIRST + timedelta(days=BASELINE_DAYS - 1)}"
REPORTING_PERIOD = f"{FIRST + timedelta(days=BASELINE_DAYS)}/{FIRST + timedelta(days=DAYS - 1)}"


@dataclass(frozen=True, slots=True)
class Verified:
    """A site with a frozen baseline in InfluxDB, and what `leanmeter baselines savings` says of its days."""

    influxdb: InfluxDB
    bucket: str
    savings: dict[str, Any]

    def number(self, board: str, title: str, column: str) -> float:
        """A panel's number for the reporting period, as Grafana reduces it: the last value that is there."""
        values = [row[column] for row in self.rows(board, title) if row[column] is not None]
        return float(values[-1])

    def rows(self, board: str, title: str) -> list[dict[str, Any]]:
        target = find(board, title)
        return self.influxdb.query(self.bucket, render(target, {"site": SITE}, END_MS, REPORTED))


def find(board: str, title: str) -> Target:
    return next(each for each in targets() if (each.board, each.title) == (board, title))


def as_shown(board: str, title: str, value: float) -> str:
    """A number as the panel writes it: its unit's scale and its decimals."""
    (panel,) = [
        each for path in generated() if path.stem == board for each in load(path)["panels"] if each["title"] == title
    ]
    defaults = panel["fieldConfig"]["defaults"]
    scale = {"percentunit": 100.0}.get(defaults["unit"], 1.0)
    return f"{value * scale:.{defaults['decimals']}f} {defaults['unit']}"


def told(*words: str) -> str:
    """What a command prints."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert main(words) == 0
    return printed.getvalue()


@pytest.fixture(scope="module")
def verified(influxdb: InfluxDB, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Verified]:
    folder = tmp_path_factory.mktemp("verified")
    bucket = f"verified-{secrets.token_hex(6)}"
    bucket_id = influxdb.create_bucket(bucket)
    influx = {"url": influxdb.url, "org": influxdb.org, "bucket": bucket, "token": influxdb.token}

    async def prepare() -> None:
        # Derived in SQLite, which is quicker; both stores give back the same rows.
        async with planned_site(folder) as opened:
            await opened.plan()
            await opened.write_all(truth())
            assert await opened.freeze()
            await opened.rederive()
            readings = open_readings(StoreSettings.model_validate({"influx": influx}))
            await readings.write_days(await opened.readings.days(SITE, 0, END_MS))
            await readings.close()

    asyncio.run(prepare())
    settings = {"store": {"sqlite": str(folder / "readings.sqlite")}, "entities": str(folder / "entities.sqlite")}
    (folder / "server.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    table = folder / "days.csv"
    table.write_text(told("plan", "export", "energy", "--config", str(folder / "server.yaml")), encoding="utf-8")
    said = told(
        "baselines", "savings", "--json", "--data", str(table), "--energy", "energy", "--variables", "bread",
        "--baseline-period", BASELINE_PERIOD, "--reporting-period", REPORTING_PERIOD, "--confidence", "0.9",
    )  # fmt: skip
    yield Verified(influxdb, bucket, json.loads(said))
    influxdb.delete_bucket(bucket_id)


def test_the_share_saved(verified: Verified) -> None:
    shown = verified.number("energy", "Against expected", "difference")

    assert verified.savings["proven"]
    assert as_shown("energy", "Against expected", shown) == as_shown(
        "energy", "Against expected", -verified.savings["savings_fraction"]
    )


def test_the_amount_saved(verified: Verified) -> None:
    expected = as_shown("energy", "Saved", verified.savings["savings"])

    assert as_shown("energy", "Saved", verified.number("energy", "Saved", "saved")) == expected
    assert as_shown("energy", "Saved", verified.number("energy", "Saved so far", "saved")) == expected
    assert as_shown("energy", "Saved", verified.number("programme", "Saved by all sites", "saved")) == expected


def test_the_programmes_numbers(verified: Verified) -> None:
    for title in ("All sites against expected", "Median site against expected"):
        shown = verified.number("programme", title, "difference")
        assert as_shown("programme", title, shown) == as_shown(
            "programme", title, -verified.savings["savings_fraction"]
        )
    (site,) = verified.rows("programme", "Sites by what they saved")
    assert f"{site['difference']:.3f}" == f"{-verified.savings['savings_fraction']:.3f}"


def test_used_and_expected_of_the_days(verified: Verified) -> None:
    days = verified.rows("energy", "Each day against expected and goal")

    assert len(days) == DAYS - BASELINE_DAYS
    for name, said in (("amount", "actual"), ("expected", "expected")):
        assert f"{sum(day[name] for day in days):.3f}" == f"{verified.savings[said]:.3f}"
    assert all(day["lower"] < day["expected"] < day["upper"] for day in days)
    assert all(day["goal"] <= day["expected"] for day in days)

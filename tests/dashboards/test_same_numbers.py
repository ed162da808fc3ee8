"""What stands on the panels is what `leanmeter baselines` says of the same days, to the digit shown."""

import asyncio
import contextlib
import csv
import io
import json
import math
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from baselines.carriers import CarrierUse
from baselines.emissions import EmissionFactor, emissions_kg
from baselines.goals import Goal
from dashboards.build import render as render_boards
from leanmeter.command_line import main
from leanmeter.dashboards.dashboard_names import names_of
from store.factory import open_readings
from store.protocol import IntervalRow
from store.settings import StoreSettings
from tests.dashboards.grafana import render, targets_of
from tests.evaluation.planned_site import (
    BASELINE_DAYS,
    DAYS,
    FIRST,
    SITE,
    PlannedSite,
    midnight_ms,
    plan_document,
    planned_site,
    site,
)
from tests.evaluation.whole_site import (
    BIN_PRICE,
    COMPARED,
    DESTINATIONS,
    FLOUR_PRICE,
    GRID_KG,
    STREAMS,
    WATER_KG,
    WATER_PRICE,
    whole_plan,
    write_days,
)
from tests.servers.influxdb import InfluxDB

START_MS, END_MS = midnight_ms(BASELINE_DAYS), midnight_ms(DAYS) - 1
REPORTED = f"{DAYS - BASELINE_DAYS}d"
BASELINE_PERIOD = f"{FIRST}/{FIRST + timedelta(days=BASELINE_DAYS - 1)}"
REPORTING_PERIOD = f"{FIRST + timedelta(days=BASELINE_DAYS)}/{FIRST + timedelta(days=DAYS - 1)}"
MONTH = f"{FIRST + timedelta(days=BASELINE_DAYS):%Y-%m}"
BOARDS: dict[str, dict[str, Any]] = {
    path.removesuffix(".json"): json.loads(text)
    for path, text in render_boards(names_of([site(STREAMS)])).items()
    if path.endswith(".json")
}


@dataclass(frozen=True, slots=True)
class Verified:
    """A site with frozen baselines in InfluxDB, and what `leanmeter baselines` says of its reporting period."""

    influxdb: InfluxDB
    bucket: str
    savings: Mapping[str, Any]
    materials: Mapping[str, Any]
    exported_materials: Mapping[str, Any]
    sun: Mapping[str, Any]
    costs: Mapping[str, float]
    emitted_kg: float

    def number(self, board: str, title: str, column: str) -> float:
        """A panel's number for the reporting period, as Grafana reduces it: the last value that is there."""
        values = [row[column] for row in self.rows(board, title) if row[column] is not None]
        return float(values[-1])

    def rows(self, board: str, title: str) -> list[dict[str, Any]]:
        target = next(each for each in targets_of(board, BOARDS[board]) if each.title == title)
        return self.influxdb.query(self.bucket, render(target, {"site": SITE}, END_MS, REPORTED))

    def check(self, board: str, title: str, column: str, said: float) -> None:
        """The panel's number is what was said, as the panel writes it."""
        assert as_shown(board, title, self.number(board, title, column)) == as_shown(board, title, said)


def as_shown(board: str, title: str, value: float) -> str:
    """A number as the panel writes it: its unit's scale and its decimals."""
    (panel,) = [each for each in BOARDS[board]["panels"] if each["title"] == title]
    defaults = panel["fieldConfig"]["defaults"]
    scale = {"percentunit": 100.0}.get(defaults["unit"], 1.0)
    return f"{value * scale:.{defaults['decimals']}f} {defaults['unit']}"


def told(*words: object) -> str:
    """What a command prints."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert main([str(word) for word in words]) == 0
    return printed.getvalue()


def said(*words: object) -> dict[str, Any]:
    """What a command of `leanmeter baselines` prints as JSON."""
    found: dict[str, Any] = json.loads(told("baselines", *words, "--json"))
    return found


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    return path


@dataclass(frozen=True, slots=True)
class Measured:
    """The intervals of the reporting period, by point."""

    rows: Mapping[str, Sequence[IntervalRow]]

    def total(self, point: str) -> float:
        return math.fsum(row.amount for row in self.rows[point])


async def prepared(folder: Path, influx: Mapping[str, str]) -> Measured:
    """Derive the site's days in SQLite, which is quicker, and copy them; both stores give back the same rows."""
    async with planned_site(folder, points=STREAMS) as opened:
        await opened.plan(**whole_plan())
        await write_days(opened)
        assert await opened.freeze()
        await opened.rederive()
        readings = open_readings(StoreSettings.model_validate({"influx": influx}))
        await readings.write_days(await opened.readings.days(SITE, 0, END_MS))
        await readings.close()
        return await measured(opened)


async def measured(opened: PlannedSite) -> Measured:
    points = [str(point["id"]) for point in STREAMS]
    return Measured({name: await opened.readings.intervals(SITE, START_MS, END_MS, name) for name in points})


def savings_of(folder: Path) -> dict[str, Any]:
    """Of each baseline's exported days."""
    found = {}
    for name in COMPARED:
        table = folder / f"{name}.csv"
        table.write_text(told("plan", "export", name, "--config", folder / "server.yaml"), encoding="utf-8")
        found[name] = said(
            "savings", "--data", table, "--energy", "energy", "--variables", "bread", "--baseline-period",
            BASELINE_PERIOD, "--reporting-period", REPORTING_PERIOD, "--confidence", "0.9",
        )  # fmt: skip
    return found


def materials_of(folder: Path, found: Measured) -> dict[str, Any]:
    """The balance of the period's streams, waste by its destinations."""
    flour, waste = found.total("flour"), found.total("bin")
    rows = [
        ("flour", "input", flour, flour * FLOUR_PRICE, ""),
        ("bread", "product", found.total("bread"), 0, ""),
        *(
            ("bin", "waste", waste * share, waste * share * BIN_PRICE, destination)
            for destination, share in DESTINATIONS.items()
        ),
    ]
    return said("materials", write_table(folder / "streams.csv", ("stream", "flow", "kg", "cost", "destination"), rows))


def exported_materials_of(folder: Path) -> dict[str, Any]:
    """The same of what `leanmeter plan streams` gives a verifier."""
    first, last = REPORTING_PERIOD.split("/")
    table = folder / "exported-streams.csv"
    table.write_text(
        told("plan", "streams", "--config", folder / "server.yaml", "--from", first, "--to", last), encoding="utf-8"
    )
    return said("materials", table)


def sun_of(folder: Path, found: Measured) -> dict[str, Any]:
    """The balance of own generation, with what it avoided."""
    columns = ("generated_kwh", "imported_kwh", "exported_kwh")
    rows = [
        (solar.amount, max(row.amount, 0.0), max(-row.amount, 0.0))
        for solar, row in zip(found.rows["solar"], found.rows["main"], strict=True)
    ]
    return said("pv", write_table(folder / "sun.csv", columns, rows), "--grid-factor", GRID_KG)


def costs_of(folder: Path, found: Measured) -> dict[str, float]:
    """The bills of the period for electricity, water and waste."""
    (folder / "tariff.yaml").write_text(yaml.safe_dump(plan_document()["electricity_tariff"]), encoding="utf-8")
    bought = [
        (f"{datetime.fromtimestamp(row.start_ms / 1000, UTC):%Y-%m-%dT%H:%M}", max(row.amount, 0.0))
        for row in found.rows["main"]
    ]
    bill = said(
        "tariff", folder / "tariff.yaml", "--data", write_table(folder / "bought.csv", ("start", "energy_kwh"), bought)
    )
    prices = [
        {"name": name, "unit": unit, "valid_from": "2026-01-01", "price": price}
        for name, unit, price in (("water", "m3", WATER_PRICE), ("bin", "kg", BIN_PRICE))
    ]
    (folder / "prices.yaml").write_text(yaml.safe_dump({"currency": "GHS", "prices": prices}), encoding="utf-8")
    used = write_table(
        folder / "used.csv", ("month", "water", "bin"), [(MONTH, found.total("water"), found.total("bin"))]
    )
    lines = said("prices", folder / "prices.yaml", "--data", used)[MONTH]["lines"]
    water, waste = (
        math.fsum(float(line["amount"]) for line in lines if line["name"] == name) for name in ("water", "bin")
    )
    return {"electricity": float(bill[MONTH]["total"]), "water": water, "waste": waste}


def emissions_of(found: Measured) -> float:
    day = FIRST + timedelta(days=BASELINE_DAYS)
    bought = math.fsum(max(row.amount, 0.0) for row in found.rows["main"])
    return emissions_kg(
        [CarrierUse("electricity", "kWh", day, bought), CarrierUse("water", "m3", day, found.total("water"))],
        [
            EmissionFactor("electricity", "kWh", GRID_KG, FIRST, "test", method="location"),
            EmissionFactor("water", "m3", WATER_KG, FIRST, "test"),
        ],
        "location",
    )


@pytest.fixture(scope="module")
def verified(influxdb: InfluxDB, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Verified]:
    folder = tmp_path_factory.mktemp("verified")
    bucket = f"verified-{secrets.token_hex(6)}"
    bucket_id = influxdb.create_bucket(bucket)
    influx = {"url": influxdb.url, "org": influxdb.org, "bucket": bucket, "token": influxdb.token}
    found = asyncio.run(prepared(folder, influx))
    settings = {"store": {"sqlite": str(folder / "readings.sqlite")}, "entities": str(folder / "entities.sqlite")}
    (folder / "server.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    yield Verified(
        influxdb,
        bucket,
        savings_of(folder),
        materials_of(folder, found),
        exported_materials_of(folder),
        sun_of(folder, found),
        costs_of(folder, found),
        emissions_of(found),
    )
    influxdb.delete_bucket(bucket_id)


@pytest.mark.parametrize(
    ("baseline", "board", "title"),
    [
        ("energy", "energy", "Against expected"),
        ("water", "water", "Water against expected"),
        ("waste", "materials", "Waste against expected"),
        ("materials", "materials", "Materials wasted against expected"),
    ],
)
def test_the_share_saved(verified: Verified, baseline: str, board: str, title: str) -> None:
    verified.check(board, title, "difference", -verified.savings[baseline]["savings_fraction"])


@pytest.mark.parametrize(
    ("series", "board", "title"),
    [
        ("site.energy", "energy", "Against the goal"),
        ("site.waste", "materials", "Waste against the goal"),
        ("site.materials_wasted", "materials", "Materials wasted against the goal"),
    ],
)
def test_how_far_the_goal_is(verified: Verified, series: str, board: str, title: str) -> None:
    (baseline,) = [name for name, compared in COMPARED.items() if compared == series]
    found = verified.savings[baseline]
    share = {"site.energy": 0.27, "site.waste": 0.40, "site.materials_wasted": 0.35}[series]
    (goal,) = [each for each in whole_plan()["goals"] if each["series"] == series]
    first, last = date.fromisoformat(goal["from"]), date.fromisoformat(goal["to"])
    shares = Goal(series, share, first, last)
    aimed = math.fsum(
        row["expected"] * (1.0 - shares.share_on(date.fromisoformat(row["row"]))) for row in found["by_row"]
    )
    verified.check(board, title, "difference", found["actual"] / aimed - 1.0)


def test_what_is_proven(verified: Verified) -> None:
    """No measure was taken on water; the other numbers are no chance."""
    proven = {name: found["proven"] for name, found in verified.savings.items()}
    assert proven == {"energy": True, "water": False, "waste": True, "materials": True}


def test_the_amount_saved(verified: Verified) -> None:
    saved = verified.savings["energy"]["savings"]

    verified.check("energy", "Saved", "saved", saved)
    verified.check("energy", "Saved so far", "saved", saved)
    verified.check("programme", "Saved by all sites", "saved", saved)


def test_the_programmes_numbers(verified: Verified) -> None:
    fraction = verified.savings["energy"]["savings_fraction"]
    for title in ("All sites against expected", "Median site against expected"):
        verified.check("programme", title, "difference", -fraction)
    (ranked,) = verified.rows("programme", "Sites by what they saved")
    assert f"{ranked['difference']:.3f}" == f"{-fraction:.3f}"


@pytest.mark.parametrize(
    ("baseline", "board", "title"),
    [
        ("energy", "energy", "Each day against expected and goal"),
        ("water", "water", "Water by day, against expected and goal"),
        ("waste", "materials", "Waste by day, against expected and goal"),
        ("materials", "materials", "Materials wasted by day, against expected and goal"),
    ],
)
def test_used_and_expected_of_the_days(verified: Verified, baseline: str, board: str, title: str) -> None:
    days = verified.rows(board, title)

    assert len(days) == DAYS - BASELINE_DAYS
    for name, column in (("amount", "actual"), ("expected", "expected")):
        assert f"{sum(day[name] for day in days):.3f}" == f"{verified.savings[baseline][column]:.3f}"
    assert all(day["lower"] < day["expected"] < day["upper"] for day in days)
    assert all(day["goal"] <= day["expected"] for day in days)


@pytest.mark.parametrize(
    ("title", "column", "key"),
    [
        ("Material in", "amount", "input_kg"),
        ("Product", "amount", "product_kg"),
        ("Waste", "amount", "waste_kg"),
        ("Materials wasted", "amount", "wasted_kg"),
        ("Materials wasted by line", "amount", "wasted_kg"),
        ("What losses cost", "cost", "cost_of_losses"),
        ("Yield", "share", "material_yield"),
        ("Waste for each kg of product", "share", "waste_a_product_kg"),
        ("Not accounted for", "share", "imbalance_share"),
        ("Reused", "share", "reused_share"),
        ("Recycled", "share", "recycled_share"),
    ],
)
def test_the_balance_of_materials(verified: Verified, title: str, column: str, key: str) -> None:
    verified.check("materials", title, column, verified.materials[key])


def test_a_verifier_gets_the_streams_that_the_panels_are_of(verified: Verified) -> None:
    assert verified.exported_materials == pytest.approx(verified.materials)


def test_where_waste_went(verified: Verified) -> None:
    rows = verified.rows("materials", "Where waste went, by day")
    went = {
        name: math.fsum(row["amount"] for row in rows if row["point"] == f"site.waste_{name}") for name in DESTINATIONS
    }

    assert as_shown("materials", "Where waste went, by day", sum(went.values())) == as_shown(
        "materials", "Where waste went, by day", verified.materials["waste_kg"]
    )
    assert f"{went['reused']:.1f}" == f"{verified.materials['reused_share'] * verified.materials['waste_kg']:.1f}"


@pytest.mark.parametrize(
    ("title", "column", "key"),
    [
        ("Produced", "made", "generated_kwh"),
        ("Fed in", "fed", "exported_kwh"),
        ("Used by the site itself", "share", "self_consumption"),
        ("Covered by own generation", "share", "self_sufficiency"),
        ("Avoided CO₂e", "avoided_co2e", "avoided_kg_co2e"),
    ],
)
def test_own_generation(verified: Verified, title: str, column: str, key: str) -> None:
    verified.check("generation", title, column, verified.sun[key])


def test_what_was_used_at_once(verified: Verified) -> None:
    verified.check(
        "generation", "Used at once", "own", verified.sun["self_consumption"] * verified.sun["generated_kwh"]
    )


def test_what_was_avoided_by_use_and_by_what_was_fed_in(verified: Verified) -> None:
    rows = verified.rows("generation", "Avoided CO₂e by day")
    fed = math.fsum(row["avoided_co2e"] for row in rows if row["point"] == "site.exported")

    assert verified.sun["exported_kwh"] > 0.0
    assert f"{fed:.1f}" == f"{verified.sun['exported_kwh'] * GRID_KG:.1f}"


def test_what_it_cost(verified: Verified) -> None:
    verified.check("energy", "Cost", "cost", sum(verified.costs.values()))
    rows = verified.rows("energy", "Cost by day")
    by_resource = {
        name: math.fsum(row["cost"] for row in rows if row["resource"] == name and row["cost"] is not None)
        for name in verified.costs
    }
    assert {name: f"{cost:.2f}" for name, cost in by_resource.items()} == {
        name: f"{cost:.2f}" for name, cost in verified.costs.items()
    }
    assert {row["resource"] for row in rows if row["cost"] is not None} == set(verified.costs)


def test_what_it_emitted(verified: Verified) -> None:
    verified.check("energy", "Emissions", "co2e", verified.emitted_kg)

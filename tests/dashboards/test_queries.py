"""Every query of every panel, sent to a real InfluxDB 2 as Grafana sends it."""

import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from dashboards.influxql import site_use_kwh
from dashboards.site_names import WORKSHOP, SiteNames
from store.schema import CONSUMPTION, CONSUMPTION_DAY, INTERVAL_MS, READING
from tests.dashboards.grafana import DAY_MS, Target, generated, interpolate, load, render, targets
from tests.servers.influxdb import InfluxDB

AMOUNTS = {
    "main": 3.0,
    "oven": 1.5,
    "mixer": 0.5,
    "cold-room": 0.75,
    "packing": 0.25,
    "pv": 1.0,
    "main.unmetered": 1.0,
    "water": 0.125,
    "product": 40.0,
}
POWERS_W = {"main-meter": 12_000.0, "pv-inverter": 4_000.0, "oven-meter": 6_000.0}
PEAK_KW = 20.0
WORKSHOP_CHOSEN: dict[str, str | list[str]] = {"site": "workshop", "point": "$__all"}


@dataclass(frozen=True, slots=True)
class Filled:
    """A bucket with two days of two sites; `now_ms` is its present, `last_ms` the time of the newest reading."""

    influxdb: InfluxDB
    bucket: str
    now_ms: int
    last_ms: int

    def rows(self, target: Target, **chosen: str | list[str]) -> list[dict[str, Any]]:
        return self.influxdb.query(self.bucket, render(target, WORKSHOP_CHOSEN | chosen, self.now_ms))

    def intervals_today(self) -> int:
        return self.now_ms % DAY_MS // INTERVAL_MS + 1


@pytest.fixture(scope="module")
def filled(influxdb: InfluxDB) -> Iterator[Filled]:
    name = f"dashboards-{secrets.token_hex(6)}"
    bucket_id = influxdb.create_bucket(name)
    now_ms = time.time_ns() // 1_000_000
    lines = [*readings("workshop", now_ms, 1.0), *readings("other", now_ms, 100.0)]
    lines += [*intervals("workshop", now_ms, 1.0, 4.0), *intervals("other", now_ms, 100.0, None)]
    influxdb.write(name, "\n".join(lines))
    yield Filled(influxdb, name, now_ms, now_ms - 1_000)
    influxdb.delete_bucket(bucket_id)


def readings(site: str, now_ms: int, factor: float) -> Iterator[str]:
    for time_ms in range(now_ms - 1_801_000, now_ms, 10_000):
        for device, power_w in POWERS_W.items():
            yield f"{READING},site={site},device={device} active_power_total={power_w * factor} {time_ms}"
        yield f"{READING},site={site},device=water-meter flow_rate={0.5 * factor} {time_ms}"
        yield f"{READING},site={site},device=packing-scale weight_net={12.5 * factor} {time_ms}"


def intervals(site: str, now_ms: int, factor: float, expected: float | None) -> Iterator[str]:
    """Two days of intervals and days, up to the running ones; the main's running interval is the highest."""
    running_ms = now_ms - now_ms % INTERVAL_MS
    for start_ms in range(running_ms - 2 * DAY_MS, running_ms + 1, INTERVAL_MS):
        for point, amount in AMOUNTS.items():
            demand = PEAK_KW if point == "main" and start_ms == running_ms else amount * 4
            fields = f'amount={amount * factor},demand={demand * factor},coverage=1.0,quality="measured"'
            if expected is not None and point == "main":
                fields += f",expected={expected}"
            yield f"{CONSUMPTION},site={site},point={point} {fields} {start_ms}"
    for start_ms in range(now_ms - now_ms % DAY_MS - 2 * DAY_MS, now_ms, DAY_MS):
        for point, amount in AMOUNTS.items():
            fields = f'amount={amount * factor * 96},demand={PEAK_KW},coverage=1.0,quality="measured"'
            if expected is not None and point == "main":
                fields += f",expected={expected * 96}"
            yield f"{CONSUMPTION_DAY},site={site},point={point},month=2026-11 {fields} {start_ms}"


def panel(title: str, ref_id: str = "A") -> Target:
    return next(target for target in targets() if (target.title, target.ref_id) == (title, ref_id))


@pytest.mark.parametrize("target", targets(), ids=str)
def test_every_query_returns_rows(filled: Filled, target: Target) -> None:
    rows = filled.rows(target)

    assert rows
    assert any(value is not None for row in rows for key, value in row.items() if key != "time")


@pytest.mark.parametrize("target", targets(), ids=str)
def test_every_query_answers_for_a_site_that_is_not_there(filled: Filled, target: Target) -> None:
    assert filled.rows(target, site="nowhere") == []


@pytest.mark.parametrize("path", generated(), ids=lambda path: path.stem)
def test_every_variable_is_offered_what_the_store_has(filled: Filled, path: Any) -> None:
    offered = {
        variable["name"]: {
            row["value"]
            for row in filled.influxdb.query(filled.bucket, interpolate(variable["query"], WORKSHOP_CHOSEN))
        }
        for variable in load(path)["templating"]["list"]
        if variable["type"] == "query"
    }

    assert offered == {"site": {"workshop", "other"}, "point": set(AMOUNTS)}


def test_site_power_is_mains_plus_generation_and_counts_its_meters(filled: Filled) -> None:
    (row,) = filled.rows(panel("Site power now"))

    assert row["power"] == pytest.approx(16.0)
    assert row["meters"] == len(WORKSHOP.supply_meters)


def test_energy_today_is_mains_plus_generation(filled: Filled) -> None:
    (row,) = filled.rows(panel("Energy used today"))

    assert row["amount"] == pytest.approx(filled.intervals_today() * (AMOUNTS["main"] + AMOUNTS["pv"]))


def test_what_charges_the_storage_is_not_used_yet(filled: Filled) -> None:
    names = SiteNames("workshop", "Workshop", supply_points=("main", "pv"), storage_points=("mixer", "packing"))
    target = Target("overview", "", "A", site_use_kwh(names), INTERVAL_MS, "now/d")

    (row,) = filled.rows(target)

    assert row["amount"] == pytest.approx(filled.intervals_today() * (3.0 + 1.0 - 0.5 - 0.25))


def test_the_peak_is_of_the_mains_alone_and_stands_at_its_time(filled: Filled) -> None:
    (today,) = filled.rows(panel("Highest 15 minutes today"))
    (dot,) = filled.rows(panel("Demand by 15 minutes, and its peak", "B"))
    bars = filled.rows(panel("Demand by 15 minutes, and its peak", "A"))

    assert today["peak"] == dot["peak"] == PEAK_KW
    assert dot["time"] == filled.now_ms - filled.now_ms % INTERVAL_MS
    assert max(row["demand"] for row in bars) == PEAK_KW
    assert {row["point"] for row in bars} == {"main"}


def test_the_last_reading_has_its_own_time(filled: Filled) -> None:
    (row,) = filled.rows(panel("Last reading"))

    assert row["time"] == filled.last_ms


def test_each_meter_is_listed_once_with_what_it_said_last(filled: Filled) -> None:
    rows = {row["device"]: row for row in filled.rows(panel("Meters"))}

    assert set(rows) == {*POWERS_W, "water-meter", "packing-scale"}
    assert all(row["time"] == filled.last_ms for row in rows.values())
    assert rows["oven-meter"]["active_power_total"] == POWERS_W["oven-meter"]
    assert rows["water-meter"]["flow_rate"] == 0.5
    assert rows["water-meter"]["active_power_total"] is None


def test_energy_by_point_leaves_water_and_product_out(filled: Filled) -> None:
    rows = {row["point"]: row["amount"] for row in filled.rows(panel("Energy today by point"))}

    assert set(rows) == set(WORKSHOP.electricity_points)
    assert rows["oven"] == pytest.approx(filled.intervals_today() * AMOUNTS["oven"])


def test_chosen_points_alone_are_shown(filled: Filled) -> None:
    target = panel("Power by point")

    assert {row["point"] for row in filled.rows(target, point="cold-room")} == {"cold-room"}
    assert {row["point"] for row in filled.rows(target, point=["oven", "main.unmetered"])} == {"oven", "main.unmetered"}


def test_days_are_stacked_from_mains_and_generation(filled: Filled) -> None:
    rows = filled.rows(panel("Energy by day", "A"))

    assert {row["point"] for row in rows} == {"main", "pv"}
    assert [row["amount"] for row in rows if row["point"] == "main"] == [288.0, 288.0, 288.0]


def test_use_is_compared_where_something_was_expected(filled: Filled) -> None:
    (row,) = filled.rows(panel("Against what was expected"))

    assert row["difference"] == pytest.approx(3.0 / 4.0 - 1)


def test_without_a_baseline_nothing_is_made_up(filled: Filled) -> None:
    assert filled.rows(panel("Against what was expected"), site="other") == []
    assert filled.rows(panel("Energy by day", "B"), site="other") == []
    shown = [each for each in load(generated()[0])["panels"] if each["title"] == "Against what was expected"]
    assert json.dumps(shown).count('"noValue": "no baseline yet"') == 1

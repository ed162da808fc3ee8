"""Degree days in a plan: a balance point that is searched, frozen with its version, and told alike by `baselines`."""

import asyncio
import json
import math
import random
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from baselines.weather_model import BALANCE
from evaluation.judging.baseline_days import BaselineReader
from evaluation.judging.frozen_baseline import thaw
from evaluation.plan.plan_variables import VariableSettings
from leanmeter.command_line import main
from store.schema import LATEST_MS
from tests.evaluation.planned_site import (
    BASELINE_DAYS,
    DAYS,
    FIRST,
    SITE,
    PlannedSite,
    copied_site,
    filled_site,
    midnight_ms,
    plan_document,
    planned_site,
    truth,
)
from wire_format.batch import Column, DeviceRows

HOUR_MS = 3_600_000
BALANCE_DEGC = 21.0
KWH_A_DEGREE_DAY = 3.0
ROUGH = (5, 19, 33)
"""Days with a gap, which weigh less."""


def hourly_degc(number: int) -> list[float]:
    mean = 20.0 + 6.0 * math.sin(number / 5.0)
    return [round(mean - 4.0 * math.cos(2 * math.pi * (hour - 3) / 24), 2) for hour in range(24)]


def cooling_kwh(number: int) -> float:
    return KWH_A_DEGREE_DAY * sum(max(0.0, degc - BALANCE_DEGC) for degc in hourly_degc(number)) / 24


def weather_plan(**weather: Any) -> dict[str, Any]:
    document = plan_document()
    document["variables"]["cooling_days"] = {
        "degree_days": {"kind": "cooling", "temperature": {"device": "thermometer"}, **weather}
    }
    document["baselines"][0]["variables"] = ["bread", "cooling_days"]
    return document


async def write_thermometer(site: PlannedSite, numbers: range, device: str = "thermometer") -> None:
    for number in numbers:
        times = tuple(midnight_ms(number) + hour * HOUR_MS for hour in range(24))
        values = tuple(round(degc * 100) for degc in hourly_degc(number))
        await site.readings.write(SITE, [DeviceRows(device, times, (Column("temperature", "degC", -2, values),))])


async def make(site: PlannedSite) -> None:
    found = truth()
    await site.plan(**weather_plan())
    await write_thermometer(site, range(DAYS))
    chance = random.Random(5)
    for number in range(DAYS):
        used = found.used[number] + cooling_kwh(number) * (0.9 if number >= BASELINE_DAYS else 1.0)
        await site.write_day(number, used + chance.gauss(0.0, 0.3), found.bread[number])
    for number in ROUGH:
        rows = await site.intervals(number, "main")
        await site.readings.write_intervals([replace(row, quality="interpolated", coverage=0.6) for row in rows])
    await site.rederive()
    assert await site.freeze()
    await site.rederive()


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return filled_site(tmp_path_factory.mktemp("weather"), make)


@pytest.fixture
async def bakery(evaluated: Path, tmp_path: Path) -> AsyncIterator[PlannedSite]:
    async with copied_site(evaluated, tmp_path / "site") as opened:
        yield opened


async def test_the_balance_point_is_found_and_part_of_the_version(bakery: PlannedSite) -> None:
    (stored,) = await bakery.entities.plans.baselines(SITE)
    baseline = thaw(stored)
    assert baseline.version.bases["cooling_days"] == pytest.approx(BALANCE_DEGC, abs=0.8)
    weather = baseline.variables["cooling_days"].weather
    assert weather is not None
    assert weather.base == baseline.version.bases["cooling_days"]
    model = baseline.version.model
    error = model.coefficients["cooling_days"] - KWH_A_DEGREE_DAY
    assert abs(error) < 3.0 * model.standard_errors["cooling_days"] < 1.5
    assert model.searched == (f"cooling_days{BALANCE}",)

    standing = await bakery.standing()
    assert f"balance point of cooling_days: {weather.base:.1f} °C, searched" in [
        each.text for each in standing.findings
    ]
    assert standing.savings is not None
    found = truth()
    days = range(BASELINE_DAYS, DAYS)
    saved = sum(found.unsaved[day] - found.used[day] + 0.1 * cooling_kwh(day) for day in days)
    assert abs(standing.savings.savings - saved) < standing.savings.half_width
    assert standing.judged == DAYS - BASELINE_DAYS
    day = await bakery.day(50)
    assert day.expected == pytest.approx(found.unsaved[50] + cooling_kwh(50), abs=4)


async def test_a_given_base_is_taken_as_it_is(bakery: PlannedSite) -> None:
    await bakery.plan(**weather_plan(base=BALANCE_DEGC))
    assert await bakery.freeze()
    baseline = thaw((await bakery.entities.plans.baselines(SITE))[1])
    assert (baseline.version.bases, baseline.version.model.searched) == ({}, ())
    assert baseline.version.model.coefficients["cooling_days"] == pytest.approx(KWH_A_DEGREE_DAY, abs=0.3)


async def test_temperatures_outlive_raw_readings(bakery: PlannedSite) -> None:
    before = await bakery.standing()
    await bakery.readings.delete_readings_before(LATEST_MS)
    assert await bakery.rederive() == 0
    assert await bakery.standing() == before


async def test_a_baselines_temperatures_are_kept_before_it_is_fitted(bakery: PlannedSite) -> None:
    document = weather_plan(base=BALANCE_DEGC)
    document["variables"]["cooling_days"]["degree_days"]["temperature"] = {"device": "roof"}
    await bakery.plan(**document | {"baselines": []})
    await write_thermometer(bakery, range(DAYS), "roof")
    await bakery.evaluate("roof", range(DAYS))
    await bakery.readings.delete_readings_before(LATEST_MS)

    await bakery.plan(**document)
    assert await bakery.freeze()
    assert thaw((await bakery.entities.plans.baselines(SITE))[-1]).coverage == 1.0


async def test_a_day_without_temperatures_is_not_judged_until_they_come(bakery: PlannedSite) -> None:
    late = DAYS
    await bakery.write_day(late, 80.0, 400.0)
    await bakery.rederive(late, late)
    bakery.today = FIRST + timedelta(days=DAYS + 1)
    assert (await bakery.day(late)).expected is None
    yesterday = (await bakery.standing()).live[0]
    assert yesterday.text.endswith("not judged yet: cooling_days of 2026-07-27 not known.")

    await write_thermometer(bakery, range(late, late + 1))
    await bakery.evaluate("thermometer", range(late, late + 1))
    assert (await bakery.day(late)).expected is not None


@pytest.mark.parametrize("step", ["day", "week"])
def test_baselines_say_the_same_of_the_exported_rows(
    evaluated: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], step: str
) -> None:
    folder = tmp_path / "site"
    shutil.copytree(evaluated, folder)
    if step == "week":
        asyncio.run(judge_by_week(folder))
    server = {"store": {"sqlite": str(folder / "readings.sqlite")}, "entities": str(folder / "entities.sqlite")}
    (tmp_path / "server.yaml").write_text(yaml.safe_dump(server), encoding="utf-8")

    def run(*words: object) -> str:
        assert main([str(word) for word in words]) == 0
        return capsys.readouterr().out

    config, rows, hours = ("--config", tmp_path / "server.yaml"), tmp_path / "rows.csv", tmp_path / "hours.csv"
    rows.write_text(run("plan", "export", "energy", *config, "--temperatures", hours), encoding="utf-8")
    weights = [float(line.rsplit(",", 1)[1]) for line in rows.read_text().splitlines()[1:]]
    rough = {number // 7 if step == "week" else number for number in ROUGH}
    assert {number for number, weight in enumerate(weights) if weight < 1.0} == rough
    told = json.loads(
        run(
            *("baselines", "savings", "--data", rows, "--energy", "energy", "--variables", "bread"),
            *("--temperatures", hours, "--cooling", "--weights", "weight", "--json"),
            *("--baseline-period", f"{FIRST}/{FIRST + timedelta(days=BASELINE_DAYS - 1)}"),
            *("--reporting-period", f"{FIRST + timedelta(days=BASELINE_DAYS)}/{FIRST + timedelta(days=DAYS - 1)}"),
        )
    )
    shown = json.loads(run("plan", "show", *config, "--json"))["baselines"][0]["savings"]
    for name in ("expected", "actual", "savings", "half_width", "fsu"):
        assert shown[name] == told[name], name


async def judge_by_week(folder: Path) -> None:
    async with planned_site(folder) as site:
        document = weather_plan()
        document["baselines"][0]["step"] = "week"
        await site.plan(**document)
        assert await site.freeze()


async def test_variables_may_be_chosen_among_several(bakery: PlannedSite) -> None:
    """The day of the week explains nothing that bread and the weather do not."""
    document = weather_plan(base=BALANCE_DEGC)
    document["variables"]["weekday"] = {"csv": "weekdays.csv"}
    document["baselines"][0] |= {"variables": ["weekday", "bread", "cooling_days"], "choose": True}
    days = [FIRST + timedelta(days=number) for number in range(DAYS - 1)]
    weekdays = {day.isoformat(): float((day.toordinal() * 7) % 5) for day in days}
    await bakery.plan({"weekday": weekdays}, **document)
    assert await bakery.freeze()
    baseline = thaw((await bakery.entities.plans.baselines(SITE))[-1])
    assert baseline.version.model.variables == ("bread", "cooling_days")
    assert baseline.candidates == ("weekday", "bread", "cooling_days")
    standing = await bakery.standing()
    assert standing.judged == DAYS - BASELINE_DAYS, "what was not chosen need not be known"
    assert any(
        finding.text.startswith("chosen among weekday, bread, cooling_days: bread, cooling_days; each one's own p")
        for finding in standing.findings
    )


async def test_hours_of_a_machine_are_a_variable(bakery: PlannedSite) -> None:
    """Half of a day's use lies between 6 and 12: of how long the main was above a power, its days tell apart."""
    document = weather_plan(base=BALANCE_DEGC)
    document["variables"]["busy"] = {"hours": {"point": "main", "above_kw": 5.0}}
    document["baselines"][0]["variables"] = ["busy"]
    await bakery.plan(**document)
    assert await bakery.freeze()
    reader = BaselineReader(bakery.readings, bakery.entities.plans, SITE, (await bakery.model()).time_zone)
    definitions = {"busy": VariableSettings.model_validate(document["variables"]["busy"])}
    days = await reader.days("site.energy", definitions, FIRST, FIRST + timedelta(days=DAYS - 1))
    for number in (1, 6, 40):
        powers = [row.demand or 0.0 for row in await bakery.intervals(number, "main")]
        assert days[number].variables["busy"] == sum(power > 5.0 for power in powers) / 4
    assert {0.0, 6.0} <= {day.variables["busy"] for day in days}

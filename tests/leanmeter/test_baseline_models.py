"""The models behind `leanmeter baselines fit|savings` beyond given variables: weather, choosing, weights, headlines."""

import json
import math
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leanmeter.command_line import main

FIRST = date(2025, 1, 1)
DAYS = 120


def mean_temperature(day: int) -> float:
    return 8.0 + 9.0 * math.sin(day / 19.0)


def days(folder: Path, **more: Sequence[object]) -> Path:
    """A table of days: energy = 300 + 2 pieces + 15 degree days below 12 °C of the day's hours, and some scatter."""
    chance = np.random.default_rng(4)
    lines = [",".join(["date", "energy", "pieces", "temperature", *more])]
    for day in range(DAYS):
        pieces = round(float(chance.uniform(50, 150)))
        degree_days = sum(max(0.0, 12.0 - value) for value in hours(day)) / 24
        energy = 300 + 2 * pieces + 15 * degree_days + 6 * float(chance.normal())
        cells = [FIRST + timedelta(days=day), f"{energy:.2f}", pieces, f"{mean_temperature(day):.3f}"]
        lines.append(",".join(map(str, [*cells, *(column[day] for column in more.values())])))
    return write(folder / "days.csv", lines)


def hours(day: int) -> list[float]:
    return [mean_temperature(day) + 5.0 * math.sin(hour / 24 * 2 * math.pi) for hour in range(24)]


def write(path: Path, lines: Sequence[str]) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def hourly_file(folder: Path, skip: int = -1) -> Path:
    lines = ["time,temperature"]
    for day in range(DAYS):
        if day != skip:
            lines += [
                f"{FIRST + timedelta(days=day)}T{hour:02}:00,{value:.4f}" for hour, value in enumerate(hours(day))
            ]
    return write(folder / "hours.csv", lines)


def told(capsys: pytest.CaptureFixture[str], *words: object) -> Any:
    assert main(["baselines", *map(str, words), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    assert main(["baselines", *map(str, words)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said


def test_a_balance_point_is_searched_in_hourly_temperatures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["fit", "--data", days(tmp_path), "--energy", "energy", "--variables", "pieces", "--heating"]
    found = told(capsys, *words, "--temperatures", hourly_file(tmp_path))
    assert found["balance_points"]["heating"]["base_c"] == pytest.approx(12.0, abs=0.3)
    assert found["coefficients"]["heating"] == pytest.approx(15.0, abs=0.5)
    assert set(found["coefficients"]) == {"intercept", "pieces", "heating"}
    assert found["valid"]
    assert main(["baselines", *map(str, words), "--temperatures", str(tmp_path / "hours.csv")]) == 0
    said = capsys.readouterr().out
    assert said.startswith("Good enough to claim savings with: pieces and heating explain ")
    assert "heating: degrees below 12." in said


def test_savings_by_the_mean_temperature_of_each_day(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["savings", "--data", days(tmp_path), "--energy", "energy", "--variables", "pieces", "--heating"]
    words += ["--temperature", "temperature", "--baseline-period", "2025-01-01/2025-03-21"]
    found = told(capsys, *words, "--reporting-period", "2025-03-22/2025-04-30")
    assert abs(found["savings"]) <= 2.0 * found["half_width"]
    assert found["rows"] == 40


def test_variables_are_chosen_and_all_that_was_tried_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rain = np.random.default_rng(5).uniform(0, 9, DAYS).round(2).tolist()
    words = ["fit", "--data", days(tmp_path, rain=rain), "--energy", "energy", "--choose", "pieces,temperature,rain"]
    found = told(capsys, *words)
    assert {"pieces", "temperature"} <= set(found["coefficients"])
    assert len(found["tried"]) == 8
    assert any(finding["code"] == "chosen" for finding in found["findings"])


def test_interpolated_days_weigh_less_and_outages_are_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    quality = ["measured"] * (DAYS - 20) + ["interpolated"] * 10 + ["outage"] * 10
    words = ["fit", "--data", days(tmp_path, quality=quality), "--energy", "energy", "--variables", "pieces"]
    found = told(capsys, *words, "--quality", "quality")
    assert found["n"] == DAYS - 10
    assert {"left_out", "weighed"} <= {finding["code"] for finding in found["findings"]}
    days(tmp_path, quality=["guessed"] * DAYS)
    assert "row 2, column quality: quality 'guessed' is not known" in refused(capsys, *words, "--quality", "quality")


def test_a_single_variable_comes_with_its_ratio_and_why_that_misleads(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = told(capsys, "fit", "--data", days(tmp_path), "--energy", "energy", "--variables", "pieces")
    assert found["specific_use"]["base_share"] > 0.5
    assert any("does not depend on pieces" in finding["text"] for finding in found["findings"])


def test_the_headline_has_goal_and_worth(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = ["date,energy,pieces"]
    for day in range(80):
        pieces = 50 + day * 37 % 100
        energy = (300 + 2 * pieces + day * 7 % 11) * (1.0 if day < 40 else 0.9)
        lines.append(f"{FIRST + timedelta(days=day)},{energy:.2f},{pieces}")
    words = ["savings", "--data", write(tmp_path / "data.csv", lines), "--energy", "energy", "--variables", "pieces"]
    words += ["--baseline-period", "2025-01-01/2025-02-09", "--reporting-period", "2025-02-10/2025-03-21"]
    found = told(capsys, *words, "--goal", "0.27", "--price", "0.2", "--currency", "EUR")
    assert found["proven"]
    assert found["verdict"].startswith("10.0 % less energy than expected (90 %: ")
    worth = found["savings"] * 0.2 * 365.25 / 40
    assert found["verdict"].endswith(
        f", 10 of the 27 points of your goal, worth {worth:,.0f} EUR a year if it continues."
    )


def test_what_does_not_go_together_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["fit", "--data", days(tmp_path), "--energy", "energy"]
    assert "give outdoor temperatures with --temperature" in refused(capsys, *words, "--heating")
    by_hours = ["--temperatures", hourly_file(tmp_path, skip=7)]
    assert "say with --heating or --cooling" in refused(capsys, *words, *by_hours)
    assert "0 hours of 2025-01-08" in refused(capsys, *words, *by_hours, "--heating")
    assert "--heating warm: is no temperature" in refused(
        capsys, *words, "--temperature", "temperature", "--heating", "warm"
    )
    assert "--choose: goes with" in refused(
        capsys, *words, "--choose", "pieces", "--temperature", "temperature", "--heating"
    )
    write(tmp_path / "hours.csv", ["time,temperature", "2025-01-01T00:00,999"])
    assert "row 2, column temperature: '999' is no outdoor temperature" in refused(
        capsys, *words, *by_hours, "--heating"
    )

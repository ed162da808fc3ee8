"""Whatever is in a table and however it is asked about: an answer with all its keys, or one line and exit code 2.

`LEANMETER_TEST_SCALE=100` tries 3,000 tables.
"""

import json
import random
import warnings
from datetime import date, timedelta
from pathlib import Path

import pytest

from leanmeter.command_line import main
from tests.scale import scaled

FIT = {"coefficients", "standard_errors", "t", "p", "r2", "r2_adjusted", "f", "cv_rmse", "nmbe", "n", "autocorrelation"}
SAVINGS = {"expected", "actual", "savings", "savings_fraction", "half_width", "confidence", "fsu", "proven"}
KEYS = {"fit": {*FIT, "valid", "findings"}, "savings": {*SAVINGS, "findings"}}
MODELS = (
    "", "--variables a", "--variables a,b", "--choose a,b", "--choose a,b,temp", "--variables a,b,temp",
    "--temperature temp --heating", "--variables a --temperature temp --cooling 18",
    "--temperature temp --heating 12 --cooling 20",
)  # fmt: skip
MORE = ("", "--quality q", "--quality q --coverage c")
CIRCUMSTANCES = ("", "--meter-class 1", "--price 2 --goal 0.2", "--confidence 0.5")


def cell(chance: random.Random) -> str:
    """Mostly a number; sometimes none, one that stands everywhere, or one at the edge of what a table may hold."""
    if chance.random() < 0.6:
        return f"{chance.uniform(0.0, 100.0):.3f}"
    return chance.choice(["", "0", "0", "1", "1", "2", "-3.5", "1e15", "-1e15", "1e-12"])


def table(chance: random.Random, rows: int) -> list[str]:
    is_clean, step = chance.random() < 0.6, chance.choice([1, 7, 30])
    quality = ["measured"] * 4 + (["interpolated", "manual", "outage", "partial"] if chance.random() < 0.5 else [])
    found = []
    for number in range(rows):
        a, b, temperature = chance.uniform(0, 100), chance.uniform(0, 10), chance.uniform(-10, 35)
        energy = 50.0 + 2.0 * a + 3.0 * b + chance.gauss(0.0, chance.choice([0.0, 1.0, 20.0]))
        numbers = [f"{a:.3f}", f"{b:.3f}", f"{energy:.4f}"] if is_clean else [cell(chance) for _ in range(3)]
        day = date(2024, 1, 1) + timedelta(days=number * step)
        share = f"{chance.random():.2f}"
        found.append(",".join([str(day), *numbers, f"{temperature:.2f}", chance.choice(quality), share]))
    return found


def test_any_table_gives_an_answer_or_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chance, path = random.Random(4), tmp_path / "data.csv"
    codes = {0: 0, 2: 0}
    for _ in range(scaled(60, 3000)):
        lines = table(chance, chance.choice([1, 2, 3, 4, 5, 6, 8, 12, 15, 30]))
        path.write_text("\n".join(["date,a,b,energy,temp,q,c", *lines]) + "\n", encoding="utf-8")
        days = [line[:10] for line in lines]
        cut = max(1, round(len(days) * 0.6))
        command = chance.choice(["fit", "savings"])
        words = ["--data", str(path), "--energy", "energy", "--json", *chance.choice(MODELS).split()]
        words += chance.choice(MORE).split()
        if command == "savings":
            words += ["--baseline-period", f"{days[0]}/{days[cut - 1]}"]
            words += ["--reporting-period", f"{days[min(cut, len(days) - 1)]}/{days[-1]}"]
            words += chance.choice(CIRCUMSTANCES).split()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            code = main(["baselines", command, *words])
        said = capsys.readouterr()
        codes[code] += 1
        told = f"{words}\n{path.read_text('utf-8')}{said.err}"
        if code == 0:
            assert KEYS[command] <= set(json.loads(said.out)), told
        else:
            assert (said.out, said.err.count("\n")) == ("", 1), told
    assert min(codes.values()) > 10


def test_three_rows_whose_two_residuals_are_opposite_have_an_uncertainty(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "data.csv"
    path.write_text("a,energy\n91.8,237.4\n27.3,57.7\n19.4,139.7\n67.5,194.7\n72.7,230.7\n", encoding="utf-8")
    words = ["--energy", "energy", "--variables", "a", "--baseline-period", "1/3", "--reporting-period", "4/5"]
    assert main(["baselines", "savings", "--data", str(path), *words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["fsu"] > 0.0
    assert told["provisional"]

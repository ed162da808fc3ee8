"""Our degree-day baselines against opendsm's daily model (CalTRACK's successor) on eemeter's sample data."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from baselines.savings import savings
from baselines.validity import assess
from baselines.weather_model import DegreeTerm, Temperatures, fit_weather
from tests.baselines.plants import observed
from tests.servers.missing import find_program

FOLDER = Path(__file__).parent / "opendsm_samples"
TERMS = {
    "il-gas-hdd-only-daily": [DegreeTerm("heating")],
    "il-electricity-cdd-only-daily": [DegreeTerm("cooling")],
    "il-electricity-cdd-hdd-daily": [DegreeTerm("heating"), DegreeTerm("cooling")],
}


def celsius(days: dict[str, Any]) -> Temperatures:
    return Temperatures(
        tuple(((value - 32.0) / 1.8,) for value in days["temperature_f"]), (1.0,) * len(days["temperature_f"])
    )


@pytest.mark.parametrize("name", TERMS)
def test_what_we_expect_of_a_year_lies_within_opendsms_band_and_ours(name: str) -> None:
    told = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    before, after = told["baseline"], told["reporting"]
    model = fit_weather(observed(before["energy"]), [], celsius(before), TERMS[name])
    assert assess(model.model).valid
    found = savings(model.model, model.observe(observed(after["energy"]), celsius(after)), granularity="day")
    distance = abs(found.expected - told["expected"])
    assert distance <= told["half_width"]
    assert distance <= found.half_width


@pytest.mark.timeout(330)  # its first run compiles for a minute and a half
def test_the_stored_results_are_opendsms() -> None:
    program = find_program("opendsm-python")
    if program is None:
        pytest.skip(
            "opendsm is not installed: scripts/build-opendsm (1.2 GB); its stored results are compared all the same"
        )
    script = Path(__file__).parent / "opendsm_model.py"
    name = "il-gas-hdd-only-daily"
    ran = subprocess.run([program, script, name], capture_output=True, check=True, timeout=300)
    fresh, stored = json.loads(ran.stdout), json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    assert fresh["expected"] == pytest.approx(stored["expected"], rel=1e-3)
    assert fresh["half_width"] == pytest.approx(stored["half_width"], rel=1e-2)
    assert fresh["baseline"] == stored["baseline"]

"""The benchmark of faults in small: it runs, finds nothing lost, and would say so if there were."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bench.faults import (
    __main__,  # noqa: F401  # loads all faults
    kills,
    source,
)
from bench.faults.line import Line
from bench.faults.registry import FAULTS, FULL, QUICK
from tests.servers.missing import require_program

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", ["kill -9 of the agent", "killed again", "power cut", "network"])
def test_a_few_of_each_lose_nothing(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    require_program(request.config, "mosquitto", "apt install mosquitto")
    done = subprocess.run(
        [sys.executable, "-m", "bench.faults", "--quick", "--only", name, "--json", tmp_path / "outcome.json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (outcome,) = json.loads((tmp_path / "outcome.json").read_text(encoding="utf-8")).values()
    assert outcome["tried"] > 0
    assert outcome["values"] > 0
    assert (outcome["lost"], outcome["duplicated"]) == (0, 0)


def test_every_kill_is_among_the_faults() -> None:
    assert FULL.kills == 1000
    for process in ("agent", "broker", "collector", "evaluation"):
        assert any(name.startswith(f"kill -9 of the {process}") for name in FAULTS)


@pytest.mark.timeout(120)
def test_what_is_missing_or_too_much_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """The store is asked for a record that was never kept, and for one fewer than it has."""
    require_program(request.config, "mosquitto", "apt install mosquitto")
    monkeypatch.chdir(tmp_path)
    whole = Line.outcome

    def shifted(made: Line, tried: int) -> object:
        outcome = whole(made, tried)
        progress = made.progress
        assert outcome.lost == outcome.duplicated == 0
        progress.set("done", progress.get("done") + 1)
        more = whole(made, tried)
        progress.set("done", progress.get("done") - 2)
        fewer = whole(made, tried)
        record = QUICK.devices * source.QUANTITIES
        assert (more.lost, more.duplicated) == (record, 0)
        assert (fewer.lost, fewer.duplicated) == (0, record)
        return outcome

    monkeypatch.setattr(Line, "outcome", shifted)
    kills.kill_broker(replace(QUICK, kills=1), tmp_path / "line")

import json
from pathlib import Path

import pytest

from leanmeter.command_line import main


@pytest.fixture
def site(tmp_path: Path) -> Path:
    path = tmp_path / "site.yaml"
    path.write_text(f"site: bakery\ndata_dir: {tmp_path / 'data'}\n", encoding="utf-8")
    return path


def test_a_time_is_left_for_the_agent(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (site.parent / "data").mkdir()
    assert main(["edge", "set-clock", "--config", str(site), "--time", "2026-11-26T14:05:00+01:00"]) == 0
    request = json.loads((site.parent / "data" / "clock.request").read_text(encoding="utf-8"))
    assert request["wall_ms"] == 1_795_698_300_000
    assert "2026-11-26T14:05:00+01:00" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--time", "noon"], "--time noon"),
        (["--time", "2026-11-26T14:05:00"], "say of which zone"),
        ([], "run this on the agent's computer"),
    ],
)
def test_a_mistake_gets_one_line(
    site: Path, arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["edge", "set-clock", "--config", str(site), *arguments]) == 2
    assert told in capsys.readouterr().err

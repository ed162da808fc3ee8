"""The files of docs/adding-a-device.md, as somebody would type them in."""

import re
from pathlib import Path

import pytest

from leanmeter.command_line import main

PAGE = Path(__file__).parents[2] / "docs" / "adding-a-device.md"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder `my-profiles` with all that the page puts into it, and `site.yaml` beside it."""
    blocks = re.findall(r"^```(?:yaml|json)\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    names = (
        "my-profiles/volta/em3.yaml",
        "my-profiles/cases/volta-em3/registers.json",
        "my-profiles/cases/volta-em3/settings.json",
        "my-profiles/cases/volta-em3/expected.json",
        "site.yaml",
        "my-profiles/volta/em3-plus.yaml",
    )
    for name, block in zip(names, blocks, strict=True):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block, encoding="utf-8")
    return tmp_path / "my-profiles"


def test_what_the_page_says_passes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profiles", "lint", str(folder)]) == 0
    (folder / "volta" / "em3-plus.yaml").unlink()
    assert main(["profiles", "test", str(folder)]) == 0
    assert capsys.readouterr().out.endswith("1 profiles, 1 cases: all right\n")
    assert main(["edge", "plan", "--config", str(folder.parent / "site.yaml"), "--profiles", str(folder)]) == 0
    plan = capsys.readouterr().out
    assert "5 registers from 0, 4 quantities" in plan
    assert "2 registers from 20, 1 quantities" in plan


def test_a_profile_without_a_case_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profiles", "test", str(folder)]) == 1
    assert "em3-plus.yaml: no case; write" in capsys.readouterr().err


def test_a_slip_shows_as_the_value_that_it_spoils(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "volta" / "em3-plus.yaml").unlink()
    profile = folder / "volta" / "em3.yaml"
    profile.write_text(profile.read_text().replace("type: u16, scale: 0.1}", "type: u16, scale: 0.01}"))
    assert main(["profiles", "test", str(folder)]) == 1
    assert "volta-em3: voltage_l1_n: expected 230.5, the profile gives 23.05" in capsys.readouterr().err


def test_a_setting_that_is_missing_asks_its_question(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = folder.parent / "site.yaml"
    site.write_text(site.read_text().replace(", settings: {current_transformer_ratio: 40}", ""))
    assert main(["edge", "plan", "--config", str(site), "--profiles", str(folder)]) == 2
    error = capsys.readouterr().err
    assert "device 'main-meter': settings.current_transformer_ratio: is missing. What is the ratio" in error


def test_decode_takes_settings_from_the_command_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    registers = str(folder / "cases" / "volta-em3" / "registers.json")
    words = ["profiles", "decode", "volta/em3", "--profiles", str(folder), "--registers", registers]
    assert main([*words, "--set", "current_transformer_ratio=40"]) == 0
    assert "-20000 W" in capsys.readouterr().out
    for wrong in ("current_transformer_ratio", "current_transformer_ratio=many", "ratio=40"):
        assert main([*words, "--set", wrong]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1


def test_the_example_of_a_site_file_fits_its_profiles(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["edge", "plan", "--config", str(PAGE.parent / "site-file.example.yaml")]) == 0
    assert "air-flow (suto/s401, unit 1)" in capsys.readouterr().out

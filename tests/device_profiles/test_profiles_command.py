import json
from pathlib import Path

import pytest

from leanmeter.command_line import main

CASE = Path(__file__).parents[1] / "profile_cases" / "eastron-sdm630"


def run(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, str, str]:
    code = main(["profiles", *map(str, words)])
    output = capsys.readouterr()
    return code, output.out, output.err


def test_list_gives_what_others_build_on(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "list", "--json")
    (found,) = [entry for entry in json.loads(out) if entry["id"] == "eastron/sdm630"]
    assert code == 0
    assert list(found) == ["id", "maker", "models", "resource", "quantities", "grade", "settings"]
    assert (found["maker"], found["models"], found["resource"]) == ("Eastron", ["SDM630-Modbus V2"], "electricity")
    assert {"active_power_total", "active_energy_import_total"} <= set(found["quantities"])
    assert found["grade"] == "A"


def test_list_for_people_has_a_line_for_each(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "list")
    assert any(line.startswith("abb/b23 ") and "B24" in line for line in out.splitlines())


@pytest.mark.parametrize("profile_id", ["eastron/sdm630", "sunspec/inverter", "scales/mt-sics"])
def test_show_tells_the_same_to_people_and_machines(capsys: pytest.CaptureFixture[str], profile_id: str) -> None:
    _, page, _ = run(capsys, "show", profile_id)
    _, out, _ = run(capsys, "show", profile_id, "--json")
    details = json.loads(out)
    for quantity in details["quantities"]:
        assert quantity in page
    for source in details["source"]:
        assert source in page
    for layout in details["layouts"]:
        for register in layout["registers"]:
            assert str(register["address"]) in page


def test_decode_gives_quantities(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "decode", "eastron/sdm630", "--registers", CASE / "registers.json", "--json")
    assert code == 0
    assert json.loads(out) == json.loads((CASE / "expected.json").read_text())


def test_decode_for_people_has_units(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "decode", "eastron/sdm630", "--registers", CASE / "registers.json")
    assert "12345.5 kWh" in out


def test_decode_follows_a_sunspec_chain_only_from_its_marker(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "registers.json"
    file.write_text('{"holding": {"40070": [103, 50]}}')
    code, out, err = run(capsys, "decode", "sunspec/inverter", "--registers", file)
    assert (code, out) == (2, "")
    assert err.startswith(f"leanmeter: {file}: registers: there is no SunSpec marker")
    file.write_text('{"holding": {"40000": [21365, 28243, 203, 0, 65535]}}')
    code, _, err = run(capsys, "decode", "sunspec/inverter", "--registers", file)
    assert code == 2
    assert "none of the models 101, 102, 103, 111, 112, 113" in err


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("show", "eastron/sdm63"), "did you mean eastron/sdm630"),
        (("decode", "eastron/sdm630", "--registers", "no-such.json"), "no-such.json: file: No such file"),
        (("decode", "scales/mt-sics", "--registers", str(CASE / "registers.json")), "which has no registers"),
    ],
)
def test_a_users_mistake_is_one_line_and_code_2(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], part: str
) -> None:
    code, out, err = run(capsys, *words)
    assert (code, out) == (2, "")
    assert part in err
    assert err.count("\n") == 1


def test_lint_passes_the_library(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "lint")
    assert (code, err) == (0, "")
    assert out.endswith("profiles are right\n")


def test_lint_names_every_file_that_is_wrong(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = tmp_path / "maker"
    folder.mkdir()
    for name in ("one", "two"):
        (folder / f"{name}.yaml").write_text("maker: Maker\n")
    code, out, err = run(capsys, "lint", tmp_path)
    assert (code, out) == (1, "0 of 2 profiles are right\n")
    assert len(err.splitlines()) == 2
    assert "one.yaml: models: is missing" in err

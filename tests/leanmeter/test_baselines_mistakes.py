"""What people get wrong with `leanmeter baselines`: one line that names option, row or column, and exit code 2."""

import json
from pathlib import Path

import pytest

from leanmeter.command_line import main

DAYS = [f"2025-03-{day:02d},{80 + day * 7 % 40},{300 + day * 14 % 80 + day % 3}" for day in range(1, 29)]
TABLE = "\n".join(["date,pieces,energy", *DAYS]) + "\n"
PERIODS = ("--baseline-period", "2025-03-01/2025-03-20", "--reporting-period", "2025-03-21/2025-03-28")


def run(folder: Path, text: str, command: str, *more: str, variables: str = "pieces") -> int:
    path = folder / "data.csv"
    path.write_text(text, encoding="utf-8")
    words = ["--data", str(path), "--energy", "energy", "--variables", variables, "--json", *more]
    try:
        return main(["baselines", command, *words])
    except SystemExit as end:  # as argparse ends
        return int(end.code or 0)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("pieces", "intercept"), "column intercept: is what the part without variables is called"),
        ((DAYS[4], "2025-03-05,\uff11\uff12,300"), "row 6, column {0}: '\uff11\uff12' is no number"),
        ((DAYS[4], f'"{DAYS[4]}'), 'row 6: unexpected end of data; is a quotation mark (") not closed?'),
    ],
)
def test_in_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str], change: tuple[str, str], told: str) -> None:
    name = "intercept" if change[1] == "intercept" else "pieces"
    assert run(tmp_path, TABLE.replace(*change), "fit", variables=name) == 2
    said = capsys.readouterr()
    assert told.format(name) in said.err
    assert (said.err.count("\n"), said.out) == (1, "")


def test_a_column_with_the_name_of_the_models_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = TABLE.replace("pieces", "heating")
    words = ("--heating", "15", "--temperature", "heating")
    assert run(tmp_path, table, "fit", *words, variables="heating") == 2
    assert "column heating: is what the model calls its own degree days" in capsys.readouterr().err


def test_energy_that_does_not_vary_is_named_by_its_column(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "data.csv"
    path.write_text("kWh,pieces\n7,1\n7,2\n7,3\n7,5\n", encoding="utf-8")
    assert main(["baselines", "fit", "--data", str(path), "--energy", "kWh", "--variables", "pieces"]) == 2
    assert "column kWh: is 7 in every row" in capsys.readouterr().err


def test_energy_below_zero_is_noticed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, TABLE.replace(DAYS[4], "2025-03-05,90,-12"), "fit") == 0
    findings = {finding["code"]: finding["text"] for finding in json.loads(capsys.readouterr().out)["findings"]}
    assert findings["negative_energy"] == "row 6, column energy: -12 is below zero; is it energy that was used?"


def test_times_with_and_without_a_zone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = "time,pieces,energy\n2025-10-26T02:00+02:00,1,2\n2025-10-26T02:15,2,3\n2025-10-26T02:30,4,5\n"
    assert run(tmp_path, table, "fit", "--date", "time") == 2
    said = capsys.readouterr().err
    assert "row 3, column time: '2025-10-26T02:15' is not written as '2025-10-26T02:00+02:00' in row 2" in said


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--confidence", "90"), "--confidence: must be at least 0.5 and below 1; 90 % is 0.9"),
        (("--confidence", "1"), "--confidence: must be at least 0.5"),
        (("--confidence", "nan"), "--confidence: 'nan' is no number"),
        (("--confidence", "high"), "--confidence: 'high' is no number"),
        (("--goal", "much"), "--goal: 'much' is no number"),
        (("--other-meter",), "--other-meter: give the meter's class too"),
        (("--price", "-3"), "--price -3: is no price"),
        (("--price", "nan"), "--price: 'nan' is no number"),
        (("--static-factor", "shifts", "1", "2", "--static-factor", "shifts", "2", "2"), "shifts: is given twice"),
    ],
)
def test_in_an_option(tmp_path: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], told: str) -> None:
    assert run(tmp_path, TABLE, "savings", *PERIODS, *more) == 2
    said = capsys.readouterr()
    assert told in said.err
    assert (said.err.count("\n"), said.out) == (1, "")


def test_weeks_are_dated_as_iso_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """2026 has a week 53, and its first week begins in 2025."""
    weeks = [*(f"2026-W{week:02d}" for week in (*range(1, 20), *range(21, 54))), "2027-W01", "2027-W02"]
    rows = [f"{week},{80 + n * 7 % 40},{300 + n * 14 % 80 + n % 3}" for n, week in enumerate(weeks)]
    table = "\n".join(["week,pieces,energy", *rows]) + "\n"
    assert run(tmp_path, table, "fit", "--baseline-period", "2025-12-29/2026-12-31") == 0
    told = json.loads(capsys.readouterr().out)
    texts = {finding["code"]: finding["text"] for finding in told["findings"]}
    assert texts["gap"] == "row 21, column week: 1 missing between 2026-W19 and 2026-W21"
    assert (told["n"], told["coverage"]) == (52, 52 / 53)
    words = ("--baseline-period", "2026-W01/2026-W30", "--reporting-period", "2026-W31/2027-W02", "--price", "2")
    assert run(tmp_path, table, "savings", *words) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == 25
    assert run(tmp_path, table.replace("2026-W03", "2026-W54"), "fit") == 2
    assert "row 4, column week: '2026-W54': " in capsys.readouterr().err


def test_confidence_is_told_to_its_digits_and_few_points_are_provisional(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    less = TABLE.splitlines()
    less[21:] = [f"{row.rsplit(',', 1)[0]},{int(row.rsplit(',', 1)[1]) * 0.6:.1f}" for row in less[21:]]
    words = ("--baseline-period", "2025-03-01/2025-03-08", *PERIODS[2:], "--confidence", "0.999", "--price", "2")
    assert run(tmp_path, "\n".join(less) + "\n", "savings", *words) == 0
    told = json.loads(capsys.readouterr().out)
    assert "(99.9 %: " in told["verdict"]
    assert told["verdict"].endswith(" a year if it continues; provisional, because the baseline has too little data.")
    assert "  a year" not in told["verdict"]
    assert (told["proven"], told["provisional"]) == (True, True)


TARIFF = "currency: EUR\ntariffs:\n  - {name: flat, valid_from: 2026-01-01, energy: [{price: 1}], demand: {price: 1}}\n"


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("2026-03-29T03:15,-1,", "row 3, column energy_kwh: -1 is below zero"),
        ("2026-03-29T03:15,1,guessed", "row 3, column quality: 'guessed' is not known; there are corrected, "),
        ("2026-03-29T02:15,1,", "row 3, column start: 2026-03-29T02:15 is not on the clock of Europe/Madrid"),
    ],
)
def test_in_intervals(tmp_path: Path, capsys: pytest.CaptureFixture[str], row: str, told: str) -> None:
    (tmp_path / "tariff.yaml").write_text(TARIFF, encoding="utf-8")
    (tmp_path / "data.csv").write_text(f"start,energy_kwh,quality\n2026-03-29T03:00,1,\n{row}\n", encoding="utf-8")
    words = [str(tmp_path / "tariff.yaml"), "--data", str(tmp_path / "data.csv"), "--timezone", "Europe/Madrid"]
    assert main(["baselines", "tariff", *words]) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--coverage", "pieces"), "--coverage: goes with --quality"),
        (("--temperature", "pieces"), "--temperature: say with --heating or --cooling"),
        (("--quality", "pieces"), "row 2, column pieces: quality '87' is not known"),
    ],
)
def test_in_what_rows_are(tmp_path: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], told: str) -> None:
    assert run(tmp_path, TABLE, "fit", *more) == 2
    assert told in capsys.readouterr().err


def test_a_rows_coverage_is_a_share(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = "date,quality,coverage,pieces,energy\n2025-03-01,interpolated,2,5,6\n2025-03-02,measured,,6,8\n"
    assert run(tmp_path, table, "fit", "--quality", "quality", "--coverage", "coverage") == 2
    assert "row 2, column coverage: 2 is no share from 0 to 1" in capsys.readouterr().err


def test_a_bill_that_is_long_or_below_zero_is_noticed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bills = tmp_path / "bills.csv"
    dates = ("01-31", "02-28", "03-31", "05-31", "06-30", "07-31")
    rows = [f"2025-{day},{amount}" for day, amount in zip(dates, ("", 280, 310, 610, -20, 320), strict=True)]
    bills.write_text("\n".join(["reading_date,energy_use", *rows]) + "\n", encoding="utf-8")
    assert main(["baselines", "bills", str(bills), "--json"]) == 0
    assert [finding["text"] for finding in json.loads(capsys.readouterr().out)["findings"]] == [
        "row 5, column reading_date: 61 days after the row before, where 31 are usual; was a bill left out?",
        "row 6, column energy_use: -20 is below zero; a correction of an earlier bill?",
    ]
    assert main(["baselines", "bills", str(bills)]) == 0
    assert "  note: row 5, column reading_date: 61 days" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("materials", "--energy-cost", "nan"), "--energy-cost: 'nan' is no number"),
        (("materials", "--system-cost", "-5"), "--system-cost: -5 is below zero"),
        (("pv", "--grid-factor", "inf"), "--grid-factor: 'inf' is no number"),
        (("bills", "--factor", "x"), "--factor: 'x' is no number"),
    ],
)
def test_in_a_number_of_an_option(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], told: str
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["baselines", *words, str(tmp_path / "data.csv")])
    assert told in capsys.readouterr().err

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from leanmeter.command_line import main

DATA = "month;energy;pieces\n2025-01;340;380\n2025-02;340;440\n2025-03;380;460\n2025-04;380;520\n2025-05;300;320\n"
PIECES = (380, 440, 460, 520, 320, 410, 390, 505, 470, 350, 430)


def write(folder: Path, text: str, name: str = "data.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8-sig")
    return path


def fit(path: Path, *more: str) -> int:
    return main(["baselines", "fit", "--data", str(path), "--energy", "energy", "--variables", "pieces", *more])


def test_a_spreadsheets_file_with_semicolons_and_a_mark_is_fitted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fit(write(tmp_path, DATA), "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told["coefficients"]) == {"intercept", "pieces"}
    assert (told["n"], told["provisional"]) == (5, True)


def test_the_report_begins_with_the_verdict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fit(write(tmp_path, DATA)) == 0
    assert capsys.readouterr().out.startswith("Provisional: pieces explains")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("340;440", "3,40;440"), "row 3, column energy: '3,40' is no number"),
        (("2025-02", "2025-01"), "row 3, column month: 2025-01 stands already in row 2"),
        (("2025-02;", "Feb 25;"), "row 3, column month: 'Feb 25': expected is a date"),
        (("energy;pieces", "energy;units"), "there is no column 'pieces'; there are month, energy, units"),
        (("380;460", "380;460;9"), "row 4: 4 cells for 3 columns"),
        (("340;440", "4e300;440"), "row 3, column energy: '4e300' is no number"),
    ],
)
def test_a_mistake_names_file_row_and_column(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: tuple[str, str], told: str
) -> None:
    assert change[0] in DATA
    path = write(tmp_path, DATA.replace(*change))
    assert fit(path) == 2
    said = capsys.readouterr().err
    assert str(path) in said
    assert told in said
    assert said.count("\n") == 1


def test_an_empty_cell_and_a_missing_month_are_findings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    longer = DATA + "2025-06;310;350\n2025-08;340;420\n"
    assert fit(write(tmp_path, longer.replace("340;440", ";440")), "--json") == 0
    told = json.loads(capsys.readouterr().out)
    texts = {finding["code"]: finding["text"] for finding in told["findings"]}
    assert texts["missing_value"].startswith("row 3 (2025-02), column energy: is empty")
    assert texts["gap"] == "row 8, column month: 1 missing between 2025-06 and 2025-08"
    assert (told["n"], told["coverage"]) == (6, 0.75)


def test_a_file_with_tabs_is_read_and_a_model_without_variables_is_the_mean(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, DATA.replace(";", "\t"))
    assert fit(path) == 0
    capsys.readouterr()
    assert main(["baselines", "fit", "--data", str(path), "--energy", "energy"]) == 0
    told = "without a relevant variable the baseline is the mean; what does the energy depend on?\n"
    assert capsys.readouterr().out.startswith(f"Not good enough to claim savings with: {told}")
    assert main(["baselines", "fit", "--data", str(path), "--energy", "energy", "--variables", "energy"]) == 2
    assert "energy: is the energy itself" in capsys.readouterr().err


def test_numbers_below_zero_stay_below_zero(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = "".join(f"2025-0{month};{100 + 2 * value};{value}\n" for month, value in enumerate((-30, -10, 5, 20, 31), 1))
    assert fit(write(tmp_path, "month;energy;pieces\n" + rows), "--json") == 0
    assert json.loads(capsys.readouterr().out)["coefficients"]["pieces"] == pytest.approx(2.0)


def test_what_does_not_vary_and_what_says_the_same_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    same = "".join(f"{month};{300 + month % 3 * 10};5;{month};{2 * month}\n" for month in range(1, 8))
    path = write(tmp_path, "month;energy;pieces;a;b\n" + same)
    assert fit(path) == 2
    assert "column pieces: is 5 in every row" in capsys.readouterr().err
    words = ["baselines", "fit", "--data", str(path), "--energy", "energy", "--variables", "a,b"]
    assert main(words) == 2
    assert "column b: follows from a" in capsys.readouterr().err


def test_a_period_without_rows_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fit(write(tmp_path, DATA), "--baseline-period", "2024-01/2024-12") == 2
    assert "the data goes from 2025-01 to 2025-05" in capsys.readouterr().err


def test_savings_of_days_named_by_months(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    days = [(f"2025-{month:02}-{day:02}", day * 7 % 11) for month in (1, 2) for day in range(1, 21)]
    lines = [f"{day},{100 + 3 * pieces + (pieces % 2)},{pieces}" for day, pieces in days]
    path = write(tmp_path, "date,energy,pieces\n" + "\n".join(lines) + "\n")
    words = ["baselines", "savings", "--data", str(path), "--energy", "energy", "--variables", "pieces"]
    assert (
        main([*words, "--baseline-period", "2025-01/2025-01", "--reporting-period", "2025-02/2025-02", "--json"]) == 0
    )
    told = json.loads(capsys.readouterr().out)
    assert told["savings"] == pytest.approx(0.0, abs=1e-6)
    assert told["confidence"] == 0.9


def test_bills_are_spread_over_months(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bills = write(tmp_path, "reading_date,energy_use\n2024-12-31,999\n2025-01-31,31\n2025-03-02,60\n")
    assert main(["baselines", "bills", str(bills), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["months"] == {"2025-01": 31.0, "2025-02": 56.0}
    wrong = write(tmp_path, "reading_date,energy_use\n2025-01-31,31\n2025-01-30,31\n")
    assert main(["baselines", "bills", str(wrong)]) == 2
    assert "row 3, column reading_date: 2025-01-30 is not after 2025-01-31" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("header", "row"), [("year,month,pieces", "2025,{month},{pieces}"), ("month,pieces", "2025-{month:02d},{pieces}")]
)
def test_bills_make_a_baseline_with_a_table_of_months(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], header: str, row: str
) -> None:
    ends = [date(2025, month, 1) - timedelta(days=1) for month in range(1, 13)]
    used = {month: 1000 + 7 * pieces for month, pieces in enumerate(PIECES, start=1)}
    amounts = [0, *used.values()]
    bills = write(tmp_path, "\n".join(["reading_date,energy_use", *map("{},{}".format, ends, amounts)]), "bills.csv")
    rows = [row.format(month=month, pieces=pieces) for month, pieces in enumerate(PIECES, start=1)]
    months = write(tmp_path, "\n".join([header, *rows]), "months.csv")

    assert main(["baselines", "bills", str(bills), "--predictors", str(months), "--json"]) == 0

    told = json.loads(capsys.readouterr().out)
    assert told["coefficients"] == pytest.approx({"intercept": 1000.0, "pieces": 7.0})
    assert told["n"] == len(PIECES)


def test_predictors_without_months_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bills = write(tmp_path, "reading_date,energy_use\n2024-12-31,0\n2025-01-31,31\n", "bills.csv")
    days = write(tmp_path, "date,pieces\n2025-01-01,3\n", "days.csv")

    assert main(["baselines", "bills", str(bills), "--predictors", str(days)]) == 2
    assert f"{days}: each row is a month: by columns year and month" in capsys.readouterr().err


def test_a_tariff_bills_intervals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tariff = write(
        tmp_path,
        "currency: EUR\ntariffs:\n  - {name: flat, valid_from: 2025-01-01, energy: [{price: 0.30}]}\n",
        "tariff.yaml",
    )
    data = write(tmp_path, "start,energy_kwh\n2025-01-01T00:00,10\n2025-01-01T00:15,5\n")
    assert main(["baselines", "tariff", str(tariff), "--data", str(data), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["2025-01"]["total"] == "4.50"


def test_a_bill_tells_the_versions_that_share_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    versions = "".join(
        f"  - {{name: {name}, valid_from: {start}, standing_charge: 31, energy: [{{price: {price}}}]}}\n"
        for name, start, price in (("new", "2025-01-17", "0.40"), ("old", "2024-01-01", "0.30"))
    )
    tariff = write(tmp_path, f"currency: EUR\nbilling_day: 2\ntariffs:\n{versions}", "tariff.yaml")
    data = write(tmp_path, "start,energy_kwh\n2025-01-16T23:45,10\n2025-01-17T00:00,10\n")
    words = ["baselines", "tariff", str(tariff), "--data", str(data)]
    assert main(words) == 0
    assert capsys.readouterr().out.splitlines()[:8] == [
        "2025-01-02/2025-02-01: 38.00 EUR.",
        "  by old, 15 of 31 days:",
        "  standing charge         15.00  1 month × 31 × 15/31",
        "  energy                   3.00  10 kWh × 0.3",
        "  by new, 16 of 31 days:",
        "  standing charge         16.00  1 month × 31 × 16/31",
        "  energy                   4.00  10 kWh × 0.4",
        "  note: old: 15 of 31 days, from 2025-01-02; standing charge, demand and blocks are shared out by days",
    ]
    assert main([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["2025-01-02/2025-02-01"]["lines"][0]
    assert (told["version"], told["days"], told["amount"]) == ("old", [15, 31], "15.00")


def test_intervals_that_are_missing_or_set_no_peak(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tariff = write(
        tmp_path,
        "currency: EUR\ntariffs:\n  - {name: flat, valid_from: 2025-01-01, energy: [{price: 0.30}],"
        " demand: {price: 10}}\n",
        "tariff.yaml",
    )
    lines = "start,energy_kwh,quality\n2025-01-01T00:00,10,measured\n2025-01-01T00:15,50,interpolated\n"
    data = write(tmp_path, lines + "2025-01-01T01:00,5,measured\n")
    words = ["baselines", "tariff", str(tariff), "--data", str(data)]
    assert main([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["2025-01"]
    assert (told["demand"], told["findings"][-1]) == ("40", "row 4, column start: 2 intervals missing before it")
    assert main(words) == 0
    said = capsys.readouterr().out
    assert said.startswith("2025-01: 419.50 EUR.\n")
    assert "note: row 4, column start: 2 intervals missing before it" in said


def test_both_hours_of_the_night_when_clocks_go_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tariff = write(
        tmp_path,
        "currency: EUR\ntariffs:\n  - {name: flat, valid_from: 2026-01-01, energy: [{price: 1}], demand: {price: 1}}\n",
        "tariff.yaml",
    )
    lines = "start,energy_kwh\n2026-10-25T02:00+02:00,1\n2026-10-25T02:00+01:00,2\n"
    words = ["baselines", "tariff", str(tariff), "--timezone", "Europe/Madrid", "--json", "--data"]
    assert main([*words, str(write(tmp_path, lines))]) == 0
    assert json.loads(capsys.readouterr().out)["2026-10"]["demand"] == "8"
    assert main([*words, str(write(tmp_path, lines.replace("+02:00", "").replace("+01:00", "")))]) == 2
    assert (
        "row 3, column start: 2026-10-25T02:00 stands already in row 2; when clocks go back" in capsys.readouterr().err
    )


CIRCUMSTANCES = ["--baseline-period", "1/12", "--reporting-period", "13/18"]


def heat_recovery(folder: Path) -> list[str]:
    pieces = (380, 440, 460, 520, 320, 520, 240, 620, 600, 560, 440, 360, 420, 480, 540, 280, 260, 500)
    energy = (340, 340, 380, 380, 300, 400, 280, 424, 420, 400, 360, 320, 340, 372, 380, 280, 280, 380)
    lines = [f"{month},{a},{b}" for month, (a, b) in enumerate(zip(pieces, energy, strict=True), start=1)]
    path = write(folder, "month,production,energy\n" + "\n".join(lines) + "\n")
    return ["baselines", "savings", "--data", str(path), "--energy", "energy", "--variables", "production"]


def test_the_published_case_by_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*heat_recovery(tmp_path), *CIRCUMSTANCES, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["savings"] == pytest.approx(40.9504412763, rel=1e-9)
    assert told["half_width"] == pytest.approx(53.538794691, rel=1e-9)
    assert told["fsu"] == pytest.approx(1.21623753039, rel=1e-9)
    assert (told["proven"], told["confidence"]) == (False, 0.9)
    assert told["enpi"] == pytest.approx(2032.0 / 2072.95044128)
    last = told["by_row"][-1]
    assert (last["row"], last["actual"]) == ("18", 380.0)
    assert (last["expected"], last["lower"]) == (pytest.approx(379.82892057), pytest.approx(361.562088008))
    assert last["cusum"] == pytest.approx(-40.9504412763)
    assert told["alarms"] == []


def test_the_alarm_says_since_when(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [(f"2025-{1 + day // 28:02}-{1 + day % 28:02}", day * 7 % 11) for day in range(84)]
    lines = [f"{label},{(100 + 3 * n + day % 2) * (1 if day < 60 else 0.9)},{n}" for day, (label, n) in enumerate(rows)]
    path = write(tmp_path, "date,energy,pieces\n" + "\n".join(lines) + "\n")
    words = ["baselines", "savings", "--data", str(path), "--energy", "energy", "--variables", "pieces"]
    assert main([*words, "--baseline-period", "2025-01/2025-02", "--reporting-period", "2025-03/2025-03"]) == 0
    assert "CUSUM       less than expected since 2025-03-05, noticeable from 2025-03-05 on" in capsys.readouterr().out


def test_what_a_verifier_adds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [*heat_recovery(tmp_path), *CIRCUMSTANCES, "--json"]
    words += ["--adjustment", "13", "-20", "oven 2 was sold", "A. Mensah", "--confidence", "0.8"]
    assert main([*words, "--meter-class", "1", "--other-meter", "--static-factor", "shifts a week", "10", "12"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["savings"] == pytest.approx(20.9504412763, rel=1e-9)
    assert told["adjustment"] == -20.0
    assert told["half_width"] ** 2 == pytest.approx(told["model_half_width"] ** 2 + told["meter_half_width"] ** 2)
    assert any("shifts a week: 10 then, 12 now" in finding["text"] for finding in told["findings"])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--adjustment", "13", "-20", " ", "A. Mensah"], "--adjustment 13: adjustment of 13: needs a reason"),
        (["--adjustment", "13", "much", "why", "who"], "--adjustment 13: 'much' is no number"),
        (["--adjustment", "3", "5", "why", "who"], "adjustment of 3: is not in the reporting period"),
        (["--meter-class", "9"], "meter class '9' is not known"),
        (["--ct-class", "0.5"], "--ct-class: give the meter's class too"),
    ],
)
def test_a_circumstance_that_cannot_be_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    assert main([*heat_recovery(tmp_path), *CIRCUMSTANCES, *words]) == 2
    said = capsys.readouterr().err
    assert told in said
    assert said.count("\n") == 1


def test_reference_factors_are_told_with_their_sources(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["baselines", "factors", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["fuels"]["diesel"]["kwh_a_kg"] == pytest.approx(43.0 / 3.6)
    assert main(["baselines", "factors"]) == 0
    said = capsys.readouterr().out
    assert "  diesel                   11.94      9.97           3.197      2.67\n" in said
    assert "Sources: IPCC 2006" in said

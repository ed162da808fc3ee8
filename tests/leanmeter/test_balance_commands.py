import json
from pathlib import Path
from typing import Any

import pytest

from leanmeter.command_line import main

STREAMS = """stream,flow,kg,cost,destination
flour,input,800,640,
sugar,input,200,160,
bread,product,700,,
bread,product,100,,
evaporated,loss,50,,
returned dough,waste,60,,reused
crumbs for feed,waste,40,2,recycled
bin,waste,20,8,
"""
PRICES = """
currency: KES
prices:
  - name: water
    unit: m3
    valid_from: 2026-01-01
    standing_charge: 250
    blocks: [{up_to: 50, price: 60}, {price: 85.5}]
  - {name: sewage, unit: m3, valid_from: 2026-01-01, price: 45.25, of: water, share: 0.9}
  - {name: mixed waste, unit: kg, valid_from: 2026-01-01, price: 3.1, minimum: 100}
"""


def write(folder: Path, text: str, name: str = "data.csv") -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def told(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    assert main(["baselines", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def said(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert main(["baselines", *words]) == code
    captured = capsys.readouterr()
    return captured.err if code else captured.out


def test_materials_with_cost_and_both_goals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["materials", write(tmp_path, STREAMS), "--energy-cost", "100", "--system-cost", "300"]
    found = told(capsys, *words)
    assert (found["material_yield"], found["imbalance_kg"]) == (pytest.approx(0.8), pytest.approx(30.0))
    assert (found["cost_of_product"], found["cost_of_losses"]) == (pytest.approx(960.0), pytest.approx(250.0))
    before = write(
        tmp_path,
        STREAMS.replace("flour,input,800", "flour,input,1000").replace("bin,waste,20", "bin,waste,80"),
        "b.csv",
    )
    goals = told(capsys, *words, "--before", before)["goals"]
    # Wasted 400 of 800 before, 200 now; weighed as waste 180 before, 120 now. Two numbers, no sum.
    assert [(goal["goal"], goal["share"], goal["asked"]) for goal in goals] == [
        ("materials_wasted", pytest.approx(0.5), 0.35),
        ("waste", pytest.approx(1 / 3), 0.4),
    ]
    text = said(capsys, *words, "--before", before)
    assert text.startswith("80 % of the material became product; 200 kg were wasted.\n")
    assert "imbalance   30 kg not accounted for, 3 % of the input" in text
    assert "    waste: 0.15 kg, 33.3 % less; the goal: 40 % less" in text


def test_own_generation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, "date,generated_kwh,imported_kwh,exported_kwh\n2026-01-01,60,20,30\n2026-01-02,40,40,10\n")
    found = told(capsys, "pv", path, "--grid-factor", "0.5")
    assert (found["self_consumption"], found["self_sufficiency"], found["avoided_kg_co2e"]) == (0.6, 0.5, 50.0)
    expected = "100 kWh were generated, 60 % of it used here: 50 % of what the site used.\n"
    assert said(capsys, "pv", path).startswith(expected)


def test_a_prepaid_month(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, "date,paid,energy_kwh\n2026-01-03,20.00,100\n2026-01-15,20.00,80\n")
    words = ["prepaid", path, "--used-before", "30", "--used", "120"]
    assert told(capsys, *words) == {"cost": "26.50", "left_kwh": "30", "left_value": "7.50"}
    assert said(capsys, *words) == "120 kWh cost 26.50; 30 kWh worth 7.50 are left.\n"


def test_a_month_of_water_and_waste(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prices = write(tmp_path, PRICES, "prices.yaml")
    months = write(tmp_path, "month,water,mixed waste\n2026-03,63.4,80\n2026-04,,20\n")
    found = told(capsys, "prices", prices, "--data", months)
    # 250 + 50 × 60 + 13.4 × 85.50 = 4395.70; 57.06 × 45.25 = 2581.97; 100 × 3.10 = 310
    assert found["2026-03"]["total"] == "7287.67"
    assert found["2026-04"]["total"] == "310.00"
    assert said(capsys, "prices", prices, "--data", months).startswith("2026-03: 7287.67 KES.\n")


@pytest.mark.parametrize(
    ("words", "text", "expected"),
    [
        (
            ["materials"],
            STREAMS.replace("loss", "lost"),
            "row 6, column flow: 'lost': expected is one of input, product",
        ),
        (["materials"], STREAMS.replace(",60,", ",,"), "row 7, column kg: '' is no mass"),
        (["materials"], STREAMS.replace("recycled", "burnt"), "row 8, column destination: 'burnt'"),
        (["materials"], "stream,flow,kg\nbread,product,5\n", "a balance needs what came in"),
        (["pv"], "generated_kwh,imported_kwh,exported_kwh\n1,1,9\n", "9 kWh exported, but only 2 kWh"),
        (["prepaid", "--used", "5"], "date,paid,energy_kwh\nlast week,5,5\n", "row 2, column date: 'last week'"),
        (["prepaid", "--used", "50"], "date,paid,energy_kwh\n2026-01-01,5,5\n", "45 kWh more used than bought"),
    ],
)
def test_a_mistake_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], text: str, expected: str
) -> None:
    told = said(capsys, words[0], write(tmp_path, text), *words[1:], code=2)
    assert expected in told
    assert told.count("\n") == 1


def test_a_resource_without_a_price_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    months = write(tmp_path, "month,gas\n2026-03,5\n")
    told = said(capsys, "prices", write(tmp_path, PRICES, "prices.yaml"), "--data", months, code=2)
    assert "no price of gas on 2026-03-01" in told

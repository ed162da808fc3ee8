from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from evaluation.plan.plan_baselines import BillsTable
from evaluation.plan.plan_check import check_plan
from evaluation.plan.plan_file import PlanFile
from leanmeter.plan.plan_files import load_plan_file
from site_config.errors import ConfigurationError
from site_config.points import Point, Resource, Role
from site_config.yaml_file import load_model
from tests.evaluation.planned_site import plan_document

POINTS = (
    Point("main", "Main", Resource.ELECTRICITY, Role.MAIN),
    Point("gas", "Gas", Resource.FUEL, Role.MAIN),
    Point("bread", "Bread", Resource.PRODUCT, Role.OUTPUT),
)
TODAY = date(2026, 8, 1)
ADJUSTMENT = {"baseline": "energy", "from": "2026-07-20", "to": "2026-07-21", "amount_a_day": 1, "author": "ana"}
PERIOD = {"from": "2026-06-01", "to": "2026-07-12"}
BACKWARDS = {"from": "2026-06-02", "to": "2026-06-02"}
FLAT = {"name": "flat", "valid_from": "2026-01-01", "energy": [{"price": 1}]}
BILLS = {"unit": "MWh", "readings": [("2026-05-31", 0.0), ("2026-06-30", 3.2)]}
COOLING = {"kind": "cooling", "temperature": {"device": "outdoor-meter"}}
SEARCHED = {"bread": {"series": ["bread"]}, "a": {"degree_days": COOLING}, "b": {"change_point": COOLING}}


def write(folder: Path, **change: Any) -> Path:
    path = folder / "plan.yaml"
    path.write_text(yaml.safe_dump(plan_document(**change)), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"surplus": 1}, r"surplus: unknown key"),
        (
            {"baselines": [{"id": "a", "period": {"from": "2026-07-12", "to": "2026-06-01"}}]},
            r"must be later than from",
        ),
        (
            {"baselines": [{"id": "a", "period": PERIOD, "variables": ["rolls"]}]},
            r"a\.variables: no 'rolls' in variables",
        ),
        ({"baselines": [{"id": "a", "period": PERIOD, "meter_class": "9"}]}, r"meter_class: '9' is not known"),
        (
            {"baselines": [{"id": "a", "step": "fortnight", "period": PERIOD}]},
            r"baselines\[0\]\.step",
        ),
        (
            {"baselines": [{"id": "a", "step": "shift", "period": PERIOD}]},
            r"a\.step: shift needs shifts with their hours",
        ),
        (
            {"baselines": [{"id": "a", "period": PERIOD, "bills": "bills.csv"}]},
            r"bills: are spread over calendar months; give step: month",
        ),
        (
            {"baselines": [{"id": "a", "step": "month", "period": PERIOD, "bills": "b.csv", "variables": ["bread"]}]},
            r"a\.variables: months of bills were not metered; take variables from tables",
        ),
        (
            {
                "variables": {"bread": {"csv": "bread.csv", "per": "week"}},
                "baselines": [{"id": "a", "step": "month", "period": PERIOD, "variables": ["bread"]}],
            },
            r"a\.variables: bread is known by week, the baseline's step is month",
        ),
        (
            {"variables": SEARCHED, "baselines": [{"id": "a", "period": PERIOD, "variables": ["a", "b"]}]},
            r"a\.variables: give one heating and one cooling without a base at most",
        ),
        (
            {"variables": SEARCHED, "baselines": [{"id": "a", "period": PERIOD, "variables": ["a"], "choose": True}]},
            r"a\.choose: needs degree days with a base",
        ),
        ({"baselines": [{"id": "a", "period": PERIOD, "choose": True}]}, r"choose: needs 1 to 6 variables"),
        ({"variables": {"bread": {"series": ["bread"], "per": "week"}}}, r"bread: per: only a table"),
        ({"shifts": {"late": {"from": "14:10", "to": "22:00"}}}, r"shifts\.late: from: 14:10:00 is not on a quarter"),
        ({"variables": {"bread": {}}}, r"exactly one of series, csv, degree_days, change_point, hours"),
        (
            {"adjustments": [{"baseline": "energy", **PERIOD, "amount_a_day": 1, "reason": " ", "author": "a"}]},
            r"reason",
        ),
        (
            {"waste_destinations": [{"point": "bin", "reused": 0.5, "recycled": 0.2, "source": "x"}]},
            r"waste_destinations\[0\]: bin: reused, recycled, recovered and disposed make 0.7, not 1",
        ),
        ({"piece_masses": [{"point": "bread", "kg_a_piece": 0, "source": "x"}]}, r"piece_masses\[0\]\.kg_a_piece"),
        (
            {"baselines": [{"id": "a", "series": "site.materials_wasted", "period": PERIOD, "step": "shift"}]},
            r"step: site\.materials_wasted is known by whole days, not by shifts",
        ),
        (
            {"material_balances": [{"id": "a", "inputs": ["b"], "products": ["c"]}] * 2},
            r"material_balances: id 'a' is used twice",
        ),
        ({"goals": [{"series": "site.energy", "share": 27, **PERIOD}]}, r"goals\[0\]\.share"),
        (
            {"electricity_tariff": {"currency": "GHS", "tariffs": [{**FLAT, "energy": [{"prise": 1}]}]}},
            r"electricity_tariff\.tariffs\[0\]\.energy\[0\]\.prise: unknown key; check its spelling$",
        ),
        (
            {"electricity_tariff": {"currency": "EUR", "tariffs": [FLAT]}},
            r"electricity_tariff\.currency: is EUR, the plan's currency is GHS; they are never mixed",
        ),
        ({"prices": [{"point": "gas", "price": 1, **BACKWARDS}]}, r"prices\[0\]: to: must be later than from"),
        (
            {"emission_factors": [{"of": "gas", "kg_a_unit": 1, "source": "x", **BACKWARDS}]},
            r"emission_factors\[0\]: to: must be later than from",
        ),
        (
            {"refrigerants": [{"date": "2026-06-01", "gas": "R999", "kg": 1}]},
            r"gas: 'R999' is none of R22, ",
        ),
        ({"prepaid_tokens": [{"date": "June", "paid": 1, "energy_kwh": 1}]}, r"prepaid_tokens\[0\]\.date: is no date"),
        ({"prepaid_tokens": [{"date": "2026-06-01", "paid": 1, "energy_kwh": 0}]}, r"energy_kwh: must be more than 0"),
    ],
)
def test_a_mistake_is_one_line_that_names_file_and_key(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"plan\.yaml: .*{message}") as refused:
        load_plan_file(write(tmp_path, **change))
    assert "\n" not in str(refused.value)


def test_names_are_compared_with_the_site() -> None:
    plan = PlanFile.model_validate(
        plan_document(
            variables={
                "bread": {"series": ["rolls"]},
                "cooling": {"degree_days": {"kind": "cooling", "temperature": {"device": "roof"}}},
            },
            baselines=[{"id": "energy", "step": "month", "period": PERIOD, "bills": BILLS}],
            goals=[{"series": "site.water", **PERIOD}],
            prices=[{"point": "oil", "price": 1}],
            generators=[{"point": "main", "fuel": "bread"}],
            emission_factors=[{"of": "steam", "kg_a_unit": 1, "source": "x"}],
        )
    )
    found = check_plan(plan, POINTS, {"outdoor-meter"}, TODAY)
    assert found.mistakes == (
        "variables: bread.series: the site has no series 'rolls'",
        "prices: point: the site has no point 'oil'",
        "generators: fuel: 'bread' must be a point of resource fuel and role main",
        "emission_factors: of: 'steam' is neither a resource nor a point of the site",
        "goals: site.water: needs a share; SCORE reports no average for water",
        "variables: cooling.temperature.device: the site has no device 'roof'",
        "baselines: energy.bills: are in MWh, site.energy is in kWh; give bills_factor",
    )
    assert found.notes[0] == "calorific_values: none for gas; without it there is no site.energy"
    assert "goals: site.water: has no baseline" in found.notes


def test_streams_are_compared_with_what_points_measure() -> None:
    plan = PlanFile.model_validate(
        plan_document(
            material_balances=[{"id": "a", "inputs": ["flour", "main"], "products": ["bread"], "wastes": ["bin"]}],
            piece_masses=[{"point": "rolls", "kg_a_piece": 0.05, "source": "x"}],
            waste_destinations=[{"point": "bread", "reused": 1, "source": "x"}],
        )
    )
    assert check_plan(plan, POINTS, (), TODAY).mistakes == (
        "piece_masses: point: the site has no point 'rolls'",
        "material_balances: a.inputs: 'flour' is no point of the site; expected is material",
        "material_balances: a.inputs: 'main' measures electricity; expected is material",
        "material_balances: a.wastes: 'bin' is no point of the site; expected is waste",
        "waste_destinations: point: 'bread' measures product",
    )


def test_what_a_plan_leaves_unsaid_of_materials_and_own_generation_is_noted() -> None:
    points = (
        *POINTS,
        Point("solar", "Solar", Resource.ELECTRICITY, Role.GENERATION),
        Point("flour", "Flour", Resource.MATERIAL, Role.PART),
        Point("bin", "Bin", Resource.WASTE, Role.WASTE),
        Point("feed", "Feed", Resource.WASTE, Role.WASTE),
    )
    plan = PlanFile.model_validate(
        plan_document(
            goals=[{"series": "flour", **PERIOD}],
            waste_destinations=[{"point": "feed", "reused": 1, "source": "x"}],
        )
    )
    notes = check_plan(plan, points, (), TODAY).notes
    assert "goals: flour: less material used; what SCORE firms report is of site.materials_wasted" in notes
    assert "waste_destinations: none for bin; without it nothing is said of where the site's waste goes" in notes
    assert "emission_factors: none for solar; what it avoids is not said (0 for what burns nothing)" in notes


@pytest.mark.parametrize(
    ("series", "resource", "share"),
    [
        ("site.energy", "energy", 0.27),
        ("site.waste", "waste", 0.4),
        ("steel", "material", 0.35),
        ("site.materials_wasted", "materials_wasted", 0.35),
    ],
)
def test_goals_default_to_what_score_firms_report_on_average(series: str, resource: str, share: float) -> None:
    plan = PlanFile.model_validate(plan_document(goals=[{"series": series, **PERIOD}]))
    assert plan.goals[0].goal(resource).share == share


def test_prices_and_factors_that_say_two_things_are_named() -> None:
    kva = {**FLAT, "demand": {"price": 1, "unit": "kVA"}}
    factor = {"of": "electricity", "kg_a_unit": 1, "source": "x"}
    plan = PlanFile.model_validate(
        plan_document(
            prices=[{"point": "main", "price": 1}, {"point": "gas", "price": 1}, {"point": "gas", "price": 2}],
            emission_factors=[factor, factor, {**factor, "method": "market"}],
            electricity_tariff={"currency": "GHS", "tariffs": [kva]},
        )
    )
    found = check_plan(plan, POINTS, (), TODAY)
    assert found.mistakes == (
        "prices: point: 'main' measures electricity; its price is in electricity_tariff",
        "emission_factors: of (no method): 'electricity' begins twice on 2000-01-01; give one",
        "prices: point: 'gas' begins twice on 2000-01-01; give one",
    )
    note = (
        "electricity_tariff: flat bills kVA or kvarh; without a point of resource reactive_energy and role main "
        "there is no bill of its months"
    )
    assert note in found.notes
    var = Point("var", "Reactive", Resource.REACTIVE_ENERGY, Role.MAIN)
    assert note not in check_plan(plan, (*POINTS, var), (), TODAY).notes


def test_tables_and_the_tariff_are_read_from_beside_the_plan(tmp_path: Path) -> None:
    (tmp_path / "pieces.csv").write_text("date,pieces\n2026-06-01,900\n2026-06-02,\n2026-06-03,0\n", encoding="utf-8")
    tariff = {"currency": "GHS", "tariffs": [{"name": "t", "valid_from": "2026-01-01", "energy": [{"price": 1.5}]}]}
    (tmp_path / "tariff.yaml").write_text(yaml.safe_dump(tariff), encoding="utf-8")
    weather = {"degree_days": {"kind": "cooling", "base": 22, "temperature": {"csv": "weather.csv"}}}
    (tmp_path / "weather.csv").write_text("date;temperature\n2026-06-01;25.5\n", encoding="utf-8")
    path = write(
        tmp_path,
        electricity_tariff="tariff.yaml",
        variables={"bread": {"csv": "pieces.csv", "column": "pieces"}, "cooling": weather},
    )
    loaded = load_plan_file(path)
    # An empty cell is a day that is not known; a nought is a day without pieces.
    assert loaded.daily == {
        "bread": {"2026-06-01": 900.0, "2026-06-03": 0.0},
        "cooling": {"2026-06-01": 25.5},
    }
    document = loaded.plan.model_dump(mode="json", by_alias=True)
    assert PlanFile.model_validate(document) == loaded.plan

    (tmp_path / "pieces.csv").write_text("date,pieces\n2026-06-01,900\n2026-06-01,901\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"pieces\.csv: row 3, column date: 2026-06-01 stands there twice"):
        load_plan_file(path)


def test_tables_by_week_month_and_shift_name_what_stands_there_twice(tmp_path: Path) -> None:
    shifts = {"early": {"from": "06:00", "to": "14:00"}}
    tables = {
        "week": ("2026-06-05,900\n2026-06-12,800\n", {"2026-06-01": 900.0, "2026-06-08": 800.0}),
        "month": ("2026-06,900\n2026-07-31,800\n", {"2026-06-01": 900.0, "2026-07-01": 800.0}),
        "shift": ("2026-06-05,900,early\n", {"2026-06-05/early": 900.0}),
    }
    for per, (rows, values) in tables.items():
        (tmp_path / "bread.csv").write_text(f"date,bread,shift\n{rows}", encoding="utf-8")
        variables = {"bread": {"csv": "bread.csv", "per": per}}
        path = write(tmp_path, variables=variables, shifts=shifts, baselines=[], goals=[])
        assert load_plan_file(path).daily == {"bread": values}
        (tmp_path / "bread.csv").write_text(f"date,bread,shift\n{rows}{rows}", encoding="utf-8")
        with pytest.raises(
            ConfigurationError, match=rf"bread\.csv: row \d, column date: .* is in the same {per} as row 2"
        ):
            load_plan_file(path)
    (tmp_path / "bread.csv").write_text("date,bread,shift\n2026-06-05,900,late\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"row 2, column shift: the plan has no shift 'late'; there are early"):
        load_plan_file(path)


def test_bills_become_part_of_the_plan(tmp_path: Path) -> None:
    (tmp_path / "bills.csv").write_text(
        "reading_date,energy_use,unit\n2026-05-31,,kWh\n2026-06-30,3200,kWh\n", encoding="utf-8"
    )
    baseline = {"id": "energy", "step": "month", "period": PERIOD, "bills": "bills.csv"}
    path = write(tmp_path, baselines=[baseline])
    bills = load_plan_file(path).plan.baselines[0].bills
    assert load_plan_file(path).notes == ()
    assert bills == BillsTable(unit="kWh", readings=((date(2026, 5, 31), 0.0), (date(2026, 6, 30), 3200.0)))
    (tmp_path / "bills.csv").write_text("reading_date,energy_use\n2026-05-31,\n2026-05-30,1\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"bills\.csv: row 3, column reading_date: 2026-05-30 is not after"):
        load_plan_file(path)


def test_the_documents_example_is_a_plan() -> None:
    plan = load_model(Path(__file__).parents[2] / "docs" / "plan-file.example.yaml", PlanFile)
    assert set(plan.model_fields_set) == set(PlanFile.model_fields)

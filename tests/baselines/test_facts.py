"""Known answers to all their digits: the heat recovery case and the formula vectors, see the files in facts/."""

import csv
import math
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from baselines.cumulative_sum import cumulative_sum
from baselines.distributions import f_p_value, t_for_confidence
from baselines.electricity import air_leak_kwh, capacitor_kvar, power_factor, three_phase_kw, voltage_unbalance
from baselines.linear_model import LinearModel, fit
from baselines.observations import Observations
from baselines.savings import savings
from baselines.tariff import DemandCharge, IntervalUse, highest_demand
from baselines.weather_model import Temperatures
from evaluation.accounting.days import day_of
from evaluation.metering.intervals import AssignedReadings, interval_amount
from site_config.points import Assignment
from store.protocol import Series

FACTS = Path(__file__).parent / "facts"
VECTORS: dict[str, Any] = yaml.safe_load((FACTS / "vectors.yaml").read_text(encoding="utf-8"))
CASE: dict[str, Any] = yaml.safe_load((FACTS / "heat_recovery.yaml").read_text(encoding="utf-8"))
COMPUTED: dict[str, Any] = CASE["computed"]
QUARTER_MS = 900_000


def close(value: float) -> Any:
    return pytest.approx(value, rel=1e-9, abs=1e-9)


def months(first: int, last: int) -> Observations:
    with (FACTS / "heat_recovery.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if first <= int(row["month"]) <= last]
    return Observations(
        tuple(row["month"] for row in rows),
        tuple(float(row["energy"]) for row in rows),
        {"production": tuple(float(row["production"]) for row in rows)},
    )


@pytest.mark.parametrize(("name", "last"), [("ols_months_1_to_12", 12), ("ols_months_1_to_9", 9)])
def test_the_heat_recovery_baselines(name: str, last: int) -> None:
    told = COMPUTED[name]
    model = fit(months(1, last), ["production"])
    for mine, theirs in (
        (model.coefficients, "coefficients"),
        (model.standard_errors, "standard_errors"),
        (model.t, "t_values"),
        (model.p, "p_values"),
    ):
        assert dict(mine) == {key: pytest.approx(value, rel=1e-9) for key, value in told[theirs].items()}
    assert (model.n, [1, model.degrees_of_freedom]) == (told["n"], told["f_df"])
    assert (model.r2, model.r2_adjusted, model.f) == (
        close(told["r2"]),
        close(told["adjusted_r2"]),
        close(told["f_statistic"]),
    )
    assert model.f_p == pytest.approx(told["f_p_value"], rel=1e-9)
    assert (model.residual_sum, model.mean_energy) == (
        close(told["residual_sum_of_squares"]),
        close(told["mean_energy"]),
    )
    assert (model.cv_rmse, model.nmbe) == (close(told["cv_rmse"]), close(told["nmbe"]))


def baseline() -> LinearModel:
    return fit(months(1, 12), ["production"])


def test_the_heat_recovery_savings_with_the_exact_band_and_ashraes() -> None:
    told, model = COMPUTED["savings_months_13_to_18"], baseline()
    assert model.autocorrelation == close(COMPUTED["residual_autocorrelation"]["lag1_pearson"])
    found = savings(model, months(13, 18))
    assert (found.expected, found.actual, found.savings) == (
        close(told["expected_energy"]),
        close(told["actual_energy"]),
        close(told["saving"]),
    )
    assert found.savings_fraction == close(told["saving_fraction_of_expected"])
    exact = told["exact_band"]
    assert (found.half_width, found.half_width / found.savings) == (
        close(exact["half_width_90"]),
        close(exact["ratio_to_saving_90"]),
    )
    assert t_for_confidence(0.9, 10) == close(exact["t_90_df10"])
    at_68 = savings(model, months(13, 18), confidence=0.68)
    assert (t_for_confidence(0.68, 10), at_68.half_width) == (close(exact["t_68_df10"]), close(exact["half_width_68"]))
    # n' is never more than n: with it ASHRAE's would be 0.556, less than half of the exact 1.307.
    assert found.fsu == close(told["fsu"]["monthly_polynomial_n_prime_capped_at_n"])
    other = savings(model, months(13, 18), granularity="other")
    assert other.fsu == close(told["fsu"]["k_1_26_n_prime_capped_at_n"])


def test_the_savings_from_the_nine_months_before_the_measure() -> None:
    told = COMPUTED["savings_months_10_to_18_from_9_month_baseline"]
    found = savings(fit(months(1, 9), ["production"]), months(10, 18))
    assert (found.expected, found.savings) == (close(told["expected_energy"]), close(told["saving"]))
    assert found.half_width == close(told["half_width_90"])
    assert t_for_confidence(0.9, 7) == close(told["t_90_df7"])


def test_each_month_of_the_heat_recovery_case() -> None:
    model, rows = baseline(), months(1, 18)
    expected = model.expected(rows.rows_of(["production"]))
    bands = model.band_of_each(rows.rows_of(["production"]), 0.9)
    fitted = cumulative_sum(rows.energy, expected)
    line = CASE["published"]["line"]
    published = [line["intercept"] + line["production"] * value for value in rows.variables["production"]]
    running = cumulative_sum(rows.energy, published)
    for told, energy, mine, band, total, drawn, drawn_total in zip(
        COMPUTED["monthly"], rows.energy, expected, bands, fitted, published, running, strict=True
    ):
        assert (mine, energy - mine, total) == (
            close(told["fitted"]),
            close(told["residual"]),
            close(told["fitted_cusum"]),
        )
        assert (band.lower, band.upper) == (close(told["pi90_lower"]), close(told["pi90_upper"]))
        assert (band.lower <= energy <= band.upper) is told["inside_pi90"]
        assert (drawn, energy - drawn) == (close(told["published_expected"]), close(told["published_difference"]))
        assert drawn_total == close(told["published_cusum"])
    assert running[-1] == close(CASE["published"]["cusum_end"])
    assert running[10] - running[-1] == close(CASE["published"]["saving_months_12_to_18"])


def test_electrical_formulas() -> None:
    for case in VECTORS["voltage_unbalance"]["cases"]:
        assert 100.0 * voltage_unbalance(case["volts"]) == pytest.approx(case["unbalance_percent"], rel=1e-9)
    told = VECTORS["power_factor_correction"]
    present = power_factor(told["real_kw"], told["apparent_kva"])
    assert present == close(told["power_factor"])
    assert capacitor_kvar(told["real_kw"], present, told["target_pf"]) == close(told["capacitor_kvar"])
    told = VECTORS["three_phase_power"]
    power_kw = three_phase_kw(told["volts_line_to_line"], told["amps"], told["power_factor"])
    assert (power_kw, power_kw * 8640) == (close(told["kw"]), close(told["kwh_in_8640_h"]))
    told = VECTORS["compressed_air_leak"]
    assert air_leak_kwh(told["cfm"], told["kw_per_cfm"], told["hours"]) == close(told["kwh"])


@pytest.mark.parametrize("case", VECTORS["degree_days"]["cases"], ids=lambda case: str(case["id"]))
def test_degree_days_are_of_hours_and_not_of_means(case: dict[str, Any]) -> None:
    base, hours = case["base_degC"], case["hourly_degC"]
    of_the_day = Temperatures((tuple(hours),), (1.0,))
    (heating,), (cooling,) = of_the_day.degree_days("heating", base), of_the_day.degree_days("cooling", base)
    assert (heating, cooling) == (close(case["from_hourly"]["hdd"]), close(case["from_hourly"]["cdd"]))
    assert heating - cooling == close(base - math.fsum(hours) / 24)
    assert heating != pytest.approx(case["from_daily_mean"]["hdd"])


@pytest.mark.parametrize("case", VECTORS["critical_f"]["cases"], ids=lambda case: str(case["variables"]))
def test_critical_values_of_f(case: dict[str, Any]) -> None:
    assert f_p_value(case["critical_f"], case["df1"], case["df2"]) == pytest.approx(0.10, rel=1e-9)


def at(clock: str) -> int:
    return round(datetime.strptime(f"2026-03-02 {clock}", "%Y-%m-%d %H:%M").replace(tzinfo=UTC).timestamp() * 1000)


def register_of(case: dict[str, Any]) -> Series:
    if "register_kwh" in case:
        readings = [(at(each["time"]), each["kwh"]) for each in case["register_kwh"]]
        return Series(tuple(time for time, _ in readings), tuple(value for _, value in readings))
    times, values = [at(case["minute_kw_runs"][0]["from"])], [0.0]
    for run in case["minute_kw_runs"]:
        while times[-1] < at(run["to"]):
            times.append(times[-1] + 60_000)
            values.append(values[-1] + run["kw"] / 60)
    return Series(tuple(times), tuple(values))


@pytest.mark.parametrize("case", VECTORS["demand_15min"]["cases"], ids=lambda case: str(case["id"]))
def test_demand_of_clock_aligned_windows(case: dict[str, Any]) -> None:
    readings = [AssignedReadings(Assignment("meter", "main", "active_energy_import_total"), register_of(case))]
    uses = []
    for window in case["windows"]:
        start = at(window["start"])
        found = interval_amount(readings, start, start + QUARTER_MS, QUARTER_MS * 4)
        assert found is not None
        if window["kwh"] is None:
            # Partly covered: an amount perhaps, never a demand.
            assert found.demand is None
            continue
        assert (found.amount, found.demand) == (close(window["kwh"]), close(window["kw"]))
        uses.append(IntervalUse(datetime.fromtimestamp(start / 1000, UTC), found.amount))
    assert float(highest_demand(DemandCharge(Decimal(1)), uses)) == close(case["max_kw"])


@pytest.mark.parametrize("told", VECTORS["dst_days_europe_madrid"]["days"], ids=lambda told: str(told["date"]))
def test_days_on_which_clocks_change(told: dict[str, Any]) -> None:
    zone = ZoneInfo("Europe/Madrid")
    noon = datetime.fromisoformat(f"{told['date']}T12:00").replace(tzinfo=zone)
    day = day_of(round(noon.timestamp() * 1000), zone)
    start, end = (
        datetime.strptime(told[name], "%Y-%m-%dT%H:%MZ").replace(tzinfo=UTC) for name in ("start_utc", "end_utc")
    )
    assert (day.start_ms, day.end_ms) == (round(start.timestamp() * 1000), round(end.timestamp() * 1000))
    assert day.interval_count == told["intervals_15min"] == 4 * told["hours"]
    assert day.interval_count * 10.0 == close(told["kwh_at_constant_40_kw"])
    local = [
        datetime.fromtimestamp((day.start_ms + index * QUARTER_MS) / 1000, zone) for index in range(day.interval_count)
    ]
    assert [f"{time:%H:%M%z}" for time in local if time.hour == 2] == told["local_labels_in_hour_02"]

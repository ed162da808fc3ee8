import math
from typing import Any

import pytest

from simulators.electricity import Consumer, ElectricityMeter, Mains, StartTotals
from simulators.inverter import Inverter
from simulators.load_curve import Load
from simulators.loads import constant, cycling
from simulators.water import WaterMeter
from wire_format.quantities import QUANTITIES

MACHINE = cycling(5, "m", on_w=(900, 1000), off_w=50, on_s=(9, 30), off_s=(5, 9))


def numbers(meter: Any, time_s: float) -> dict[str, float]:
    return {name: float(value) for name, value in meter.values(time_s).items()}


def meter(load: Load = MACHINE, **facts: Any) -> ElectricityMeter:
    return ElectricityMeter([Consumer(load, **facts)], Mains(), StartTotals(100.0, 7.0))


def test_phases_add_up_and_formulas_hold() -> None:
    values = numbers(meter(cos_phi=0.8, shares=(0.5, 0.3, 0.2)), 12.3)
    for name in ("active_power", "reactive_power"):
        phases = [values[f"{name}_{phase}"] for phase in ("l1", "l2", "l3")]
        assert sum(phases) == pytest.approx(values[f"{name}_total"])
    assert values["active_power_l1"] == pytest.approx(values["active_power_total"] / 2)
    assert values["power_factor_total"] == pytest.approx(0.8)
    assert values["phase_angle_total"] == pytest.approx(math.degrees(math.acos(0.8)))
    assert values["apparent_power_l2"] == pytest.approx(values["voltage_l2_n"] * values["current_l2"])
    assert 225 < values["voltage_l1_n"] < 236
    assert values["voltage_l1_l2"] == pytest.approx(math.sqrt(3) * 230, rel=0.02)


def test_a_balanced_load_leaves_no_current_in_the_neutral() -> None:
    even, uneven = numbers(meter(), 12.0), numbers(meter(shares=(1.0, 0.0, 0.0)), 12.0)
    assert even["current_n"] < 0.05 * even["current_l1"]
    assert uneven["current_n"] == pytest.approx(uneven["current_l1"])


def test_energies_are_the_integrals_of_powers() -> None:
    subject = meter(cos_phi=0.8, shares=(0.5, 0.3, 0.2))
    for name, pace in (("active", 1.0), ("reactive", math.tan(math.acos(0.8)))):
        for part, share in (("total", 1.0), ("l1", 0.5), ("l3", 0.2)):
            start, end = numbers(subject, 0.0), numbers(subject, 600.0)
            quantity = f"{name}_energy_import_{part}"
            # Finer than any piece: pieces begin and end on half seconds or where chance has put them.
            mean = sum(subject.power_w(i / 50) for i in range(30_000)) / 30_000
            expected = mean * share * pace * 600 / 3.6e6
            assert end[quantity] - start[quantity] == pytest.approx(expected, rel=1e-3)
    values = numbers(subject, 600.0)
    assert values["active_energy_export_total"] == 7.0
    assert values["active_energy_sum_total"] == pytest.approx(values["active_energy_import_total"] + 7.0)
    assert values["active_energy_import_t1"] == values["active_energy_import_total"]


def test_demand_is_the_mean_of_the_last_quarter_hour() -> None:
    subject = meter()
    start, end = numbers(subject, 300.0), numbers(subject, 1200.0)
    used_kwh = end["active_energy_import_total"] - start["active_energy_import_total"]
    assert end["demand_active_power_total"] == pytest.approx(used_kwh * 4000)
    assert end["demand_max_active_power_total"] >= end["demand_active_power_total"]


def test_all_names_are_in_the_catalogue_or_codes() -> None:
    known = {
        *QUANTITIES,
        "phase_rotation",
        "phase_sequence",
        "flow_direction",
        "active_energy_net",
        "reactive_energy_net",
    }
    for subject in (meter(), Inverter(MACHINE, Mains()), WaterMeter(constant(0.5))):
        assert set(subject.values(1.0)) - known == set()


def test_an_inverter_counts_what_it_makes_as_export() -> None:
    subject = Inverter(constant(3600.0), Mains(), 9400.0)
    values = numbers(subject, 1000.0)
    assert values["active_power_total"] == pytest.approx(3600)
    assert values["active_energy_export_total"] == pytest.approx(9401)
    assert values["active_energy_import_total"] == 0
    assert values["operating_state"] == 4
    assert numbers(Inverter(constant(0.0), Mains()), 1.0)["operating_state"] == 2


def test_water_volume_is_the_integral_of_the_flow() -> None:
    values = numbers(WaterMeter(constant(1.2), 1284.4), 3600.0)
    assert values["flow_rate"] == pytest.approx(1.2)
    assert values["water_volume_forward"] == pytest.approx(1285.6)

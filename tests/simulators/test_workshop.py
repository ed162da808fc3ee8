import pytest

from simulators.workshop import START_KWH, Workshop

TIMES_S = [0.0, 1.0, 17.3, 60.0, 61.7, 240.0, 599.9]


@pytest.mark.parametrize("seed", [1, 2, 77])
def test_the_mains_carry_the_parts_and_the_rest_less_the_sun(seed: int) -> None:
    workshop = Workshop(seed)
    for time_s in TIMES_S:
        parts = sum(meter.power_w(time_s) for meter in workshop.parts.values())
        expected = parts + workshop.unmetered.power_w(time_s) - workshop.inverter.power_w(time_s)
        assert workshop.main.power_w(time_s) == pytest.approx(expected, abs=1e-6)
        values = workshop.main.values(time_s)
        phases = sum(float(values[f"active_power_{phase}"] or 0) for phase in ("l1", "l2", "l3"))
        assert phases == pytest.approx(expected, abs=1e-6)


def test_all_totals_balance_from_the_first_day() -> None:
    workshop = Workshop(1)
    for time_s in TIMES_S:
        totals = workshop.totals(time_s)
        used = sum(totals[point]["active_energy_import_total"] for point in (*START_KWH, "unmetered"))
        main = totals["main"]["active_energy_import_total"] - totals["main"]["active_energy_export_total"]
        assert main == pytest.approx(used - totals["pv"]["active_energy_export_total"], abs=1e-6)


def test_the_mains_import_and_export_within_minutes() -> None:
    workshop = Workshop(1)
    powers = [workshop.main.power_w(float(second)) for second in range(600)]
    assert max(powers) > 8000
    assert min(powers) < 0
    totals = [workshop.main.energy_export_kwh(time_s) for time_s in (0.0, 600.0)]
    assert totals[1] > totals[0]


def test_powers_are_believable() -> None:
    workshop = Workshop(1)

    def powers(point: str) -> list[float]:
        return [workshop.parts[point].power_w(float(second)) for second in range(900)]

    assert 8000 < max(powers("oven")) < 12_500
    assert min(powers("oven")) < 500
    assert min(powers("mixer")) == 0
    assert 1900 < sorted(powers("cold-room"))[-60] < 3200
    assert 700 < min(powers("packing")) < max(powers("packing")) < 1700
    assert 2000 < workshop.inverter.power_w(60.0) < 6000


def test_the_same_seed_gives_the_same_data() -> None:
    def data(seed: int) -> list[object]:
        workshop = Workshop(seed)
        return [(workshop.main.values(time_s), workshop.totals(time_s)) for time_s in TIMES_S]

    assert data(4) == data(4)
    assert data(4) != data(5)

"""What must hold in every plant: balances, phases, totals, repeatability."""

import itertools
from datetime import date, timedelta

import pytest

from simulators.factory.meters import PlantMeters
from simulators.factory.plant import Plant
from simulators.factory.plant_files import load_plant, ready_plants
from simulators.factory.schema import THERMOMETER, Cooling
from site_config.points import Resource, Role
from tests.simulators.factory.plants import FIRST, PLANTS, plant, shared_plant, times_of

DAYS = range(4)


def electric(site: Plant, role: Role) -> list[str]:
    points = site.file.points.items()
    return [name for name, point in points if point.resource is Resource.ELECTRICITY and point.role is role]


def test_all_ready_plants_are_tested() -> None:
    assert tuple(ready_plants()) == PLANTS


@pytest.mark.parametrize("name", PLANTS)
def test_parts_and_losses_are_the_supply_at_every_moment(name: str) -> None:
    site = shared_plant(name)
    meters = PlantMeters(site)
    measured = [load for part in electric(site, Role.PART) for load in site.file.points[part].loads]
    assert len(measured) == len(set(measured))
    others = [
        load
        for load, settings in site.file.loads.items()
        if settings.resource is Resource.ELECTRICITY and load not in measured
    ]
    for number in DAYS:
        times_s = times_of(site, number, 307.0)
        supplied = [0.0] * len(times_s)
        for point in (*electric(site, Role.MAIN), *electric(site, Role.GENERATION)):
            sign = 1 if site.file.points[point].role is Role.MAIN else -1
            powers = meters.columns(point, times_s)["active_power_total"]
            supplied = [total + sign * power for total, power in zip(supplied, powers, strict=True)]
        used = [0.0] * len(times_s)
        for point in electric(site, Role.PART):
            powers = meters.columns(point, times_s)["active_power_total"]
            used = [total + power for total, power in zip(used, powers, strict=True)]
        for load in others:
            used = [total + power for total, power in zip(used, site.samples(load, times_s).rates, strict=True)]
        with_loss = [power * (1 + site.file.loss) for power in used]
        assert supplied == pytest.approx(with_loss, rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("name", PLANTS)
def test_energies_balance_and_are_the_integral_of_the_powers_shown(name: str) -> None:
    site = shared_plant(name)
    meters = PlantMeters(site)
    times_s = times_of(site, 0, 0.5)[60_000:66_000]  # 08:20 to 09:10
    amounts: dict[str, float] = {}
    for point in electric(site, Role.MAIN) + electric(site, Role.PART) + electric(site, Role.GENERATION):
        shown = meters.columns(point, times_s)
        sign = -1 if point in electric(site, Role.GENERATION) else 1
        net = [
            t - g for t, g in zip(shown["active_energy_import_total"], shown["active_energy_export_total"], strict=True)
        ]
        for total in ("active_energy_import_total", "active_energy_export_total"):
            assert shown[total] == sorted(shown[total])
        integral_kwh = sum(shown["active_power_total"][:-1]) * 0.5 / 3_600_000
        assert net[-1] - net[0] == pytest.approx(integral_kwh, rel=5e-3, abs=0.005), point
        amounts[point] = sign * (net[-1] - net[0])
    supplied = sum(amounts[point] for point in electric(site, Role.MAIN) + electric(site, Role.GENERATION))
    used = 0.0
    for load, settings in site.file.loads.items():
        if settings.resource is Resource.ELECTRICITY:
            counted = site.samples(load, times_s).amounts
            used += (counted[-1] - counted[0]) / 1000
    assert supplied == pytest.approx(used * (1 + site.file.loss), rel=1e-9)


@pytest.mark.parametrize("name", PLANTS)
def test_phases_add_up_and_currents_fit_the_powers(name: str) -> None:
    site = shared_plant(name)
    meters = PlantMeters(site)
    times_s = times_of(site, 0, 1201.0)
    for point in electric(site, Role.MAIN) + electric(site, Role.PART):
        shown = meters.columns(point, times_s)
        for index in range(len(times_s)):
            phases = [shown[f"active_power_l{phase}"][index] for phase in (1, 2, 3)]
            assert sum(phases) == pytest.approx(shown["active_power_total"][index], abs=1e-6)
            for phase in (1, 2, 3):
                apparent = shown[f"voltage_l{phase}_n"][index] * shown[f"current_l{phase}"][index]
                active = shown[f"active_power_l{phase}"][index]
                reactive = shown[f"reactive_power_l{phase}"][index]
                assert apparent**2 == pytest.approx(active**2 + reactive**2, rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("name", PLANTS)
def test_what_goes_in_comes_out(name: str) -> None:
    site = shared_plant(name)
    sums = site.sums_before(DAYS.stop)
    for line in site.file.lines:
        out_kg = sum(sums[f"{line}/{flow}"][0] for flow in ("product", "waste", "evaporated"))
        assert sums[f"{line}/material"][0] == pytest.approx(out_kg, rel=1e-9)
        assert sums[f"{line}/product"][0] > 0
    meters = PlantMeters(site)
    times_s = times_of(site, DAYS.stop - 1, 3600.0)
    for point, settings in site.file.points.items():
        if settings.weighs:
            made = meters.masses_kg(point, times_s)
            weighed = meters.columns(point, times_s)["weighed_mass_total"]
            for made_kg, weighed_kg in zip(made, weighed, strict=True):
                assert 0 <= made_kg - weighed_kg < 1.1 * settings.crate_kg


@pytest.mark.parametrize("name", PLANTS)
def test_a_day_is_the_same_however_it_is_reached(name: str) -> None:
    stepped, jumped, other = plant(name), plant(name), plant(name, seed=2)
    for number in range(2):
        for time_s in times_of(stepped, number, 7200.0):
            for load in stepped.file.loads:
                stepped.samples(load, (time_s,))
    times_s = times_of(stepped, 2, 613.0)
    steps, jump, others = PlantMeters(stepped), PlantMeters(jumped), PlantMeters(other)
    differing = 0
    for point in stepped.file.points:
        found = jump.columns(point, times_s)
        assert steps.columns(point, times_s) == found
        differing += others.columns(point, times_s) != found
        middle = len(times_s) // 2
        assert {name: [values[middle]] for name, values in found.items()} == jump.columns(point, (times_s[middle],))
    assert differing >= len(stepped.file.points) - 1  # a generator stands still on most days of any seed


def test_plants_of_one_seed_have_different_weather() -> None:
    bakery, garment = shared_plant("bakery"), shared_plant("garment")
    assert bakery.weather.cloudiness(FIRST) != garment.weather.cloudiness(FIRST)


def test_an_outage_is_carried_by_the_generator() -> None:
    site = shared_plant("bakery")
    number = next(number for number in range(60) if site.day(number).on_generator)
    (outage,), (supplied,) = site.day(number).outages, site.day(number).on_generator
    assert supplied.start_s - outage.start_s == site.file.outages.generator_start_s
    meters = PlantMeters(site)
    dark, lit, after = (outage.start_s + 5,), ((supplied.start_s + supplied.end_s) / 2,), (outage.end_s + 1,)
    for point in ("main", "generator", "cold"):
        assert meters.columns(point, dark)["voltage_l1_n"] == [0.0]
        assert meters.columns(point, dark)["active_power_total"] == [0.0]
    assert meters.columns("main", lit)["active_power_total"] == [pytest.approx(0.0, abs=1e-9)]
    assert meters.columns("solar", lit)["active_power_total"] == [0.0]
    assert meters.columns("generator", lit)["active_power_total"][0] < -500
    assert meters.columns("cold", lit)["voltage_l1_n"][0] > 200
    assert meters.columns("generator", after)["voltage_l1_n"] == [0.0]
    assert meters.columns("main", after)["voltage_l1_n"][0] > 200


def test_nothing_starts_at_midnight_because_it_is_midnight() -> None:
    site = shared_plant("bakery")
    settings = site.file.loads["cold-room"]
    assert isinstance(settings, Cooling)
    starting = 0
    for number in range(30):
        just_after = (site.calendar.day(number).window.start_s + 1.0,)
        starting += site.samples("cold-room", just_after).rates[0] > 1.5 * settings.full_w
    # It starts some four times an hour, for seconds: once in all these moments is much already.
    assert starting <= 1


def test_the_outside_temperature_does_not_jump_at_midnight() -> None:
    for name in PLANTS:
        weather = shared_plant(name).weather
        for back in range(60):
            day = FIRST - timedelta(days=back)
            assert weather.hourly_degc(day)[0] == pytest.approx(weather.hourly_degc(day - timedelta(days=1))[24])


def test_the_sun_stands_highest_at_the_places_own_noon() -> None:
    site = shared_plant("plastics")
    # Bursa lies 29 degrees east and keeps the time of 45 degrees: an hour and four minutes.
    powers = [0.0] * 24
    for number in range(20):
        start_s = site.calendar.day(number).window.start_s
        for hour in range(24):
            (rate,) = site.samples("solar", (start_s + hour * 3600.0,)).rates
            powers[hour] += rate
    middle = sum(hour * power for hour, power in enumerate(powers)) / sum(powers)
    assert middle == pytest.approx(13 + 4 / 60, abs=0.35)


def test_a_building_is_heated_when_it_is_cold_outside() -> None:
    used_m3 = {}
    for first in (date(2026, 1, 12), date(2026, 7, 13)):
        site = Plant(load_plant("plastics"), 1, first)
        by_day = [0.0, *(site.sums_before(number)["office-heating"][0] for number in range(1, 6))]
        used_m3[first.month] = by_day[5]
        if first.month == 1:
            degc = [site.weather.mean_degc(site.calendar.day(number).date) for number in range(5)]
            daily_m3 = [after - before for before, after in itertools.pairwise(by_day)]
            assert daily_m3[degc.index(min(degc))] > daily_m3[degc.index(max(degc))]
    assert used_m3[1] > 20
    assert used_m3[7] < 1


def test_the_thermometer_shows_the_weather_that_the_loads_feel() -> None:
    site = plant("plastics")
    meters = PlantMeters(site)
    window = site.calendar.day(3).window
    times_s = tuple(window.start_s + 900.0 * number for number in range(96))
    shown = meters.columns(THERMOMETER, times_s)["temperature"]
    hourly = site.weather.hourly_degc(site.calendar.day(3).date)
    assert shown[::4] == pytest.approx(hourly[:24])

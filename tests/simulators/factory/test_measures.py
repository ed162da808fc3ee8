"""Measures: nothing before their day, nothing elsewhere, and a saving that is known."""

from typing import Any

import pytest

from simulators.factory.plant import Measure, Plant
from simulators.factory.plant_files import load_plant, ready_plants
from simulators.factory.schema import PlantFileError
from simulators.factory.truth import truth
from tests.scale import scaled
from tests.simulators.factory.plants import plant, shared_plant

FROM_DAY = 1
DAYS = 6


def truth_of(site: Plant, days: int = DAYS) -> dict[str, Any]:
    return truth(site, site.start_s, site.calendar.day(days).window.start_s)


EVERY = [(name, measure) for name in ready_plants() for measure in load_plant(name).measures]
TRIED = EVERY[:: scaled(4, 1)]


@pytest.mark.parametrize(("name", "measure"), TRIED)
def test_every_measure_saves_from_its_day_on(name: str, measure: str) -> None:
    site = plant(name, measures=(Measure(measure, FROM_DAY),))
    # Somebody forgets a switch in some weeks only.
    found = truth_of(site, 24 if measure == "switch_off_idle" else DAYS)
    assert found["measures"] == [{"name": measure, "date": "2026-08-29"}]
    for day in found["days"][:FROM_DAY]:
        assert all(entry["amount"] == entry["without_measures"] for entry in day["points"].values())
    by_day = [
        {point: entry["without_measures"] - entry["amount"] for point, entry in day["points"].items()}
        for day in found["days"]
    ]
    for point, saved in found["saved"].items():
        assert saved == pytest.approx(sum(day[point] for day in by_day), abs=1e-3)
    assert max(found["saved"].values()) > 0


def test_the_saving_of_new_lamps_is_their_share() -> None:
    found = truth_of(plant("garment", measures=(Measure("led_lighting", FROM_DAY),)))
    lamps = shared_plant("garment")
    before, after = lamps.sums_before(FROM_DAY)["hall-lighting"][0], lamps.sums_before(DAYS)["hall-lighting"][0]
    saved = found["saved"]["lighting"]
    assert saved * 1000 / (after - before) == pytest.approx(1 - 6900 / 14500, rel=0.03)
    assert found["saved"]["main"] == pytest.approx(saved * 1.013, rel=1e-6)
    untouched = set(found["saved"]) - {"lighting", "main"}
    assert all(found["saved"][point] == 0 for point in untouched)


def test_a_closed_leak_is_all_that_is_saved() -> None:
    found = truth_of(plant("bakery", measures=(Measure("fix_water_leak", FROM_DAY),)))
    leak = shared_plant("bakery")
    lost_m3 = leak.sums_before(DAYS)["water-leak"][0] - leak.sums_before(FROM_DAY)["water-leak"][0]
    assert found["saved"]["water"] == pytest.approx(lost_m3, rel=1e-6)
    assert 0.032 * 24 * (DAYS - FROM_DAY) <= lost_m3 <= 0.038 * 24 * (DAYS - FROM_DAY)


def test_measures_add_up_in_their_order() -> None:
    both = plant("plastics", measures=(Measure("lower_pressure", 4), Measure("fix_air_leak", 1)))
    seen = [both.file_on(number).loads["compressor"].model_dump() for number in (0, 1, 3, 4, 90)]
    assert [load["leak_m3_min"] for load in seen] == [0.62, 0.12, 0.12, 0.12, 0.12]
    assert [load["pressure_bar"] for load in seen] == [7.2, 7.2, 7.2, 6.2, 6.2]


def test_weather_and_production_stand_in_the_truth() -> None:
    site = shared_plant("plastics")
    found = truth_of(site, 2)
    friday = found["days"][0]
    assert friday["date"] == "2026-08-28"
    assert friday["outside_temperature_degc"] == pytest.approx(
        site.weather.mean_degc(site.calendar.day(0).date), abs=1e-3
    )
    caps = friday["production"]["caps"]
    assert caps["material"] == pytest.approx(caps["product"] + caps["waste"] + caps["evaporated"], abs=1e-4)
    assert "without_measures" not in friday["points"]["main"]


def test_an_unknown_measure_is_named() -> None:
    with pytest.raises(PlantFileError, match="bakery: no measure 'fix_everything'; there are steady_oven, fix"):
        plant("bakery", measures=(Measure("fix_everything", 0),))

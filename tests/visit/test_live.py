from dataclasses import replace

import pytest

from site_config.points import Assignment, Point, Resource, Role
from store.protocol import IntervalRow, Latest
from visit.live import LiveView, PointView, Situation, build
from visit.wording import ENGLISH
from wire_format.quality import Quality
from wire_format.topics import AGENT_PREFIX

NOW_MS = 1_795_000_000_000
POWER = "active_power_total"
ENERGY = "active_energy_import_total"
ELECTRICITY = Resource.ELECTRICITY
MAIN = Point("main", "Main supply", ELECTRICITY, Role.MAIN)
OVEN = Point("oven", "Oven", ELECTRICITY, Role.PART, parent="main")
MIXER = Point("mixer", "Mixer", ELECTRICITY, Role.PART, parent="main")
SOLAR = Point("pv", "Solar", ELECTRICITY, Role.GENERATION)
BATTERY = Point("battery", "Battery", ELECTRICITY, Role.STORAGE)
WATER = Point("water", "Water", Resource.WATER, Role.MAIN)
BREAD = Point("bread", "Bread", Resource.PRODUCT, Role.OUTPUT)


def measures(point: str, **more: object) -> Assignment:
    return Assignment(f"{point}-meter", point, ENERGY, POWER, **more)  # type: ignore[arg-type]


def watts(age_s: float = 1.0, **by_point: float) -> dict[tuple[str, str], Latest]:
    time_ms = NOW_MS - round(age_s * 1000)
    return {(f"{point}-meter", POWER): Latest(time_ms, value) for point, value in by_point.items()}


SITUATION = Situation(
    site="workshop",
    site_name="Workshop",
    points=(MAIN, OVEN, MIXER, SOLAR),
    assignments=tuple(measures(name) for name in ("main", "oven", "mixer", "pv")),
    latest=watts(main=6000.0, oven=5000.0, mixer=2000.0, pv=4000.0),
    days={},
    day_length_s=86_400.0,
)


def view_of(**change: object) -> LiveView:
    return build(replace(SITUATION, **change), NOW_MS)  # type: ignore[arg-type]


def line(view: LiveView, point: str) -> PointView:
    return next(entry for entry in view.points if entry.id == point)


def day(point: str, amount: float, coverage: float = 0.5) -> IntervalRow:
    return IntervalRow("workshop", point, NOW_MS, amount, None, coverage, "partial", "electricity")


def test_site_power_is_by_the_tree_and_not_the_sum_of_all_meters() -> None:
    view = view_of()

    assert view.site_power_kw == pytest.approx(10.0)
    assert (view.site_power_age_s, view.state, view.state_text) == (1.0, "live", "Live")
    assert view.site_power_note == ""


def test_a_solar_meter_that_calls_what_it_feeds_in_negative_counts_as_an_inverter_does() -> None:
    view = view_of(latest=watts(main=6000.0, oven=5000.0, mixer=2000.0, pv=-4000.0))

    assert view.site_power_kw == pytest.approx(10.0)
    assert line(view, "pv").rate == pytest.approx(4.0)


def test_points_are_sorted_by_power_with_their_share() -> None:
    view = view_of()

    assert [(entry.id, round(entry.rate or 0.0, 9), round(entry.share or 0.0, 9)) for entry in view.points] == [
        ("main", 6.0, 0.6),
        ("oven", 5.0, 0.5),
        ("pv", 4.0, 0.4),
        ("unmetered", 3.0, 0.3),
        ("mixer", 2.0, 0.2),
    ]
    assert {entry.id: entry.group for entry in view.points} == {
        "main": "supply", "pv": "supply", "oven": "use", "mixer": "use", "unmetered": "use",
    }  # fmt: skip


def test_export_is_negative_supply_and_charging_no_use() -> None:
    view = view_of(
        points=(MAIN, SOLAR, BATTERY),
        assignments=tuple(measures(name) for name in ("main", "pv", "battery")),
        latest=watts(main=-1000.0, pv=4000.0, battery=1200.0),
    )

    assert view.site_power_kw == pytest.approx(1.8)


def test_a_turned_clamp_and_a_device_that_has_moved() -> None:
    view = view_of(
        assignments=(
            measures("main"),
            measures("pv"),
            measures("oven", factor=-1.0),
            measures("mixer", to_ms=NOW_MS),
        ),
        latest=watts(main=6000.0, oven=-5000.0, mixer=2000.0, pv=4000.0),
    )

    assert line(view, "oven").rate == 5.0
    assert (line(view, "mixer").rate, line(view, "mixer").note) == (None, "No meter is assigned")


@pytest.mark.parametrize(
    ("age_s", "rate", "note"),
    [(14.0, 4.0, ""), (16.0, 4.0, "16 s ago"), (599.0, 4.0, "9 min ago"), (601.0, None, "No data for 10 min")],
)
def test_a_value_grows_old_and_goes(age_s: float, rate: float | None, note: str) -> None:
    latest = watts(main=6000.0, oven=5000.0, mixer=2000.0) | watts(age_s, pv=4000.0)

    view = view_of(latest=latest)

    assert (line(view, "pv").rate, line(view, "pv").note) == (rate, note)
    if rate is None:
        assert (view.site_power_kw, view.site_power_note) == (None, "Solar: No data for 10 min")
    else:
        assert (view.site_power_age_s, view.state) == (age_s, "live")


def test_a_reading_of_the_future_is_no_younger_than_now() -> None:
    assert view_of(latest=watts(-3600.0, main=1.0, pv=1.0)).site_power_age_s == 0.0


@pytest.mark.parametrize(
    ("quality", "note"),
    [
        (Quality.LINK_ERROR, "No answer from oven-meter, 20 s ago"),
        (Quality.DEVICE_ERROR, "oven-meter reports an error, 20 s ago"),
        (Quality.OVERFLOW, "oven-meter is overloaded, 20 s ago"),
    ],
)
def test_why_a_value_is_missing(quality: Quality, note: str) -> None:
    latest = watts(main=6000.0, mixer=2000.0, pv=4000.0) | watts(20.0, oven=5000.0)

    view = view_of(latest=latest, qualities={("oven-meter", POWER): quality})

    assert line(view, "oven").note == note


def test_a_device_that_never_answered() -> None:
    latest = watts(main=6000.0, mixer=2000.0, pv=4000.0)

    assert line(view_of(latest=latest), "oven").note == "No reading yet from oven-meter"
    silent = view_of(latest=latest, qualities={("oven-meter", POWER): Quality.LINK_ERROR})
    assert line(silent, "oven").note == "No answer from oven-meter"


def test_a_missing_part_leaves_what_is_unmetered_out() -> None:
    view = view_of(latest=watts(main=6000.0, mixer=2000.0, pv=4000.0))

    assert view.site_power_kw == pytest.approx(10.0)
    assert "unmetered" not in {entry.id for entry in view.points}


def test_parts_that_measure_more_than_the_supply_say_so() -> None:
    slightly = view_of(latest=watts(main=6000.0, oven=8100.0, mixer=2000.0, pv=4000.0))
    clearly = view_of(latest=watts(main=6000.0, oven=9000.0, mixer=2000.0, pv=4000.0))

    assert (line(slightly, "unmetered").rate, line(slightly, "unmetered").note) == (0.0, "")
    assert line(clearly, "unmetered").rate == pytest.approx(-1.0)
    assert line(clearly, "unmetered").note == "The parts measure more than the supply"


def test_today_comes_from_the_days_of_the_points() -> None:
    days = {entry.point: entry for entry in (day("main", 60.0), day("pv", 40.0), day("oven", 50.0), day("mixer", 20.0))}

    view = view_of(days=days)

    assert (view.site_today_kwh, view.measured_today_s) == (100.0, 43_200.0)
    assert (line(view, "oven").today, line(view, "oven").today_unit) == (50.0, "kWh")
    assert line(view, "unmetered").today == pytest.approx(30.0)
    assert view_of().site_today_kwh is None


def test_water_and_a_scale() -> None:
    view = view_of(
        points=(WATER, BREAD),
        assignments=(
            Assignment("water-meter", "water", "water_volume_forward", "flow_rate"),
            Assignment("scale", "bread", "weighed_mass_total"),
        ),
        latest={
            ("water-meter", "flow_rate"): Latest(NOW_MS, 0.4),
            ("scale", "weight_net"): Latest(NOW_MS, 12.4),
            ("scale", "weight_gross"): Latest(NOW_MS, 13.4),
            ("scale", "weighed_mass_total"): Latest(NOW_MS, 5000.0),
        },
        days={"water": day("water", 5.0), "bread": day("bread", 648.0)},
    )

    assert [(entry.id, entry.rate, entry.rate_unit, entry.today, entry.today_unit) for entry in view.points] == [
        ("bread", 12.4, "kg", 648.0, "kg"),
        ("water", 0.4, "m3/h", 5.0, "m3"),
    ]
    assert {entry.group for entry in view.points} == {"other"}
    assert (view.site_power_kw, view.site_power_note) == (None, "No main supply is set up")


def test_pulses_are_called_what_the_factor_makes_of_them() -> None:
    view = view_of(
        points=(WATER, replace(WATER, id="gas", resource=Resource.FUEL)),
        assignments=(Assignment("water-meter", "water", "counter_1"), Assignment("gas-meter", "gas", "counter_1")),
        days={"water": day("water", 12.4), "gas": day("gas", 56.1)},
    )

    assert ENGLISH.today(line(view, "water").today, line(view, "water").today_unit) == "12.4 m³"
    assert ENGLISH.today(line(view, "gas").today, line(view, "gas").today_unit) == "56.1"


def test_a_device_with_a_total_only_is_not_silent() -> None:
    counter = (Assignment("scale", "bread", "weighed_mass_total"),)

    fresh = view_of(points=(BREAD,), assignments=counter, latest={("scale", "weighed_mass_total"): Latest(NOW_MS, 1.0)})
    old = view_of(
        points=(BREAD,), assignments=counter, latest={("scale", "weighed_mass_total"): Latest(NOW_MS - 900_000, 1.0)}
    )

    assert (line(fresh, "bread").rate, line(fresh, "bread").note) == (None, "")
    assert line(old, "bread").note == "No data for 15 min"


def test_states() -> None:
    assert view_of(latest={}).state_text == "Waiting for the first reading"
    assert view_of(points=(), assignments=()).state_text == "No measuring points are set up"
    old = view_of(latest=watts(200.0, main=1.0, pv=1.0))
    assert (old.state, old.state_text) == ("old", "No data for 3 min")
    assert view_of(problem="disk full").state == "store"


def test_a_sleeping_inverter_does_not_blank_the_sites_power() -> None:
    hours_ago = watts(age_s=5 * 3600, pv=15.0)
    view = view_of(latest={**watts(main=6000.0, oven=5000.0, mixer=500.0), **hours_ago})

    assert view.site_power_kw == pytest.approx(6.0)
    assert view.site_power_note == ""
    assert (line(view, "pv").rate, line(view, "pv").note) == (0.0, "silent since it stopped generating, counted as 0")


def test_an_inverter_that_falls_silent_in_the_sun_does_blank_it() -> None:
    hours_ago = watts(age_s=5 * 3600, pv=4000.0)
    view = view_of(latest={**watts(main=6000.0, oven=5000.0, mixer=500.0), **hours_ago})

    assert view.site_power_kw is None
    assert "No data for 5 h" in view.site_power_note


def test_an_edge_that_goes_on_is_no_meter_that_speaks() -> None:
    edge = {(f"{AGENT_PREFIX}edge-1", "outbox_use"): Latest(NOW_MS, 1.0)}
    silent = view_of(latest={**watts(age_s=40.0, main=6000.0, oven=5000.0, mixer=2000.0, pv=4000.0), **edge})
    assert (silent.state, silent.state_text) == ("old", "No data for 40 s")
    assert view_of(latest=edge).state == "none"

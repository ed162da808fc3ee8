from evaluation.metering.unmetered import UnmeteredSeries, unmetered_id
from site_config.points import Point, Resource, Role
from store.protocol import IntervalRow
from wire_format.topics import SLUG

ELECTRICITY = Resource.ELECTRICITY
MAIN = Point("main", "Main", ELECTRICITY, Role.MAIN)
OVEN = Point("oven", "Oven", ELECTRICITY, Role.PART, parent="main")
MIXER = Point("mixer", "Mixer", ELECTRICITY, Role.PART, parent="main")
FAN = Point("fan", "Fan", ELECTRICITY, Role.PART, parent="oven")
SOLAR = Point("pv", "Solar", ELECTRICITY, Role.GENERATION)
WATER = Point("water", "Water", Resource.WATER, Role.MAIN)


def rows(*found: tuple[str, float, str, float]) -> dict[str, IntervalRow]:
    return {
        point: IntervalRow(
            "site", point, 0, amount, None if quality == "partial" else amount * 4, coverage, quality, "electricity"
        )
        for point, amount, quality, coverage in found
    }


def test_a_main_has_its_own_generation_beyond_its_parts() -> None:
    measured = rows(
        ("main", 10.0, "measured", 1.0),
        ("pv", 5.0, "measured", 1.0),
        ("oven", 6.0, "measured", 1.0),
        ("mixer", 2.0, "measured", 1.0),
    )

    found = UnmeteredSeries("site", [MAIN, OVEN, MIXER, SOLAR, WATER]).rows(0, measured)

    assert found == [IntervalRow("site", "main.unmetered", 0, 7.0, 28.0, 1.0, "measured", "electricity")]


def test_a_part_with_parts_has_what_it_measures_beyond_them() -> None:
    measured = rows(("oven", 6.0, "measured", 1.0), ("fan", 1.0, "measured", 1.0))

    found = UnmeteredSeries("site", [MAIN, OVEN, FAN, SOLAR]).rows(0, measured)

    assert [(row.point, row.amount) for row in found] == [("oven.unmetered", 5.0)]


def test_coverage_and_quality_are_those_of_the_weakest() -> None:
    measured = rows(("main", 10.0, "measured", 1.0), ("pv", 1.0, "partial", 0.25), ("oven", 6.0, "interpolated", 0.5))

    (row,) = UnmeteredSeries("site", [MAIN, OVEN, SOLAR]).rows(0, measured)

    assert (row.amount, row.demand, row.coverage, row.quality) == (5.0, None, 0.25, "partial")


def test_a_missing_part_or_generation_leaves_it_out() -> None:
    points = [MAIN, OVEN, MIXER, SOLAR]
    measured = rows(("main", 10.0, "measured", 1.0), ("pv", 1.0, "measured", 1.0), ("oven", 6.0, "measured", 1.0))

    assert UnmeteredSeries("site", points).rows(0, measured) == []
    assert UnmeteredSeries("site", [MAIN, OVEN, SOLAR]).rows(0, rows(("main", 1.0, "measured", 1.0))) == []


def test_with_two_mains_generation_is_not_guessed_to_one_of_them() -> None:
    second = Point("main-2", "Main 2", ELECTRICITY, Role.MAIN)
    measured = rows(
        ("main", 10.0, "measured", 1.0),
        ("main-2", 20.0, "measured", 1.0),
        ("pv", 5.0, "measured", 1.0),
        ("oven", 6.0, "measured", 1.0),
    )

    found = UnmeteredSeries("site", [MAIN, second, OVEN, SOLAR]).rows(0, measured)

    assert [(row.point, row.amount) for row in found] == [("main.unmetered", 4.0)]


def test_its_id_can_be_that_of_no_point() -> None:
    assert SLUG.fullmatch(unmetered_id("main")) is None

from collections.abc import Sequence

from evaluation.accounting.generation_days import GenerationDays
from site_config.points import Point, Resource, Role
from store.protocol import IntervalRow

MAIN = Point("main", "Main", Resource.ELECTRICITY, Role.MAIN)
SOLAR = Point("solar", "Solar", Resource.ELECTRICITY, Role.GENERATION)
DIESEL = Point("diesel", "Diesel", Resource.ELECTRICITY, Role.GENERATION)


def row(point: str, start_ms: int, amount: float) -> IntervalRow:
    return IntervalRow("site", point, start_ms, amount, None, 1.0, "measured", "electricity", month="2026-06")


def day(intervals: Sequence[dict[str, float]], **avoided: float) -> dict[str, tuple[float, float | None]]:
    """Amount and avoided CO2e of a day of these intervals; the site's use is known where it is given."""
    by_start = {
        start: {name.replace("_", "."): row(name.replace("_", "."), start, amount) for name, amount in given.items()}
        for start, given in enumerate(intervals)
    }
    whole = row("site.electricity", 0, sum(given.get("site_electricity", 0.0) for given in intervals))
    found = GenerationDays([MAIN, SOLAR, DIESEL]).rows(by_start, whole, avoided)
    assert {entry.month for entry in found} <= {"2026-06"}
    return {
        entry.point: (entry.amount, None if entry.avoided_co2e is None else round(entry.avoided_co2e, 9))
        for entry in found
    }


def test_what_is_generated_is_used_at_once_or_fed_in_interval_by_interval() -> None:
    found = day(
        [
            {"main": -3.0, "solar": 8.0, "site_electricity": 5.0},
            {"main": 4.0, "solar": 2.0, "site_electricity": 6.0},
            {"main": 7.0, "site_electricity": 7.0},
        ],
        solar=0.5,
    )
    assert found == {"site.self_consumed": (7.0, 3.5), "site.exported": (3.0, 1.5)}


def test_of_several_sources_only_those_with_a_factor_avoid() -> None:
    (used, by_use), (fed, by_export) = day(
        [{"main": -2.0, "solar": 6.0, "diesel": 2.0, "site_electricity": 6.0}], solar=0.4
    ).values()
    assert (used, fed) == (6.0, 2.0)
    assert (by_use, by_export) == (1.8, 0.6)


def test_without_a_factor_nothing_is_said_of_what_was_avoided() -> None:
    found = day([{"main": 4.0, "solar": 2.0, "site_electricity": 6.0}])
    assert found == {"site.self_consumed": (2.0, None), "site.exported": (0.0, None)}


def test_an_interval_in_which_the_sites_use_is_not_known_counts_for_nothing() -> None:
    assert day([{"main": -1.0, "solar": 8.0}], solar=0.5)["site.self_consumed"] == (0.0, 0.0)


def test_what_a_storage_feeds_in_was_counted_when_it_was_generated() -> None:
    found = day([{"main": -5.0, "solar": 2.0, "site_electricity": -3.0}], solar=0.5)
    assert found == {"site.self_consumed": (0.0, 0.0), "site.exported": (5.0, 1.0)}


def test_without_own_generation_there_is_nothing_to_say() -> None:
    assert GenerationDays([MAIN]).rows({0: {"main": row("main", 0, 1.0)}}, row("site.electricity", 0, 1.0), {}) == []
    assert GenerationDays([MAIN]).points == frozenset()

from site_config.points import Point, Resource, Role, site_use, unmetered

TREE = [
    Point("main", "Main", Resource.ELECTRICITY, Role.MAIN),
    Point("oven", "Oven", Resource.ELECTRICITY, Role.PART, "main"),
    Point("mixer", "Mixer", Resource.ELECTRICITY, Role.PART, "main"),
    Point("pv", "Sun", Resource.ELECTRICITY, Role.GENERATION),
    Point("water", "Water", Resource.WATER, Role.MAIN),
]


def test_site_use_is_mains_plus_own_generation_and_never_the_sum_of_meters() -> None:
    power_kw = {"main": 10.0, "oven": 4.0, "mixer": 3.0, "pv": 2.0}
    assert site_use(TREE, Resource.ELECTRICITY, power_kw) == 12.0
    assert unmetered(TREE, "main", 12.0, power_kw) == 5.0


def test_what_is_exported_is_not_used() -> None:
    assert site_use(TREE, Resource.ELECTRICITY, {"main": -1.5, "pv": 6.0}) == 4.5


def test_charging_a_store_is_not_use() -> None:
    tree = [*TREE, Point("battery", "Battery", Resource.ELECTRICITY, Role.STORAGE)]
    assert site_use(tree, Resource.ELECTRICITY, {"main": 10.0, "pv": 2.0, "battery": 4.0}) == 8.0


def test_a_sum_with_a_hole_is_no_answer() -> None:
    assert site_use(TREE, Resource.ELECTRICITY, {"main": 10.0}) is None
    assert unmetered(TREE, "main", 12.0, {"oven": 4.0}) is None


def test_a_resource_without_a_main_has_no_site_use() -> None:
    assert site_use(TREE, Resource.FUEL, {"main": 1.0}) is None

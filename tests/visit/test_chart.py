from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from visit.chart import chart_options
from visit.curve import Curve

NOON_MS = round(datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp() * 1000)
HOUR_MS = 3_600_000


def test_times_are_the_sites_wall_clock() -> None:
    curve = Curve(NOON_MS, NOON_MS + HOUR_MS, (NOON_MS,), (1.234,), ())

    options = chart_options(curve, ZoneInfo("America/Lima"))

    assert options["useUTC"] is True
    assert options["xAxis"]["min"] == NOON_MS - 5 * HOUR_MS
    assert options["series"][0]["data"] == [[NOON_MS - 5 * HOUR_MS, 1.23]]


def test_the_example_is_dashed_and_named_one() -> None:
    curve = Curve(0, HOUR_MS, (0,), (1.0,), (None,), (1.2,))

    site, generation, example = chart_options(curve, ZoneInfo("UTC"))["series"]

    assert (site["name"], generation["name"], example["name"]) == ("Site", "Own generation", "Example baseline")
    assert example["lineStyle"]["type"] == "dashed"
    assert generation["data"] == [[0, None]]

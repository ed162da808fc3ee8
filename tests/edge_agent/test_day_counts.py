from edge_agent.day_counts import DAY_MS, DAYS_KEPT, GRACE_MS, DayCounts, Days
from wire_format.batch import Column, DeviceRows
from wire_format.events import Event, EventKind

MIDNIGHT_MS = 20_000 * DAY_MS
ENERGY = "active_energy_import_total"


def rows(device: str, totals: dict[int, int | None], exponent: int = -2) -> DeviceRows:
    times = tuple(MIDNIGHT_MS + offset for offset in totals)
    power = Column("active_power_total", "W", 0, tuple(5 for _ in totals))
    return DeviceRows(device, times, (power, Column(ENERGY, "kWh", exponent, tuple(totals.values()))))


def told(counts: DayCounts) -> list[tuple[str, int, dict[str, float]]]:
    found: list[Event] = list(counts.over())
    assert all(event.kind == EventKind.DAY_COUNTED for event in found)
    return [(event.device, (event.time_ms - MIDNIGHT_MS) // DAY_MS, dict(event.numbers)) for event in found]


def test_a_day_is_told_when_it_is_over_and_once() -> None:
    counts = DayCounts({})
    counts.count(rows("oven", {-5000: 100, -3000: None, -1000: 107}))
    counts.count(rows("oven", {0: 110, 1000: 111}))
    assert told(counts) == []
    counts.count(rows("oven", {GRACE_MS: 130}))
    assert told(counts) == [("oven", -1, {"values": 5.0, ENERGY: 0.07})]
    assert told(counts) == []


def test_rows_on_both_sides_of_midnight_are_counted_where_they_belong() -> None:
    counts = DayCounts({})
    counts.count(rows("oven", {-1000: 100, 0: 105, 1000: 107}))
    counts.count(rows("oven", {DAY_MS + GRACE_MS: 207}))
    assert told(counts) == [("oven", -1, {"values": 2.0, ENERGY: 0.0}), ("oven", 0, {"values": 4.0, ENERGY: 0.02})]


def test_what_comes_late_is_told_again_and_a_restart_goes_on() -> None:
    days: Days = {}
    counts = DayCounts(days)
    counts.count(rows("oven", {-2000: 100}))
    counts.count(rows("oven", {GRACE_MS: 130}))
    assert told(counts) == [("oven", -1, {"values": 2.0, ENERGY: 0.0})]
    again = DayCounts(days)
    again.count(rows("oven", {-1000: 1080}, exponent=-3))
    assert told(again) == []  # nobody knows yet that the day is over
    again.count(rows("oven", {GRACE_MS + 1: 130}))
    assert told(again) == [("oven", -1, {"values": 4.0, ENERGY: 0.08})]


def test_days_are_forgotten() -> None:
    days: Days = {}
    counts = DayCounts(days)
    for day in range(6):
        counts.count(rows("oven", {day * DAY_MS: 1}))
    told(counts)
    told(counts)
    assert len(days["oven"]) <= DAYS_KEPT + 2

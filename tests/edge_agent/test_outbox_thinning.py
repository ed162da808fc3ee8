import itertools
import random
from collections.abc import Iterable

from edge_agent.outbox.thinning import INTERVAL_MS, thin
from wire_format.batch import Column, DeviceRows
from wire_format.quality import Quality

GOOD, DEVICE_ERROR = Quality.GOOD, Quality.DEVICE_ERROR


def meter(times_s: Iterable[int], device: str = "meter", seed: int = 1) -> DeviceRows:
    """Power is random; the total counts one step a second, so it tells the time."""
    times = tuple(times_s)
    noise = random.Random(seed)
    power = tuple(noise.randrange(100_000) for _ in times)
    return DeviceRows(
        device,
        tuple(1000 * time + 7 for time in times),
        (
            Column("active_power_total", "W", -1, power),
            Column("active_energy_import_total", "kWh", -3, times),
        ),
    )


def times_s(rows: DeviceRows) -> list[int]:
    return [time_ms // 1000 for time_ms in rows.times_ms]


def test_the_row_nearest_each_boundary_and_the_ends_stay_with_their_totals() -> None:
    kept, _ = thin([meter(range(100, 4000))])
    assert times_s(kept) == [100, 900, 1800, 2700, 3600, 3999]
    assert kept.columns[1].integers == (100, 900, 1800, 2700, 3600, 3999)
    assert kept.thinned


def test_the_highest_power_of_each_interval_stays() -> None:
    given = meter(range(3600))
    power = given.columns[0].integers
    kept, peaks = thin([given])
    left = dict(zip(times_s(peaks), peaks.columns[0].integers, strict=True))
    left |= dict(zip(times_s(kept), kept.columns[0].integers, strict=True))
    for start in range(0, 3600, 900):
        highest = max(value for value in power[start : start + 900] if value is not None)
        assert max(left[time] or 0 for time in left if start <= time < start + 900) == highest
    assert peaks.thinned
    assert [column.quantity for column in peaks.columns] == ["active_power_total"]


def test_rows_on_both_sides_of_a_gap_stay() -> None:
    kept, _ = thin([meter([*range(2000), *range(9000, 9500)])])
    assert times_s(kept) == [0, 900, 1800, 1999, 9000, 9499]


def test_a_row_without_its_total_is_not_what_stays_for_a_boundary() -> None:
    times = tuple(1000 * second for second in range(1000))
    totals = tuple(None if 890 <= second <= 905 else second for second in range(1000))
    marks = tuple(DEVICE_ERROR if total is None else GOOD for total in totals)
    given = DeviceRows("m", times, (Column("active_energy_import_total", "kWh", -3, totals, marks),))
    (kept,) = thin([given])
    assert kept.columns[0].integers == (0, 906, 999)
    assert kept.columns[0].quality == ()


def test_weighings_and_changed_states_stay() -> None:
    times = tuple(1000 * second for second in range(1000))
    mass = tuple(5 * (second // 100) for second in range(1000))
    stable = tuple(second % 2 for second in range(1000))
    scale = DeviceRows(
        "scale", times, (Column("weight_stable", "1", 0, stable), Column("weighed_mass_total", "kg", 0, mass))
    )
    tariff = DeviceRows(
        "m", times, (Column("current_tariff", "enum", 0, tuple(second // 400 for second in range(1000))),)
    )
    of_scale, of_tariff = thin([scale, tariff])
    assert times_s(of_scale) == [0, *range(100, 1000, 100), 999]
    assert times_s(of_tariff) == [0, 400, 800, 900, 999]


def test_thinning_in_parts_is_thinning_at_once() -> None:
    whole = [meter(range(50_000, 60_000), device, seed) for seed, device in enumerate(["a", "b"])]
    chance = random.Random(7)
    cuts = [0, *sorted(chance.sample(range(1, 10_000), 60)), 10_000]
    left: tuple[DeviceRows, ...] = ()
    for start, stop in itertools.pairwise(cuts):
        part = [
            DeviceRows(
                rows.device,
                rows.times_ms[start:stop],
                tuple(Column(c.quantity, c.unit, c.exponent, c.integers[start:stop]) for c in rows.columns),
            )
            for rows in whole
        ]
        left = thin([*left, *part])
    at_once = thin(whole)
    assert [rows for rows in left if len(rows.columns) > 1] == [rows for rows in at_once if len(rows.columns) > 1]
    # Single peaks of an interval's first parts may stay beside the highest: as many as there are boundaries, at most.
    assert sum(len(rows.times_ms) for rows in left) <= 2 * sum(len(rows.times_ms) for rows in at_once)
    highest = {(rows.device, time) for rows in at_once if len(rows.columns) == 1 for time in rows.times_ms}
    assert highest <= {(rows.device, time) for rows in left if len(rows.columns) == 1 for time in rows.times_ms}
    assert {time // INTERVAL_MS for _, time in highest} >= set(range(56, 66))


def test_rows_without_any_value_go_and_rows_that_came_twice_are_one() -> None:
    empty = DeviceRows("m", (5000,), (Column("frequency", "Hz", -2, (None,), (Quality.LINK_ERROR,)),))
    assert thin([empty]) == ()
    assert [len(rows.times_ms) for rows in thin([meter([5]), meter([5])])] == [1]

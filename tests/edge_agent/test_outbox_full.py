"""An outbox that is too small for an outage: what it lets go, and what it never does."""

import random
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from edge_agent.backlog import rows_of_backlog
from edge_agent.outbox import Outbox
from tests.scale import scaled
from wire_format.batch import Column, DeviceRows
from wire_format.codec import decode_contents
from wire_format.events import Event

START_S = 1_764_000_030
WEEK_S = 7 * 86_400
QUARTER_MS = 900_000
MEGABYTE = 1_000_000

Totals = dict[str, dict[int, int]]
"""Of each device: its counter by time in ms."""


def readings(devices: int, every_s: int) -> Iterator[tuple[DeviceRows, ...]]:
    """A week of meters whose counters count to the digit what their power was."""
    noise = random.Random(4)
    energy = [noise.randrange(10**7, 10**9) for _ in range(devices)]
    for second in range(0, WEEK_S, every_s):
        entries = []
        for index in range(devices):
            power = noise.randrange(5_000, 50_000)
            energy[index] += power * every_s // 36_000
            integers = (power, energy[index], 23_000 + noise.randrange(100), 5_000, noise.randrange(900, 1000))
            columns = [Column(*name, (integer,)) for name, integer in zip(NAMES, integers, strict=True)]
            entries.append(DeviceRows(f"meter-{index}", (1000 * (START_S + second) + 40 * index,), tuple(columns)))
        yield tuple(entries)


NAMES = (
    ("active_power_total", "W", -1),
    ("active_energy_import_total", "kWh", -3),
    ("voltage_l1_n", "V", -2),
    ("frequency", "Hz", -2),
    ("power_factor_total", "1", -3),
)


def drained(outbox: Outbox) -> tuple[list[DeviceRows], list[Event]]:
    """Everything that would be published, released as if the collector had answered."""
    found: list[DeviceRows] = []
    events: list[Event] = []
    while numbers := outbox.unacknowledged():
        rows = rows_of_backlog(outbox, range(numbers[0].start, min(numbers[0].stop, numbers[0].start + 600)), 60_000)
        assert rows is not None
        contents = decode_contents(rows.payload)
        found += contents.devices
        events += contents.events
        outbox.acknowledge(rows.numbers)
    return found, events


def test_a_week_in_a_megabyte_keeps_every_total_and_says_what_is_thinned(tmp_path: Path) -> None:
    truth: Totals = defaultdict(dict)
    events: list[Event] = []
    peaks: dict[tuple[str, int], int] = defaultdict(int)
    with Outbox.open(tmp_path, max_bytes=MEGABYTE) as outbox:
        for count, entries in enumerate(readings(scaled(12, 10), scaled(40, 1))):
            happened = [Event("scale", "weighing", entries[0].times_ms[0])] if count % 500 == 0 else []
            events += happened
            outbox.append(entries, "ntp", b"state", happened)
            for rows in entries:
                power, energy = (column.integers[0] for column in rows.columns[:2])
                assert power is not None
                assert energy is not None
                truth[rows.device][rows.times_ms[0]] = energy
                interval = (rows.device, rows.times_ms[0] // QUARTER_MS)
                peaks[interval] = max(peaks[interval], power)
            if count % 10 == 0:
                assert outbox.bytes_used <= MEGABYTE
        assert not outbox.report.lost
        assert outbox.report.thinned_rows > 0
        assert outbox.report.thinned_first_ms == min(min(times) for times in truth.values())
    with Outbox.open(tmp_path, max_bytes=MEGABYTE) as outbox:
        left, told = drained(outbox)
    assert told == events
    stored: Totals = defaultdict(dict)
    highest: dict[tuple[str, int], int] = defaultdict(int)
    for rows in left:
        for column in rows.columns:
            for time_ms, integer in zip(rows.times_ms, column.integers, strict=True):
                assert integer is not None
                if column.quantity == "active_energy_import_total":
                    stored[rows.device][time_ms] = integer
                elif column.quantity == "active_power_total":
                    interval = (rows.device, time_ms // QUARTER_MS)
                    highest[interval] = max(highest[interval], integer)
    assert_totals_are_exact(stored, truth)
    assert highest == peaks
    thinned = [rows for rows in left if rows.thinned]
    whole = [rows for rows in left if not rows.thinned]
    assert max(rows.times_ms[-1] for rows in thinned) < max(rows.times_ms[-1] for rows in whole)
    assert len(whole) > 3


def assert_totals_are_exact(stored: Totals, truth: Totals) -> None:
    for device, counter in truth.items():
        assert all(counter[time_ms] == total for time_ms, total in stored[device].items())
        times = sorted(counter)
        first, last = times[0], times[-1]
        assert stored[device][last] - stored[device][first] == counter[last] - counter[first]
        for boundary_ms in range((first // QUARTER_MS + 1) * QUARTER_MS, last, QUARTER_MS):
            place = bisect_left(times, boundary_ms)
            assert min(times[place - 1 : place + 1], key=partial(_distance, boundary_ms)) in stored[device]


def _distance(one: int, other: int) -> int:
    return abs(one - other)

from collections.abc import Sequence
from pathlib import Path

from edge_agent.batcher import STATE_INTERVAL_FLUSHES, Batcher
from edge_agent.event_log import MAXIMUM_AN_HOUR
from edge_agent.outbox import Outbox
from edge_agent.outbox.errors import OutboxWriteError
from edge_agent.samples import ColumnShape, Sample
from edge_agent.totals import Totals
from edge_agent.weighing import WeighingEvent
from wire_format.batch import DeviceRows
from wire_format.codec import decode_contents, decode_rows
from wire_format.events import Event, EventKind
from wire_format.quality import Quality

SHAPE = (ColumnShape("active_power_total", "W", -1), ColumnShape("frequency", "Hz", -3))


class Disk:
    """What the batcher hands over; full when told so."""

    def __init__(self) -> None:
        self.records: list[tuple[Sequence[DeviceRows], str, bytes]] = []
        self.events: list[Event] = []
        self.full = False

    def append(
        self, devices: Sequence[DeviceRows], clock_source: str, state: bytes, events: Sequence[Event] = ()
    ) -> int:
        if self.full:
            raise OutboxWriteError("disk full")
        self.events += events
        self.records.append((devices, clock_source, state))
        return len(self.records)


def sample(device: str, time_ms: int, power: int | None = 100, quality: Quality = Quality.GOOD) -> Sample:
    return Sample(device, SHAPE, time_ms, (power, 50_000), (quality, Quality.GOOD))


class Announced:
    """What a publisher was told."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.unstored: list[DeviceRows] = []
        self.unstored_events: list[Event] = []

    def notify(self, record_number: int) -> None:
        self.numbers.append(record_number)

    def publish_unstored(self, devices: Sequence[DeviceRows], clock_source: str, events: Sequence[Event] = ()) -> None:
        assert clock_source == "ntp"
        self.unstored += devices
        self.unstored_events += events


def batcher_on(disk: Disk) -> tuple[Batcher, Announced]:
    announced = Announced()
    return Batcher(disk, Totals(), announced, lambda: "ntp"), announced


def test_rows_of_a_device_become_columns() -> None:
    disk = Disk()
    batcher, announced = batcher_on(disk)
    batcher.add(sample("oven", 1000))
    batcher.add(sample("mixer", 1001, None, Quality.LINK_ERROR))
    batcher.add(sample("oven", 2000, 200))
    batcher.flush()
    (devices, clock_source, _), = disk.records  # fmt: skip
    oven, mixer = devices
    assert (oven.device, oven.times_ms, clock_source) == ("oven", (1000, 2000), "ntp")
    assert [column.integers for column in oven.columns] == [(100, 200), (50_000, 50_000)]
    assert [column.quality for column in oven.columns] == [(), ()]
    assert mixer.columns[0].quality == (Quality.LINK_ERROR,)
    assert announced.numbers == [1]
    assert batcher.statistics.rows == 3
    assert batcher.statistics.values_sampled == 5


def test_nothing_new_makes_no_record() -> None:
    disk = Disk()
    batcher, announced = batcher_on(disk)
    batcher.flush()
    assert disk.records == []
    assert announced.numbers == []


def test_times_ascend_within_rows_also_when_the_clock_was_set_back() -> None:
    disk = Disk()
    batcher, _ = batcher_on(disk)
    for time_ms in (5000, 6000, 1000, 2000, 2000):
        batcher.add(sample("oven", time_ms))
    batcher.flush()
    assert [rows.times_ms for rows in disk.records[0][0]] == [(5000, 6000), (1000, 2000), (2000,)]


def test_the_state_is_renewed_now_and_then_and_at_once_when_it_matters() -> None:
    disk, totals = Disk(), Totals()
    batcher = Batcher(disk, totals, Announced(), lambda: "ntp")
    detector = totals.detector("scale", threshold=100, exponent=-3)

    def state_after_flush() -> bytes:
        batcher.add(sample("oven", 1000))
        batcher.flush()
        return disk.records[-1][2]

    first = state_after_flush()
    assert first
    detector.update(500, stable=True)
    assert state_after_flush() == first
    totals.urgent = True
    second = state_after_flush()
    assert second != first
    detector.update(0, stable=True)
    states = [state_after_flush() for _ in range(STATE_INTERVAL_FLUSHES)]
    assert states[0] == second
    assert states[-1] != second


def test_what_a_full_disk_cannot_take_goes_out_live_all_the_same() -> None:
    disk = Disk()
    batcher, announced = batcher_on(disk)
    disk.full = True
    batcher.add(sample("oven", 1000))
    batcher.flush()
    assert batcher.statistics.write_failures == 1
    assert batcher.statistics.values_sampled == 0
    assert [rows.times_ms for rows in announced.unstored] == [(1000,)]
    disk.full = False
    batcher.add(sample("oven", 2000))
    batcher.flush()
    assert announced.numbers == [1]
    assert disk.records[0][2], "the state must come with the first record that can be written"


def weighing(time_ms: int) -> WeighingEvent:
    return WeighingEvent("scale", 12_500, -3, time_ms)


def test_what_happened_goes_out_once_with_the_rows_of_its_second() -> None:
    disk, totals = Disk(), Totals()
    batcher = Batcher(disk, totals, Announced(), lambda: "ntp")
    totals.weighed(weighing(1000))
    batcher.add(sample("scale", 1000))
    batcher.flush()
    batcher.add(sample("scale", 2000))
    batcher.flush()
    (event,) = disk.events
    assert (event.device, event.kind, event.time_ms, event.numbers) == ("scale", "weighing", 1000, {"mass_kg": 12.5})


def test_what_happened_goes_out_without_any_row_and_past_a_full_disk() -> None:
    disk, totals = Disk(), Totals()
    announced = Announced()
    batcher = Batcher(disk, totals, announced, lambda: "ntp")
    totals.weighed(weighing(1000))
    batcher.flush()
    assert [event.time_ms for event in disk.events] == [1000]
    disk.full = True
    totals.weighed(weighing(2000))
    batcher.flush()
    assert [event.time_ms for event in announced.unstored_events] == [2000]


def test_two_of_a_kind_at_once_are_two_and_a_flood_is_bounded() -> None:
    disk = Disk()
    batcher, _ = batcher_on(disk)
    for _ in range(2):
        batcher.events.note(Event("main", EventKind.COUNTER_RESET, 1000, "energy"))
    for time_ms in range(1000, 101_000, 1000):
        batcher.events.note(Event("main", EventKind.COUNTER_JITTER, time_ms, "energy"))
    batcher.flush()
    resets = [event for event in disk.events if event.kind == EventKind.COUNTER_RESET]
    assert [event.time_ms for event in resets] == [1000, 1001]
    assert len(disk.events) == 2 + MAXIMUM_AN_HOUR


def test_an_event_that_no_batch_can_carry_costs_nothing_else(tmp_path: Path) -> None:
    with Outbox.open(tmp_path, max_bytes=1_000_000) as outbox:
        batcher = Batcher(outbox, Totals(), Announced(), lambda: "ntp")
        batcher.add(sample("oven", 1000))
        batcher.events.note(Event("oven", "No Kind", 1000))
        batcher.events.note(Event("oven", EventKind.COUNTER_STEP, 1000))
        batcher.flush()
        contents = [decode_contents(record.payload) for record in outbox.read(range(1, 10))]
    assert [rows.device for entry in contents for rows in entry.devices] == ["oven"]
    assert [event.kind for entry in contents for event in entry.events] == ["counter_step"]


def test_a_device_that_no_batch_can_carry_costs_the_others_nothing(tmp_path: Path) -> None:
    with Outbox.open(tmp_path, max_bytes=1_000_000) as outbox:
        batcher = Batcher(outbox, Totals(), Announced(), lambda: "ntp")
        batcher.add(sample("oven", 1000))
        batcher.add(sample("mad-meter", 1000, 2**70))
        batcher.add(sample("mixer", 1000))
        batcher.flush()
        records = outbox.read(range(1, 10))
    kept = [rows.device for record in records for rows in decode_rows(record.payload)[0]]
    assert kept == ["oven", "mixer"]
    assert batcher.statistics.write_failures == 1
    assert set(batcher.statistics.devices) == {"oven", "mixer"}

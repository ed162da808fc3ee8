from collections.abc import Sequence

from edge_agent.life import Life, events_of_start
from edge_agent.mains import MainsWatch
from edge_agent.samples import ColumnShape, Sample
from wire_format.events import Event
from wire_format.quality import Quality

SHAPE = (
    ColumnShape("voltage_l1_n", "V", -1),
    ColumnShape("voltage_l2_n", "V", -1),
    ColumnShape("active_power_total", "W", 0),
)
START_MS = 1_795_000_000_000


class Watched:
    def __init__(self, life: Life | None = None) -> None:
        self.life = life or Life()
        self.told = list[tuple[Event, bool]]()
        self.watch = MainsWatch("agent-edge-1", self.life, lambda event, again: self.told.append((event, again)))

    def show(self, second: int, volts: Sequence[float | None], device: str = "main") -> None:
        integers = [None if value is None else round(value * 10) for value in volts]
        sample = Sample(device, SHAPE, START_MS + 1000 * second, (*integers, 100), (Quality.GOOD,) * 3)
        self.watch.look(sample)

    def brief(self) -> list[tuple[str, int, float | None]]:
        return [
            (event.device, (event.time_ms - START_MS) // 1000, _second(event.numbers.get("until_ms")))
            for event, _ in self.told
        ]


def _second(time_ms: float | None) -> float | None:
    return None if time_ms is None else (time_ms - START_MS) / 1000


def test_an_outage_is_told_when_it_begins_and_again_with_its_end() -> None:
    watched = Watched()
    for second, volts in enumerate([230, 231, 0.3, 0.2, 0.2, 229, 230, 230]):
        watched.show(second, (volts, volts))
    began = [("main", 2, None), ("agent-edge-1", 2, None)]
    assert watched.brief() == [*began, ("main", 2, 5.0), ("agent-edge-1", 2, 5.0)]
    assert [again for _, again in watched.told] == [False, False, True, True]
    assert watched.life.outages == {}


def test_one_phase_that_is_left_or_missing_or_one_row_is_no_outage() -> None:
    watched = Watched()
    one_left, both, none, unknown = (0, 230), (230, 230), (0, 0), (0, None)
    for second, volts in enumerate([both, one_left, one_left, none, both, unknown, unknown]):
        watched.show(second, volts)
    assert watched.told == []


def test_a_meter_that_never_showed_voltages_is_wired_without_them() -> None:
    watched = Watched()
    for second in range(5):
        watched.show(second, (0, 0))
    assert watched.told == []


def test_a_branch_that_was_switched_off_is_no_loss_of_mains() -> None:
    watched = Watched()
    for second in range(5):
        watched.show(second, (230, 230), "main")
        watched.show(second, (230, 230) if second < 2 else (0, 0), "oven")
    assert watched.brief() == [("oven", 2, None)]


def test_an_outage_over_a_restart_has_one_beginning_and_an_end() -> None:
    first = Watched()
    for second, volts in enumerate([230, 0, 0]):
        first.show(second, (volts, volts))
    again = Watched(first.life)
    for second, volts in enumerate([0, 0, 230, 230], 10):
        again.show(second, (volts, volts))
    assert again.brief() == [("main", 1, 12.0), ("agent-edge-1", 1, 12.0)]


def test_a_computer_that_had_no_power_tells_from_when_to_when() -> None:
    life = Life(START_MS, "boot-1")
    outage, started = events_of_start(life, "agent-edge-1", START_MS + 60_000, "boot-2")
    assert (outage.kind, outage.time_ms, outage.numbers) == ("outage", START_MS, {"until_ms": START_MS + 60_000.0})
    assert started.numbers == {"last_alive_ms": float(START_MS), "gap_s": 60.0}


def test_a_stop_a_kill_and_a_quick_restart_are_no_outages() -> None:
    for life, boot, later_ms in (
        (Life(START_MS, "boot-1", stopped=True), "boot-2", 600_000),
        (Life(START_MS, "boot-1"), "boot-1", 600_000),
        (Life(START_MS, "boot-1"), "boot-2", 15_000),
        (Life(), "boot-1", 600_000),
    ):
        (event,) = events_of_start(life, "agent-a", START_MS + later_ms, boot)
        assert event.kind == "agent_started"

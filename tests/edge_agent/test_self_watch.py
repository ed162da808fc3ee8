from pathlib import Path

from edge_agent.agent_clock import AgentClock
from edge_agent.batcher import BatcherStatistics
from edge_agent.life import Life
from edge_agent.outbox.report import LostRecords, OutboxReport
from edge_agent.self_watch import THINNED_INTERVAL_S, SelfWatch
from tests.edge_agent.clocks import ManualClock
from wire_format.events import Event, EventKind

TODAY_MS = 1_795_000_000_000.0


class Watched:
    def __init__(self, life: Life | None = None, wall_ms: float = TODAY_MS, source: str = "ntp") -> None:
        self.system, self.source = ManualClock(wall_ms), source
        self.clock = AgentClock(self.system, lambda: self.source, lambda: "boot-1")
        self.life, self.report, self.statistics = life or Life(), OutboxReport(), BatcherStatistics()
        self.told = list[Event]()
        self.watch = SelfWatch(
            *("agent-edge-1", self.clock, self.life, self.report, self.statistics),
            lambda event, _: self.told.append(event),
        )
        self.look()

    def look(self, after_s: float = 1.0) -> list[str]:
        """The kinds of what is told anew."""
        before = len(self.told)
        self.system.advance(after_s)
        self.watch.look()
        return [event.kind for event in self.told[before:]]


def test_a_start_is_told_once_and_life_goes_on() -> None:
    watched = Watched()
    assert [event.kind for event in watched.told] == ["agent_started"]
    assert watched.look() == []
    assert watched.life.alive_ms == round(watched.clock.wall_ms())
    watched.watch.stopped()
    assert watched.told[-1].kind == "agent_stopped"
    assert watched.life.stopped


def test_a_start_waits_for_the_time_and_has_the_one_of_its_moment() -> None:
    watched = Watched(wall_ms=5_000_000.0, source="none")
    assert watched.look(29) == []
    watched.clock.adopt("collector", TODAY_MS, watched.system.monotonic_s())
    assert "agent_started" in watched.look(0)
    (started,) = [event for event in watched.told if event.kind == "agent_started"]
    assert started.time_ms == round(TODAY_MS) - 30_000


def test_steps_and_sources_of_the_clock_are_told() -> None:
    watched = Watched()
    watched.system.step_wall_ms(7_200_000)
    assert watched.look() == ["clock_step"]
    watched.system.step_wall_ms(-7_200_000)
    watched.source = "hardware"
    watched.clock.check_source()
    assert watched.look() == ["clock_step", "clock_source"]
    assert [event.numbers["step_s"] for event in watched.told if event.kind == "clock_step"] == [7200.0, -7200.0]
    assert watched.life.steps_back == 1


def test_a_clock_that_was_set_back_between_two_runs_counts_as_a_step() -> None:
    assert Watched(Life(round(TODAY_MS) + 7_200_000, "boot-1")).life.steps_back == 1
    assert Watched(Life(round(TODAY_MS) - 1000, "boot-1")).life.steps_back == 0


def test_a_full_outbox_is_told_now_and_then_and_every_loss() -> None:
    watched = Watched()
    watched.report.thinned_rows, watched.report.thinned_first_ms, watched.report.thinned_last_ms = 10, 1000, 2000
    assert watched.look() == ["outbox_thinned"]
    assert watched.told[-1].numbers == {"rows": 10.0, "first_ms": 1000.0, "last_ms": 2000.0}
    watched.report.thinned_rows = 20
    assert watched.look() == []
    assert watched.look(THINNED_INTERVAL_S) == ["outbox_thinned"]
    watched.report.lost += [LostRecords(range(1, 5), "the outbox is full", 1, 2), LostRecords(range(7, 8), "damaged")]
    assert watched.look() == ["outbox_cut", "outbox_damaged"]
    assert watched.look() == []
    watched.report.lost.append(LostRecords(range(9, 10), "the outbox is full"))
    assert watched.look() == ["outbox_cut"]


def test_a_disk_that_cannot_be_written_is_told_with_its_beginning_and_its_end() -> None:
    watched = Watched()
    watched.statistics.write_failures = 1
    assert watched.look() == ["outbox_write_failed"]
    watched.statistics.write_failures = 2
    assert watched.look() == []
    assert watched.look() == ["outbox_write_failed"]
    first, last = watched.told[-2:]
    assert (first.time_ms, first.kind) == (last.time_ms, last.kind)
    assert last.numbers["until_ms"] == watched.clock.wall_ms()


def test_the_document_names_every_kind() -> None:
    document = (Path(__file__).parents[2] / "docs" / "events.md").read_text(encoding="utf-8")
    assert [kind for kind in EventKind if f"| `{kind}` |" not in document] == []

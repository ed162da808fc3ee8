"""What waits on the disk while nobody knows what time it is."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent import undated
from edge_agent.agent_clock import AgentClock
from edge_agent.batcher import Batcher
from edge_agent.dating import RESIDUES, Dating
from edge_agent.outbox import Outbox
from edge_agent.samples import ColumnShape, Sample
from edge_agent.totals import Totals
from edge_agent.weighing import WeighingEvent
from tests.edge_agent.clocks import ManualClock
from wire_format.batch import Contents
from wire_format.codec import decode_contents
from wire_format.events import Event
from wire_format.quality import Quality

SHAPE = (ColumnShape("active_power_total", "W", 0),)
IN_1970_MS = 5_000_000.0
TODAY_MS = 1_795_000_000_000.0


class Nobody:
    def notify(self, record_number: int) -> None: ...

    def publish_unstored(self, *_: object) -> None:
        raise AssertionError("everything can be kept")


class Edge:
    """An agent's clock, batcher and outbox; a new one on the same folder is the process after a kill."""

    def __init__(self, folder: Path, system: ManualClock, source: str = "none", boot: str = "boot-1") -> None:
        self.system = system
        self.source = source
        self.clock = AgentClock(system, lambda: self.source, lambda: boot)
        self.outbox = Outbox.open(folder / "outbox", max_bytes=10_000_000)
        self.totals = Totals()
        self.totals.restore(self.outbox.last_state)
        batcher = Batcher(self.outbox, self.totals, Nobody(), lambda: self.clock.source)
        self.dating = Dating(self.clock, batcher, self.outbox, self.totals, data_dir=folder, max_bytes=1_000_000)
        self.clock.remember(self.totals.life.alive_ms, self.totals.life.boot_id)

    def sample(self, value: int, age_ms: float = 0.0) -> None:
        time_ms = round(self.clock.wall_ms() - age_ms)
        self.dating.add(Sample("oven", SHAPE, time_ms, (value,), (Quality.GOOD,)))
        self.dating.flush()

    def kill(self) -> None:
        """What is not with the operating system is gone; the locks go with the process."""
        self.dating.close()
        self.outbox.close()

    def contents(self) -> list[Contents]:
        return [
            decode_contents(record.payload)
            for numbers in self.outbox.unacknowledged()
            for record in self.outbox.read(numbers)
        ]

    def rows(self) -> list[tuple[int, int | None]]:
        return sorted(
            pair
            for contents in self.contents()
            for rows in contents.devices
            for pair in zip(rows.times_ms, rows.columns[0].integers, strict=True)
        )

    def events(self) -> list[Event]:
        return [event for contents in self.contents() for event in contents.events]


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[Edge]:
    system = ManualClock(IN_1970_MS)
    system.advance(100)
    made = Edge(tmp_path, system)
    yield made
    made.kill()


async def test_samples_wait_for_the_time_and_get_the_ones_at_which_they_were_taken(edge: Edge) -> None:
    for second in range(5):
        edge.sample(second, age_ms=200)
        edge.system.advance(1)
    await edge.dating.settle()
    assert edge.rows() == []
    edge.system.step_wall_ms(TODAY_MS - edge.system.wall_ms())
    edge.sample(5, age_ms=200)
    await edge.dating.settle()
    expected = [(round(TODAY_MS) - 200 - 1000 * (5 - second), second) for second in range(6)]
    assert edge.rows() == expected
    assert not edge.dating.is_waiting


async def test_what_waits_survives_a_kill_and_gets_its_times_from_the_collector(tmp_path: Path) -> None:
    system = ManualClock(IN_1970_MS)
    first = Edge(tmp_path, system)
    for second in range(3):
        first.sample(second)
        system.advance(1)
    first.kill()
    second_process = Edge(tmp_path, system)
    assert second_process.dating.is_waiting
    second_process.sample(3)
    assert second_process.clock.adopt("collector", TODAY_MS, system.monotonic_s())
    await second_process.dating.settle()
    assert second_process.rows() == [(round(TODAY_MS) - 1000 * (3 - value), value) for value in range(4)]
    assert {contents.clock_source for contents in second_process.contents()} == {"collector"}
    second_process.kill()


async def test_a_kill_while_times_are_given_makes_no_row_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edge = Edge(tmp_path, ManualClock(IN_1970_MS))
    monkeypatch.setattr(undated, "RECORDS_AT_ONCE", 2)
    for value in range(9):
        edge.sample(value)
        edge.system.advance(1)
    kept = tmp_path / "kept"
    shutil.copytree(tmp_path / "undated", kept)
    edge.clock.adopt("collector", TODAY_MS, edge.system.monotonic_s())
    await edge.dating.settle()
    moved = edge.rows()
    assert 0 < len(moved) < 9
    edge.kill()
    # The undated copies were not let go before the kill: only the offset that was chosen is on the disk beside them.
    offset = next((tmp_path / "undated").glob("*/offset.json"))
    shutil.copy(offset, next(kept.glob("*")) / "offset.json")
    shutil.rmtree(tmp_path / "undated")
    kept.rename(tmp_path / "undated")
    again = Edge(tmp_path, edge.system)
    again.clock.adopt("collector", TODAY_MS + 700, edge.system.monotonic_s())
    while again.dating.is_waiting:
        await again.dating.settle()
    assert {value for _, value in again.rows()} == set(range(9))
    assert len(set(again.rows())) == 9
    again.kill()


async def test_what_was_taken_before_the_computer_was_started_again_has_no_time(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = Edge(tmp_path, ManualClock(IN_1970_MS))
    first.sample(1)
    first.kill()
    again = Edge(tmp_path, ManualClock(TODAY_MS), "ntp", boot="boot-2")
    assert not again.dating.is_waiting
    assert "are lost" in caplog.text
    assert not list((tmp_path / "undated").iterdir())
    again.kill()


async def test_without_a_time_and_without_a_disk_the_agent_goes_on(
    edge: Edge, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "undated").write_text("a file where the folder should be", encoding="utf-8")
    for value in range(3):
        edge.sample(value)
        edge.system.advance(1)
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    (tmp_path / "undated").unlink()
    edge.sample(3)
    edge.clock.adopt("collector", TODAY_MS, edge.system.monotonic_s())
    await edge.dating.settle()
    assert edge.rows() == [(round(TODAY_MS), 3)]


async def test_what_happens_without_a_time_waits_too(edge: Edge) -> None:
    edge.totals.weighed(WeighingEvent("scale", 12_500, -3, round(edge.clock.wall_ms())))
    edge.sample(1)
    edge.system.advance(60)
    edge.clock.adopt("visitor", TODAY_MS, edge.system.monotonic_s())
    await edge.dating.settle()
    (event,) = edge.events()
    assert (event.kind, event.time_ms) == ("weighing", round(TODAY_MS) - 60_000)


def test_after_a_step_back_no_time_is_given_twice(edge: Edge) -> None:
    edge.source = "ntp"
    edge.clock.check_source()
    edge.system.step_wall_ms(TODAY_MS - edge.system.wall_ms())
    for _ in range(3):
        for offset_ms in range(20):
            edge.dating.add(Sample("oven", SHAPE, round(TODAY_MS) + 1000 * offset_ms, (1,), (Quality.GOOD,)))
        edge.totals.life.steps_back += 1
    edge.dating.flush()
    times = [time_ms for time_ms, _ in edge.rows()]
    assert len(set(times)) == len(times) == 60
    assert max(abs(time_ms - round(time_ms, -3)) for time_ms in times) < RESIDUES

"""A power cut of the edge at any moment takes what was not yet synced, and nothing else."""

import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from edge_agent.outbox import Outbox
from edge_agent.outbox import outbox as outbox_module
from tests.edge_agent.outbox_helpers import abandon, rows, values_in
from tests.faults.power import PowerSocket, put_files
from tests.scale import scaled

MANY = 1_000_000_000
SYNC_EVERY = 10
CAUGHT_UP_EVERY = 300


class PowerCut(BaseException):
    """The process is no more."""


@dataclass
class Promise:
    """What the outbox owes: values that a completed sync covers and that nobody has acknowledged."""

    appended: list[int] = field(default_factory=list)
    synced: int = 0
    """How many of those appended."""
    acknowledged: set[int] = field(default_factory=set)
    by_number: dict[int, int] = field(default_factory=dict)
    newest: int = 0

    def run(self, outbox: Outbox, values: range, chance: random.Random) -> None:
        """A second for each value: it is appended, an earlier one is acknowledged, and now and then all is synced.

        Every five minutes what is left of the time before is acknowledged, as after a reconnection.
        """
        for value in values:
            self.appended.append(value)
            self.newest = value
            number = outbox.next_number
            self.by_number[number] = value
            assert outbox.append(rows(value), "ntp", b"the state at %d" % value) == number
            if chance.random() < 0.7:
                earlier = number - chance.randrange(30)
                if earlier in self.by_number:
                    self.acknowledged.add(self.by_number[earlier])
                    outbox.acknowledge(range(earlier, earlier + 1))
            if value % CAUGHT_UP_EVERY == 0:
                self.acknowledged |= {known for earlier, known in self.by_number.items() if earlier < number - 30}
                outbox.acknowledge(range(1, max(1, number - 30)))
            if value % SYNC_EVERY == 0:
                covered = len(self.appended)
                outbox.sync()
                self.synced = covered

    def check(self, outbox: Outbox) -> None:
        """What is owed is there once, what is there was appended, and what is lost was owed to nobody."""
        found = Counter(values_in(outbox))
        owed = set(self.appended[: self.synced]) - self.acknowledged
        assert not owed - found.keys(), f"lost: {sorted(owed - found.keys())[:5]} of {len(owed)}"
        assert set(found) <= set(self.appended)
        assert max(found.values(), default=1) == 1
        if self.synced:
            value = int(outbox.last_state.split()[-1])
            # It may be newer than the records: then it counts what was lost with them.
            assert self.appended[self.synced - 1] <= value <= self.newest

    def go_on(self, outbox: Outbox) -> None:
        """Take what survived for what there is: numbers beyond are given again."""
        survivors = set(values_in(outbox))
        state = int(outbox.last_state.split()[-1]) if outbox.last_state else 0
        # What was answered before it was synced may be gone with its state: the collector has it.
        self.appended = [
            value for value in self.appended if value in survivors or (value in self.acknowledged and value <= state)
        ]
        self.synced = len(self.appended)
        self.by_number = {number: value for number, value in self.by_number.items() if number < outbox.next_number}


@pytest.fixture
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox_module, "MAX_SEGMENT_BYTES", 4000)


@pytest.mark.timeout(3600)
@pytest.mark.usefixtures("small_segments")
def test_every_prefix_of_recorded_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After each write, truncation, sync, rename and deletion of an hour; a quick run samples ten minutes of it."""
    chance = random.Random(11)
    every = scaled(12, 1)
    promise = Promise()
    tried = 0

    def cut_now(socket: PowerSocket) -> None:
        nonlocal tried
        if socket.operations % every:
            return
        tried += 1
        directory = tmp_path / "after"
        put_files(directory, socket.after_cut(chance))
        after = Outbox.open(directory, max_bytes=MANY)
        promise.check(after)
        abandon(after)

    recorded = tmp_path / "recorded"
    recorded.mkdir()
    socket = PowerSocket(recorded, cut_now)
    socket.plug_in(monkeypatch)
    outbox = Outbox.open(recorded, max_bytes=MANY)
    promise.run(outbox, range(1, scaled(600, 3600) + 1), chance)
    abandon(outbox)
    print(f"{socket.operations} operations, {tried} states of the disk opened")  # noqa: T201  # for documents
    assert tried >= 90
    assert sum(1 for _ in recorded.glob("segment-*.log")) < socket.operations / 20, "segments have been deleted"


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("small_segments")
@pytest.mark.parametrize("seed", range(3))
def test_one_power_cut_after_the_other(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also while it is being opened again; numbers that a cut took are given again."""
    chance = random.Random(seed)
    promise = Promise()
    files: dict[str, bytes] = {}
    next_value = 1
    for generation in range(scaled(40, 1000)):
        directory = tmp_path / f"{generation}"
        put_files(directory, files)
        moment = chance.randrange(1, chance.choice([15, 300]))

        def cut(socket: PowerSocket, moment: int = moment) -> None:
            if socket.operations == moment:
                raise PowerCut

        socket = PowerSocket(directory, cut)
        outbox = None
        with monkeypatch.context() as patch:
            socket.plug_in(patch)
            try:
                outbox = Outbox.open(directory, max_bytes=MANY)
                promise.check(outbox)
                promise.go_on(outbox)
                promise.run(outbox, range(next_value, next_value + 1000), chance)
            except PowerCut:
                pass
        next_value = promise.newest + 1
        files = socket.after_cut(chance)
        if outbox is not None:
            abandon(outbox)
    assert len(promise.acknowledged) > 100


def test_what_thinning_keeps_survives_a_power_cut_while_it_thins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One row a minute, so that each fifteenth lies on a boundary; the outbox holds a few hundred."""
    chance = random.Random(3)
    synced = 0
    tried = 0

    def cut_now(socket: PowerSocket) -> None:
        nonlocal tried
        if socket.operations % scaled(25, 1) and not any(tmp_path.glob("recorded/*.new")):
            return
        tried += 1
        directory = tmp_path / "after"
        put_files(directory, socket.after_cut(chance))
        after = Outbox.open(directory, max_bytes=MANY)
        found = set(values_in(after))
        assert not {60 * minute for minute in range(15, synced + 1, 15)} - found
        assert not after.report.lost
        abandon(after)

    recorded = tmp_path / "recorded"
    recorded.mkdir()
    socket = PowerSocket(recorded, cut_now)
    socket.plug_in(monkeypatch)
    outbox = Outbox.open(recorded, max_bytes=20_000)
    for minute in range(1, 1500):
        outbox.append(rows(60 * minute + (chance.randrange(50) if minute % 15 else 0)), "ntp", b"")
        if minute % 10 == 0:
            outbox.sync()
            synced = minute
    assert outbox.report.thinned_rows > 300
    assert not outbox.report.lost
    abandon(outbox)
    assert tried > 50

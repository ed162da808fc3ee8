"""A disk that is full, read-only or damaged: live readings go on, what can be read is kept, a start never fails."""

import errno
import logging
import os
import random
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge_agent.outbox import Outbox, OutboxWriteError
from edge_agent.outbox import outbox as outbox_module
from tests.edge_agent.collector_double import CollectorDouble, running
from tests.edge_agent.outbox_helpers import rows, values_in
from tests.faults.agents import LightAgent, stored_of
from tests.servers.mosquitto import Mosquitto

MANY = 1_000_000_000
DISK_BYTES = 256 * 1024


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB of its own."""
    disk = tmp_path / "disk"
    disk.mkdir()
    options: list[str | Path] = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", disk]
    if subprocess.run(options, capture_output=True, check=False, timeout=10).returncode:
        pytest.skip("mounting a small file system needs root")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True, timeout=10)


def remount(disk: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", disk], check=True, timeout=10)


def append(outbox: Outbox, values: range) -> list[int]:
    """The values that were taken; syncs in between, as the agent does."""
    taken = []
    for value in values:
        try:
            outbox.append(rows(value), "ntp", b"%d" % value)
            taken.append(value)
            if value % 10 == 0:
                outbox.sync()
        except OutboxWriteError:
            continue
    return taken


def test_a_disk_that_fills_up_and_empties_again(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    with Outbox.open(small_disk / "outbox", max_bytes=MANY) as outbox:
        before = append(outbox, range(1, 200))
        assert len(before) == 199
        free = shutil.disk_usage(small_disk).free
        ballast.write_bytes(bytes(free))
        while_full = append(outbox, range(200, 400))
        assert len(while_full) < 200
        ballast.unlink()
        after = append(outbox, range(400, 600))
        assert after == list(range(400, 600))
        assert values_in(outbox) == [*before, *while_full, *after]
    with Outbox.open(small_disk / "outbox", max_bytes=MANY) as outbox:
        assert values_in(outbox) == [*before, *while_full, *after]
        assert outbox.last_state == b"599"
        assert not outbox.report.lost
        assert not outbox.report.damaged_files


def test_a_start_on_a_disk_without_any_room(small_disk: Path) -> None:
    outbox = Outbox.open(small_disk / "outbox", max_bytes=MANY)
    append(outbox, range(1, 56))
    outbox._journal.close()  # killed: the last five are in the journal only
    outbox._directory_lock.release()
    (small_disk / "ballast").write_bytes(bytes(shutil.disk_usage(small_disk).free))
    with Outbox.open(small_disk / "outbox", max_bytes=MANY) as outbox:
        assert values_in(outbox) == list(range(1, 56))
        append(outbox, range(56, 60))
        (small_disk / "ballast").unlink()
        assert append(outbox, range(60, 80)) == list(range(60, 80))
    with Outbox.open(small_disk / "outbox", max_bytes=MANY) as outbox:
        assert set(values_in(outbox)) >= {*range(1, 56), *range(60, 80)}


def test_a_start_on_a_read_only_disk_says_so(small_disk: Path) -> None:
    outbox = Outbox.open(small_disk / "outbox", max_bytes=MANY)
    append(outbox, range(1, 45))
    outbox.close()
    remount(small_disk, "ro")
    with pytest.raises(Exception, match=r"outbox .*: cannot open lock: Read-only file system"):
        Outbox.open(small_disk / "outbox", max_bytes=MANY)
    remount(small_disk, "rw")
    with Outbox.open(small_disk / "outbox", max_bytes=MANY) as outbox:
        assert values_in(outbox) == list(range(1, 45))


def test_a_disk_that_becomes_read_only_while_running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Linux does to a card that gives up: every change is refused from one moment to the next."""

    def refuse(*_: object) -> int:
        raise OSError(errno.EROFS, "Read-only file system")

    with Outbox.open(tmp_path / "outbox", max_bytes=MANY) as outbox:
        append(outbox, range(1, 46))
        with monkeypatch.context() as patch:
            for name in ("pwrite", "ftruncate", "fsync", "fdatasync"):
                patch.setattr(os, name, refuse)
            assert append(outbox, range(46, 60)) == []
            with pytest.raises(OutboxWriteError, match="Read-only file system"):
                outbox.sync()
            outbox.acknowledge(range(1, 11))
            assert values_in(outbox) == list(range(11, 46))
        assert append(outbox, range(60, 70)) == list(range(60, 70))
    with Outbox.open(tmp_path / "outbox", max_bytes=MANY) as outbox:
        assert set(values_in(outbox)) == {*range(11, 46), *range(60, 70)}


async def test_live_readings_go_on_while_nothing_can_be_written(
    small_disk: Path, mosquitto: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    """As the batcher does: what the outbox does not take is published all the same."""
    async with running(CollectorDouble(), mosquitto.host, mosquitto.port) as collector:
        agent = LightAgent(small_disk / "outbox", mosquitto.port)
        async with agent.running():
            agent.measure(*range(10))
            assert await agent.publisher.drain(10)
            (small_disk / "ballast").write_bytes(bytes(shutil.disk_usage(small_disk).free))
            unstored = 0
            for value in range(10, 40):
                try:
                    agent.outbox.append(rows(value), "ntp", bytes(random.Random(value).randbytes(3000)))
                except OutboxWriteError:
                    agent.publisher.publish_unstored(rows(value), "ntp")
                    unstored += 1
                else:
                    agent.publisher.notify(agent.outbox.next_number - 1)
                assert await agent.publisher.drain(10)
            assert unstored > 10
    assert stored_of(collector) == set(range(40))
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def truncated(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data))]


def zeroed(data: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(data))
    stop = min(start + chance.choice([1, 512, 4096, len(data)]), len(data))
    return data[:start] + bytes(stop - start) + data[stop:]


def flipped(data: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(data))
    return data[:place] + bytes([data[place] ^ (1 << chance.randrange(8))]) + data[place + 1 :]


def garbled(data: bytes, chance: random.Random) -> bytes:
    return chance.randbytes(len(data))


@pytest.mark.parametrize("damage", [truncated, zeroed, flipped, garbled])
def test_each_damaged_file_costs_what_it_held_at_most(
    damage: Callable[[bytes, random.Random], bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also a thinned file and the journal, at many places; the other files lose nothing, and writing goes on."""
    monkeypatch.setattr(outbox_module, "MAX_SEGMENT_BYTES", 2000)
    chance = random.Random(17)
    sample = tmp_path / "sample"
    outbox = Outbox.open(sample, max_bytes=12_000)
    for value in range(1, 1200):
        outbox.append(rows(30 * value + chance.randrange(25)), "ntp", b"the state at %d" % value)
        if value % 10 == 0:
            outbox.sync()
    everything = values_in(outbox)
    outbox._log.close()
    outbox._journal.close()
    outbox._directory_lock.release()
    names = sorted(path.name for path in sample.iterdir() if path.stat().st_size)
    assert {name.split("-")[0] for name in names} == {"segment", "thinned", "journal"}
    for name in names:
        for attempt in range(6):
            directory = tmp_path / f"{name}-{attempt}"
            shutil.copytree(sample, directory)
            path = directory / name
            path.write_bytes(damage(path.read_bytes(), chance))
            with Outbox.open(directory, max_bytes=12_000) as opened:
                held = set(values_in(opened))
                assert held <= set(everything)
                assert values_without(sample, tmp_path / "without", name) <= held
                assert opened.append(rows(99), "ntp", b"") >= 1
                assert 99 in values_in(opened)


def values_without(sample: Path, directory: Path, name: str) -> set[int]:
    """What is there when a file is missing altogether."""
    shutil.rmtree(directory, ignore_errors=True)
    shutil.copytree(sample, directory)
    (directory / name).unlink()
    with Outbox.open(directory, max_bytes=MANY) as outbox:
        return set(values_in(outbox))

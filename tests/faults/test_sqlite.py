"""SQLite that is damaged, without room, or read-only: nothing is answered before it is stored, nothing overwritten."""

import asyncio
import logging
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from collector.collector import run
from store import sqlite_thread
from store.protocol import StoreConfigurationError
from store.server_file import load_server_file
from store.sqlite_readings import SqliteReadings
from tests.collector.conftest import StartCollector
from tests.collector.edge import connected_edge
from tests.collector.test_collector import quarantined, stored
from tests.collector.test_limits import drain
from tests.faults.fleet import QUANTITIES, SITE, START_MS, collector_file, record_of
from tests.servers.mosquitto import Mosquitto
from tests.servers.waiting import eventually_async

DISK_BYTES = 2 * 1024 * 1024


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    options: list[str | Path] = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", disk]
    if subprocess.run(options, capture_output=True, check=False, timeout=10).returncode:
        pytest.skip("mounting a small file system needs root")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True, timeout=10)


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.ingest.LONGEST_PAUSE_S", 0.2)


async def test_a_full_disk_is_waited_for(
    small_disk: Path, broker: Mosquitto, run_collector: StartCollector, caplog: pytest.LogCaptureFixture
) -> None:
    files = {"store": {"sqlite": small_disk / "r.sqlite"}, "entities": small_disk / "e.sqlite"}
    async with run_collector(broker, **files) as settings, connected_edge(broker, SITE) as edge:
        await edge.publish(edge.batch(record_of("meter", START_MS, 10)))
        assert (await edge.answer()).stored
        (small_disk / "ballast").write_bytes(bytes(shutil.disk_usage(small_disk).free))
        batches = [edge.batch(record_of("meter", START_MS + 60_000 * number, 60)) for number in range(1, 20)]
        for batch in batches:
            await edge.publish(batch)
        await edge.publish_bytes(b"no batch", None)
        await eventually_async(lambda: "database or disk is full" in caplog.text)
        answered = await drain(edge)  # what still found room
        assert answered < len(batches)
        assert await quarantined(settings) == []
        (small_disk / "ballast").unlink()
        for batch in batches:
            await edge.publish(batch)
        answers = await edge.answers_to(batches)
        assert all(answer.stored for answer in answers.values())
        count = await stored(settings, SITE)
        assert (count.values, count.duplicates) == ((10 + 19 * 60) * len(QUANTITIES), 0)
        await eventually_async(lambda: quarantined(settings), what="the unreadable message in the quarantine")
    said = [record for record in caplog.records if "out of reach" in record.msg]
    assert {record.levelno for record in said} == {logging.WARNING}


async def test_a_store_that_becomes_read_only_is_an_error_and_is_waited_for(
    broker: Mosquitto,
    run_collector: StartCollector,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connections: list[sqlite3.Connection] = []
    prepare = sqlite_thread._prepare

    def prepared(connection: sqlite3.Connection) -> None:
        connections.append(connection)
        prepare(connection)

    monkeypatch.setattr(sqlite_thread, "_prepare", prepared)
    async with run_collector(broker) as settings, connected_edge(broker, SITE) as edge:
        mine = list(connections)
        for connection in mine:
            connection.execute("PRAGMA query_only = ON")
        batch = edge.batch(record_of("meter", START_MS, 10))
        await edge.publish(batch)
        await eventually_async(lambda: "readonly database" in caplog.text)
        assert edge.answers.empty()
        assert (await stored(settings, SITE)).values == 0
        for connection in mine:
            connection.execute("PRAGMA query_only = OFF")
        assert (await edge.answer()).stored
        assert (await stored(settings, SITE)).values == 10 * len(QUANTITIES)
    # Somebody must act when this happens, so it is told as an error.
    assert next(record.levelno for record in caplog.records if "readonly" in record.getMessage()) == logging.ERROR


def garbled(data: bytes) -> bytes:
    return b"\xff" * 100 + data[100:]


def truncated(data: bytes) -> bytes:
    return data[: len(data) // 2 // 4096 * 4096 + 100]


def another_file(_: bytes) -> bytes:
    return b"store:\n  sqlite: readings.sqlite\n" * 40


@pytest.mark.parametrize("damage", [garbled, truncated, another_file])
@pytest.mark.parametrize("name", ["readings.sqlite", "entities.sqlite"])
async def test_a_damaged_file_ends_the_start_with_one_line_and_stays_as_it_is(
    damage: Callable[[bytes], bytes], name: str, tmp_path: Path
) -> None:
    readings = SqliteReadings(tmp_path / "readings.sqlite")
    for number in range(20):
        await readings.write(SITE, [record_of("meter", START_MS + 1_000_000 * number, 100)])
    await readings.close()
    path = tmp_path / name
    path.write_bytes(damage((tmp_path / "readings.sqlite").read_bytes()))
    before = path.read_bytes()
    settings = load_server_file(collector_file(tmp_path, 1, {"sqlite": str(tmp_path / "readings.sqlite")}))
    with pytest.raises(
        StoreConfigurationError, match=f"{name}: is damaged.*; nothing is overwritten.*leanmeter restore"
    ):
        await run(settings, asyncio.Event())
    assert path.read_bytes() == before

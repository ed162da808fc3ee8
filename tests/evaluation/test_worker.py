import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from evaluation.lease import NAME, EvaluationLease, LeaseLostError
from evaluation.worker import Worker, run
from store.entities import Entities
from store.held_lease import TTL_S
from store.protocol import IntervalRow, OperatedReadingStore, StoreUnavailableError
from store.schema import INTERVAL_MS, SERVER_SITE
from store.server_file import ServerFile
from tests.scale import scaled
from tests.servers.processes import Processes
from tests.servers.waiting import eventually_async
from tests.visit.bakery import SITE, Bakery

EVENING_MS = 1_795_000_000_000


@pytest.fixture
async def bakery(tmp_path: Path) -> AsyncIterator[Bakery]:
    made = Bakery(tmp_path, EVENING_MS)
    await made.declare()
    yield made
    await made.close()


def evaluation_file(bakery: Bakery, **more: object) -> Path:
    path = bakery.folder / "server.yaml"
    path.write_text(yaml.safe_dump({**bakery.storage, "evaluation": more}), encoding="utf-8")
    return path


async def everything(readings: OperatedReadingStore) -> tuple[list[IntervalRow], list[IntervalRow]]:
    end_ms = EVENING_MS + 1
    return await readings.intervals(SITE, 0, end_ms), await readings.days(SITE, 0, end_ms)


async def test_intervals_add_up_to_what_the_meters_counted(bakery: Bakery) -> None:
    await bakery.fill(hours=5, every_s=20)
    await bakery.evaluate()

    intervals, days = await everything(bakery.readings)

    for device, point, quantity in (
        ("oven-meter", "oven", "active_energy_import_total"),
        ("main-meter", "main", "active_energy_import_total"),
        ("pv-inverter", "pv", "active_energy_export_total"),
        ("water-meter", "water", "water_volume_forward"),
        ("packing-scale", "product", "weighed_mass_total"),
    ):
        counted = await bakery.readings.readings(SITE, device, quantity, 0, EVENING_MS + 1)
        rise = counted.values[-1] - counted.values[0]
        assert sum(row.amount for row in intervals if row.point == point) == pytest.approx(rise)
        assert sum(row.amount for row in days if row.point == point) == pytest.approx(rise)
    assert await bakery.entities.dirty_count() == 0
    assert {row.quality for row in intervals if row.point == "oven"} == {"partial", "measured"}


async def test_what_is_unmetered_is_stored_as_a_series(bakery: Bakery) -> None:
    await bakery.fill(hours=3)
    await bakery.evaluate()

    intervals, _ = await everything(bakery.readings)

    whole = [row for row in intervals if row.quality == "measured"]
    by_point = {row.point: row.amount for row in whole if row.start_ms == whole[-1].start_ms}
    used = by_point["main"] + by_point["pv"]
    parts = sum(by_point[part] for part in ("oven", "mixer", "cold-room", "packing"))
    assert by_point["main.unmetered"] == pytest.approx(used - parts)
    assert by_point["main.unmetered"] == pytest.approx(parts / 10, abs=0.02)


async def test_a_mark_that_was_set_again_meanwhile_stays(bakery: Bakery, monkeypatch: pytest.MonkeyPatch) -> None:
    await bakery.fill(hours=1)
    worker = Worker(bakery.readings, bakery.entities, gap_limit_ms=60_000)
    before = await bakery.entities.dirty(1000)
    running = EVENING_MS - EVENING_MS % INTERVAL_MS
    evaluated = bakery.readings.write_days

    async def new_readings_arrive(rows: object) -> None:
        await evaluated(rows)  # type: ignore[arg-type]
        await bakery.entities.mark_dirty(SITE, [("oven-meter", running)])

    monkeypatch.setattr(bakery.readings, "write_days", new_readings_arrive)
    await worker.cycle()

    left = await bakery.entities.dirty(1000)
    assert [(mark.device, mark.interval_start_ms) for mark in left] == [("oven-meter", running)]
    assert left[0].version > max(mark.version for mark in before)


async def test_readings_of_a_site_that_nobody_declared_leave_no_marks_behind(bakery: Bakery) -> None:
    await bakery.entities.mark_dirty("elsewhere", [("meter", 0)])

    await bakery.evaluate()

    assert await bakery.entities.dirty_count() == 0


async def test_one_evaluates_and_the_next_takes_over(bakery: Bakery) -> None:
    await bakery.fill(hours=1)
    first = Worker(bakery.readings, bakery.entities, gap_limit_ms=60_000)
    second = Worker(bakery.readings, bakery.entities, gap_limit_ms=60_000)
    assert await first.cycle() is False

    await bakery.entities.mark_dirty(SITE, [("oven-meter", EVENING_MS - EVENING_MS % INTERVAL_MS)])

    assert await second.cycle() is None
    assert await bakery.entities.dirty_count() == 1
    await first.release()
    assert await second.cycle() is False
    assert await bakery.entities.dirty_count() == 0


async def test_who_lost_the_lease_writes_nothing(bakery: Bakery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.held_lease.RENEW_AFTER_S", 0.0)
    await bakery.fill(hours=1)
    worker = Worker(bakery.readings, bakery.entities, gap_limit_ms=60_000)
    taken = asyncio.Event()
    read = bakery.readings.intervals

    async def another_takes_over(*given: object) -> list[IntervalRow]:
        if not taken.is_set():
            taken.set()
            await worker.release()
            assert await bakery.entities.acquire_lease(NAME, "another", TTL_S)
        return await read(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(bakery.readings, "intervals", another_takes_over)
    marked = await bakery.entities.dirty_count()

    with pytest.raises(LeaseLostError):
        await worker.cycle()

    assert taken.is_set()
    assert await read(SITE, 0, EVENING_MS + 1) == []
    assert await bakery.entities.dirty_count() == marked > 0


async def test_a_lease_that_is_held_needs_no_asking(bakery: Bakery) -> None:
    lease = EvaluationLease(bakery.entities)
    assert await lease.acquire()
    await bakery.entities.close()

    await lease.hold()


async def test_killed_at_any_moment_it_ends_with_the_same_rows(bakery: Bakery, processes: Processes) -> None:
    """Kill -9 in the middle of a backlog, again and again: the marks that are left bring the rest."""
    folder = bakery.folder / "reference"
    folder.mkdir()
    reference = Bakery(folder, EVENING_MS)
    await reference.declare()
    await reference.fill(hours=60, every_s=60)
    await reference.evaluate()
    expected = await everything(reference.readings)
    await reference.close()
    await bakery.fill(hours=60, every_s=60)
    file = evaluation_file(bakery, interval_s=0.1)
    chosen = random.Random(3)

    process = processes.start_leanmeter("evaluation", "run", "--config", file)
    every_mark = [(mark.device, mark.interval_start_ms) for mark in await bakery.entities.dirty(100_000)]
    interrupted = tries = 0
    while interrupted < scaled(3, 1000):
        tries += 1
        assert tries < 20 * scaled(3, 1000), "the backlog is always over before the kill"
        await bakery.entities.mark_dirty(SITE, every_mark)
        marked = await bakery.entities.dirty_count()

        async def works(marked: int = marked) -> bool:
            return await bakery.entities.dirty_count() < marked or process.exit_code is not None

        await eventually_async(works, timeout_s=30, what="the evaluation's work")
        await asyncio.sleep(chosen.random() * 0.02)
        process.kill()
        interrupted += await bakery.entities.dirty_count() > 0
        await free_lease(bakery.entities)
        process.start()

    async def done() -> bool:
        return await bakery.entities.dirty_count() == 0

    await eventually_async(done, timeout_s=60, what="the end of the backlog")
    assert process.stop() == 0
    assert await everything(bakery.readings) == expected


async def free_lease(entities: Entities) -> None:
    """What time does after a kill, at once: the tests do not wait until the lease has run out."""

    def work(connection: object) -> None:
        connection.execute("DELETE FROM lease")  # type: ignore[attr-defined]

    await entities._thread.write(work)


async def test_once_evaluates_what_is_marked_and_ends(bakery: Bakery, processes: Processes) -> None:
    await bakery.fill(hours=1)

    ended = processes.run_leanmeter("evaluation", "run", "--config", evaluation_file(bakery), "--once")

    assert ended.returncode == 0, ended.stderr
    assert await bakery.entities.dirty_count() == 0


async def test_it_tells_of_itself(bakery: Bakery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evaluation.worker.HEALTH_INTERVAL_S", 0.05)
    await bakery.fill(hours=1)
    stop = asyncio.Event()
    task = asyncio.create_task(run(ServerFile.model_validate(bakery.storage), stop))

    async def told() -> bool:
        latest = await bakery.readings.latest(SERVER_SITE, 0)
        numbers = {quantity: one.value for (device, quantity), one in latest.items() if device == "evaluation"}
        return numbers.get("marks_waiting") == 0 and numbers["intervals_written_total"] > 0

    await eventually_async(told, what="the evaluation's health")
    stop.set()
    await asyncio.wait_for(task, 5)


async def test_a_store_that_does_not_answer_is_said_once(
    bakery: Bakery, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    worker = Worker(bakery.readings, bakery.entities, gap_limit_ms=60_000)
    answers = iter([StoreUnavailableError("gone")] * 3)

    async def cycle() -> bool:
        problem = next(answers, None)
        if problem is not None:
            raise problem
        return False

    monkeypatch.setattr(worker, "cycle", cycle)
    await worker.work(0.01, asyncio.Event(), once=True)
    assert [record.getMessage() for record in caplog.records] == [
        "not evaluated, trying again: gone",
        "evaluated again",
    ]
    assert worker.counts.failures == 3


async def test_it_stops_when_told(bakery: Bakery) -> None:
    stop = asyncio.Event()
    task = asyncio.create_task(run(ServerFile.model_validate(bakery.storage), stop))
    await bakery.fill(hours=1)

    async def done() -> bool:
        return await bakery.entities.dirty_count() == 0

    await eventually_async(done, what="the marks' end")
    stop.set()
    await asyncio.wait_for(task, 5)
    # The lease is free at once.
    assert await bakery.entities.acquire_lease(NAME, "next", TTL_S)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"evaluation": {"interval": 2}}, ("evaluation.interval:", "unknown key")),
        ({"evaluation": {"gap_limit_s": 1}}, ("evaluation.gap_limit_s", "60")),
        ({"visit": {"prt": 80}}, ("visit.prt", "unknown key")),
        ({"store": {}}, ("store", "sqlite, influx")),
        ({"entities": "/proc/none/e.sqlite"}, ("/proc/none", "folder cannot be made")),
    ],
)
def test_a_mistake_in_the_file_gets_one_line(
    tmp_path: Path, processes: Processes, change: dict[str, object], words: tuple[str, ...]
) -> None:
    file = tmp_path / "server.yaml"
    storage = {"store": {"sqlite": str(tmp_path / "r.sqlite")}, "entities": str(tmp_path / "e.sqlite")}
    file.write_text(yaml.safe_dump({**storage, **change}), encoding="utf-8")

    ended = processes.run_leanmeter("evaluation", "run", "--config", file)

    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert all(word in ended.stderr for word in words), ended.stderr

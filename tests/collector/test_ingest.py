"""What ingest does in which order, seen by a store that fails when it is told to."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from collector.counts import Counts
from collector.ingest import Incoming, Ingest
from collector.quarantine import Quarantine
from collector.series_limits import SeriesLimits
from store.edge_ledger import EdgeLedger, LastBatch
from store.entities import Entities
from store.protocol import StoreConfigurationError, StoreError, StoreUnavailableError
from store.server_file import LimitsSection
from store.sqlite_readings import SqliteReadings
from tests.servers.waiting import eventually_async
from tests.store.rows import START_MS, powers
from wire_format.batch import Batch, BatchId, DeviceRows, RefusedRow
from wire_format.codec import decode_batch, encode_batch
from wire_format.events import Event
from wire_format.topics import EdgeAddress

TOPIC = "leanmeter/v1/bakery/edge-1/batch"


class FailingReadings(SqliteReadings):
    """A real store that can be told to fail."""

    def __init__(self, path: Path, entities: Entities) -> None:
        super().__init__(path)
        self.problem: Exception | None = None
        self.problem_of: dict[str, Exception] = {}
        self.tries = 0
        self.marks_at_write: list[int] = []
        self._entities = entities

    async def write(self, site: str, devices: Sequence[DeviceRows]) -> tuple[RefusedRow, ...]:
        self.tries += 1
        self.marks_at_write.append(await self._entities.dirty_count())
        problem = self.problem or next(
            (self.problem_of[rows.device] for rows in devices if rows.device in self.problem_of), None
        )
        if problem is not None:
            raise problem
        return await super().write(site, devices)


class Parts:
    def __init__(self, folder: Path) -> None:
        self.entities = Entities(folder / "entities.sqlite")
        self.readings = FailingReadings(folder / "readings.sqlite", self.entities)
        self.quarantine = Quarantine(folder / "entities.sqlite")
        self.ledger = EdgeLedger(folder / "entities.sqlite")
        self.counts = Counts()
        limits = SeriesLimits(LimitsSection(), self.ledger, {})
        self.ingest = Ingest(
            self.readings, self.entities, self.quarantine, self.ledger, limits, self.counts, clock_ms=lambda: 123
        )


@pytest.fixture
async def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Parts]:
    monkeypatch.setattr("collector.ingest.FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr("collector.ingest.LONGEST_PAUSE_S", 0.02)
    made = Parts(tmp_path)
    yield made
    await made.readings.close()
    await made.quarantine.close()
    await made.ledger.close()
    await made.entities.close()


def batch(sequence: int, *devices: DeviceRows) -> Batch:
    return Batch(BatchId("00112233445566ff", sequence), devices or (powers("oven", {sequence: 10}),))


def incoming(given: Batch, topic: str = TOPIC) -> Incoming:
    return Incoming(topic, encode_batch(given), None, given.batch_id.to_bytes())


async def test_intervals_are_marked_when_rows_are_stored_so_that_evaluation_cannot_miss_them(parts: Parts) -> None:
    answer = await parts.ingest.take(incoming(batch(1)))
    assert answer is not None
    assert answer.topic == "leanmeter/v1/bakery/edge-1/ack"
    assert (answer.acknowledgement.stored, answer.acknowledgement.collector_time_ms) == (True, 123)
    assert parts.readings.marks_at_write == [0]
    assert await parts.entities.dirty_count() == 1


@pytest.mark.parametrize("problem", [StoreUnavailableError("gone"), StoreConfigurationError("wrong token")])
async def test_a_store_out_of_reach_is_tried_again_without_an_answer(
    parts: Parts, problem: StoreError, caplog: pytest.LogCaptureFixture
) -> None:
    parts.readings.problem = problem
    taking = asyncio.create_task(parts.ingest.take(incoming(batch(1))))
    await eventually_async(lambda: parts.readings.tries > 3)
    assert not taking.done()
    parts.readings.problem = None
    answer = await asyncio.wait_for(taking, 5.0)
    assert answer is not None
    assert answer.acknowledgement.stored
    assert (await parts.readings.count("bakery")).values == 1
    # Said once, not with every try.
    assert [record.getMessage().split()[1] for record in caplog.records] == ["out", "is"]


async def test_a_batch_that_the_store_does_not_take_makes_room_and_comes_again(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.ingest.LONGEST_STAY_S", 0.1)
    parts.readings.problem = StoreUnavailableError("gone")
    assert await parts.ingest.take(incoming(batch(1))) is None
    assert (parts.counts.store_available, parts.counts.left) == (False, 1)
    assert await parts.quarantine.entries() == ()
    parts.readings.problem = None
    assert await parts.ingest.take(incoming(batch(1))) is not None
    assert parts.counts.store_available


async def test_a_batch_that_alone_makes_the_store_fail_is_set_aside(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.ingest.LONGEST_STAY_S", 0.3)
    parts.readings.problem_of["poison"] = StoreUnavailableError("500 internal error")
    taking = asyncio.create_task(parts.ingest.take(incoming(batch(1, powers("poison", {0: 1})))))
    sequence = 2
    while not taking.done():
        others = await parts.ingest.take(incoming(batch(sequence)))
        assert others is not None
        assert others.acknowledgement.stored
        sequence += 1
        await asyncio.sleep(0.01)
    answer = await taking
    assert answer is not None
    assert not answer.acknowledgement.stored
    (entry,) = await parts.quarantine.entries()
    assert "500 internal error" in entry.reason
    assert (await parts.readings.count("bakery")).by_device == {"oven": sequence - 2}


async def test_what_is_known_of_an_edge_is_its_last_batch(parts: Parts) -> None:
    await parts.ingest.take(incoming(batch(1, powers("oven", {0: 1, 5: 2}), powers("mixer", {3: 1}))))
    assert parts.counts.last == {EdgeAddress("bakery", "edge-1"): LastBatch(123, START_MS + 5000, "none")}
    assert (parts.counts.stored_batches, parts.counts.stored_values) == (1, 3)


async def test_a_copy_of_a_batch_under_way_is_not_written_beside_it(parts: Parts) -> None:
    parts.readings.problem = StoreUnavailableError("gone")
    first = asyncio.create_task(parts.ingest.take(incoming(batch(1))))
    await eventually_async(lambda: parts.readings.tries)
    assert await parts.ingest.take(incoming(batch(1))) is None
    parts.readings.problem = None
    assert await first is not None
    assert await parts.ingest.take(incoming(batch(1))) is not None


async def test_a_cancelled_batch_is_taken_when_it_comes_again(parts: Parts) -> None:
    parts.readings.problem = StoreUnavailableError("gone")
    first = asyncio.create_task(parts.ingest.take(incoming(batch(1))))
    await eventually_async(lambda: parts.readings.tries)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    parts.readings.problem = None
    assert await parts.ingest.take(incoming(batch(1))) is not None


async def test_what_no_code_expected_is_kept_and_rejected_once(parts: Parts) -> None:
    parts.readings.problem = ZeroDivisionError("a mistake of ours")
    answer = await parts.ingest.take(incoming(batch(1)))
    assert answer is not None
    assert not answer.acknowledgement.stored
    assert "ZeroDivisionError" in answer.acknowledgement.reason
    (entry,) = await parts.quarantine.entries()
    assert await parts.quarantine.payload(entry.number) == encode_batch(batch(1))


async def test_other_topics_are_not_for_batches(parts: Parts) -> None:
    answer = await parts.ingest.take(incoming(batch(1), "leanmeter/v1/bakery/edge-1/status"))
    assert answer is not None
    assert not answer.acknowledgement.stored
    assert (await parts.readings.count("bakery")).values == 0


@pytest.mark.parametrize("payload", [b"", b"\x01", b"\x63" * 40, bytes(200_000), b"\x01" + bytes(16) + b"rubbish"])
async def test_whatever_comes_is_kept(parts: Parts, payload: bytes) -> None:
    answer = await parts.ingest.take(Incoming(TOPIC, payload))
    assert answer is None or not answer.acknowledgement.stored
    (entry,) = await parts.quarantine.entries()
    assert await parts.quarantine.payload(entry.number) == payload


async def test_events_are_stored_once_before_the_answer(parts: Parts) -> None:
    happened = Event("oven", "counter_reset", START_MS, "active_energy_import_total", "set to 0", {"before": 1.5})
    for given in (replace(batch(1), events=(happened,)), replace(batch(2), devices=(), events=(happened,))):
        answer = await parts.ingest.take(incoming(given))
        assert answer is not None
        assert answer.acknowledgement.stored
    assert await parts.readings.events("bakery", START_MS, START_MS + 1) == [happened]


async def test_an_event_that_the_store_cannot_take_is_in_the_quarantine(parts: Parts) -> None:
    answer = await parts.ingest.take(incoming(replace(batch(1), events=(Event("oven", "counter_reset", 5),))))
    assert answer is not None
    assert answer.acknowledgement.stored
    assert [(row.device, row.time_ms) for row in answer.acknowledgement.refused] == [("oven", 5)]
    (entry,) = await parts.quarantine.entries()
    assert "event counter_reset" in entry.reason
    payload = await parts.quarantine.payload(entry.number)
    assert payload is not None
    assert [event.time_ms for event in decode_batch(payload).events] == [5]


async def test_times_that_cannot_be_are_refused_and_not_marked(parts: Parts) -> None:
    given = batch(1, DeviceRows("oven", (5,), powers("oven", {0: 1}).columns))
    answer = await parts.ingest.take(incoming(given))
    assert answer is not None
    assert answer.acknowledgement.stored
    assert [row.time_ms for row in answer.acknowledgement.refused] == [5]
    assert await parts.entities.dirty_count() == 0
    assert [entry.device for entry in await parts.quarantine.entries()] == ["oven"]

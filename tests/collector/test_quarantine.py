from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from collector.quarantine import Quarantine
from tests.store.rows import START_MS, column, rows
from wire_format.batch import BatchId, RefusedRow

BATCH_ID = BatchId("00112233445566ff", 3)
TOPIC = "leanmeter/v1/bakery/edge-1/batch"


@pytest.fixture
async def quarantine(tmp_path: Path) -> AsyncIterator[Quarantine]:
    opened = Quarantine(tmp_path / "entities.sqlite")
    yield opened
    await opened.close()


async def test_a_payload_is_kept_as_it_came_with_origin_and_reason(quarantine: Quarantine, tmp_path: Path) -> None:
    await quarantine.keep_payload(TOPIC, BATCH_ID, b"\x00\xff", "no batch")
    other = Quarantine(tmp_path / "entities.sqlite")
    (entry,) = await other.entries()
    assert (entry.topic, entry.batch_id, entry.reason) == (TOPIC, "00112233445566ff:3", "no batch")
    assert (entry.device, entry.time_ms, entry.bytes, entry.seen) == (None, None, 2, 1)
    assert await other.payload(entry.number) == b"\x00\xff"
    assert await other.payload(entry.number + 1) is None
    await other.close()


async def test_what_comes_again_is_counted_not_kept_twice(quarantine: Quarantine) -> None:
    for _ in range(3):
        await quarantine.keep_payload(TOPIC, None, b"x", "no batch")
    await quarantine.keep_payload("leanmeter/v1/laundry/edge-1/batch", None, b"x", "no batch")
    assert [(entry.topic[13:20], entry.seen) for entry in await quarantine.entries()] == [
        ("laundry", 1),
        ("bakery/", 3),
    ]


async def test_rows_are_kept_with_their_values(quarantine: Quarantine) -> None:
    given = rows("oven", [START_MS, START_MS + 1], column("a", 1, 2), column("b", None, 7))
    await quarantine.keep_rows(TOPIC, BATCH_ID, [given], [RefusedRow("oven", START_MS + 1, "out of retention")])
    (entry,) = await quarantine.entries()
    assert (entry.device, entry.time_ms, entry.reason) == ("oven", START_MS + 1, "out of retention")
    assert (
        await quarantine.payload(entry.number)
        == (
            f'{{"device":"oven","time_ms":{START_MS + 1},"columns":['
            '{"quantity":"a","unit":"W","exponent":-1,"integer":2,"quality":0},'
            '{"quantity":"b","unit":"W","exponent":-1,"integer":7,"quality":0}]}'
        ).encode()
    )


async def test_an_edge_that_fills_the_quarantine_loses_its_own_oldest_entries(
    quarantine: Quarantine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("collector.quarantine.MAXIMUM_ENTRIES_OF_AN_EDGE", 3)
    monkeypatch.setattr("collector.quarantine.MAXIMUM_BYTES_OF_AN_EDGE", 100)
    await quarantine.keep_payload("quiet", None, b"kept", "no batch")
    for number in range(5):
        await quarantine.keep_payload(TOPIC, None, bytes([number]), "no batch")
    payloads = [await quarantine.payload(entry.number) for entry in await quarantine.entries()]
    assert payloads == [b"\x04", b"\x03", b"\x02", b"kept"]
    await quarantine.keep_payload(TOPIC, None, bytes(99), "no batch")
    assert [entry.bytes for entry in await quarantine.entries()] == [99, 1, 4]
    assert "made room" in caplog.text


async def test_all_edges_together_are_bounded_too(quarantine: Quarantine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.quarantine.MAXIMUM_ENTRIES", 4)
    for number in range(10):
        await quarantine.keep_payload(f"edge {number}", None, b"x", "no batch")
    assert [entry.topic for entry in await quarantine.entries()] == ["edge 9", "edge 8", "edge 7", "edge 6"]

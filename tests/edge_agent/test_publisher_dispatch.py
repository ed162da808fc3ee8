import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.backlog import Rows, rows_of_backlog
from edge_agent.dispatch import DISCONNECTIONS, LIVE_RECORDS, REFILL_INTERVAL_S, Dispatch, OutgoingBatch
from edge_agent.outbox import Outbox
from edge_agent.window import Window
from tests.edge_agent.outbox_helpers import rows
from wire_format.batch import Acknowledgement, RefusedRow
from wire_format.codec import decode_batch, encode_rows

RUN_ID = "0123456789abcdef"


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with Outbox.open(tmp_path / "outbox", max_bytes=10_000_000) as opened:
        yield opened


def dispatch_of(outbox: Outbox) -> Dispatch:
    return Dispatch(outbox, RUN_ID, Window(maximum=20, timeout_s=10), lambda: 1_000_000)


def append(outbox: Outbox, *values: int, clock_source: str = "ntp") -> None:
    for value in values:
        outbox.append(rows(value), clock_source, b"")


def prepare(dispatch: Dispatch, outbox: Outbox, now_s: float = 0.0) -> None:
    while numbers := dispatch.backlog_to_prepare(now_s):
        dispatch.prepared(rows_of_backlog(outbox, numbers, 60_000))


def sent(dispatch: Dispatch, now_s: float = 0.0) -> OutgoingBatch:
    batch = dispatch.next()
    assert batch is not None
    dispatch.sent(batch, now_s)
    return batch


def values_of(batch: OutgoingBatch) -> list[int | None]:
    return [
        integer
        for entry in decode_batch(batch.payload).devices
        for column in entry.columns
        for integer in column.integers
    ]


def stored(batch: OutgoingBatch, *refused: RefusedRow) -> Acknowledgement:
    return Acknowledgement(batch.batch_id, stored=True, collector_time_ms=1, refused=refused)


def test_live_goes_before_backlog_and_backlog_is_merged_by_the_minute(outbox: Outbox) -> None:
    append(outbox, *range(1, 101))
    dispatch = dispatch_of(outbox)
    prepare(dispatch, outbox)
    append(outbox, 101)
    dispatch.notify(101, 0)
    flight = []
    for _ in range(3):
        flight.append(sent(dispatch))
        dispatch.acknowledged(stored(flight[-1]), 0)
        prepare(dispatch, outbox)
    assert [values_of(batch) for batch in flight] == [[101], list(range(1, 61)), list(range(61, 101))]
    assert outbox.unacknowledged() == []
    assert dispatch.is_idle()
    counts = dispatch.statistics(0)
    assert (counts.batches_acknowledged, counts.rows_acknowledged, counts.values_acknowledged) == (3, 101, 101)


def test_records_of_different_clock_sources_are_not_merged(outbox: Outbox) -> None:
    append(outbox, 1, 2, clock_source="none")
    append(outbox, 3, 4)
    first = rows_of_backlog(outbox, range(1, 5), 60_000)
    assert first is not None
    assert (first.numbers, first.row_count) == (range(1, 3), 2)


def test_a_batch_that_got_no_answer_goes_again_unaltered_before_anything_else(outbox: Outbox) -> None:
    dispatch = dispatch_of(outbox)
    append(outbox, 1)
    dispatch.notify(1, 0)
    first = sent(dispatch)
    append(outbox, 2)
    dispatch.notify(2, 1)
    assert dispatch.next() is None, "one probe until something is answered"
    assert dispatch.expire(1.9) == 0
    assert dispatch.expire(2.0) == 1
    again = sent(dispatch, 2.0)
    assert (again.batch_id, again.payload) == (first.batch_id, first.payload)
    dispatch.acknowledged(stored(again), 3.0)
    assert values_of(sent(dispatch, 3.0)) == [2]
    assert dispatch.statistics(3.0).timeouts == 1


def test_a_late_answer_counts_once(outbox: Outbox) -> None:
    dispatch = dispatch_of(outbox)
    append(outbox, 1)
    dispatch.notify(1, 0)
    batch = sent(dispatch)
    dispatch.expire(100)
    dispatch.acknowledged(stored(batch), 101)
    dispatch.acknowledged(stored(batch), 102)
    assert dispatch.next() is None
    assert dispatch.statistics(102).rows_acknowledged == 1
    assert outbox.unacknowledged() == []


def test_an_answer_to_another_run_releases_nothing(outbox: Outbox) -> None:
    append(outbox, 1)
    dispatch = dispatch_of(outbox)
    prepare(dispatch, outbox)
    batch = sent(dispatch)
    other = Dispatch(outbox, "ffffffffffffffff", Window(20, 10), lambda: 0)
    other.acknowledged(stored(batch), 0)
    assert outbox.unacknowledged() == [range(1, 2)]


def test_refused_rows_are_released_and_counted(outbox: Outbox, caplog: pytest.LogCaptureFixture) -> None:
    dispatch = dispatch_of(outbox)
    append(outbox, 1)
    dispatch.notify(1, 0)
    dispatch.acknowledged(stored(sent(dispatch), RefusedRow("oven-meter", 1000, "a string")), 0)
    statistics = dispatch.statistics(0)
    assert (statistics.refused_rows, statistics.rows_acknowledged, statistics.values_acknowledged) == (1, 0, 0)
    assert "quarantine" in caplog.text
    assert outbox.unacknowledged() == []


def test_a_rejected_batch_is_kept_aside_and_not_sent_again(outbox: Outbox, caplog: pytest.LogCaptureFixture) -> None:
    dispatch = dispatch_of(outbox)
    append(outbox, 1)
    dispatch.notify(1, 0)
    batch = sent(dispatch)
    dispatch.acknowledged(Acknowledgement(batch.batch_id, stored=False, collector_time_ms=7, reason="version 9"), 0)
    kept = outbox.directory / "rejected" / f"{RUN_ID}-1.batch"
    assert kept.read_bytes() == batch.payload
    assert json.loads(kept.with_suffix(".json").read_text()) == {"reason": "version 9", "collector_time_ms": 7}
    assert outbox.unacknowledged() == []
    assert dispatch.statistics(0).rejected_batches == 1
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_a_rejected_batch_that_cannot_be_kept_aside_stays_in_the_outbox(outbox: Outbox) -> None:
    dispatch = dispatch_of(outbox)
    append(outbox, 1)
    dispatch.notify(1, 0)
    (outbox.directory / "rejected").write_text("in the way")
    batch = sent(dispatch)
    dispatch.acknowledged(Acknowledgement(batch.batch_id, stored=False, collector_time_ms=7), 0)
    assert outbox.unacknowledged() == [range(1, 2)]
    assert not dispatch.backlog_to_prepare(1.0)
    assert dispatch.backlog_to_prepare(REFILL_INTERVAL_S + 1) == range(1, 2)


def test_live_records_that_cannot_go_become_backlog(outbox: Outbox) -> None:
    dispatch = dispatch_of(outbox)
    for value in range(1, LIVE_RECORDS + 11):
        append(outbox, value)
        dispatch.notify(value, 0)
    assert dispatch.statistics(0).backlog_records == 10
    dispatch.connection_ended()
    assert dispatch.statistics(0).backlog_records == LIVE_RECORDS + 9
    assert values_of(sent(dispatch)) == [LIVE_RECORDS + 10]


def test_one_notice_for_several_records(outbox: Outbox) -> None:
    dispatch = dispatch_of(outbox)
    append(outbox, 1, 2)
    dispatch.notify(2, 0)
    first = sent(dispatch)
    dispatch.acknowledged(stored(first), 0)
    assert [values_of(first), values_of(sent(dispatch))] == [[1], [2]]


def test_a_lost_connection_sends_again_what_was_in_flight(outbox: Outbox) -> None:
    dispatch = dispatch_of(outbox)
    append(outbox, 1)
    dispatch.notify(1, 0)
    first = sent(dispatch)
    dispatch.connection_ended()
    assert sent(dispatch) is first


def test_a_batch_that_may_break_the_connection_is_made_smaller(outbox: Outbox) -> None:
    append(outbox, *range(1, 41))
    dispatch = dispatch_of(outbox)
    prepare(dispatch, outbox)
    for _ in range(DISCONNECTIONS):
        assert len(values_of(sent(dispatch))) == 40
        dispatch.connection_ended()
    prepare(dispatch, outbox)
    assert values_of(sent(dispatch)) == list(range(1, 21))


def test_a_single_record_that_breaks_the_connection_lets_live_ones_pass(outbox: Outbox) -> None:
    append(outbox, 1)
    dispatch = dispatch_of(outbox)
    prepare(dispatch, outbox)
    for _ in range(DISCONNECTIONS):
        assert values_of(sent(dispatch)) == [1]
        dispatch.connection_ended()
    append(outbox, 2)
    dispatch.notify(2, 0)
    assert values_of(sent(dispatch)) == [2]


def test_rows_that_are_not_in_the_outbox_are_sent_while_there_is_room(
    outbox: Outbox, caplog: pytest.LogCaptureFixture
) -> None:
    dispatch = dispatch_of(outbox)
    for value in range(1, 62):
        dispatch.add_unstored(Rows(range(0), encode_rows(rows(value), "ntp"), 1, 1, 1000 * value), 0)
    assert "1 rows that the outbox could not take are lost" in caplog.text
    assert not dispatch.is_idle()
    batch = sent(dispatch)
    assert values_of(batch) == [2]
    dispatch.acknowledged(stored(batch), 0)
    assert dispatch.statistics(0).rows_acknowledged == 1


def test_silence_is_counted_while_something_waits(outbox: Outbox) -> None:
    dispatch = dispatch_of(outbox)
    assert dispatch.silent_for_s(50) == 0
    append(outbox, 1)
    dispatch.notify(1, 100)
    batch = sent(dispatch, 100)
    assert dispatch.silent_for_s(150) == 50
    dispatch.acknowledged(stored(batch), 160)
    assert dispatch.silent_for_s(170) == 0

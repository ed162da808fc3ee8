"""Which batch goes out next, and what becomes of it. Knows nothing of MQTT; its clock is a number that it is given."""

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from edge_agent.backlog import MAX_RECORDS, Rows, rows_of_record
from edge_agent.delays import DelayHistogram
from edge_agent.outbox import Outbox
from edge_agent.outbox.ranges import NumberRanges
from edge_agent.rejected import RejectedBatches
from edge_agent.window import Window
from wire_format.batch import Acknowledgement, Batch, BatchId
from wire_format.codec import decode_batch, frame_batch

logger = logging.getLogger(__name__)

LIVE_RECORDS = 20
"""Newest records that are sent one by one; older ones are merged as backlog."""
PREPARED_BATCHES = 2
UNSTORED_BATCHES = 60
REFILL_INTERVAL_S = 10.0
DISCONNECTIONS = 3
"""A batch that was in flight this often when the connection ended may be the reason for it."""


@dataclass(frozen=True, slots=True)
class PublisherStatistics:
    """What has become of what was published since the start.

    `silent_for_s` is the time since the last acknowledgement while something waits for one, 0 when nothing waits.
    Delays are from a live batch's oldest sample to its acknowledgement, weighted by rows; None before the first.
    """

    connected: bool
    batches_acknowledged: int
    rows_acknowledged: int
    values_acknowledged: int
    refused_rows: int
    rejected_batches: int
    timeouts: int
    in_flight: int
    backlog_records: int
    last_acknowledgement_ms: int | None
    silent_for_s: float
    delay_median_ms: float | None
    delay_p99_ms: float | None


@dataclass(slots=True, eq=False)
class OutgoingBatch:
    """A batch that has, or will have, been published; its bytes never change."""

    batch_id: BatchId
    rows: Rows
    payload: bytes
    is_live: bool
    disconnections: int = 0


class Dispatch:
    """Live records first, then what got no answer, then backlog, as far as the window allows.

    Args:
        outbox: holds the records; what is unacknowledged in it is the backlog.
        run_id: of the batch ids.
        window: of batches in flight.
        wall_ms: the wall clock that gives samples their times.
    """

    def __init__(self, outbox: Outbox, run_id: str, window: Window, wall_ms: Callable[[], int]) -> None:
        self.window = window
        self.connected = False
        self._outbox = outbox
        self._rejected = RejectedBatches(outbox.directory / "rejected")
        self._run_id = run_id
        self._wall_ms = wall_ms
        self._sequence = 0
        self._seen = outbox.next_number - 1
        self._live: deque[int] = deque()
        self._unstored: deque[OutgoingBatch] = deque()
        self._backlog = NumberRanges(outbox.unacknowledged())
        self._backlog_records = MAX_RECORDS
        self._preparing: range = range(0)
        self._prepared: deque[OutgoingBatch] = deque()
        self._resend: list[OutgoingBatch] = []
        self._known: dict[BatchId, OutgoingBatch] = {}
        self._delays = DelayHistogram()
        self._batches = self._rows = self._values = self._refused = self._rejections = self._timeouts = 0
        self._last_acknowledgement_ms: int | None = None
        self._waiting_since_s: float | None = None
        self._refilled_s = 0.0

    def notify(self, number: int, now_s: float) -> None:
        """Records up to this number are in the outbox."""
        for new in range(self._seen + 1, number + 1):
            self._live.append(new)
        self._seen = max(self._seen, number)
        while len(self._live) > LIVE_RECORDS:
            self._to_backlog(self._live.popleft())
        self._note_waiting(now_s)

    def add_unstored(self, rows: Rows, now_s: float) -> None:
        """Rows that the outbox could not take: sent while the process lives, the oldest given up beyond a bound."""
        self._unstored.append(self._batch(rows, is_live=True))
        if len(self._unstored) > UNSTORED_BATCHES:
            lost = self._unstored.popleft()
            logger.error("%d rows that the outbox could not take are lost: no acknowledgement", lost.rows.row_count)
        self._note_waiting(now_s)

    def next(self) -> OutgoingBatch | None:
        """The batch to send now, None when there is none or the window is full."""
        if not self.window.has_room:
            return None
        if self._resend and self.window.is_probing and self._resend[0].disconnections < DISCONNECTIONS:
            return self._resend.pop(0)
        while self._live:
            records = self._outbox.read(range(self._live[0], self._live[0] + 1))
            number = self._live.popleft()
            if records and records[0].count == 1:
                return self._batch(rows_of_record(records[0]), is_live=True)
            if records:
                self._to_backlog(number)  # a part of a larger record by now
        if self._unstored:
            return self._unstored.popleft()
        if self._resend:
            return self._resend.pop(0)
        return self._prepared.popleft() if self._prepared else None

    def sent(self, batch: OutgoingBatch, now_s: float) -> None:
        """The batch has been handed to the connection."""
        self._known[batch.batch_id] = batch
        self.window.sent(batch.batch_id, now_s)

    def acknowledged(self, answer: Acknowledgement, now_s: float) -> None:
        """The collector has answered; answers to batches that are not known are of an earlier run, or late."""
        batch = self._known.pop(answer.batch_id, None)
        if batch is None:
            return
        if batch in self._resend:
            self._resend.remove(batch)
        self.window.acknowledged(answer.batch_id)
        now_ms = self._wall_ms()
        self._last_acknowledgement_ms = now_ms
        if answer.stored:
            self._stored(batch, answer, now_ms)
        else:
            self._set_aside(batch, answer)
        self._waiting_since_s = now_s if self._has_work() else None

    def expire(self, now_s: float) -> int:
        """Batches whose time is up are to be sent again; returns how many there were."""
        late = self.window.expired(now_s)
        self._timeouts += len(late)
        self._send_again(late)
        return len(late)

    def connection_ended(self) -> None:
        """Answers to what is in flight cannot arrive any more."""
        self.connected = False
        lost = self.window.collapse()
        for batch_id in lost:
            self._known[batch_id].disconnections += 1
        self._send_again(lost)
        for batch in [batch for batch in self._resend if self._is_suspect(batch)]:
            # The broker may refuse its size: the same records go in smaller batches, under other ids.
            self._resend.remove(batch)
            del self._known[batch.batch_id]
            self._backlog.add(batch.rows.numbers)
            self._backlog_records = max(1, len(batch.rows.numbers) // 2)
        while len(self._live) > 1:
            self._to_backlog(self._live.popleft())

    def backlog_to_prepare(self, now_s: float) -> range:
        """Numbers to make a batch of now; empty when there is nothing to do. `prepared` has to follow."""
        if len(self._prepared) >= PREPARED_BATCHES or self._preparing:
            return range(0)
        if not self._backlog and not self._known and not self._live and now_s - self._refilled_s > REFILL_INTERVAL_S:
            # What could not be read, or not be kept aside, is tried again.
            self._refilled_s = now_s
            self._backlog = NumberRanges(self._outbox.unacknowledged())
            for batch in self._prepared:
                self._backlog.remove(batch.rows.numbers)
        self._preparing = self._backlog.first(self._backlog_records)
        self._backlog.remove(self._preparing)
        if self._preparing:
            self._note_waiting(now_s)
        return self._preparing

    def prepared(self, rows: Rows | None) -> None:
        """The batch that was made of `backlog_to_prepare`, None when its records are not there any more."""
        numbers, self._preparing = self._preparing, range(0)
        if rows is not None:
            self._prepared.append(self._batch(rows, is_live=False))
            self._backlog.add(range(rows.numbers.stop, numbers.stop))
            # A record that answers for more numbers than were asked for has been prepared as a whole.
            self._backlog.remove(rows.numbers)

    def not_prepared(self) -> None:
        """No batch was made of `backlog_to_prepare`: its records are still to be sent."""
        self._backlog.add(self._preparing)
        self._preparing = range(0)

    def silent_for_s(self, now_s: float) -> float:
        """Time since the last acknowledgement while something waits for one."""
        return 0.0 if self._waiting_since_s is None else now_s - self._waiting_since_s

    def statistics(self, now_s: float) -> PublisherStatistics:
        """The counts as they are now."""
        return PublisherStatistics(
            self.connected,
            self._batches,
            self._rows,
            self._values,
            self._refused,
            self._rejections,
            self._timeouts,
            self.window.in_flight,
            sum(map(len, self._backlog)),
            self._last_acknowledgement_ms,
            self.silent_for_s(now_s),
            self._delays.quantile(0.5),
            self._delays.quantile(0.99),
        )

    def is_idle(self) -> bool:
        """Whether nothing is left that an acknowledgement is wanted for."""
        return not self._outbox.unacknowledged() and not self._unstored and not self._known

    def _batch(self, rows: Rows, *, is_live: bool) -> OutgoingBatch:
        self._sequence += 1
        batch_id = BatchId(self._run_id, self._sequence)
        return OutgoingBatch(batch_id, rows, frame_batch(batch_id, rows.payload), is_live)

    def _stored(self, batch: OutgoingBatch, answer: Acknowledgement, now_ms: int) -> None:
        self._outbox.acknowledge(batch.rows.numbers)
        self._batches += 1
        self._rows += batch.rows.row_count - len(answer.refused)
        self._values += batch.rows.value_count
        if answer.refused:
            self._refused += len(answer.refused)
            self._values -= _count_refused(decode_batch(batch.payload), answer)
            first = answer.refused[0]
            logger.warning(
                "%d rows are in the collector's quarantine, the first of %s at %d ms: %s",
                *(len(answer.refused), first.device, first.time_ms, first.reason),
            )
        if batch.is_live:
            self._delays.add(now_ms - batch.rows.oldest_ms, batch.rows.row_count)
        else:
            self._backlog_records = min(2 * self._backlog_records, MAX_RECORDS)

    def _set_aside(self, batch: OutgoingBatch, answer: Acknowledgement) -> None:
        self._rejections += 1
        try:
            path = self._rejected.keep(answer, batch.payload)
        except OSError as problem:
            logger.error(  # noqa: TRY400  # the reason is in the line
                "the collector rejects records %s (%s), and they cannot be kept aside: %s; they are sent again later",
                *(_named(batch.rows.numbers), answer.reason, problem.strerror),
            )
            return
        logger.error(
            "the collector rejects records %s: %s; kept in %s", _named(batch.rows.numbers), answer.reason, path
        )
        self._outbox.acknowledge(batch.rows.numbers)

    def _send_again(self, batch_ids: list[BatchId]) -> None:
        self._resend += [self._known[batch_id] for batch_id in batch_ids]
        self._resend.sort(key=lambda batch: (batch.disconnections, batch.rows.numbers.start))

    def _is_suspect(self, batch: OutgoingBatch) -> bool:
        return batch.disconnections >= DISCONNECTIONS and len(batch.rows.numbers) > 1

    def _to_backlog(self, number: int) -> None:
        self._backlog.add(range(number, number + 1))

    def _note_waiting(self, now_s: float) -> None:
        if self._waiting_since_s is None:
            self._waiting_since_s = now_s

    def _has_work(self) -> bool:
        return bool(self._known or self._live or self._unstored or self._backlog or self._prepared or self._preparing)


def _count_refused(batch: Batch, answer: Acknowledgement) -> int:
    refused = {(row.device, row.time_ms) for row in answer.refused}
    return sum(
        sum(column.integers[index] is not None for column in rows.columns)
        for rows in batch.devices
        for index, time_ms in enumerate(rows.times_ms)
        if (rows.device, time_ms) in refused
    )


def _named(numbers: range) -> str:
    return f"{numbers[0]} to {numbers[-1]}" if numbers else "that were never in the outbox"

"""What becomes of a message: checked, marked, stored, answered; whatever it is, it blocks no other."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from collector.backoff import Backoff
from collector.counts import Counts
from collector.outage import Outage
from collector.quarantine import Quarantine
from collector.reconciliation import told_day
from collector.seldom import Seldom
from collector.series_limits import SeriesLimits
from store.edge_ledger import EdgeLedger, LastBatch
from store.entities import Entities
from store.protocol import ReadingStore, StoreConfigurationError, StoreUnavailableError
from store.schema import EARLIEST_MS, INTERVAL_MS, LATEST_MS
from wire_format.batch import Acknowledgement, Batch, BatchId, DeviceRows, RefusedRow
from wire_format.codec import batch_id_of, decode_batch, encode_batch
from wire_format.errors import WireFormatError
from wire_format.events import Event, EventKind
from wire_format.topics import AGENT_PREFIX, EdgeAddress, TopicError, edge_of

logger = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 10.0
LONGEST_STAY_S = 60.0
LONGEST_OUTAGE_MS = 31 * 86_400_000
"""A batch that the store has not taken for so long goes: its edge sends it again."""
PROOFS = 3
"""It goes to the quarantine when the store took something else so often between its tries."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message as it arrived; `response_topic` and `correlation_data` are None where it had none."""

    topic: str
    payload: bytes
    response_topic: str | None = None
    correlation_data: bytes | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """An acknowledgement and the topic that it belongs on."""

    topic: str
    acknowledgement: Acknowledgement


class RejectedError(Exception):
    """The message is no batch of the edge that it names; the text is the reason that the edge gets."""


class Ingest:
    """Takes messages into the store.

    Args:
        readings: where rows go.
        entities: where intervals are marked for evaluation, after the rows are stored and before the answer: what a
            kill leaves unmarked comes again.
        quarantine: where goes what cannot be stored.
        ledger: gets what edges tell of their days.
        limits: which series an edge may have.
        counts: gets what happened.
        clock_ms: the collector's clock, in ms since 1970 UTC.
    """

    def __init__(
        self,
        readings: ReadingStore,
        entities: Entities,
        quarantine: Quarantine,
        ledger: EdgeLedger,
        limits: SeriesLimits,
        counts: Counts,
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._readings = readings
        self._entities = entities
        self._quarantine = quarantine
        self._ledger = ledger
        self._limits = limits
        self._counts = counts
        self._clock_ms = clock_ms
        self._under_way: set[tuple[EdgeAddress, BatchId]] = set()
        self._outage = Outage("store")
        self._seldom = Seldom()

    async def take(self, message: Incoming) -> Answer | None:
        """Store a message or set it aside, and return what to answer once that is durable.

        While the store is unavailable it tries again and again. None is returned when there is nobody to answer, for
        a batch of which a copy is under way already (that one will be answered), and when the store has taken nothing
        for LONGEST_STAY_S (the edge sends the batch again, and others come to their turn).
        """
        try:
            edge = edge_of(message.topic)
        except TopicError as problem:
            if self._seldom.due("topic"):
                logger.error("message set aside: %s", problem)  # noqa: TRY400  # a sender's mistake needs no traceback
            self._counts.rejected_messages += 1
            await self._keep_payload(message, None, str(problem))
            return None
        try:
            batch = _read(message, edge)
        except RejectedError as problem:
            return await self._reject(message, edge, str(problem))
        key = (edge, batch.batch_id)
        if key in self._under_way:
            return None
        self._under_way.add(key)
        try:
            return await self._store(message, edge, batch)
        except Exception as problem:
            # The edge of this message's task: what no code expected must not come back for ever.
            logger.exception("batch %s of %s set aside", batch.batch_id, edge)
            return await self._reject(message, edge, f"the collector failed: {type(problem).__name__}: {problem}")
        finally:
            self._under_way.discard(key)

    async def write(self, edge: EdgeAddress, topic: str, batch: Batch) -> tuple[RefusedRow, ...]:
        """Store a batch and mark its rows' intervals; what is refused is in the quarantine when it returns.

        Raises StoreUnavailableError or StoreConfigurationError when not all of that is done.
        """
        marks = {
            (rows.device, time_ms - time_ms % INTERVAL_MS)
            for rows in batch.devices
            for time_ms in rows.times_ms
            if EARLIEST_MS <= time_ms < LATEST_MS
        }
        admitted = await self._limits.admit(edge, batch.devices)
        unstored = await self._readings.write(edge.site, admitted.accepted)
        refused_events = await self._write_events(edge, topic, batch)
        # After the rows: evaluation would clear a mark that came before them without having seen them. Before
        # the answer: what a kill leaves unmarked was not acknowledged, so it comes again.
        await self._entities.mark_dirty(edge.site, marks | await self._marks_of_outages(edge.site, batch))
        await self._quarantine.keep_rows(topic, batch.batch_id, admitted.beyond, admitted.refused)
        await self._quarantine.keep_rows(topic, batch.batch_id, admitted.accepted, unstored)
        refused = (*admitted.refused, *unstored, *refused_events)
        if refused:
            self._counts.refused_rows += len(refused)
            if self._seldom.due(edge):
                logger.error(
                    "%d rows of %s set aside (leanmeter collector quarantine list), the first: %s %s",
                    *(len(refused), edge, refused[0].device, refused[0].reason),
                )
        self._note_stored(edge, batch)
        return refused

    async def _marks_of_outages(self, site: str, batch: Batch) -> set[tuple[str, int]]:
        """Intervals without mains are evaluated again when that is told; an edge's are those of its whole site."""
        marks: set[tuple[str, int]] = set()
        for event in batch.events:
            until_ms = event.numbers.get("until_ms")
            if event.kind != EventKind.OUTAGE or until_ms is None or not EARLIEST_MS <= event.time_ms < LATEST_MS:
                continue
            until_ms = min(int(until_ms), event.time_ms + LONGEST_OUTAGE_MS)
            devices = [event.device]
            if event.device.startswith(AGENT_PREFIX):
                devices = [entry.device for entry in await self._entities.devices(site)]
            starts = range(event.time_ms - event.time_ms % INTERVAL_MS, until_ms, INTERVAL_MS)
            marks |= {(device, start) for device in devices for start in starts}
        return marks

    async def _write_events(self, edge: EdgeAddress, topic: str, batch: Batch) -> tuple[RefusedRow, ...]:
        thinned = [_thinned(rows) for rows in batch.devices if rows.thinned and len(rows.times_ms) > 1]
        if thinned:
            await self._readings.write_events(edge.site, thinned)
        if not batch.events:
            return ()
        admitted = await self._limits.admit_events(edge, batch.events)
        counted = [event for event in admitted.accepted if event.kind == EventKind.DAY_COUNTED]
        if counted:
            await self._ledger.note_told([told_day(edge, event) for event in counted])
        others = [event for event in admitted.accepted if event.kind != EventKind.DAY_COUNTED]
        refused = (*admitted.refused, *await self._readings.write_events(edge.site, others))
        if refused:
            named = {(row.device, row.time_ms) for row in refused}
            beyond = tuple([event for event in batch.events if (event.device, event.time_ms) in named])
            payload = encode_batch(Batch(batch.batch_id, (), batch.clock_source, beyond))
            await self._quarantine.keep_payload(topic, batch.batch_id, payload, f"event: {refused[0].reason}")
        return refused

    async def _store(self, message: Incoming, edge: EdgeAddress, batch: Batch) -> Answer | None:
        backoff = Backoff(FIRST_PAUSE_S, LONGEST_PAUSE_S)
        began_s = time.monotonic()
        stored_before, proofs = self._counts.writes, 0
        while True:
            try:
                refused = await self.write(edge, message.topic, batch)
            except (StoreUnavailableError, StoreConfigurationError) as problem:
                self._counts.store_available = False
                self._outage.failed(problem)
                proofs += self._counts.writes > stored_before
                stored_before = self._counts.writes
                if time.monotonic() - began_s > LONGEST_STAY_S:
                    if proofs < PROOFS:
                        self._counts.left += 1
                        return None
                    return await self._reject(message, edge, f"the store takes others, but not this: {problem}")
                await asyncio.sleep(backoff.pause_s())
            else:
                self._counts.store_available = True
                self._outage.succeeded()
                return self._answer(edge, batch.batch_id, stored=True, refused=refused)

    def _note_stored(self, edge: EdgeAddress, batch: Batch) -> None:
        self._counts.writes += 1
        self._counts.stored_batches += 1
        self._counts.stored_values += batch.value_count()
        newest_ms = max((rows.times_ms[-1] for rows in batch.devices), default=0)
        self._counts.last[edge] = LastBatch(self._clock_ms(), newest_ms, batch.clock_source)

    async def _reject(self, message: Incoming, edge: EdgeAddress, reason: str) -> Answer | None:
        batch_id = _claimed_id(message)
        self._counts.rejected_messages += 1
        if self._seldom.due(edge):
            logger.error("message of %s set aside (leanmeter collector quarantine list): %s", edge, reason)
        await self._keep_payload(message, batch_id, reason)
        if batch_id is None:
            return None
        return self._answer(edge, batch_id, stored=False, reason=reason)

    def _answer(
        self,
        edge: EdgeAddress,
        batch_id: BatchId,
        *,
        stored: bool,
        refused: tuple[RefusedRow, ...] = (),
        reason: str = "",
    ) -> Answer:
        return Answer(edge.topic("ack"), Acknowledgement(batch_id, stored, self._clock_ms(), refused, reason))

    async def _keep_payload(self, message: Incoming, batch_id: BatchId | None, reason: str) -> None:
        backoff = Backoff(FIRST_PAUSE_S, LONGEST_PAUSE_S)
        while True:
            try:
                return await self._quarantine.keep_payload(message.topic, batch_id, message.payload, reason)
            except (StoreUnavailableError, StoreConfigurationError) as problem:
                self._outage.failed(problem)
                await asyncio.sleep(backoff.pause_s())


def _thinned(rows: DeviceRows) -> Event:
    """What evaluation and people see of rows that a full outbox has thinned."""
    text = "the outbox was full: of these readings one each 15 minutes is left, totals are exact"
    return Event(
        rows.device, EventKind.ROWS_THINNED, rows.times_ms[0], "", text, {"until_ms": float(rows.times_ms[-1])}
    )


def _read(message: Incoming, edge: EdgeAddress) -> Batch:
    if message.topic != edge.topic("batch"):
        raise RejectedError(f"topic {message.topic} is not for batches")
    if message.response_topic is not None and message.response_topic != edge.topic("ack"):
        raise RejectedError(f"response topic {message.response_topic[:200]!r} is not {edge.topic('ack')}")
    try:
        batch = decode_batch(message.payload)
    except WireFormatError as problem:
        raise RejectedError(str(problem)) from problem
    if message.correlation_data is not None and message.correlation_data != batch.batch_id.to_bytes():
        raise RejectedError("correlation data is not the id of the batch")
    return batch


def _claimed_id(message: Incoming) -> BatchId | None:
    """The id that the sender waits for: that of the correlation data, else what the payload says."""
    try:
        if message.correlation_data is not None:
            return BatchId.from_bytes(message.correlation_data)
        return batch_id_of(message.payload)
    except ValueError:
        return None

"""Publishes what the outbox holds until the collector has acknowledged all of it, over MQTT 5."""

import asyncio
import contextlib
import json
import logging
import math
import random
import socket
import time
from collections.abc import Callable, Sequence

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge_agent.backlog import Rows, rows_of_backlog
from edge_agent.dispatch import Dispatch, OutgoingBatch, PublisherStatistics
from edge_agent.outbox import Outbox
from edge_agent.outbox.grouping import halves
from edge_agent.window import Window
from site_config.schema import MqttSettings
from wire_format.batch import Acknowledgement, DeviceRows
from wire_format.codec import decode_acknowledgement, encode_rows
from wire_format.errors import BatchTooLargeError, WireFormatError
from wire_format.events import Event
from wire_format.topics import EdgeAddress

logger = logging.getLogger(__name__)

KEEPALIVE_S = 20
CONNECT_TIMEOUT_S = 5.0
"""A broker that hangs up before it has greeted is noticed by this alone."""
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
BACKLOG_CHECK_INTERVAL_S = 1.0
GOODBYE_TIMEOUT_S = 2.0
NAMESAKE_PAUSE_S = (1.0, 4.0)
"""Another agent with this one's id gets as long to send what it has: the broker lets them in by turns only."""
NAMESAKE_INTERVAL_S = 60.0
"""How often that is said."""
SILENCE_S = 30.0
"""No acknowledgement for so long is worth a warning."""


class Publisher:
    """Sends records live and backlog beside them, and releases them when, and only when, they are acknowledged.

    All methods but `run` return at once; all are for the event loop's thread.

    Args:
        outbox: the records.
        address: of this edge.
        mqtt: the broker; raises SiteFileError when its password cannot be read.
        run_id: 8 random bytes in hex, new at each start.
        acknowledgement_timeout_s: when to send again.
        window_maximum: how many batches may be in flight; mosquitto takes 20.
        backlog_rows_s: how many seconds of backlog make one batch.
        wall_ms: the clock that gives samples their times.
        wants_time: whether the collector is to be asked what time it is, by a batch with nothing in it.
        on_time: told the collector's time in ms with each of its answers.
    """

    def __init__(
        self,
        outbox: Outbox,
        address: EdgeAddress,
        mqtt: MqttSettings,
        *,
        run_id: str,
        acknowledgement_timeout_s: float = 10.0,
        window_maximum: int = 20,
        backlog_rows_s: float = 60.0,
        wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        wants_time: Callable[[], bool] = lambda: False,
        on_time: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._outbox = outbox
        self._address = address
        self._mqtt = mqtt
        self._password = mqtt.password()
        self._tls = mqtt.tls_context()
        self._expiry_s = math.ceil(acknowledgement_timeout_s)
        self._window_maximum = window_maximum
        self._backlog_ms = round(backlog_rows_s * 1000)
        self._run_id = run_id
        self._dispatch = Dispatch(outbox, run_id, Window(window_maximum, acknowledgement_timeout_s), wall_ms)
        self._wants_time = wants_time
        self._on_time = on_time
        self._wake = asyncio.Event()
        self._prepare = asyncio.Event()
        self._progress = asyncio.Event()
        self._publishing: set[asyncio.Task[None]] = set()
        self._is_silent = False
        self._is_unreachable = False
        self._has_been_online = False
        self._saw_namesake_s = self._said_namesake_s = -NAMESAKE_INTERVAL_S

    def notify(self, record_number: int) -> None:
        """Records up to this number are new in the outbox: they go out at once."""
        self._dispatch.notify(record_number, time.monotonic())
        self._wake.set()

    def publish_unstored(self, devices: Sequence[DeviceRows], clock_source: str, events: Sequence[Event] = ()) -> None:
        """What the outbox could not take goes out live, and is sent again only while the process lives.

        Raises WireFormatError when they cannot be told in the format.
        """
        try:
            payload = encode_rows(devices, clock_source, events)
        except BatchTooLargeError:
            for part, part_events in halves(devices, events):
                self.publish_unstored(part, clock_source, part_events)
            return
        row_count = sum(len(rows.times_ms) for rows in devices)
        value_count = sum(rows.value_count() for rows in devices)
        oldest_ms = min([rows.times_ms[0] for rows in devices] or [event.time_ms for event in events] or [0])
        self._dispatch.add_unstored(Rows(range(0), payload, row_count, value_count, oldest_ms), time.monotonic())
        self._wake.set()

    def statistics(self) -> PublisherStatistics:
        """The counts as they are now."""
        return self._dispatch.statistics(time.monotonic())

    async def drain(self, timeout_s: float) -> bool:
        """Wait until all is acknowledged while `run` runs; false when it is not within the time."""
        try:
            async with asyncio.timeout(timeout_s):
                while not self._dispatch.is_idle():
                    self._progress.clear()
                    await self._progress.wait()
        except TimeoutError:
            return False
        return True

    async def run(self) -> None:
        """Publish until cancelled; connects again for ever."""
        failures = 0
        while True:
            acknowledged_before = self.statistics().batches_acknowledged
            problem = await self._connect_once()
            if time.monotonic() - self._saw_namesake_s < NAMESAKE_INTERVAL_S:
                await asyncio.sleep(random.uniform(*NAMESAKE_PAUSE_S))  # noqa: S311  # spreads tries
                continue
            self._say_unreachable(problem)
            if self.statistics().batches_acknowledged > acknowledged_before:
                failures = 0
            pause_s = min(FIRST_PAUSE_S * 2.0 ** min(failures, 30), LONGEST_PAUSE_S)
            failures += 1
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311  # spreads tries, protects nothing

    async def _connect_once(self) -> Exception:
        """Publish until the connection ends, and return why it did."""
        problem: Exception
        try:
            async with self._client() as client:
                # In a task of its own: a task group that fails leaves its task marked as cancelled in Python 3.11.
                await asyncio.create_task(self._session(client), name="session")
            raise AssertionError("a session ends with an error only")
        except aiomqtt.MqttError as error:
            problem = error
        except ExceptionGroup as errors:
            ours, others = errors.split(aiomqtt.MqttError)
            if ours is None or others is not None:
                raise
            problem = ours.exceptions[0]
        finally:
            self._dispatch.connection_ended()
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise asyncio.CancelledError  # the broker did not answer the goodbye
        return problem

    def _client(self) -> aiomqtt.Client:
        status = self._address.topic("status")
        client = aiomqtt.Client(
            self._mqtt.host,
            self._mqtt.port,
            identifier=f"leanmeter-{self._address.site}-{self._address.edge}",
            username=self._mqtt.username,
            password=self._password,
            protocol=aiomqtt.ProtocolVersion.V5,
            clean_start=True,
            keepalive=KEEPALIVE_S,
            timeout=CONNECT_TIMEOUT_S,
            will=aiomqtt.Will(status, self._status(online=False), qos=1, retain=True),
            tls_context=self._tls,
            max_queued_incoming_messages=10 * self._window_maximum,
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        )
        client.pending_calls_threshold = 2 * self._window_maximum
        return client

    async def _session(self, client: aiomqtt.Client) -> None:
        status = self._address.topic("status")
        for topic in (self._address.topic("ack"), status):
            for code in await client.subscribe(topic, qos=1):
                if getattr(code, "is_failure", False):
                    raise aiomqtt.MqttError(f"subscription to {topic} was refused: {code}")
        await client.publish(status, self._status(online=True), qos=1, retain=True)
        self._dispatch.connected = True
        if self._is_unreachable:
            logger.warning("broker %s:%d answers again", self._mqtt.host, self._mqtt.port)
        self._is_unreachable = False
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._receive(client), name="acknowledgements")
                tasks.create_task(self._prepare_backlog(), name="backlog")
                tasks.create_task(self._send(client, tasks), name="batches")
        except asyncio.CancelledError:
            goodbye = self._status(online=False)
            await client.publish(status, goodbye, qos=1, retain=True, timeout=GOODBYE_TIMEOUT_S)
            raise
        finally:
            self._publishing.clear()

    async def _send(self, client: aiomqtt.Client, tasks: asyncio.TaskGroup) -> None:
        while True:
            self._wake.clear()
            now_s = time.monotonic()
            if self._dispatch.expire(now_s):
                logger.debug("no acknowledgement in time; sent again")
            self._warn_when_silent(now_s)
            while len(self._publishing) < 2 * self._window_maximum and (batch := self._dispatch.next()):
                self._dispatch.sent(batch, now_s)
                task = tasks.create_task(self._publish(client, batch), name=f"batch {batch.batch_id.sequence}")
                self._publishing.add(task)
                task.add_done_callback(self._published)
                self._prepare.set()
            deadline_s = self._dispatch.window.next_deadline_s
            wait_s = SILENCE_S if deadline_s is None else deadline_s - now_s
            await _wait(self._wake, max(0.0, min(wait_s, SILENCE_S)))

    async def _publish(self, client: aiomqtt.Client, batch: OutgoingBatch) -> None:
        """Raises MqttError, which ends the connection, when the broker does not take it."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.ResponseTopic = self._address.topic("ack")
        properties.CorrelationData = batch.batch_id.to_bytes()
        properties.MessageExpiryInterval = self._expiry_s
        await client.publish(
            self._address.topic("batch"), batch.payload, qos=1, properties=properties, timeout=self._expiry_s
        )

    def _published(self, task: asyncio.Task[None]) -> None:
        self._publishing.discard(task)
        self._wake.set()

    async def _receive(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            if message.topic.value == self._address.topic("status"):
                self._look_for_namesake(message)
                continue
            try:
                answer = _answer_in(message)
            except WireFormatError as problem:
                logger.warning("acknowledgement on %s not understood: %s", message.topic, problem)
                continue
            self._on_time(answer.collector_time_ms)
            self._dispatch.acknowledged(answer, time.monotonic())
            if self._is_silent:
                logger.warning("acknowledgements come again")
                self._is_silent = False
            self._wake.set()
            self._progress.set()

    async def _prepare_backlog(self) -> None:
        while True:
            if self._wants_time() and self._dispatch.is_idle():
                self.publish_unstored((), "none")
            self._prepare.clear()
            numbers = self._dispatch.backlog_to_prepare(time.monotonic())
            if not numbers:
                await _wait(self._prepare, BACKLOG_CHECK_INTERVAL_S)
                continue
            try:
                rows = await asyncio.to_thread(rows_of_backlog, self._outbox, numbers, self._backlog_ms)
            except asyncio.CancelledError:
                self._dispatch.not_prepared()
                raise
            self._dispatch.prepared(rows)
            self._wake.set()

    def _warn_when_silent(self, now_s: float) -> None:
        silent_for_s = self._dispatch.silent_for_s(now_s)
        if silent_for_s >= SILENCE_S and not self._is_silent:
            self._is_silent = True
            logger.warning("no acknowledgement for %d s; everything stays in the outbox", silent_for_s)

    def _status(self, *, online: bool) -> str:
        return json.dumps({"online": online, "run": self._run_id})

    def _look_for_namesake(self, message: aiomqtt.Message) -> None:
        """The status that stands is this run's own, once it has said one: else somebody else has written there."""
        try:
            run_id = json.loads(message.payload)["run"]
        except (ValueError, KeyError, TypeError):
            return
        if run_id == self._run_id:
            self._has_been_online = True
        elif self._has_been_online or not message.retain:
            self._saw_namesake_s = time.monotonic()
            self._say_namesake()

    def _say_namesake(self) -> None:
        if self._saw_namesake_s - self._said_namesake_s >= NAMESAKE_INTERVAL_S:
            self._said_namesake_s = self._saw_namesake_s
            logger.error(
                "another agent uses the id of this one (site %s, edge %s): nothing is lost, but they take turns; "
                "give each edge an id of its own",
                *(self._address.site, self._address.edge),
            )

    def _say_unreachable(self, problem: Exception) -> None:
        if not self._is_unreachable:
            logger.warning(
                "broker %s:%d: %s; trying again, everything stays in the outbox",
                *(self._mqtt.host, self._mqtt.port, problem),
            )
        self._is_unreachable = True


def _answer_in(message: aiomqtt.Message) -> Acknowledgement:
    answer = decode_acknowledgement(message.payload)
    if getattr(message.properties, "CorrelationData", None) != answer.batch_id.to_bytes():
        raise WireFormatError("its Correlation Data is not the batch id that it carries")
    return answer


async def _wait(event: asyncio.Event, timeout_s: float) -> None:
    """Until it is set, or the time is up."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            await event.wait()

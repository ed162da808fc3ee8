"""The MQTT side: batches in, acknowledgements out, connected again for ever.

The broker gets its own acknowledgement (PUBACK) of a batch only when the batch has been dealt with, and may have no
more than WINDOW of them under way (Receive Maximum). So the broker waits, instead of memory filling up here. Some
brokers send more once the first are acknowledged (mosquitto 2.0.11 does), hence bounds of our own beside it.
"""

import asyncio
import logging
import socket
from collections import Counter, deque
from dataclasses import dataclass
from functools import partial

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from collector.acknowledgement import answer_properties
from collector.backoff import Backoff
from collector.counts import Counts
from collector.edge_rates import EdgeRates
from collector.fair_queue import FairQueue
from collector.ingest import Incoming, Ingest
from collector.outage import Outage
from collector.seldom import Seldom
from site_config.schema import MqttSettings
from store.server_file import LimitsSection
from wire_format.codec import encode_acknowledgement
from wire_format.topics import SHARED_BATCHES

logger = logging.getLogger(__name__)

WINDOW = 200
AT_ONCE = 32
"""Batches that are decoded and written at the same time; the others wait as they came, edge by edge in turn."""
AT_ONCE_OF_AN_EDGE = 8
MAXIMUM_WAITING = 2000
MAXIMUM_WAITING_OF_AN_EDGE = 500
MAXIMUM_WAITING_BYTES = 64 * 1024 * 1024
MAXIMUM_PACKET_BYTES = 1024 * 1024
KEEPALIVE_S = 30
CONNECT_TIMEOUT_S = 5.0
"""A broker that hangs up before it has greeted is noticed by this alone."""
ANSWER_TIMEOUT_S = 10.0
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0


@dataclass(slots=True)
class _UnderWay:
    mid: int
    done: bool = False


class Subscriber:
    """Gives what arrives to `ingest` and publishes its answers.

    Args:
        settings: the broker. Raises ConfigurationError when a file of it cannot be used.
        ingest: takes messages, many at a time.
        limits: what one edge may send.
        counts: gets what happened.
    """

    def __init__(self, settings: MqttSettings, ingest: Ingest, limits: LimitsSection, counts: Counts) -> None:
        self._settings = settings
        self._password = settings.password()
        self._tls = settings.tls_context()
        self._ingest = ingest
        self._limits = limits
        self._counts = counts

    async def run(self) -> None:
        """Run until cancelled."""
        backoff = Backoff(FIRST_PAUSE_S, LONGEST_PAUSE_S)
        outage = Outage(f"broker {self._settings.host}:{self._settings.port}")
        while True:
            try:
                async with self._client() as client:
                    await _subscribe(client)
                    outage.succeeded()
                    backoff.reset()
                    self._counts.connected = True
                    await _Session(client, self._ingest, self._limits, self._counts).run()
            except aiomqtt.MqttError as problem:
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    # The broker did not answer the goodbye.
                    raise asyncio.CancelledError from problem
                outage.failed(problem)
            finally:
                self._counts.connected = False
            await asyncio.sleep(backoff.pause_s())

    def _client(self) -> aiomqtt.Client:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.ReceiveMaximum = WINDOW
        properties.MaximumPacketSize = MAXIMUM_PACKET_BYTES
        client = aiomqtt.Client(
            self._settings.host,
            self._settings.port,
            username=self._settings.username,
            password=self._password,
            protocol=aiomqtt.ProtocolVersion.V5,
            clean_start=True,
            properties=properties,
            keepalive=KEEPALIVE_S,
            timeout=CONNECT_TIMEOUT_S,
            tls_context=self._tls,
            # Else each answer waits for the other side's delayed acknowledgement of TCP.
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        )
        client.pending_calls_threshold = MAXIMUM_WAITING
        # aiomqtt has no setting for it.
        client._client.manual_ack_set(True)  # noqa: FBT003, SLF001  # paho's own signature
        return client


class _Session:
    """One connection: messages wait by edge, and each is dealt with in a task of its own."""

    def __init__(self, client: aiomqtt.Client, ingest: Ingest, limits: LimitsSection, counts: Counts) -> None:
        self._client = client
        self._ingest = ingest
        self._counts = counts
        self._order: deque[_UnderWay] = deque()
        self._rates = EdgeRates(limits.batches_per_s, limits.bytes_per_s)
        self._waiting: FairQueue[tuple[aiomqtt.Message, _UnderWay]] = FairQueue(
            MAXIMUM_WAITING, MAXIMUM_WAITING_OF_AN_EDGE, MAXIMUM_WAITING_BYTES, AT_ONCE_OF_AN_EDGE
        )
        self._tasks: set[asyncio.Task[None]] = set()
        self._discarded: Counter[str] = Counter()
        self._seldom = Seldom()

    async def run(self) -> None:
        """Run until the connection ends; raises aiomqtt.MqttError then."""
        try:
            async for message in self._client.messages:
                under_way = _UnderWay(message.mid)
                self._order.append(under_way)
                edge = _sender(message.topic.value)
                self._counts.received += 1
                size = len(message.payload)
                if self._rates.take(edge, size):
                    for dropped, its_way in self._waiting.put(edge, (message, under_way), size):
                        self._discard(_sender(dropped.topic.value), its_way)
                    self._start()
                else:
                    self._discard(edge, under_way)
        finally:
            # The edges send again what is not answered; what is written twice is stored once.
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self._counts.waiting = 0

    def _start(self) -> None:
        while len(self._tasks) < AT_ONCE and (taken := self._waiting.take()) is not None:
            edge, (message, under_way) = taken
            task = asyncio.create_task(self._handle(message, under_way), name=f"message on {message.topic}")
            self._tasks.add(task)
            task.add_done_callback(partial(self._ended, edge))
        self._counts.waiting = len(self._waiting) + len(self._tasks)

    def _ended(self, edge: str, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._waiting.done(edge)
        if not task.cancelled():
            self._start()

    async def _handle(self, message: aiomqtt.Message, under_way: _UnderWay) -> None:
        try:
            answer = await self._ingest.take(_incoming(message))
            if answer is not None:
                await self._client.publish(
                    answer.topic,
                    encode_acknowledgement(answer.acknowledgement),
                    qos=1,
                    properties=answer_properties(answer.acknowledgement),
                    timeout=ANSWER_TIMEOUT_S,
                )
                self._counts.answered += 1
        except aiomqtt.MqttError as problem:
            logger.warning("answer on %s not sent, its batch will come again: %s", message.topic, problem)
        except Exception:
            # The edge of this message's task: the others go on.
            logger.exception("message on %s not dealt with, it will come again", message.topic)
        # Not when cancelled: then the broker may give the message to another collector.
        self._confirm(under_way)

    def _discard(self, edge: str, under_way: _UnderWay) -> None:
        """Make no room for a message: its edge gets no answer and sends it again."""
        self._discarded[edge] += 1
        self._counts.left += 1
        if self._seldom.due("left"):
            most = ", ".join(f"{count} of {name}" for name, count in self._discarded.most_common(3))
            logger.warning(
                "more batches than can wait or than collector.limits allows, left to be sent again: %s", most
            )
            self._discarded.clear()
        self._confirm(under_way)

    def _confirm(self, under_way: _UnderWay) -> None:
        """Tell the broker of all that is done, in the order of arrival, as MQTT wants it."""
        under_way.done = True
        while self._order and self._order[0].done:
            self._client._client.ack(self._order.popleft().mid, 1)  # noqa: SLF001  # aiomqtt has no call for it


def _sender(topic: str) -> str:
    """Whose turn a message takes: its edge, or what stands in that place."""
    return "/".join(topic.split("/", 4)[:4])


async def _subscribe(client: aiomqtt.Client) -> None:
    for code in await client.subscribe(SHARED_BATCHES, qos=1):
        if getattr(code, "is_failure", False):
            raise aiomqtt.MqttError(f"subscription to {SHARED_BATCHES} was refused: {code}")


def _incoming(message: aiomqtt.Message) -> Incoming:
    properties = message.properties
    return Incoming(
        message.topic.value,
        message.payload,
        getattr(properties, "ResponseTopic", None),
        getattr(properties, "CorrelationData", None),
    )

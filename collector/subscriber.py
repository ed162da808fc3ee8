"""The MQTT side: batches in, acknowledgements out, connected again for ever.

The broker gets its own acknowledgement (PUBACK) of a batch only when the batch has been dealt with, and may have no
more than WINDOW of them under way (Receive Maximum). So the broker waits, instead of memory filling up here. Some
brokers send more once the first are acknowledged (mosquitto 2.0.11 does), hence bounds of our own beside it.
"""

import asyncio
import logging
import socket
import ssl
import time
from collections import deque
from dataclasses import dataclass

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from collector.acknowledgement import answer_properties
from collector.backoff import Backoff
from collector.ingest import Incoming, Ingest
from collector.outage import Outage
from site_config.schema import MqttSettings
from wire_format.codec import encode_acknowledgement
from wire_format.topics import SHARED_BATCHES

logger = logging.getLogger(__name__)

WINDOW = 200
AT_ONCE = 32
"""Batches that are decoded and written at the same time; the others wait as they came."""
MAXIMUM_WAITING = 2000
MAXIMUM_WAITING_BYTES = 64 * 1024 * 1024
SAY_AGAIN_S = 10.0
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
        settings: the broker. Raises SiteFileError when the password's file cannot be read.
        ingest: takes messages, many at a time.
    """

    def __init__(self, settings: MqttSettings, ingest: Ingest) -> None:
        self._settings = settings
        self._password = settings.password()
        self._tls = _tls_context(settings)
        self._ingest = ingest

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
                    await _Session(client, self._ingest).run()
            except aiomqtt.MqttError as problem:
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    # The broker did not answer the goodbye.
                    raise asyncio.CancelledError from problem
                outage.failed(problem)
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
    """One connection: messages in the order of arrival, each in a task of its own."""

    def __init__(self, client: aiomqtt.Client, ingest: Ingest) -> None:
        self._client = client
        self._ingest = ingest
        self._order: deque[_UnderWay] = deque()
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting_bytes = 0
        self._discarded = 0
        self._say_after = 0.0

    async def run(self) -> None:
        """Run until the connection ends; raises aiomqtt.MqttError then."""
        try:
            async for message in self._client.messages:
                under_way = _UnderWay(message.mid)
                self._order.append(under_way)
                size = len(message.payload)
                if len(self._tasks) >= MAXIMUM_WAITING or self._waiting_bytes + size > MAXIMUM_WAITING_BYTES:
                    self._discard(under_way)
                    continue
                self._waiting_bytes += size
                task = asyncio.create_task(self._handle(message, under_way), name=f"message on {message.topic}")
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        finally:
            # The edges send again what is not answered; what is written twice is stored once.
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _handle(self, message: aiomqtt.Message, under_way: _UnderWay) -> None:
        try:
            async with self._slots:
                answer = await self._ingest.take(_incoming(message))
            if answer is not None:
                await self._client.publish(
                    answer.topic,
                    encode_acknowledgement(answer.acknowledgement),
                    qos=1,
                    properties=answer_properties(answer.acknowledgement),
                    timeout=ANSWER_TIMEOUT_S,
                )
        except aiomqtt.MqttError as problem:
            logger.warning("answer on %s not sent, its batch will come again: %s", message.topic, problem)
        except Exception:
            # The edge of this message's task: the others go on.
            logger.exception("message on %s not dealt with, it will come again", message.topic)
        finally:
            self._waiting_bytes -= len(message.payload)
        # Not when cancelled: then the broker may give the message to another collector.
        self._confirm(under_way)

    def _discard(self, under_way: _UnderWay) -> None:
        """Make no room for a message: its edge gets no answer and sends it again."""
        self._discarded += 1
        now = time.monotonic()
        if now > self._say_after:
            self._say_after = now + SAY_AGAIN_S
            logger.warning("too many batches wait: %d were left to be sent again", self._discarded)
        self._confirm(under_way)

    def _confirm(self, under_way: _UnderWay) -> None:
        """Tell the broker of all that is done, in the order of arrival, as MQTT wants it."""
        under_way.done = True
        while self._order and self._order[0].done:
            self._client._client.ack(self._order.popleft().mid, 1)  # noqa: SLF001  # aiomqtt has no call for it


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


def _tls_context(settings: MqttSettings) -> ssl.SSLContext | None:
    if not settings.tls:
        return None
    return ssl.create_default_context(cafile=None if settings.ca_file is None else str(settings.ca_file))

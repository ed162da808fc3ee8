"""A collector that stores nothing: it answers batches as a test wants."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from wire_format.batch import Acknowledgement, Batch
from wire_format.codec import decode_batch, encode_acknowledgement
from wire_format.topics import SHARED_BATCHES, edge_of


def stored(batch: Batch) -> list[Acknowledgement]:
    return [Acknowledgement(batch.batch_id, stored=True, collector_time_ms=1)]


@dataclass
class CollectorDouble:
    """`answers` gives what is published for a batch, in order; nothing for an empty list."""

    answers: Callable[[Batch], list[Acknowledgement]] = stored
    batches: list[Batch] = field(default_factory=list)
    payloads: list[bytes] = field(default_factory=list)
    messages: list[aiomqtt.Message] = field(default_factory=list)
    connected: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, host: str, port: int) -> None:
        while True:
            with contextlib.suppress(aiomqtt.MqttError):
                async with aiomqtt.Client(host, port, protocol=aiomqtt.ProtocolVersion.V5) as client:
                    await client.subscribe(SHARED_BATCHES, qos=1)
                    self.connected.set()
                    async for message in client.messages:
                        await self._take(client, message)
            await asyncio.sleep(0.05)

    async def _take(self, client: aiomqtt.Client, message: aiomqtt.Message) -> None:
        batch = decode_batch(message.payload)
        self.messages.append(message)
        self.payloads.append(message.payload)
        self.batches.append(batch)
        topic = edge_of(message.topic.value).topic("ack")
        for answer in self.answers(batch):
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.CorrelationData = answer.batch_id.to_bytes()
            await client.publish(topic, encode_acknowledgement(answer), qos=1, properties=properties)

    def values(self) -> list[int | None]:
        """Of all batches, in the order of arrival, those that came twice twice."""
        return [
            integer
            for batch in self.batches
            for entry in batch.devices
            for column in entry.columns
            for integer in column.integers
        ]


@contextlib.asynccontextmanager
async def running(double: CollectorDouble, host: str, port: int) -> AsyncIterator[CollectorDouble]:
    """Runs it, connected, for the length of a block."""
    task = asyncio.create_task(double.run(host, port))
    try:
        async with asyncio.timeout(10):
            await double.connected.wait()
        yield double
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

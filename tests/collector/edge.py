"""What an edge does on MQTT, as far as a collector can see it."""

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.servers.mosquitto import Mosquitto
from wire_format.batch import Acknowledgement, Batch, BatchId, DeviceRows
from wire_format.codec import decode_acknowledgement, encode_batch
from wire_format.topics import EdgeAddress


class Edge:
    """Publishes, and collects the answers in order of arrival."""

    def __init__(self, client: aiomqtt.Client, address: EdgeAddress) -> None:
        self._client = client
        self.address = address
        self.answers: asyncio.Queue[tuple[BatchId, Acknowledgement]] = asyncio.Queue()
        self._run_id = secrets.token_hex(8)
        self._sequence = 0

    def batch(self, *devices: DeviceRows) -> Batch:
        self._sequence += 1
        return Batch(BatchId(self._run_id, self._sequence), devices, "ntp")

    async def publish(self, batch: Batch) -> None:
        await self.publish_bytes(encode_batch(batch), batch.batch_id.to_bytes())

    async def publish_bytes(
        self, payload: bytes, correlation: bytes | None, response_topic: str | None = None, topic: str | None = None
    ) -> None:
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.ResponseTopic = response_topic or self.address.topic("ack")
        properties.MessageExpiryInterval = 30
        if correlation is not None:
            properties.CorrelationData = correlation
        await self._client.publish(topic or self.address.topic("batch"), payload, qos=1, properties=properties)

    async def answer(self, timeout_s: float = 10.0) -> Acknowledgement:
        correlation, acknowledgement = await asyncio.wait_for(self.answers.get(), timeout_s)
        assert correlation == acknowledgement.batch_id
        return acknowledgement

    async def answers_to(self, batches: Sequence[Batch], timeout_s: float = 20.0) -> dict[BatchId, Acknowledgement]:
        wanted = {batch.batch_id for batch in batches}
        found: dict[BatchId, Acknowledgement] = {}
        while set(found) != wanted:
            answer = await self.answer(timeout_s)
            found[answer.batch_id] = answer
        return found

    async def listen(self) -> None:
        async for message in self._client.messages:
            correlation = getattr(message.properties, "CorrelationData", b"")
            self.answers.put_nowait((BatchId.from_bytes(correlation), decode_acknowledgement(message.payload)))


@asynccontextmanager
async def connected_edge(broker: Mosquitto, site: str = "bakery", edge: str = "edge-1") -> AsyncIterator[Edge]:
    address = EdgeAddress(site, edge)
    async with aiomqtt.Client(
        broker.host,
        broker.port,
        protocol=aiomqtt.ProtocolVersion.V5,
        socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
    ) as client:
        client.pending_calls_threshold = 10_000
        await client.subscribe(address.topic("ack"), qos=1)
        started = Edge(client, address)
        listening = asyncio.create_task(started.listen())
        try:
            yield started
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

"""Batches that come twice, late and in any order."""

import asyncio
import random
from pathlib import Path

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from bench.faults import source
from bench.faults.line import line
from bench.faults.registry import Outcome, Size, fault
from wire_format.batch import Batch, BatchId
from wire_format.codec import encode_batch
from wire_format.topics import EdgeAddress

RUN_ID = "00000000000000aa"
COPIES = 2
AT_ONCE = 15
TIMEOUT_S = 600.0


@fault("batches twice, late and in any order")
def disorder(size: Size, folder: Path) -> Outcome:
    """Each is sent twice, mixed with all the others, until each has been answered."""
    with line(folder, size) as made:
        made.processes["edge"].kill()
        made.note_uncertain()
        last = made.progress.get("intended")
        numbers = range(last + 1, last + 1 + 10 * size.faults)
        asyncio.run(_publish(made.broker.port, made.start_ms, size.devices, numbers))
        made.progress.set("intended", numbers[-1])
        made.progress.set("done", numbers[-1])
        made.start("edge")
        made.finish()
        return made.outcome(COPIES * len(numbers))


async def _publish(port: int, start_ms: int, devices: int, numbers: range) -> None:
    address = EdgeAddress(source.SITE, source.EDGE)
    waiting = list(numbers) * COPIES
    random.Random(8).shuffle(waiting)
    unanswered = set(numbers)
    async with aiomqtt.Client("127.0.0.1", port, protocol=aiomqtt.ProtocolVersion.V5) as client:
        await client.subscribe(address.topic("ack"), qos=1)
        receiving = asyncio.create_task(_receive(client, unanswered))
        try:
            async with asyncio.timeout(TIMEOUT_S):
                while waiting or unanswered:
                    for number in waiting[:AT_ONCE]:
                        batch_id = BatchId(RUN_ID, number)
                        batch = Batch(batch_id, tuple(source.device_rows(start_ms, devices, number)), "ntp")
                        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
                        properties.CorrelationData = batch_id.to_bytes()
                        await client.publish(address.topic("batch"), encode_batch(batch), qos=1, properties=properties)
                    waiting = waiting[AT_ONCE:] or list(unanswered)
                    await asyncio.sleep(0.05)
        finally:
            receiving.cancel()
            await asyncio.gather(receiving, return_exceptions=True)


async def _receive(client: aiomqtt.Client, unanswered: set[int]) -> None:
    async for message in client.messages:
        data = getattr(message.properties, "CorrelationData", b"")
        if len(data) == len(BatchId(RUN_ID, 0).to_bytes()):
            batch_id = BatchId.from_bytes(data)
            if batch_id.run_id == RUN_ID:
                unanswered.discard(batch_id.sequence)

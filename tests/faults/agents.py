"""Light agents: an outbox and a publisher each, in the test's own process, and a collector that stores nothing."""

import asyncio
import contextlib
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

from edge_agent.outbox import Outbox
from edge_agent.publisher import Publisher
from site_config.schema import MqttSettings
from tests.edge_agent.collector_double import CollectorDouble
from tests.servers.ports import LOOPBACK
from wire_format.batch import Column, DeviceRows
from wire_format.topics import EdgeAddress

ACKNOWLEDGEMENT_TIMEOUT_S = 1.0


class LightAgent:
    """Keeps one value a record and publishes it."""

    def __init__(self, directory: Path, port: int, edge: str = "edge-1") -> None:
        self.edge = edge
        self.outbox = Outbox.open(directory, max_bytes=100_000_000)
        self.publisher = Publisher(
            self.outbox,
            EdgeAddress("workshop", edge),
            MqttSettings(host=LOOPBACK, port=port),
            run_id=secrets.token_hex(8),
            acknowledgement_timeout_s=ACKNOWLEDGEMENT_TIMEOUT_S,
        )

    def measure(self, *values: int) -> None:
        for value in values:
            column = Column("active_power_total", "W", 0, (value,))
            rows = DeviceRows("oven-meter", (time.time_ns() // 1_000_000 + value,), (column,))
            self.publisher.notify(self.outbox.append([rows], "ntp", b""))

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["LightAgent"]:
        task = asyncio.create_task(self.publisher.run())
        try:
            yield self
            assert not task.done(), task.exception()
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            self.outbox.close()


def stored_of(collector: CollectorDouble, edge: str = "edge-1") -> set[int]:
    """The values that a store would hold of an edge: each once, however often it came."""
    return {
        integer
        for message, batch in zip(collector.messages, collector.batches, strict=True)
        if message.topic.value.split("/")[3] == edge
        for entry in batch.devices
        for integer in entry.columns[0].integers
        if integer is not None
    }


def count_times(collector: CollectorDouble) -> Counter[int | None]:
    """How often each value came."""
    return Counter(collector.values())

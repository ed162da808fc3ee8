import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from collector.collector import run
from store.server_file import ServerFile
from tests.servers.mosquitto import Mosquitto
from tests.servers.waiting import eventually_async

StartCollector = Callable[..., AbstractAsyncContextManager[ServerFile]]


@pytest.fixture
def run_collector(tmp_path: Path) -> StartCollector:
    """Runs a collector while a block runs; returns when it has subscribed."""

    @asynccontextmanager
    async def start(broker: Mosquitto, **keys: Any) -> AsyncIterator[ServerFile]:
        settings = ServerFile.model_validate(
            {
                "store": {"sqlite": tmp_path / "readings.sqlite"},
                "entities": tmp_path / "entities.sqlite",
                "collector": {"mqtt": {"host": broker.host, "port": broker.port}},
                **keys,
            }
        )
        subscriptions = broker.log().count("Received SUBSCRIBE")
        stop = asyncio.Event()
        running = asyncio.create_task(run(settings, stop))
        try:
            await eventually_async(
                lambda: running.done() or broker.log().count("Received SUBSCRIBE") > subscriptions,
                what="the collector's subscription",
            )
            if running.done():
                await running
            yield settings
        finally:
            stop.set()
            await asyncio.wait_for(running, 10.0)

    return start


@pytest.fixture
def broker(start_mosquitto: Callable[..., Mosquitto]) -> Mosquitto:
    """A broker that logs subscriptions."""
    return start_mosquitto(settings="log_type all")

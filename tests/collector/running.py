"""A collector that runs inside a test's own process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from collector.collector import run
from store.server_file import ServerFile
from tests.servers.mosquitto import Mosquitto
from tests.servers.waiting import eventually_async


@asynccontextmanager
async def running_collector(folder: Path, broker: Mosquitto, **keys: Any) -> AsyncIterator[ServerFile]:
    """Runs it while a block runs; returns when it has subscribed. The broker must log subscriptions.

    Args:
        folder: gets its SQLite files.
        broker: where edges publish.
        keys: of the server file.
    """
    settings = ServerFile.model_validate(
        {
            "store": {"sqlite": folder / "readings.sqlite"},
            "entities": folder / "entities.sqlite",
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
            timeout_s=30.0,
            what="the collector's subscription",
        )
        if running.done():
            await running
        yield settings
    finally:
        stop.set()
        await asyncio.wait_for(running, 10.0)

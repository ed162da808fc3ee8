"""A workshop, and its page in a process of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.servers.ports import free_port
from tests.servers.processes import Processes
from tests.visit.bakery import Bakery
from tests.visit.serving import Serve, Served


@pytest_asyncio.fixture(loop_scope="session")
async def bakery(tmp_path: Path) -> AsyncIterator[Bakery]:
    made = Bakery(tmp_path)
    await made.declare()
    yield made
    await made.close()


@pytest.fixture
def serve(bakery: Bakery, processes: Processes) -> Serve:
    def start(**settings: object) -> Served:
        port = free_port()
        process = processes.start_preloaded("visit", "run", "--config", bakery.visit_file(port, **settings))
        process.wait_for_log("the page is at http", timeout_s=20)
        served = Served(process, f"http://127.0.0.1:{port}")
        served.wait()
        return served

    return start

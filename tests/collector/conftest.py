from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path

import pytest

from store.server_file import ServerFile
from tests.collector.running import running_collector
from tests.servers.mosquitto import Mosquitto

StartCollector = Callable[..., AbstractAsyncContextManager[ServerFile]]


@pytest.fixture
def run_collector(tmp_path: Path) -> StartCollector:
    """Runs a collector while a block runs; returns when it has subscribed."""
    return partial(running_collector, tmp_path)


@pytest.fixture
def broker(start_mosquitto: Callable[..., Mosquitto]) -> Mosquitto:
    """A broker that logs subscriptions."""
    return start_mosquitto(settings="log_type all")

"""A real mosquitto broker on loopback."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.servers.missing import require_program
from tests.servers.ports import LOOPBACK, accepts_connections, free_port
from tests.servers.processes import ManagedProcess


class Mosquitto:
    """A broker that keeps its port over restarts.

    Args:
        program: mosquitto itself.
        folder: its configuration, log and, when persistent, database.
        persistent: whether sessions and queued messages outlive a restart; written on every change, so also a kill.
        settings: further lines of its configuration file.
    """

    def __init__(self, program: Path, folder: Path, *, persistent: bool = False, settings: str = "") -> None:
        self.host = LOOPBACK
        self.port = free_port()
        lines = [
            "user root",  # root's mosquitto would give up its rights, and the test's folder with them; else no effect
            f"listener {self.port} {self.host}",
            "allow_anonymous true",
            "max_queued_messages 1000000",  # the default of 1000 drops QoS 1 messages without a word
            "log_dest stderr",
        ]
        if persistent:
            lines += [
                "persistence true",
                f"persistence_location {folder}/",
                "autosave_on_changes true",
                "autosave_interval 1",
            ]
        configuration = folder / "mosquitto.conf"
        configuration.write_text("\n".join([*lines, settings]) + "\n")
        self.process = ManagedProcess([program, "-c", configuration], folder / "mosquitto.log")

    def start(self) -> None:
        """Starts it and returns when it accepts connections."""
        self.process.start()
        self.process.wait_for(lambda: accepts_connections(self.host, self.port), what=f"port {self.port}")

    def stop(self) -> None:
        """Ends it in order: clients are disconnected, a persistent database is written."""
        self.process.stop()

    def kill(self) -> None:
        """Kill -9."""
        self.process.kill()

    def log(self) -> str:
        """What it has written so far."""
        return self.process.log()


MosquittoFactory = Callable[..., Mosquitto]


@pytest.fixture
def start_mosquitto(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MosquittoFactory]:
    """Starts brokers: ``start_mosquitto(persistent=True, settings="max_inflight_messages 1")``."""
    program = require_program(request.config, "mosquitto", "apt install mosquitto")
    with contextlib.ExitStack() as at_the_end:

        def start(*, persistent: bool = False, settings: str = "") -> Mosquitto:
            broker = Mosquitto(program, tmp_path_factory.mktemp("mosquitto"), persistent=persistent, settings=settings)
            at_the_end.callback(broker.kill)
            broker.start()
            return broker

        yield start


@pytest.fixture
def mosquitto(start_mosquitto: MosquittoFactory) -> Mosquitto:
    """A broker that has just started, without persistence."""
    return start_mosquitto()

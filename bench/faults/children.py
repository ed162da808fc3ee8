"""Processes that are forked from one that has loaded everything: killed and back within some milliseconds."""

import asyncio
import os
import secrets
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from bench.faults.source import EDGE, SITE, Progress, device_rows
from collector import collector
from edge_agent.outbox import Outbox, OutboxWriteError
from edge_agent.publisher import Publisher
from evaluation import worker
from site_config.schema import MqttSettings
from store.server_file import ServerFile, load_server_file
from tests.servers.ports import LOOPBACK
from wire_format.topics import EdgeAddress

ACKNOWLEDGEMENT_TIMEOUT_S = 1.0
SYNC_EVERY = 20
_OUTBOX_BYTES = 8 * 1024**3


class Child:
    """A process that runs one function."""

    def __init__(self, name: str, main: Callable[[], None]) -> None:
        self.name = name
        self._main = main
        self._pid: int | None = None

    def start(self) -> None:
        """Fork it."""
        sys.stdout.flush()
        pid = os.fork()
        if pid:
            self._pid = pid
            return
        status = 1
        try:
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_DFL)
            self._main()
            status = 0
        except BaseException:  # noqa: BLE001  # the process ends here, and says why
            traceback.print_exc()
        finally:
            os._exit(status)

    def kill(self) -> None:
        """Kill -9, and wait until it is gone."""
        if self._pid is not None:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
            self._pid = None

    def wait(self, timeout_s: float) -> None:
        """Until it ends by itself; raises AssertionError when it does not, or not well."""
        assert self._pid is not None
        deadline_s = time.monotonic() + timeout_s
        while time.monotonic() < deadline_s:
            pid, status = os.waitpid(self._pid, os.WNOHANG)
            if pid:
                self._pid = None
                assert status == 0, f"{self.name} ended with {status}"
                return
            time.sleep(0.05)
        raise AssertionError(f"{self.name} does not end within {timeout_s:g} s")

    def stop(self, timeout_s: float = 30.0) -> None:
        """Ask it to end."""
        if self._pid is not None:
            os.kill(self._pid, signal.SIGTERM)
            self.wait(timeout_s)


def edge(directory: Path, port: int, start_ms: int, devices: int, records_s: float) -> Child:
    """The agent's outbox and publisher behind a synthetic source; ends when all is acknowledged after `stop`."""
    return Child("edge", lambda: asyncio.run(_edge(directory, port, start_ms, devices, records_s)))


def server(name: str, server_file: Path) -> Child:
    """The collector's or the evaluation's own composition root."""
    runs = {"collector": collector.run, "evaluation": worker.run}

    async def main(settings: ServerFile) -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        await runs[name](settings, stop)

    return Child(name, lambda: asyncio.run(main(load_server_file(server_file))))


async def _edge(directory: Path, port: int, start_ms: int, devices: int, records_s: float) -> None:
    progress = Progress(directory / "progress")
    with Outbox.open(directory / "outbox", max_bytes=_OUTBOX_BYTES) as outbox:
        publisher = Publisher(
            outbox,
            EdgeAddress(SITE, EDGE),
            MqttSettings(host=LOOPBACK, port=port),
            run_id=secrets.token_hex(8),
            acknowledgement_timeout_s=ACKNOWLEDGEMENT_TIMEOUT_S,
        )
        publishing = asyncio.create_task(publisher.run())
        try:
            while not progress.get("stop"):
                number = progress.get("intended") + 1
                progress.set("intended", number)
                rows = device_rows(start_ms, devices, number)
                try:
                    publisher.notify(outbox.append(rows, "ntp", b""))
                except OutboxWriteError:
                    publisher.publish_unstored(rows, "ntp")
                progress.set("done", number)
                if number % SYNC_EVERY == 0:
                    await asyncio.to_thread(_sync, outbox)
                await asyncio.sleep(1 / records_s)
            while not await publisher.drain(10.0):
                assert not publishing.done(), publishing.exception()
        finally:
            publishing.cancel()
            await asyncio.gather(publishing, return_exceptions=True)


def _sync(outbox: Outbox) -> None:
    try:
        outbox.sync()
    except OutboxWriteError:
        return  # a full disk; the agent says so in its log

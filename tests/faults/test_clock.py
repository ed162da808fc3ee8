"""The agent's own process under a clock that is set, or that nobody has ever set (libfaketime)."""

import asyncio
import itertools
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from simulators.modbus_server import ModbusTcpServer
from tests.edge_agent.collector_double import CollectorDouble, running
from tests.edge_agent.test_agent import simulated
from tests.servers.missing import skip_without
from tests.servers.mosquitto import Mosquitto
from tests.servers.ports import LOOPBACK
from tests.servers.waiting import eventually_async
from wire_format.batch import Acknowledgement, Batch
from wire_format.events import EventKind

LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
HOUR_MS = 3_600_000


def answers_with_the_time(batch: Batch) -> list[Acknowledgement]:
    return [Acknowledgement(batch.batch_id, stored=True, collector_time_ms=time.time_ns() // 1_000_000)]


class FakeClock:
    """What the process takes for the time: a shift such as +2h, or a beginning such as @1970-01-01 00:10:00."""

    def __init__(self, folder: Path, shift: str) -> None:
        self._file = folder / "clock"
        self.set(shift)

    def set(self, shift: str) -> None:
        unfinished = self._file.with_suffix(".new")
        unfinished.write_text(shift + "\n", encoding="utf-8")
        unfinished.replace(self._file)

    def environment(self) -> dict[str, str]:
        return os.environ | {
            "LD_PRELOAD": str(LIBRARIES[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }


@asynccontextmanager
async def agent(folder: Path, broker: Mosquitto, clock: FakeClock) -> AsyncIterator[None]:
    async with ModbusTcpServer({1: simulated("eastron/sdm630", active_power_total=4200.0)}, LOOPBACK, 0) as tcp:
        (folder / "site.yaml").write_text(
            f"""
site: workshop
mqtt: {{host: {LOOPBACK}, port: {broker.port}}}
data_dir: {folder / "data"}
poll_interval_s: 0.2
acknowledgement_timeout_s: 2
lines:
  - id: cabinet
    tcp: {{host: {LOOPBACK}, port: {tcp.port}}}
    devices: [{{id: main-meter, profile: eastron/sdm630}}]
""",
            encoding="utf-8",
        )
        log = (folder / "agent.log").open("wb")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "leanmeter", "edge", "run", "--config", str(folder / "site.yaml")),
            env=clock.environment(),
            stderr=log,
        )
        try:
            yield
            process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), 30) == 0
        finally:
            log.close()
            if process.returncode is None:
                process.kill()
                await process.wait()


@pytest.fixture(autouse=True)
def _library(request: pytest.FixtureRequest) -> None:
    if not LIBRARIES:
        skip_without(request.config, "libfaketime", "apt install faketime")


def rows_of(double: CollectorDouble) -> set[tuple[int, tuple[tuple[str, int | None], ...]]]:
    """The meter's rows with its power: time and values. What came again, in another batch too, is the same row."""
    return {
        (time_ms, tuple((column.quantity, column.integers[index]) for column in rows.columns))
        for batch in double.batches
        for rows in batch.devices
        if rows.device == "main-meter" and any(column.quantity == "active_power_total" for column in rows.columns)
        for index, time_ms in enumerate(rows.times_ms)
    }


def times_of(double: CollectorDouble) -> list[int]:
    """The times of these rows, ascending; one that two rows bear stands there twice."""
    return sorted(time_ms for time_ms, _ in rows_of(double))


def steps_of(double: CollectorDouble) -> list[float]:
    """By how many seconds the clock was set."""
    events = [event for batch in double.batches for event in batch.events]
    return [event.numbers["step_s"] for event in events if event.kind == EventKind.CLOCK_STEP]


@pytest.mark.timeout(120)
async def test_a_clock_set_by_two_hours_and_back_doubles_no_time_and_leaves_no_hole(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    clock = FakeClock(tmp_path, "+0")
    async with running(CollectorDouble(), mosquitto.host, mosquitto.port) as double, agent(tmp_path, mosquitto, clock):
        await eventually_async(lambda: len(times_of(double)) > 10, timeout_s=30)
        for shift, step_s in (("+7200", 7200), ("+0", -7200)):
            clock.set(shift)
            await eventually_async(lambda: any(abs(told - step_s) < 5 for told in steps_of(double)), timeout_s=20)  # noqa: B023  # awaited here
            wanted = len(times_of(double)) + 20
            await eventually_async(lambda: len(times_of(double)) > wanted, timeout_s=20)  # noqa: B023  # as above
    times = times_of(double)
    assert len(set(times)) == len(times)
    now_ms = time.time() * 1000
    ahead = [time_ms for time_ms in times if time_ms > now_ms + HOUR_MS]
    assert len(ahead) > 15
    # By their own clock two rows are never far apart: what was read while the clock was set was read all the same.
    real = sorted(time_ms - 2 * HOUR_MS if time_ms in set(ahead) else time_ms for time_ms in times)
    assert max(later - earlier for earlier, later in itertools.pairwise(real)) < 2000


@pytest.mark.timeout(120)
async def test_a_clock_that_nobody_has_set_waits_for_the_collectors(tmp_path: Path, mosquitto: Mosquitto) -> None:
    clock = FakeClock(tmp_path, "@1970-01-01 00:10:00")
    began_ms = time.time() * 1000
    async with agent(tmp_path, mosquitto, clock):
        undated = tmp_path / "data" / "undated"
        await eventually_async(lambda: any(undated.glob("*/outbox/*")), timeout_s=30)
        await asyncio.sleep(2)  # readings of some seconds without a time
        async with running(CollectorDouble(answers_with_the_time), mosquitto.host, mosquitto.port) as double:
            await eventually_async(lambda: len(times_of(double)) > 20, timeout_s=30)
            await eventually_async(lambda: not any(undated.glob("*")), timeout_s=20)
            known_ms = time.time() * 1000
    times = times_of(double)
    assert len(set(times)) == len(times)
    assert began_ms < times[0] < known_ms
    gaps_ms = [later - earlier for earlier, later in itertools.pairwise(times)]
    # Once, as the time becomes known, the polls' grid is another: two rows may lie close together, never more.
    assert sum(gap_ms <= 30 for gap_ms in gaps_ms) <= 1, gaps_ms
    assert max(gaps_ms) < 2000
    assert {batch.clock_source for batch in double.batches if batch.devices} == {"collector"}

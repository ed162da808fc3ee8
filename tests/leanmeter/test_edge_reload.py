"""SIGHUP: a changed site file is taken, a wrong one is not, and the outbox stays what it is."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

from edge_agent.outbox import Outbox
from simulators.modbus_server import ModbusTcpServer
from tests.edge_agent.test_agent import Collector, simulated
from tests.servers.mosquitto import Mosquitto
from tests.servers.ports import LOOPBACK, free_port
from tests.servers.waiting import eventually_async


class Edge:
    """The agent's process, and its site file."""

    def __init__(self, folder: Path, broker: Mosquitto, tcp_port: int) -> None:
        self.path = folder / "site.yaml"
        self._text = f"""
site: workshop
mqtt: {{host: {LOOPBACK}, port: {broker.port}}}
data_dir: {folder / "data"}
poll_interval_s: 0.5
lines:
  - id: cabinet
    tcp: {{host: {LOOPBACK}, port: {tcp_port}}}
    devices:
      - {{id: main-meter, profile: eastron/sdm630, unit_id: 1}}
"""
        self.write()
        self.said: list[str] = []

    def write(self, addition: str = "") -> None:
        self.path.write_text(self._text + addition, encoding="utf-8")

    async def start(self) -> Process:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "leanmeter", "edge", "run", "--config", str(self.path)), stderr=PIPE
        )
        self._reading = asyncio.create_task(self._read(process))
        return process

    async def _read(self, process: Process) -> None:
        assert process.stderr is not None
        async for line in process.stderr:
            self.said.append(line.decode())

    async def hears(self, text: str) -> None:
        await eventually_async(lambda: any(text in line for line in self.said), timeout_s=20)


async def test_a_wrong_file_changes_nothing_and_a_right_one_is_taken(tmp_path: Path, mosquitto: Mosquitto) -> None:
    units = {1: simulated("eastron/sdm630", active_power_total=4200.0)}
    async with ModbusTcpServer(units, LOOPBACK, 0) as tcp, Collector().running(mosquitto) as collector:
        edge = Edge(tmp_path, mosquitto, tcp.port)
        process = await edge.start()
        try:
            await eventually_async(lambda: collector.latest("main-meter"), timeout_s=30)
            for mistake, told in (
                ("poll_intervals: 3\n", "poll_intervals: unknown key"),
                ("edge: another\n", "edge: cannot be changed while the agent runs"),
                (f"metrics_port: {tcp.port}\n", f"metrics_port: {tcp.port}"),
            ):
                edge.write(mistake)
                process.send_signal(signal.SIGHUP)
                await edge.hears(told)
                collector.batches.clear()
                await eventually_async(lambda: len(collector.batches) > 1, timeout_s=20)
            edge.write(
                f"  - {{id: again, tcp: {{host: {LOOPBACK}, port: {tcp.port}}}, "
                "devices: [{id: second-meter, profile: eastron/sdm630, unit_id: 1}]}\n"
            )
            process.send_signal(signal.SIGHUP)
            await eventually_async(lambda: collector.latest("second-meter"), timeout_s=20)
            process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), 20) == 0
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    gaps = [event.numbers["gap_s"] for batch in collector.batches for event in batch.events if "gap_s" in event.numbers]
    assert gaps
    assert max(gaps) < 10
    with Outbox.open(tmp_path / "data" / "outbox", max_bytes=1_000_000) as outbox:
        assert outbox.unacknowledged() == []
        assert outbox.next_number > 5


async def test_a_file_that_is_wrong_at_the_start_ends_with_one_line(tmp_path: Path, mosquitto: Mosquitto) -> None:
    edge = Edge(tmp_path, mosquitto, free_port())
    edge.write("poll_intervals: 3\n")
    process = await edge.start()
    assert await asyncio.wait_for(process.wait(), 30) == 2
    await edge.hears("unknown key")

"""The whole agent between simulated devices and a broker, with a collector that only acknowledges."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from device_profiles.library import load_profile
from edge_agent.agent import Agent
from simulators.modbus_server import ModbusTcpServer, RtuSerialServer
from simulators.modbus_unit import ModbusUnit
from simulators.register_image import ImageEncoder
from simulators.register_sources import LiteralRegisters
from simulators.serial_port import PseudoTerminal
from site_config.schema import Site, load_site
from tests.edge_agent.test_scale import running_scale
from tests.servers.mosquitto import Mosquitto
from tests.servers.ports import LOOPBACK, free_port
from tests.servers.waiting import eventually_async
from wire_format.batch import Acknowledgement, Batch
from wire_format.codec import decode_batch, encode_acknowledgement
from wire_format.topics import SHARED_BATCHES, edge_of

Cells = dict[tuple[str, int, str], float]


class Collector:
    """Keeps what arrives, and acknowledges it while `acknowledges`."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.acknowledges = True

    @asynccontextmanager
    async def running(self, broker: Mosquitto) -> AsyncIterator["Collector"]:
        async with aiomqtt.Client(broker.host, broker.port, protocol=aiomqtt.ProtocolVersion.V5) as client:
            await client.subscribe(SHARED_BATCHES, qos=1)
            task = asyncio.create_task(self._take(client))
            yield self
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _take(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            batch = decode_batch(message.payload)
            self.batches.append(batch)
            if self.acknowledges:
                properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
                properties.CorrelationData = batch.batch_id.to_bytes()
                answer = Acknowledgement(batch.batch_id, stored=True, collector_time_ms=0)
                topic = edge_of(str(message.topic)).topic("ack")
                await client.publish(topic, encode_acknowledgement(answer), qos=1, properties=properties)

    def cells(self) -> Cells:
        found: Cells = {}
        for batch in self.batches:
            for rows in batch.devices:
                for column in rows.columns:
                    for time_ms, value in zip(rows.times_ms, column.values(), strict=True):
                        if value is not None:
                            found[rows.device, time_ms, column.quantity] = value
        return found

    def latest(self, device: str) -> dict[str, float]:
        return {quantity: value for (name, _, quantity), value in sorted(self.cells().items()) if name == device}


def simulated(profile_id: str, **values: float) -> ModbusUnit:
    """A meter that shows these values, and nothing else."""
    profile = load_profile(profile_id)
    zeros = dict.fromkeys((register.quantity for register in profile.registers), 0.0)
    return ModbusUnit(LiteralRegisters(ImageEncoder(profile).encode(zeros | values)))


@contextmanager
def workshop_site(directory: Path, broker_port: int, tcp_port: int, scale_port: int, serial: str) -> Iterator[Path]:
    path = directory / "site.yaml"
    path.write_text(
        f"""
site: workshop
edge: edge-1
mqtt: {{host: {LOOPBACK}, port: {broker_port}}}
data_dir: {directory / "data"}
poll_interval_s: 0.5
slow_interval_s: 2
sync_interval_s: 1
acknowledgement_timeout_s: 2
lines:
  - id: rs485-1
    serial: {{port: {serial}, baud: 19200, parity: N, stop_bits: 1}}
    timeout_s: 0.2
    devices:
      - {{id: oven-meter, profile: eastron/sdm630, unit_id: 1}}
      - {{id: mixer-meter, profile: schneider/iem3155, unit_id: 2}}
      - {{id: absent-meter, profile: abb/b23, unit_id: 9}}
  - id: main-meter
    tcp: {{host: {LOOPBACK}, port: {tcp_port}}}
    timeout_s: 0.3
    devices:
      - {{id: main-meter, profile: janitza/umg-96rm-e, unit_id: 1}}
  - id: packing-scale
    tcp: {{host: {LOOPBACK}, port: {scale_port}}}
    devices:
      - {{id: packing-scale, profile: scales/mt-sics}}
  - id: nobody-there
    tcp: {{host: {LOOPBACK}, port: {free_port()}}}
    devices:
      - {{id: lost-meter, profile: janitza/umg-96rm-e, unit_id: 1}}
points:
  - {{id: main, name: Main, resource: electricity, role: main, measured_by: main-meter}}
""",
        encoding="utf-8",
    )
    yield path


@asynccontextmanager
async def workshop(directory: Path, broker: Mosquitto) -> AsyncIterator[Path]:
    """Devices, and the site file that reaches them."""
    units = {
        1: simulated("eastron/sdm630", active_power_total=4200.0, active_energy_import_total=1234.5),
        2: simulated("schneider/iem3155", active_power_total=1500.0),
    }
    main = {1: simulated("janitza/umg-96rm-e", active_power_total=9000.0, active_energy_import_total=50_000.0)}
    with ExitStack() as stack:
        terminal = stack.enter_context(PseudoTerminal(directory / "rs485"))
        async with (
            RtuSerialServer(units, terminal),
            ModbusTcpServer(main, LOOPBACK, 0) as tcp,
            running_scale() as scale,
        ):
            scale.answer = b"S S 2.500 kg"
            yield stack.enter_context(workshop_site(directory, broker.port, tcp.port, scale.port, str(terminal.path)))


@asynccontextmanager
async def running_agent(site: Site) -> AsyncIterator[Agent]:
    agent, stop = Agent(site), asyncio.Event()
    task = asyncio.create_task(agent.run(stop))
    try:
        yield agent
    finally:
        stop.set()
        async with asyncio.timeout(20):
            await task


async def test_every_value_that_was_sampled_arrives_once_and_right(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with workshop(tmp_path, mosquitto) as site_file, Collector().running(mosquitto) as collector:
        async with running_agent(load_site(site_file)) as agent:
            await eventually_async(lambda: len(collector.batches) >= 5, timeout_s=20)
        summary = agent.summary()
    assert collector.latest("oven-meter")["active_power_total"] == 4200.0
    assert collector.latest("oven-meter")["active_energy_import_total"] == 1234.5
    assert collector.latest("mixer-meter")["active_power_total"] == 1500.0
    assert collector.latest("main-meter")["active_energy_import_total"] == 50_000.0
    assert collector.latest("packing-scale") == {"weight_net": 2.5, "weight_stable": 1.0, "weighed_mass_total": 2.5}
    assert not collector.latest("absent-meter")
    assert summary["values_sampled"] == len(collector.cells())
    assert summary["unacknowledged_records"] == 0
    assert summary["devices"]["lost-meter"]["values"] == 0
    assert summary["devices"]["main-meter"]["values"] > 100
    assert 0 < summary["delay_ms"]["median"] <= summary["delay_ms"]["p99"] < 5000


async def test_a_silent_unit_and_a_line_that_is_down_leave_the_others_their_cadence(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with (
        workshop(tmp_path, mosquitto) as site_file,
        Collector().running(mosquitto) as collector,
        running_agent(load_site(site_file)),
    ):
        await asyncio.sleep(6)
    times_ms = sorted({time_ms for device, time_ms, _ in collector.cells() if device == "main-meter"})
    assert len({time_ms // 500 for time_ms in times_ms}) >= 11
    on_the_silent_units_line = {time_ms // 500 for device, time_ms, _ in collector.cells() if device == "oven-meter"}
    assert len(on_the_silent_units_line) >= 6


async def test_what_was_not_acknowledged_goes_out_after_the_next_start(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with workshop(tmp_path, mosquitto) as site_file:
        site = load_site(site_file)
        agent, stop = Agent(site), asyncio.Event()
        agent.drain_timeout_s = 0.2
        task = asyncio.create_task(agent.run(stop))
        await eventually_async(lambda: agent.values_sampled > 200, timeout_s=15)
        stop.set()
        await task
        first = agent.summary()
        assert first["unacknowledged_records"] > 0
        async with Collector().running(mosquitto) as collector, running_agent(site) as second_agent:
            await eventually_async(
                lambda: len(collector.cells()) >= first["values_sampled"] + second_agent.values_sampled, timeout_s=20
            )
        second = second_agent.summary()
    assert second["unacknowledged_records"] == 0
    assert len(collector.cells()) == first["values_sampled"] + second["values_sampled"]
    masses = [value for (_, _, name), value in sorted(collector.cells().items()) if name == "weighed_mass_total"]
    assert set(masses) == {2.5}, "a load that stands on the scale over a restart is counted once"


async def test_sigterm_ends_the_command_with_a_summary(tmp_path: Path, mosquitto: Mosquitto) -> None:
    async with workshop(tmp_path, mosquitto) as site_file, Collector().running(mosquitto) as collector:
        summary_file = tmp_path / "summary.json"
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "leanmeter", "edge", "run"),
            *("--config", str(site_file), "--summary", str(summary_file)),
        )
        try:
            await eventually_async(lambda: len(collector.batches) >= 2, timeout_s=30)
            process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), 20) == 0
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        summary = json.loads(summary_file.read_text(encoding="utf-8"))
    assert summary["values_sampled"] == len(collector.cells())
    assert summary["batches_acknowledged"] == len({batch.batch_id for batch in collector.batches})

"""Modbus programs that are not ours read what we simulate, and the agent reads a server that is not ours."""

import ctypes.util
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
import yaml

from store.factory import open_readings
from store.protocol import Series
from store.settings import StoreSettings
from tests.servers.missing import skip_without
from tests.servers.mosquitto import Mosquitto
from tests.servers.ports import accepts_connections, free_port
from tests.servers.processes import LEANMETER, Processes
from tests.servers.waiting import eventually_async

SITE = "peers"
POWER_W = 7432.5
LATEST_MS = 4_000_000_000_000


class Stored:
    """Agent, broker and collector around given lines; what they stored of a device."""

    def __init__(self, folder: Path, processes: Processes, broker: Mosquitto, lines: Sequence[object]) -> None:
        self._sqlite = folder / "readings.sqlite"
        mqtt = {"host": broker.host, "port": broker.port}
        site_file, server_file = folder / "site.yaml", folder / "server.yaml"
        site = {"site": SITE, "mqtt": mqtt, "data_dir": str(folder / "edge"), "lines": lines, "slow_interval_s": 1}
        site_file.write_text(yaml.safe_dump(site), encoding="utf-8")
        storage = {"store": {"sqlite": str(self._sqlite)}, "entities": str(folder / "entities.sqlite")}
        server = {**storage, "collector": {"mqtt": mqtt, "sites": [str(site_file)]}}
        server_file.write_text(yaml.safe_dump(server), encoding="utf-8")
        processes.start(LEANMETER, "collector", "run", "--config", server_file)
        self.agent = processes.start(LEANMETER, "edge", "run", "--config", site_file)

    async def series(self, device: str, quantity: str, at_least: int = 3) -> Series:
        """Wait until so many readings of a quantity are stored; returns all."""
        store = open_readings(StoreSettings(sqlite=self._sqlite))

        async def enough() -> Series | None:
            found = await store.readings(SITE, device, quantity, 0, LATEST_MS)
            return found if len(found.values) >= at_least else None

        try:
            found = await eventually_async(enough, timeout_s=20, what=f"{quantity} of {device}\n{self.agent.log()}")
            assert found is not None
            return found
        finally:
            await store.close()


@pytest.fixture
def constant_power(tmp_path: Path) -> Path:
    path = tmp_path / "power.csv"
    path.write_text(f"time,power\n0,{POWER_W}\n3600,{POWER_W}\n", encoding="utf-8")
    return path


def telegraf_reads(telegraf: Path, folder: Path, controller: str, register: str, fields: str) -> Mapping[str, float]:
    """One round of Telegraf's modbus input."""
    configuration = folder / "telegraf.conf"
    configuration.write_text(
        f"""
[agent]
  omit_hostname = true
  quiet = true
[[inputs.modbus]]
  name = "peer"
  controller = "{controller}"
  baud_rate = 9600
  data_bits = 8
  parity = "N"
  stop_bits = 1
  transmission_mode = "{"RTU" if controller.startswith("file") else "TCP"}"
  configuration_type = "request"
  timeout = "2s"
  [[inputs.modbus.request]]
    slave_id = 1
    byte_order = "ABCD"
    register = "{register}"
    fields = [{fields}]
[[outputs.file]]
  files = ["stdout"]
  data_format = "influx"
""",
        encoding="utf-8",
    )
    done = subprocess.run(
        [telegraf, "--config", configuration, "--once"], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    fields_read = done.stdout.strip().splitlines()[-1].split(" ")[1]
    return {name: float(value) for name, value in (pair.split("=") for pair in fields_read.split(","))}


def mbpoll_reads(mbpoll: Path, where: Sequence[str | Path], table: str, address: int) -> float:
    """One float of Debian's mbpoll, most significant word first."""
    done = subprocess.run(
        [mbpoll, "-a", "1", "-t", f"{table}:float", "-B", "-0", "-r", str(address), "-c", "1", "-1", "-q", *where],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    line = next(text for text in done.stdout.splitlines() if text.startswith(f"[{address}]"))
    return float(line.split(":")[1])


METERS = [
    # profile, Telegraf's and mbpoll's name of the table, address of power and energy, units a kWh
    ("eastron/sdm630", "input", "3", 52, 72, 1.0),
    ("janitza/umg-96rm-e", "holding", "4", 19026, 19068, 1000.0),
]


@pytest.mark.parametrize(("profile", "register", "table", "power_at", "energy_at", "a_kwh"), METERS)
async def test_telegraf_and_mbpoll_agree_with_what_the_agent_stored_over_tcp(
    profile: str,
    register: str,
    table: str,
    power_at: int,
    energy_at: int,
    a_kwh: float,
    tmp_path: Path,
    processes: Processes,
    mosquitto: Mosquitto,
    telegraf: Path,
    mbpoll: Path,
    constant_power: Path,
) -> None:
    port = free_port()
    meter = processes.start_leanmeter("simulate", "device", profile, "--tcp", f":{port}", "--power", constant_power)
    meter.wait_for(lambda: accepts_connections("127.0.0.1", port))
    line = {"id": "line", "tcp": {"host": "127.0.0.1", "port": port}, "devices": [{"id": "meter", "profile": profile}]}
    stored = Stored(tmp_path, processes, mosquitto, [line])
    before = (await stored.series("meter", "active_energy_import_total")).values[-1]
    fields = telegraf_reads(
        telegraf,
        tmp_path,
        f"tcp://127.0.0.1:{port}",
        register,
        f'{{address={power_at}, name="power", type="FLOAT32"}}, {{address={energy_at}, name="energy", type="FLOAT32"}}',
    )
    power_by_mbpoll_w = mbpoll_reads(mbpoll, ["-m", "tcp", "-p", str(port), "127.0.0.1"], table, power_at)
    count = len((await stored.series("meter", "active_energy_import_total")).values)
    after = (await stored.series("meter", "active_energy_import_total", count + 2)).values[-1]
    powers = (await stored.series("meter", "active_power_total")).values
    assert set(powers) == {fields["power"]} == {power_by_mbpoll_w} == {POWER_W}
    assert before <= fields["energy"] / a_kwh + 0.001
    assert fields["energy"] / a_kwh <= after + 0.001


async def test_telegraf_mbpoll_and_the_agent_agree_on_a_serial_line(
    tmp_path: Path, processes: Processes, mosquitto: Mosquitto, telegraf: Path, mbpoll: Path, constant_power: Path
) -> None:
    wire = tmp_path / "rs485"
    meter = processes.start_leanmeter(
        "simulate", "device", "eastron/sdm630", "--serial", wire, "--baud", "9600", "--power", constant_power
    )
    meter.wait_for(wire.exists, what="the pseudo-terminal")
    # One master at a time has the line, as on a real one.
    fields = telegraf_reads(telegraf, tmp_path, f"file://{wire}", "input", '{address=52, name="power", type="FLOAT32"}')
    by_mbpoll_w = mbpoll_reads(mbpoll, ["-m", "rtu", "-b", "9600", "-P", "none", wire], "3", 52)
    line = {
        "id": "line",
        "serial": {"port": str(wire), "baud": 9600},
        "devices": [{"id": "meter", "profile": "eastron/sdm630", "poll_interval_s": 2}],
    }
    stored = Stored(tmp_path, processes, mosquitto, [line])
    powers = (await stored.series("meter", "active_power_total", at_least=2)).values
    assert set(powers) == {fields["power"]} == {by_mbpoll_w} == {POWER_W}


async def test_the_agent_reads_a_server_on_libmodbus(
    request: pytest.FixtureRequest, tmp_path: Path, processes: Processes, mosquitto: Mosquitto
) -> None:
    if ctypes.util.find_library("modbus") is None:
        skip_without(request.config, "libmodbus", "apt install mbpoll")
    registers = tmp_path / "registers.json"
    # IEEE 754: 230.5 V = 0x43668000, -1234.5 W = 0xC49A5000, 4321.25 kWh = 0x45870A00
    words = {0: [0x4366, 0x8000], 52: [0xC49A, 0x5000], 72: [0x4587, 0x0A00]}
    registers.write_text(json.dumps({"input": {str(at): pair for at, pair in words.items()}}), encoding="utf-8")
    port = free_port()
    server = processes.start(sys.executable, Path(__file__).with_name("libmodbus_server.py"), str(port), registers)
    server.wait_for_log("listening")
    line = {
        "id": "line",
        "tcp": {"host": "127.0.0.1", "port": port},
        "devices": [{"id": "meter", "profile": "eastron/sdm630"}],
    }
    stored = Stored(tmp_path, processes, mosquitto, [line])
    assert set((await stored.series("meter", "active_power_total")).values) == {-1234.5}
    assert set((await stored.series("meter", "voltage_l1_n")).values) == {230.5}
    assert set((await stored.series("meter", "active_energy_import_total")).values) == {4321.25}

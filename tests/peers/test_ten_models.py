"""Ten models of ten makers, over TCP and on a serial line: Telegraf, mbpoll and the agent read the same."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.peers.test_peers import Stored
from tests.servers.mosquitto import Mosquitto
from tests.servers.processes import Processes

POWER_W = 7430.0
BAUD = 115_200
LONGEST_RUN_KWH = 0.2
"""What 7430 W use in more than a minute."""


@dataclass(frozen=True)
class Model:
    """Where a maker's document puts total active power and imported energy: 0-based address, type, factor to W, kWh."""

    profile: str
    table: str
    order: str
    power: tuple[int, str, float]
    energy: tuple[int, str, float]


F32, S32, U32, S64, U64 = "FLOAT32", "INT32", "UINT32", "INT64", "UINT64"
MODELS = (
    Model("eastron/sdm630", "input", "ABCD", (52, F32, 1), (72, F32, 1)),
    Model("janitza/umg-96rm-e", "holding", "ABCD", (19026, F32, 1), (19068, F32, 0.001)),
    Model("abb/b23", "holding", "ABCD", (23316, S32, 0.01), (20480, U64, 0.01)),
    Model("carlo-gavazzi/em24-ethernet", "holding", "CDAB", (40, S32, 0.1), (52, S32, 0.1)),
    Model("siemens/pac1600", "holding", "ABCD", (57, S32, 0.01), (6687, U32, 0.001)),
    Model("socomec/countis-e24", "holding", "ABCD", (50536, S32, 10), (50946, U32, 0.01)),
    Model("schneider/iem3155", "holding", "ABCD", (3059, F32, 1000), (3203, S64, 0.001)),
    Model("finder/7m-38", "input", "ABCD", (2536, F32, 1), (2752, F32, 0.001)),
    Model("peacefair/pzem-016", "input", "CDAB", (3, U32, 0.1), (5, U32, 0.001)),
    Model("inepro/pro380", "holding", "ABCD", (20498, F32, 1000), (24588, F32, 1)),
)
NAMES = {model.profile: model.profile.replace("/", "-") for model in MODELS}


@pytest.fixture
def places(tmp_path: Path, processes: Processes) -> Mapping[str, dict[str, object]]:
    """All models behind a TCP gateway and all of them on a serial line; the lines as a site file names them."""
    lines = [
        {
            "id": line,
            "transport": transport,
            "baud": BAUD,
            "devices": [
                {"id": f"{line}-{name}", "profile": profile, "unit_id": unit_id, "power_w": POWER_W}
                for unit_id, (profile, name) in enumerate(NAMES.items(), 1)
            ],
        }
        for line, transport in (("gateway", "tcp"), ("bus", "serial"))
    ]
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text(yaml.safe_dump({"duration_s": 600, "lines": lines}))
    process = processes.start_leanmeter("simulate", "scenario", scenario, "--directory", tmp_path / "simulated")
    process.wait_for_log("listening")
    site = yaml.safe_load((tmp_path / "simulated" / "site.yaml").read_text())
    return {line["id"]: line for line in site["lines"]}


def telegraf_reads_all(telegraf: Path, folder: Path, controller: str, mode: str) -> dict[str, Mapping[str, float]]:
    """One round of Telegraf: power in W and energy in kWh by profile."""
    requests = "\n".join(
        f"""
  [[inputs.modbus.request]]
    slave_id = {unit_id}
    byte_order = "{model.order}"
    register = "{model.table}"
    measurement = "{NAMES[model.profile]}"
    fields = [
      {{address={model.power[0]}, name="power", type="{model.power[1]}"}},
      {{address={model.energy[0]}, name="energy", type="{model.energy[1]}"}},
    ]"""
        for unit_id, model in enumerate(MODELS, 1)
    )
    configuration = folder / f"telegraf-{mode}.conf"
    configuration.write_text(
        f"""
[agent]
  omit_hostname = true
  quiet = true
[[inputs.modbus]]
  name = "peer"
  controller = "{controller}"
  baud_rate = {BAUD}
  data_bits = 8
  parity = "N"
  stop_bits = 1
  transmission_mode = "{mode}"
  configuration_type = "request"
  timeout = "2s"
{requests}
[[outputs.file]]
  files = ["stdout"]
  data_format = "influx"
"""
    )
    done = subprocess.run(
        [telegraf, "--config", configuration, "--once"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Mapping[str, float]] = {}
    for line in done.stdout.strip().splitlines():
        head, fields, _ = line.rsplit(" ", 2)
        pairs = (pair.split("=") for pair in fields.split(","))
        found[head.split(",")[0]] = {name: float(value.rstrip("iu")) for name, value in pairs}
    return {
        model.profile: {
            "power": found[NAMES[model.profile]]["power"] * model.power[2],
            "energy": found[NAMES[model.profile]]["energy"] * model.energy[2],
        }
        for model in MODELS
    }


def mbpoll_reads_power(mbpoll: Path, where: list[str], unit_id: int, model: Model) -> float:
    """Power in W; mbpoll knows 32-bit floats and integers, with the words in either order."""
    address, encoding, factor = model.power
    kind = f"{'3' if model.table == 'input' else '4'}:{'float' if encoding == F32 else 'int'}"
    words = ["-B"] if model.order == "ABCD" else []
    done = subprocess.run(
        [mbpoll, "-a", str(unit_id), "-t", kind, *words, "-0", "-r", str(address), "-c", "1", "-1", "-q", *where],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    line = next(text for text in done.stdout.splitlines() if text.startswith(f"[{address}]"))
    return float(line.split(":")[1]) * factor


async def test_telegraf_mbpoll_and_the_agent_agree_on_ten_models(
    places: Mapping[str, dict[str, object]],
    tmp_path: Path,
    processes: Processes,
    mosquitto: Mosquitto,
    telegraf: Path,
    mbpoll: Path,
) -> None:
    tcp, serial = places["gateway"]["tcp"], places["bus"]["serial"]
    assert isinstance(tcp, dict)
    assert isinstance(serial, dict)
    where = {
        "gateway": ("TCP", f"tcp://127.0.0.1:{tcp['port']}", ["-m", "tcp", "-p", str(tcp["port"]), "127.0.0.1"]),
        "bus": ("RTU", f"file://{serial['port']}", ["-m", "rtu", "-b", str(BAUD), "-P", "none", serial["port"]]),
    }
    # One master at a time has the serial line, as on a real one: the agent comes last.
    by_telegraf = {}
    for line, (mode, controller, mbpoll_place) in where.items():
        by_telegraf[line] = telegraf_reads_all(telegraf, tmp_path, controller, mode)
        for unit_id, model in enumerate(MODELS, 1):
            by_mbpoll_w = mbpoll_reads_power(mbpoll, mbpoll_place, unit_id, model)
            assert by_mbpoll_w == pytest.approx(POWER_W, rel=1e-6), (line, model.profile)
    stored = Stored(tmp_path, processes, mosquitto, list(places.values()))
    for line, readings in by_telegraf.items():
        for model in MODELS:
            device, told = f"{line}-{NAMES[model.profile]}", readings[model.profile]
            assert told["power"] == pytest.approx(POWER_W, rel=1e-6), device
            powers = (await stored.series(device, "active_power_total", 2)).values
            assert powers == pytest.approx([POWER_W] * len(powers), rel=1e-6), device
            energy_kwh = (await stored.series(device, "active_energy_import_total", 2)).values[0]
            assert told["energy"] - 0.001 <= energy_kwh <= told["energy"] + LONGEST_RUN_KWH, device

"""From the field's frames to a simulator that answers as the field did, and to a golden case."""

import json
from pathlib import Path

import pytest
import yaml
from pymodbus.client import ModbusTcpClient

from edge_agent.frame_trace import FRAMES_A_LINE, FrameTrace
from simulators.errors import SimulatorError
from simulators.faults import Request
from simulators.modbus_frames import rtu_frame
from simulators.replay import ReplayedUnit
from simulators.trace_file import TracedDevice, TracedLine, read_trace, registers_of
from site_config.schema import load_site
from tests.servers.ports import free_port
from tests.servers.processes import LEANMETER, Processes

READ_TWO = bytes((3, 0, 10, 0, 2))
SEVEN_EIGHT = bytes((3, 4, 0, 7, 0, 8))
SEVEN_NINE = bytes((3, 4, 0, 7, 0, 9))


def traced(*frames: tuple[float, bool, bytes]) -> TracedLine:
    return TracedLine("bus", "rtu", (TracedDevice("m", "eastron/sdm120", 1),), list(frames))


def test_a_ring_keeps_the_last_frames_and_joins_what_came_in_pieces() -> None:
    trace = FrameTrace()
    for number in range(FRAMES_A_LINE + 10):
        trace.note(number.to_bytes(2, "big"), sent=True)
    assert len(trace.frames()) == FRAMES_A_LINE
    assert trace.frames()[0][2] == (10).to_bytes(2, "big")
    trace.note(b"ab", sent=False)
    trace.note(b"cd", sent=False)
    assert trace.frames()[-1][1:] == (False, b"abcd")


def test_what_was_asked_and_what_came_back() -> None:
    ask = rtu_frame(1, READ_TWO)
    line = traced(
        (1000, True, ask),
        (1040, False, rtu_frame(1, SEVEN_EIGHT)),
        (2000, True, ask),
        (3000, True, ask),
        (3010, False, b"\x01\x03\x99"),
        (4000, True, ask),
        (4020, False, rtu_frame(1, SEVEN_NINE)),
    )
    exchanges = line.exchanges()
    assert [(exchange.reply, exchange.damaged) for exchange in exchanges] == [
        (SEVEN_EIGHT, b""),
        (b"", b""),
        (b"", b"\x01\x03\x99"),
        (SEVEN_NINE, b""),
    ]
    assert exchanges[0].delay_s == pytest.approx(0.04)
    assert registers_of(exchanges, 1) == {3: {10: 7, 11: 9}}
    unit = ReplayedUnit(exchanges, 1)
    replies = [unit.reply(Request(1, READ_TWO)) for _ in range(5)]
    assert [reply.pdu for reply in replies] == [SEVEN_EIGHT, b"", b"", SEVEN_NINE, SEVEN_EIGHT]
    assert [reply.silent for reply in replies] == [False, True, False, False, False]
    assert replies[2].framed(b"anything") == b"\x01\x03\x99"
    assert unit.reply(Request(1, bytes((3, 0, 11, 0, 1)))).pdu == bytes((3, 2, 0, 9))
    assert unit.reply(Request(1, bytes((3, 0, 12, 0, 1)))).pdu == b"\x83\x02"


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"leanmeter_trace": 1, "lines": [{}]}', "no json"])
def test_what_is_no_bundle_is_told(text: str, tmp_path: Path) -> None:
    path = tmp_path / "bundle.jsonl"
    path.write_text(text)
    with pytest.raises(SimulatorError, match="bundle"):
        read_trace(path)


def test_from_the_field_to_a_simulator_and_a_case(tmp_path: Path, processes: Processes) -> None:
    meter_port, scale_port, transmitter_port, replay_port = (free_port() for _ in range(4))
    power = tmp_path / "power.csv"
    power.write_text("time,power\n0,5000\n3600,5000\n")
    processes.start_leanmeter(
        "simulate", "device", "eastron/sdm120", "--tcp", f":{meter_port}", "--power", power
    ).wait_for_log("listening")
    processes.start_leanmeter("simulate", "scale", "rice_lake_stream", "--tcp", f":{scale_port}").wait_for_log(
        "listening"
    )
    registers = tmp_path / "registers.json"
    registers.write_text('{"holding": {"6": [2048, 0, 1234, 0, 1000]}}')
    processes.start_leanmeter(
        "simulate", "device", "laumas/tlb4", "--tcp", f":{transmitter_port}", "--registers", registers
    ).wait_for_log("listening")
    site = tmp_path / "site.yaml"
    host = {"host": "127.0.0.1"}
    document = {
        "site": "very-secret-bakery",
        "data_dir": str(tmp_path / "edge"),
        "mqtt": {**host, "port": free_port(), "username": "very-secret-user"},
        "lines": [
            {
                "id": "bus",
                "tcp": {**host, "port": meter_port},
                "devices": [{"id": "main", "profile": "eastron/sdm120"}],
            },
            {
                "id": "transmitter",
                "tcp": {**host, "port": transmitter_port},
                "devices": [{"id": "silo", "profile": "laumas/tlb4", "settings": {"weight_unit": "kg", "decimals": 2}}],
            },
            {
                "id": "scale",
                "tcp": {**host, "port": scale_port},
                "devices": [{"id": "scale-1", "profile": "scales/rice-lake-stream"}],
            },
        ],
    }
    site.write_text(yaml.safe_dump(document))
    agent = processes.start(LEANMETER, "edge", "run", "--config", site)
    agent.wait_for((tmp_path / "edge" / "outbox").is_dir)
    bundle = tmp_path / "bundle.jsonl"

    def all_lines_spoke() -> bool:
        ran = processes.run_leanmeter("edge", "trace", "--config", site, "--output", bundle)
        assert ran.returncode == 0, ran.stderr
        return all(len(line.frames) > 4 for line in read_trace(bundle))

    agent.wait_for(all_lines_spoke)
    assert "secret" not in bundle.read_text()
    assert "127.0.0.1" not in bundle.read_text()

    process = processes.start_leanmeter("simulate", "replay", bundle, "--line", "bus", "--tcp", f":{replay_port}")
    process.wait_for_log("eastron/sdm120 as unit 1")
    with ModbusTcpClient("127.0.0.1", port=replay_port, retries=0) as client:
        words = client.read_input_registers(12, count=2, device_id=1).registers
        assert client.convert_from_registers(words, client.DATATYPE.FLOAT32) == 5000.0
    ran = processes.run_leanmeter("simulate", "case", bundle, "--device", "main", "--output", tmp_path / "cases")
    assert ran.returncode == 0, ran.stderr
    expected = json.loads((tmp_path / "cases" / "eastron-sdm120--field" / "expected.json").read_text())
    assert expected["active_power_total"] == 5000.0
    ran = processes.run_leanmeter("simulate", "case", bundle, "--device", "silo", "--output", tmp_path / "cases")
    assert ran.returncode == 0, ran.stderr
    assert (
        json.loads((tmp_path / "cases" / "laumas-tlb4--field" / "expected.json").read_text())["weight_gross"] == 12.34
    )
    ran = processes.run_leanmeter("profiles", "test", tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    ran = processes.run_leanmeter("simulate", "case", bundle, "--device", "scale-1", "--output", tmp_path / "cases")
    assert (ran.returncode, ran.stderr.count("\n")) == (2, 1)
    assert "has no registers" in ran.stderr

    scale = processes.start_leanmeter("simulate", "replay", bundle, "--line", "scale", "--rtu-tcp", ":0", "--json")
    scale.wait_for_log("listening")

    everything = processes.start_leanmeter("simulate", "replay", bundle, "--directory", tmp_path / "replayed")
    everything.wait_for_log("listening")
    replayed = load_site(tmp_path / "replayed" / "site.yaml")
    assert [line.id for line in replayed.lines] == ["bus", "transmitter", "scale"]
    assert replayed.lines[1].devices[0].settings == {"weight_unit": "kg", "decimals": 2}

    ran = processes.run_leanmeter("simulate", "replay", bundle, "--tcp", ":0")
    assert (ran.returncode, ran.stderr.count("\n")) == (2, 1)
    assert "--line" in ran.stderr

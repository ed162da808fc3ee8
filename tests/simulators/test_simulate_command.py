"""The command as a user types it: real processes, read by a real master."""

import json
import re
import socket
import time
from pathlib import Path

import pytest
import serial
from pymodbus.client import ModbusSerialClient, ModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.framer import FramerType

from leanmeter.command_line import main
from site_config.schema import load_site
from tests.servers.processes import ManagedProcess, Processes


def port_of(process: ManagedProcess) -> int:
    return int(process.wait_for_log(r"listening on 127\.0\.0\.1:(\d+)")[1])


def test_literal_registers_over_tcp(tmp_path: Path, processes: Processes) -> None:
    registers = tmp_path / "registers.json"
    registers.write_text('{"input": {"0": [17254, 13107], "52": [16320, 0]}}')
    process = processes.start_leanmeter(
        "simulate", "device", "eastron/sdm630", "--tcp", ":0", "--unit", "9", "--registers", registers
    )
    with ModbusTcpClient("127.0.0.1", port=port_of(process), retries=0) as client:
        assert client.read_input_registers(52, count=2, device_id=9).registers == [16320, 0]
        assert client.read_input_registers(0, count=3, device_id=9).exception_code == 2
    assert process.stop() == 0
    assert "Traceback" not in process.log()


def test_a_recorded_load_over_rtu_over_tcp(tmp_path: Path, processes: Processes) -> None:
    power = tmp_path / "power.csv"
    power.write_text("time,power\n0,3000\n10,3000\n")
    process = processes.start_leanmeter(
        "simulate", "device", "schneider/iem3155", "--rtu-tcp", "127.0.0.1:0", "--power", power, "--json"
    )
    ready = json.loads(process.wait_for_log(r"\{.*\}")[0])
    assert (ready["listening"], ready["profile"], ready["unit"]) == (True, "schneider/iem3155", 1)
    with ModbusTcpClient(ready["host"], port=ready["port"], framer=FramerType.RTU, retries=0) as client:
        words = client.read_holding_registers(3059, count=2).registers
        assert client.convert_from_registers(words, client.DATATYPE.FLOAT32) == pytest.approx(3.0)
    process.interrupt()
    assert process.wait() == 0


def test_a_serial_line_at_its_speed(tmp_path: Path, processes: Processes) -> None:
    path = tmp_path / "rs485"
    process = processes.start_leanmeter(
        "simulate", "device", "abb/b23", "--serial", path, "--baud", "19200", "--chunk-bytes", "1"
    )
    process.wait_for_log("listening on .* at 19200 baud")
    with ModbusSerialClient(str(path), baudrate=19200, retries=0) as client:
        reply = client.read_holding_registers(20480, count=4)
        assert reply.registers[:2] == [0, 0]
        assert reply.registers[2] * 65536 + reply.registers[3] >= 432_100
    assert process.stop() == 0
    assert not path.is_symlink()


def test_a_scale(processes: Processes) -> None:
    process = processes.start_leanmeter("simulate", "device", "scales/mt-sics", "--tcp", ":0")
    port = port_of(process)
    with socket.create_connection(("127.0.0.1", port), timeout=5) as scale:
        scale.sendall(b"SI\r\n")
        assert re.fullmatch(rb"S [SD] +-?\d+\.\d{3} kg\r\n", scale.recv(100))
    assert process.stop() == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["eastron/sdm999", "--tcp", ":0"], "eastron/sdm999"),
        (["eastron/sdm630", "--tcp", "5020"], "--tcp 5020"),
        (["eastron/sdm630", "--tcp", ":99999"], "--tcp :99999"),
        (["eastron/sdm630", "--tcp", "203.0.113.1:5020"], "203.0.113.1:5020"),
        (["eastron/sdm630", "--tcp", ":0", "--registers", "nowhere.json"], "nowhere.json"),
        (["eastron/sdm630", "--tcp", ":0", "--power", "nowhere.csv"], "nowhere.csv"),
        (["arad/octave", "--tcp", ":0", "--power", "nowhere.csv"], "water"),
        (["eastron/sdm630", "--tcp", ":0", "--unit", "300"], "unit"),
        (["eastron/sdm630", "--serial", "/proc/rs485"], "/proc/rs485"),
        (["eastron/sdm630", "--serial", "rs485", "--baud", "7"], "--baud 7"),
        (["scales/mt-sics", "--rtu-tcp", ":0"], "scales/mt-sics"),
        (["eastron/sdm630"], "--tcp"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(arguments: list[str], told: str, processes: Processes) -> None:
    ran = processes.run_leanmeter("simulate", "device", *arguments)
    assert ran.returncode == 2
    assert told in ran.stderr
    assert ran.stderr.count("\n") == 1


def test_a_workshop_with_its_site_file_and_truth(tmp_path: Path, processes: Processes) -> None:
    directory = tmp_path / "workshop"
    truth_file = tmp_path / "truth.json"
    process = processes.start_leanmeter(
        "simulate",
        "workshop",
        "--directory",
        directory,
        "--site",
        "bakery",
        "--mqtt-port",
        "1999",
        "--truth",
        truth_file,
    )
    process.wait_for_log("listening on")
    site = load_site(directory / "site.yaml")
    assert (site.site, site.edge, site.mqtt.port) == ("bakery", "edge-1", 1999)
    assert [point.id for point in site.points] == [
        "main", "oven", "mixer", "cold-room", "packing", "pv", "water", "product",
    ]  # fmt: skip
    assert {assignment.device for assignment in site.assignments} == {
        device.id for line in site.lines for device in line.devices
    }
    serial = site.lines[0].serial
    assert serial is not None
    with ModbusSerialClient(serial.port, baudrate=serial.baud or 9600, retries=0) as client:
        for unit_id, address, reader in (
            (1, 52, client.read_input_registers),
            (2, 3059, client.read_holding_registers),
            (3, 23316, client.read_holding_registers),
        ):
            assert len(reader(address, count=2, device_id=unit_id).registers) == 2
    ports = {line.id: line.tcp.port for line in site.lines if line.tcp is not None}
    with ModbusTcpClient("127.0.0.1", port=ports["main-meter"], retries=0) as client:
        assert not client.read_holding_registers(19000, count=94).isError()
    with ModbusTcpClient("127.0.0.1", port=ports["pv-inverter"], retries=0) as client:
        assert client.read_holding_registers(40000, count=4).registers == [0x5375, 0x6E53, 1, 66]
    assert process.stop() == 0
    truth = json.loads(truth_file.read_text())
    assert truth["stop"]["time_ms"] > truth["start"]["time_ms"]
    before, after = truth["start"]["totals"], truth["stop"]["totals"]
    assert before["main"]["active_energy_import_total"] == 21_374
    assert after["oven"]["active_energy_import_total"] > before["oven"]["active_energy_import_total"]


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path, processes: Processes) -> None:
    (tmp_path / "file").touch()
    ran = processes.run_leanmeter("simulate", "workshop", "--directory", tmp_path / "file" / "below")
    assert ran.returncode == 2
    assert "below" in ran.stderr
    assert ran.stderr.count("\n") == 1


def test_many_meters_at_once(processes: Processes) -> None:
    process = processes.start_leanmeter(
        "simulate", "device", "eastron/sdm120", "--tcp", ":0", "--count", "3", "--unit", "5"
    )
    port = port_of(process)
    assert "unit 5 to 7" in process.log()
    with ModbusTcpClient("127.0.0.1", port=port, retries=0) as client:
        powers = {tuple(client.read_input_registers(12, count=2, device_id=unit).registers) for unit in (5, 6, 7)}
    assert len(powers) == 3  # each has a machine of its own


def test_a_scale_of_any_protocol_on_a_serial_line(tmp_path: Path, processes: Processes) -> None:
    path = tmp_path / "scale"
    process = processes.start_leanmeter("simulate", "scale", "rice_lake_stream", "--serial", path, "--decimals", "2")
    process.wait_for_log("listening on .*scale at 9600 baud as rice_lake_stream")
    with serial.Serial(str(path), 9600, timeout=2) as line:
        line.readline()  # the first may have begun before
        assert re.fullmatch(rb"\x02 [ 0-9.]{7}KG[ M]\r\n", line.readline())
    assert process.stop() == 0


def test_a_view_that_nobody_can_see_is_none(processes: Processes) -> None:
    process = processes.start_leanmeter("simulate", "device", "eastron/sdm120", "--tcp", ":0", "--view")
    port_of(process)
    assert process.stop() == 0
    assert "\x1b" not in process.log()


def test_several_models_with_faults_and_a_reply_delay(processes: Processes) -> None:
    process = processes.start_leanmeter(
        "simulate", "device", "eastron/sdm630@7", "abb/b23", "laumas/tlb4@3", "--tcp", ":0", "--reply-delay-ms", "50",
        "--setting", "weight_unit=g", "--setting", "decimals=1", "--fault", "exception,exception_code=6,at=8",
        "--fault", "counter_reset,at=7",
    )  # fmt: skip
    process.wait_for_log("unit 7 eastron/sdm630, unit 8 abb/b23, unit 3 laumas/tlb4")
    with ModbusTcpClient("127.0.0.1", port=port_of(process), retries=0) as client:
        began_s = time.monotonic()
        words = client.read_input_registers(72, count=2, device_id=7).registers
        assert time.monotonic() - began_s > 0.045
        assert client.convert_from_registers(words, client.DATATYPE.FLOAT32) < 1  # kWh since the reset
        assert client.read_holding_registers(20480, count=4, device_id=8).exception_code == 6
        assert not client.read_holding_registers(7, count=2, device_id=3).isError()


def test_two_devices_on_one_id_get_into_each_others_way(tmp_path: Path, processes: Processes) -> None:
    twins = ("simulate", "device", "eastron/sdm120@5", "eastron/sdm630@5")
    process = processes.start_leanmeter(*twins, "--tcp", ":0")
    with ModbusTcpClient("127.0.0.1", port=port_of(process), retries=0) as client:
        assert client.read_input_registers(0, count=2, device_id=5).exception_code == 11
    path = tmp_path / "rs485"
    processes.start_leanmeter(*twins, "--serial", path, "--baud", "38400").wait_for_log("listening")
    with ModbusSerialClient(str(path), baudrate=38400, retries=0, timeout=0.5) as line, pytest.raises(ModbusException):
        line.read_input_registers(12, count=2, device_id=5)  # power: their voltages may agree but for one bit


def test_a_scale_with_its_own_products_and_a_fault(processes: Processes) -> None:
    process = processes.start_leanmeter(
        "simulate", "scale", "mt_sics", "--tcp", ":0", "--masses", "2.5,0.75", "--every", "2",
        "--fault", "silence,from_s=4.5",
    )  # fmt: skip
    seen = set()
    with socket.create_connection(("127.0.0.1", port_of(process)), timeout=1) as scale:
        try:
            while True:
                scale.sendall(b"SI\r\n")
                _, state, mass, _ = scale.recv(100).split()
                seen |= {mass} if state == b"S" else set()
                time.sleep(0.05)
        except TimeoutError:
            assert seen == {b"0.000", b"2.500"}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["eastron/sdm630", "--fault", "rust"], "--fault rust: kind 'rust' is none of silence"),
        (["eastron/sdm630", "--fault", "delay"], "--fault delay: delay: needs delay_s"),
        (["eastron/sdm630", "--fault", "silence,now"], "'now' is no KEY=VALUE"),
        (["eastron/sdm630", "--fault", "silence,at=3"], "there is no unit 3"),
        (["eastron/sdm630", "--fault", "silence,probability=2"], "probability: "),
        (["eastron/sdm630", "--fault", "sentinel,quantity=frequency"], "sentinel: frequency has none"),
        (["eastron/sdm630", "--setting", "decimals=2"], "--setting decimals: is asked by none"),
        (["laumas/tlb4", "--setting", "decimals"], "expected NAME=VALUE"),
        (["eastron/sdm630@0"], "@0: a unit id is between 1"),
        (["eastron/sdm630@250", "abb/b23@255", "abb/b23"], "unit ids end at 255"),
        (["eastron/sdm630", "scales/mt-sics"], "a scale has its line for itself"),
        (["eastron/sdm630", "abb/b23", "--count", "2"], "--count: is for one profile"),
        (["scales/mt-sics", "--fault", "wrong_unit,unit_id=2"], "wrong_unit: a scale can have"),
    ],
)
def test_mistakes_about_several_devices_and_faults(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["simulate", "device", *arguments, "--tcp", ":0"]) == 2
    found = capsys.readouterr().err
    assert told in found
    assert found.count("\n") == 1

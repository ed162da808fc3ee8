import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pymodbus.client import AsyncModbusSerialClient
from pymodbus.exceptions import ModbusIOException
from pymodbus.framer import FramerType

from simulators.errors import SimulatorError
from simulators.faults import DamagedChecksum, LateReply
from simulators.line_pacing import LineSpeed
from simulators.modbus_frames import rtu_frame
from simulators.modbus_server import RtuSerialServer, Units
from simulators.serial_port import PseudoTerminal, open_serial
from tests.servers.waiting import eventually_async
from tests.simulators.modbus_parts import bytes_within, checksum_is_right, numbered_unit, raw_terminal, run_mbpoll

READ_SEVEN = rtu_frame(1, bytes((4, 0, 7, 0, 1)))
SEVEN = rtu_frame(1, bytes((4, 2, 0, 7)))


@asynccontextmanager
async def line(directory: Path, units: Units, speed: LineSpeed | None = None) -> AsyncIterator[Path]:
    with PseudoTerminal(directory / "rs485") as port:
        async with RtuSerialServer(units, port, speed):
            yield port.path


@asynccontextmanager
async def master(path: Path, timeout_s: float = 2.0) -> AsyncIterator[AsyncModbusSerialClient]:
    client = AsyncModbusSerialClient(str(path), framer=FramerType.RTU, baudrate=38400, timeout=timeout_s, retries=0)
    assert await client.connect()
    try:
        yield client
    finally:
        client.close()


async def test_pymodbus_reads_several_units_of_a_line(tmp_path: Path) -> None:
    units = {1: numbered_unit(0), 2: numbered_unit(1000), 3: numbered_unit(2000)}
    async with line(tmp_path, units, LineSpeed(38400)) as path, master(path) as client:
        for _ in range(3):
            for unit_id in units:
                reply = await client.read_input_registers(5, count=60, device_id=unit_id)
                assert reply.registers == list(range(1000 * (unit_id - 1) + 5, 1000 * (unit_id - 1) + 65))
        assert (await client.read_input_registers(500, count=1, device_id=2)).exception_code == 2
        assert units[3].requests == 3


async def test_another_unit_is_silent(tmp_path: Path) -> None:
    async with line(tmp_path, {1: numbered_unit(0)}) as path, master(path, timeout_s=0.2) as client:
        with pytest.raises(ModbusIOException):
            await client.read_input_registers(0, count=1, device_id=2)


async def test_a_damaged_request_is_not_answered_and_the_next_is(tmp_path: Path) -> None:
    async with line(tmp_path, {1: numbered_unit(0)}) as path:
        with raw_terminal(path) as descriptor:
            os.write(descriptor, READ_SEVEN[:-1] + b"\0")
            assert await bytes_within(descriptor, 1, 0.15) == b""
            os.write(descriptor, READ_SEVEN[:4])  # the rest never comes
            assert await bytes_within(descriptor, 1, 0.3) == b""
            os.write(descriptor, READ_SEVEN)
            assert await bytes_within(descriptor, len(SEVEN), 2.0) == SEVEN


async def test_a_damaged_reply_has_a_wrong_checksum(tmp_path: Path) -> None:
    unit = numbered_unit(0)
    unit.faults.append(DamagedChecksum())
    async with line(tmp_path, {1: unit}) as path:
        with raw_terminal(path) as descriptor:
            os.write(descriptor, READ_SEVEN)
            frame = await bytes_within(descriptor, len(SEVEN), 2.0)
    assert frame[:-1] == SEVEN[:-1]
    assert not checksum_is_right(frame)


async def test_a_late_reply_looks_like_the_answer_to_the_next_request(tmp_path: Path) -> None:
    unit = numbered_unit(0)
    unit.faults.append(LateReply(0.15))
    async with line(tmp_path, {1: unit}) as path:
        with raw_terminal(path) as descriptor:
            os.write(descriptor, READ_SEVEN)
            await eventually_async(lambda: unit.requests)
            unit.faults.clear()
            os.write(descriptor, rtu_frame(1, bytes((4, 0, 8, 0, 1))))
            expected = rtu_frame(1, bytes((4, 2, 0, 8))) + SEVEN
            assert await bytes_within(descriptor, len(expected), 2.0) == expected


@pytest.mark.parametrize("chunk_bytes", [1, 32])
async def test_a_frame_takes_its_time_on_the_line(tmp_path: Path, chunk_bytes: int) -> None:
    speed = LineSpeed(9600, bits_per_character=10, chunk_bytes=chunk_bytes)
    reply_length = 5 + 2 * 100
    async with line(tmp_path, {1: numbered_unit(0, reply_delay_s=0.02)}, speed) as path:
        with raw_terminal(path) as descriptor:
            loop = asyncio.get_running_loop()
            start_s = loop.time()
            os.write(descriptor, rtu_frame(1, bytes((4, 0, 0, 0, 100))))
            first = await bytes_within(descriptor, 1, 2.0)
            rest = await bytes_within(descriptor, reply_length - len(first), 2.0)
            took_s = loop.time() - start_s
    assert checksum_is_right(first + rest)
    # Request, 3.5 characters of silence, the device's own time, reply.
    expected_s = (8 + 3.5 + reply_length) * 10 / 9600 + 0.02
    assert expected_s <= took_s < expected_s + 0.1


def test_the_link_replaces_an_old_one_and_goes_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "rs485"
    path.symlink_to("/dev/pts/4711000")
    with PseudoTerminal(path) as port:
        assert path.is_char_device()
        assert port.path == path
    assert not path.is_symlink()


def test_a_file_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("mine")
    with pytest.raises(SimulatorError, match=r"notes\.txt"):
        open_serial(path, 9600)
    assert path.read_text() == "mine"
    with pytest.raises(SimulatorError, match="nowhere"):
        open_serial(tmp_path / "nowhere" / "rs485", 9600)


async def test_an_existing_port_is_opened_as_it_is(tmp_path: Path) -> None:
    with PseudoTerminal(tmp_path / "other-end") as cable:
        port = open_serial(cable.path.resolve(), 9600)
        try:
            async with RtuSerialServer({1: numbered_unit(0)}, port):
                os.write(cable.descriptor, READ_SEVEN)
                assert await bytes_within(cable.descriptor, len(SEVEN), 2.0) == SEVEN
        finally:
            port.close()


async def test_mbpoll_reads_a_serial_line(tmp_path: Path, mbpoll: Path) -> None:
    async with line(tmp_path, {5: numbered_unit(100)}, LineSpeed(19200)) as path:
        said = await run_mbpoll(mbpoll, f"-m rtu -b 19200 -P none -a 5 -t 3 -0 -r 0 -c 3 -1 {path}")
    assert "[2]: \t102" in said, said

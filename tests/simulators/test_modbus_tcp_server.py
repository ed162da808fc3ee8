import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusIOException
from pymodbus.framer import FramerType

from simulators.errors import SimulatorError
from simulators.faults import ExceptionAt, LateReply, Silence, Truncated, WrongUnit
from simulators.modbus_frames import rtu_frame, tcp_frame
from simulators.modbus_server import ModbusTcpServer, RtuTcpServer
from simulators.modbus_unit import ModbusUnit
from simulators.register_sources import LiteralRegisters
from tests.servers.waiting import eventually_async
from tests.simulators.modbus_parts import numbered_unit, run_mbpoll


@asynccontextmanager
async def master(
    server: ModbusTcpServer | RtuTcpServer, framer: FramerType = FramerType.SOCKET, timeout_s: float = 2.0
) -> AsyncIterator[AsyncModbusTcpClient]:
    client = AsyncModbusTcpClient(server.host, port=server.port, framer=framer, timeout=timeout_s, retries=0)
    assert await client.connect()
    try:
        yield client
    finally:
        client.close()


@pytest.mark.parametrize(("server_class", "framer"), [(ModbusTcpServer, "socket"), (RtuTcpServer, "rtu")])
async def test_pymodbus_reads_several_units(
    server_class: type[ModbusTcpServer] | type[RtuTcpServer], framer: str
) -> None:
    units = {1: numbered_unit(1000), 7: numbered_unit(5000, registers_max=20)}
    async with server_class(units, "127.0.0.1", 0) as server, master(server, FramerType(framer)) as client:
        for _ in range(3):
            assert (await client.read_input_registers(3, count=2, device_id=1)).registers == [1003, 1004]
            assert (await client.read_input_registers(199, count=1, device_id=7)).registers == [5199]
        assert (await client.read_input_registers(0, count=21, device_id=7)).exception_code == 3
        assert (await client.read_input_registers(199, count=2, device_id=7)).exception_code == 2
        assert (await client.read_holding_registers(0, count=1, device_id=1)).exception_code == 1
        assert (await client.write_register(0, 1, device_id=1)).exception_code == 1


async def test_pymodbus_reads_bits() -> None:
    unit = ModbusUnit(LiteralRegisters({1: dict.fromkeys(range(10), 0) | {2: 1}, 2: {0: 1}}))
    async with ModbusTcpServer({1: unit}, "127.0.0.1", 0) as server, master(server) as client:
        assert (await client.read_coils(0, count=10)).bits[:10] == [at == 2 for at in range(10)]
        assert (await client.read_discrete_inputs(0, count=1)).bits[0] is True


async def test_another_unit_is_not_answered() -> None:
    async with (
        ModbusTcpServer({1: numbered_unit(0)}, "127.0.0.1", 0) as server,
        master(server, timeout_s=0.2) as client,
    ):
        with pytest.raises(ModbusIOException):
            await client.read_input_registers(0, count=1, device_id=2)


async def test_faults_of_one_unit_leave_the_others_alone() -> None:
    units = {1: numbered_unit(0), 2: numbered_unit(100)}
    units[1].faults.append(ExceptionAt(5, 4))
    async with ModbusTcpServer(units, "127.0.0.1", 0) as server, master(server, timeout_s=0.2) as client:
        assert (await client.read_input_registers(0, count=6, device_id=1)).exception_code == 4
        assert (await client.read_input_registers(0, count=5, device_id=1)).registers == [0, 1, 2, 3, 4]
        units[1].faults[:] = [Silence()]
        with pytest.raises(ModbusIOException):
            await client.read_input_registers(0, count=1, device_id=1)
        assert (await client.read_input_registers(0, count=1, device_id=2)).registers == [100]


async def test_a_late_reply_comes_after_the_answer_to_the_next_request() -> None:
    unit = numbered_unit(0)
    async with ModbusTcpServer({1: unit}, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        unit.faults[:] = [LateReply(0.15)]
        writer.write(tcp_frame(1, 1, bytes((4, 0, 7, 0, 1))))
        await eventually_async(lambda: unit.requests)
        unit.faults.clear()
        writer.write(tcp_frame(2, 1, bytes((4, 0, 8, 0, 1))))
        assert await reader.readexactly(11) == tcp_frame(2, 1, bytes((4, 2, 0, 8)))
        assert await asyncio.wait_for(reader.readexactly(11), 2) == tcp_frame(1, 1, bytes((4, 2, 0, 7)))
        writer.close()


async def test_replies_of_wrong_units_and_torn_replies() -> None:
    unit = numbered_unit(0)
    unit.faults[:] = [WrongUnit(9), Truncated(9)]
    async with ModbusTcpServer({1: unit}, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(tcp_frame(1, 1, bytes((4, 0, 7, 0, 1))))
        assert await reader.readexactly(9) == tcp_frame(1, 9, bytes((4, 2, 0, 7)))[:9]
        writer.close()


async def test_a_delay_holds_the_next_request_back() -> None:
    unit = numbered_unit(0, reply_delay_s=0.05)
    async with ModbusTcpServer({1: unit}, "127.0.0.1", 0) as server, master(server) as client:
        start_s = asyncio.get_running_loop().time()
        for _ in range(3):
            await client.read_input_registers(0, count=1)
        assert asyncio.get_running_loop().time() - start_s >= 0.15


async def test_what_is_no_modbus_ends_the_connection() -> None:
    async with ModbusTcpServer({1: numbered_unit(0)}, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        assert await asyncio.wait_for(reader.read(), 2) == b""
        writer.close()


async def test_dropped_connections_can_be_made_again() -> None:
    async with ModbusTcpServer({1: numbered_unit(0)}, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(tcp_frame(1, 1, bytes((4, 0, 7, 0, 1))))
        await reader.readexactly(11)
        await server.drop_connections()
        assert await asyncio.wait_for(reader.read(), 2) == b""
        writer.close()
        async with master(server) as client:
            assert (await client.read_input_registers(0, count=1)).registers == [0]


async def test_a_port_in_use_is_named() -> None:
    async with ModbusTcpServer({}, "127.0.0.1", 0) as server:
        with pytest.raises(SimulatorError, match=str(server.port)):
            await ModbusTcpServer({}, "127.0.0.1", server.port).__aenter__()


async def test_rtu_over_tcp_takes_torn_frames_and_refuses_wrong_checksums() -> None:
    async with RtuTcpServer({1: numbered_unit(0)}, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        frame = rtu_frame(1, bytes((4, 0, 7, 0, 1)))
        writer.write(frame[:-1] + b"\0")
        await writer.drain()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.readexactly(1), 0.2)
        for byte in frame:
            writer.write(bytes((byte,)))
            await writer.drain()
        assert await asyncio.wait_for(reader.readexactly(7), 2) == rtu_frame(1, bytes((4, 2, 0, 7)))
        writer.close()


async def test_mbpoll_reads_floats(mbpoll: Path) -> None:
    unit = ModbusUnit(LiteralRegisters({4: {0: 0x4366, 1: 0x3333, 2: 0xBFC0, 3: 0}}))
    async with ModbusTcpServer({3: unit}, "127.0.0.1", 0) as server:
        said = await run_mbpoll(mbpoll, f"-m tcp -a 3 -t 3:float -B -0 -r 0 -c 2 -1 -p {server.port} 127.0.0.1")
    assert "[0]: \t230.2" in said, said
    assert "[2]: \t-1.5" in said

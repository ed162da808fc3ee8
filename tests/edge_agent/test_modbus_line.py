"""The line against a pymodbus server, which knows nothing of ours, and against units that misbehave."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from pymodbus.server import ModbusTcpServer as PymodbusServer
from pymodbus.simulator import DataType, SimData, SimDevice

from edge_agent.clock import SystemClock
from edge_agent.errors import DeviceExceptionError, LinkDownError, ReplyTimeoutError, UnusableReplyError
from edge_agent.modbus_line import ModbusLine
from edge_agent.transports import SerialPort, TcpAddress, Transport
from simulators.faults import Reply, Request
from simulators.modbus_server import ModbusTcpServer, RtuSerialServer, RtuTcpServer
from simulators.modbus_unit import ModbusUnit
from simulators.register_sources import LiteralRegisters
from simulators.serial_port import PseudoTerminal
from tests.servers.ports import LOOPBACK, accepts_connections, free_port
from tests.servers.waiting import eventually_async

TIMEOUT_S = 0.15


class Misbehaviour:
    """Changes the replies to the requests whose turn it is; all others are left alone."""

    def __init__(self, change: Callable[[Reply], Reply], turns: Iterable[int]) -> None:
        self._change = change
        self._turns = set(turns)
        self._request = 0

    def apply(self, request: Request, reply: Reply) -> Reply:  # noqa: ARG002  # the protocol of a fault
        self._request += 1
        return self._change(reply) if self._request in self._turns else reply


def unit(*faults: Misbehaviour, first: int = 0) -> ModbusUnit:
    """Holding register n holds first + n."""
    return ModbusUnit(LiteralRegisters({3: {address: first + address for address in range(100)}}), faults=faults)


def words(*values: int) -> bytes:
    return b"".join(value.to_bytes(2, "big") for value in values)


async def answered(line: ModbusLine, address: int, count: int = 2) -> bytes:
    """Registers of unit 1, asked for until they come."""

    async def attempt() -> bytes:
        try:
            return await line.read(1, 3, address, count)
        except (ReplyTimeoutError, UnusableReplyError):
            return b""

    return await eventually_async(attempt)


@asynccontextmanager
async def line_over(transport: Transport) -> AsyncIterator[ModbusLine]:
    line = ModbusLine("rs485-1", transport, SystemClock(), timeout_s=TIMEOUT_S)
    try:
        yield line
    finally:
        line.close()


@asynccontextmanager
async def rtu_line(path: Path, units: dict[int, ModbusUnit]) -> AsyncIterator[ModbusLine]:
    """A line of 19200 baud over a pseudo-terminal."""
    with PseudoTerminal(path / "rs485") as terminal:
        async with (
            RtuSerialServer(units, terminal),
            line_over(SerialPort(str(terminal.path), 19_200)) as line,
        ):
            yield line


@asynccontextmanager
async def tcp_line(units: dict[int, ModbusUnit]) -> AsyncIterator[ModbusLine]:
    async with ModbusTcpServer(units, LOOPBACK, 0) as server, line_over(TcpAddress(LOOPBACK, server.port)) as line:
        yield line


async def test_registers_of_a_foreign_server_come_as_bytes() -> None:
    port = free_port()
    bits, registers = SimData(0, values=[True], datatype=DataType.BITS), DataType.REGISTERS
    holding = SimData(10, values=[1, 2, 0xABCD], datatype=registers)
    device = SimDevice(7, simdata=([bits], [bits], [holding], [SimData(0, values=[99], datatype=registers)]))
    server = PymodbusServer(device, address=(LOOPBACK, port))
    serving = asyncio.create_task(server.serve_forever())
    try:
        await eventually_async(lambda: accepts_connections(LOOPBACK, port))
        async with line_over(TcpAddress(LOOPBACK, port)) as line:
            assert await line.read(7, 3, 10, 3) == words(1, 2, 0xABCD)
            assert await line.read(7, 4, 0, 1) == words(99)
            with pytest.raises(DeviceExceptionError) as refused:
                await line.read(7, 3, 500, 2)
            assert refused.value.code == 2
            assert refused.value.refuses_addresses
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]
        await serving


async def test_a_serial_line_reads_all_its_units(tmp_path: Path) -> None:
    async with rtu_line(tmp_path, {1: unit(), 2: unit(first=1000)}) as line:
        assert await line.read(1, 3, 5, 2) == words(5, 6)
        assert await line.read(2, 3, 5, 2) == words(1005, 1006)
        assert len(await line.read(1, 3, 0, 100)) == 200


async def test_rtu_frames_over_tcp() -> None:
    async with (
        RtuTcpServer({3: unit()}, LOOPBACK, 0) as server,
        line_over(TcpAddress(LOOPBACK, server.port, rtu_framing=True)) as line,
    ):
        assert await line.read(3, 3, 7, 1) == words(7)


@pytest.mark.parametrize("lateness_s", [TIMEOUT_S + 0.03, 2 * TIMEOUT_S - 0.03])
async def test_a_late_reply_is_never_the_answer_to_another_request(tmp_path: Path, lateness_s: float) -> None:
    # All requests ask for two registers of the same unit: nothing in a reply tells which one it answers.
    late = Misbehaviour(lambda reply: replace(reply, delay_s=lateness_s, detached=True), turns={1})
    slow = Misbehaviour(lambda reply: replace(reply, delay_s=0.12), turns=range(2, 20))
    async with rtu_line(tmp_path, {1: unit(late, slow)}) as line:
        with pytest.raises(ReplyTimeoutError):
            await line.read(1, 3, 10, 2)
        assert await answered(line, 20) == words(20, 21)
        assert await line.read(1, 3, 30, 2) == words(30, 31)


async def test_a_reply_that_is_very_late_is_told_by_the_order_of_answers(tmp_path: Path) -> None:
    # The device is busy for so long that three requests wait in it, and then it answers them one after the other.
    busy = Misbehaviour(lambda reply: replace(reply, delay_s=5 * TIMEOUT_S), turns={1})
    async with rtu_line(tmp_path, {1: unit(busy)}) as line:
        with pytest.raises(ReplyTimeoutError):
            await line.read(1, 3, 10, 8)
        for address in (20, 30, 40):
            assert await answered(line, address, 8) == words(*range(address, address + 8))


async def test_other_units_are_asked_while_a_late_reply_may_come(tmp_path: Path) -> None:
    late = Misbehaviour(lambda reply: replace(reply, delay_s=TIMEOUT_S + 0.05, detached=True), turns={1})
    slow = Misbehaviour(lambda reply: replace(reply, delay_s=0.1), turns={1})
    async with rtu_line(tmp_path, {1: unit(late), 2: unit(slow, first=1000)}) as line:
        with pytest.raises(ReplyTimeoutError):
            await line.read(1, 3, 10, 2)
        assert await line.read(2, 3, 10, 2) == words(1010, 1011)


async def test_an_exception_that_may_be_late_answers_nothing(tmp_path: Path) -> None:
    late = Misbehaviour(lambda reply: replace(reply, pdu=b"\x83\x02", delay_s=5 * TIMEOUT_S), turns={1})
    async with rtu_line(tmp_path, {1: unit(late)}) as line:
        with pytest.raises(ReplyTimeoutError):
            await line.read(1, 3, 10, 2)
        await asyncio.sleep(3 * TIMEOUT_S)
        with pytest.raises(UnusableReplyError, match="exception 2 after an unanswered request"):
            await line.read(1, 3, 20, 3)
        with pytest.raises(ReplyTimeoutError, match="late reply may come"):
            await line.read(1, 3, 20, 3)


async def test_a_late_reply_on_tcp_is_told_by_its_transaction() -> None:
    late = Misbehaviour(lambda reply: replace(reply, delay_s=TIMEOUT_S + 0.05, detached=True), turns={1})
    slow = Misbehaviour(lambda reply: replace(reply, delay_s=0.1), turns={2})
    async with tcp_line({1: unit(late, slow)}) as line:
        with pytest.raises(ReplyTimeoutError):
            await line.read(1, 3, 10, 2)
        assert await line.read(1, 3, 20, 2) == words(20, 21)


async def test_a_silent_unit_costs_one_timeout_and_leaves_the_others_alone(tmp_path: Path) -> None:
    async with rtu_line(tmp_path, {1: unit()}) as line:
        clock = SystemClock()
        await line.read(1, 3, 0, 1)
        began_s = clock.monotonic_s()
        with pytest.raises(ReplyTimeoutError):
            await line.read(9, 3, 0, 1)
        assert clock.monotonic_s() - began_s < 2 * TIMEOUT_S + 0.2
        assert await line.read(1, 3, 4, 1) == words(4)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (
            lambda reply: replace(reply, frame_edits=(lambda frame: frame[:-1] + bytes((frame[-1] ^ 1,)),)),
            "no valid answer",
        ),
        (lambda reply: replace(reply, frame_edits=(lambda frame: frame[:-3],)), "no valid answer"),
        (lambda reply: replace(reply, unit_id=reply.unit_id + 1), "no valid answer"),
        (lambda reply: replace(reply, pdu=b"\x04" + reply.pdu[1:]), "function code 4"),
        (lambda reply: replace(reply, pdu=b"\x03\x02" + reply.pdu[2:4]), "2 bytes of data instead of 4"),
        (lambda reply: replace(reply, pdu=b"\x03\x06" + reply.pdu[2:] + b"\0\0"), "6 bytes of data instead of 4"),
    ],
    ids=["checksum", "truncated", "other unit", "other function", "too short", "too long"],
)
async def test_a_reply_to_something_else_is_refused(
    tmp_path: Path, change: Callable[[Reply], Reply], what: str
) -> None:
    async with rtu_line(tmp_path, {1: unit(Misbehaviour(change, turns={2}))}) as line:
        assert await line.read(1, 3, 10, 2) == words(10, 11)
        with pytest.raises(UnusableReplyError, match=what):
            await line.read(1, 3, 20, 2)
        assert await line.read(1, 3, 30, 2) == words(30, 31)


async def test_frames_are_apart_by_three_and_a_half_characters(tmp_path: Path) -> None:
    times: list[float] = []
    clock = SystemClock()

    def note_time(reply: Reply) -> Reply:
        times.append(clock.monotonic_s())
        return reply

    watch = Misbehaviour(note_time, turns=range(1, 11))
    with PseudoTerminal(tmp_path / "rs485") as terminal:
        async with (
            RtuSerialServer({1: unit(watch)}, terminal),
            line_over(SerialPort(str(terminal.path), 1200)) as line,
        ):
            for _ in range(10):
                await line.read(1, 3, 0, 1)
    gaps_s = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert min(gaps_s) >= 3.5 * 10 / 1200


async def test_a_pause_that_a_model_wants_is_kept() -> None:
    async with tcp_line({1: unit()}) as line:
        clock = SystemClock()
        await line.read(1, 3, 0, 1)
        began_s = clock.monotonic_s()
        await line.read(1, 3, 0, 1, pause_s=0.05)
        assert clock.monotonic_s() - began_s >= 0.045


async def test_a_broken_connection_is_told_at_once_and_made_again() -> None:
    slow = Misbehaviour(lambda reply: replace(reply, delay_s=5.0), turns={2})
    async with ModbusTcpServer({1: unit(slow)}, LOOPBACK, 0) as server:
        line = ModbusLine("meter", TcpAddress(LOOPBACK, server.port), SystemClock(), timeout_s=4.0)
        await line.read(1, 3, 0, 1)
        reading = asyncio.create_task(line.read(1, 3, 0, 1))
        await asyncio.sleep(0.05)
        await server.drop_connections()
        async with asyncio.timeout(1):
            with pytest.raises(LinkDownError):
                await reading
            assert await line.read(1, 3, 6, 1) == words(6)
        line.close()


async def test_where_nobody_listens_the_next_try_waits(caplog: pytest.LogCaptureFixture) -> None:
    async with line_over(TcpAddress(LOOPBACK, free_port())) as line:
        clock = SystemClock()
        for _ in range(20):
            with pytest.raises(LinkDownError):
                await line.read(1, 3, 0, 1)
        began_s = clock.monotonic_s()
        with pytest.raises(LinkDownError):
            await line.read(1, 3, 0, 1)
        assert clock.monotonic_s() - began_s < 0.05
    told = [record for record in caplog.records if "cannot connect" in record.message]
    assert len(told) == 1


async def test_a_serial_port_that_is_not_there_is_a_link_that_is_down(tmp_path: Path) -> None:
    async with line_over(SerialPort(str(tmp_path / "nothing"))) as line:
        with pytest.raises(LinkDownError):
            await line.read(1, 3, 0, 1)

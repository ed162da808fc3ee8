"""A USB adapter that comes back under another name, and a gateway that is switched off and on again."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from edge_agent import usb_adapters
from edge_agent.clock import SystemClock
from edge_agent.errors import LinkDownError, ReplyTimeoutError, UnusableReplyError
from edge_agent.modbus_line import ModbusLine
from edge_agent.transports import SerialPort, TcpAddress, Transport
from simulators.modbus_server import ModbusTcpServer, RtuSerialServer
from simulators.modbus_unit import ModbusUnit
from simulators.register_sources import LiteralRegisters
from simulators.serial_port import PseudoTerminal
from tests.servers.ports import LOOPBACK
from tests.servers.waiting import eventually_async

OURS, ANOTHER = 11, 99


def meter(value: int) -> dict[int, ModbusUnit]:
    return {1: ModbusUnit(LiteralRegisters({3: {0: value}}))}


class Usb:
    """Device files and udev's links by id, in folders of the test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.by_id = folder / "by-id"
        self.by_id.mkdir()

    def plug(self, stack: ExitStack, name: str, serial_number: str) -> PseudoTerminal:
        terminal = stack.enter_context(PseudoTerminal(self.folder / name))
        link = self.by_id / f"usb-FTDI_FT232R_{serial_number}-if00-port0"
        link.unlink(missing_ok=True)
        link.symlink_to(terminal.path)
        return terminal


@pytest.fixture
def usb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Usb]:
    made = Usb(tmp_path)
    monkeypatch.setattr(usb_adapters, "BY_ID", made.by_id)
    usb_adapters._known.clear()  # what an earlier test has seen
    yield made
    usb_adapters._known.clear()


def line_over(transport: Transport) -> ModbusLine:
    return ModbusLine("line", transport, SystemClock(), timeout_s=0.15)


async def value_of(line: ModbusLine) -> int | None:
    try:
        return int.from_bytes(await line.read(1, 3, 0, 1), "big")
    except (LinkDownError, ReplyTimeoutError, UnusableReplyError):
        await asyncio.sleep(0.05)
        return None


async def test_an_adapter_is_found_by_its_id_and_another_is_not_taken_for_it(usb: Usb, tmp_path: Path) -> None:
    line = line_over(SerialPort(str(tmp_path / "ttyUSB0")))
    with ExitStack() as before:
        first = usb.plug(before, "ttyUSB0", "A1")
        async with RtuSerialServer(meter(OURS), first):
            assert await eventually_async(lambda: value_of(line)) == OURS
    with ExitStack() as after:
        # The plug was loose: another adapter has its name now, and it has another one, a while later.
        another = usb.plug(after, "ttyUSB0", "B2")
        (usb.by_id / "usb-FTDI_FT232R_A1-if00-port0").unlink()
        async with RtuSerialServer(meter(ANOTHER), another):
            for _ in range(20):
                assert await value_of(line) is None
            again = usb.plug(after, "ttyUSB1", "A1")
            async with RtuSerialServer(meter(OURS), again):
                assert await eventually_async(lambda: value_of(line), timeout_s=40) == OURS
        line.close()


async def test_a_gateway_that_was_rebooted_is_asked_again() -> None:
    async with ModbusTcpServer(meter(OURS), LOOPBACK, 0) as gateway:
        port = gateway.port
        line = line_over(TcpAddress(LOOPBACK, port))
        assert await eventually_async(lambda: value_of(line)) == OURS
    assert [await value_of(line) for _ in range(3)] == [None] * 3
    async with ModbusTcpServer(meter(OURS), LOOPBACK, port):
        assert await eventually_async(lambda: value_of(line), timeout_s=40) == OURS
    line.close()

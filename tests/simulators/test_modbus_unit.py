import pytest

from simulators.faults import Request, Silence
from simulators.modbus_unit import ModbusUnit
from simulators.register_sources import LiteralRegisters

UNIT = ModbusUnit(
    LiteralRegisters(
        {4: dict(enumerate(range(1000, 1100))), 1: {0: 1, 1: 0, 2: 1, 8: 1} | dict.fromkeys(range(3, 8), 0)}
    ),
    max_registers_per_request=40,
)


def ask(function_code: int, address: int, count: int, unit: ModbusUnit = UNIT) -> bytes:
    request = Request(1, bytes((function_code,)) + address.to_bytes(2, "big") + count.to_bytes(2, "big"))
    return unit.reply(request).pdu


def test_registers_and_bits() -> None:
    assert ask(4, 2, 2) == bytes((4, 4, 0x03, 0xEA, 0x03, 0xEB))
    assert ask(1, 0, 9) == bytes((1, 2, 0b00000101, 0b1))


@pytest.mark.parametrize(
    ("function_code", "address", "count", "exception"),
    [
        (3, 0, 1, 1),  # no holding registers
        (6, 0, 1, 1),  # writing
        (43, 0, 1, 1),
        (4, 0, 0, 3),
        (4, 0, 41, 3),  # more than this model takes
        (4, 0, 126, 3),
        (4, 100, 1, 2),
        (4, 99, 2, 2),
        (4, 65535, 2, 2),
        (1, 0, 2001, 3),
        (1, 8, 2, 2),
    ],
)
def test_exceptions(function_code: int, address: int, count: int, exception: int) -> None:
    assert ask(function_code, address, count) == bytes((function_code | 0x80, exception))


def test_a_request_of_another_length_is_refused() -> None:
    assert UNIT.reply(Request(1, bytes((4, 0, 0)))).pdu == bytes((0x84, 3))
    assert UNIT.reply(Request(1, bytes((4, 0, 0, 0, 1, 0)))).pdu == bytes((0x84, 3))
    assert UNIT.reply(Request(1, bytes((4,)))).pdu == bytes((0x84, 3))


def test_faults_can_be_added_while_it_runs() -> None:
    unit = ModbusUnit(LiteralRegisters({3: {0: 1}}), reply_delay_s=0.02)
    request = Request(1, bytes((3, 0, 0, 0, 1)))
    assert unit.reply(request).delay_s == 0.02
    assert not unit.reply(request).silent
    unit.faults.append(Silence())
    assert unit.reply(request).silent
    assert unit.requests == 3

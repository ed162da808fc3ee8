"""One device at a unit id: answers requests from its registers, with its limits, its time and its faults."""

from collections.abc import Callable, Iterable

from simulators.faults import Fault, Reply, Request, apply_all
from simulators.register_sources import RegisterSource

ILLEGAL_FUNCTION = 1
ILLEGAL_DATA_ADDRESS = 2
ILLEGAL_DATA_VALUE = 3

_READ_BITS = {1, 2}
_READ_REGISTERS = {3, 4}
_BITS_MAX = 2000
_REGISTERS_MAX = 125


class ModbusUnit:
    """A simulated device.

    Checks stand in the order of the Modbus Application Protocol V1.1b3 (chapter 6): function, quantity, address.

    Args:
        registers: what it answers from.
        max_registers_per_request: more is answered with "illegal data value".
        reply_delay_s: what the device takes before it answers.
        faults: applied in their order; the list may be changed while it runs.
    """

    def __init__(
        self,
        registers: RegisterSource,
        *,
        max_registers_per_request: int = _REGISTERS_MAX,
        reply_delay_s: float = 0.0,
        faults: Iterable[Fault] = (),
    ) -> None:
        self.registers = registers
        self.faults: list[Fault] = list(faults)
        self.requests = 0
        self.observers: list[Callable[[Request, Reply], None]] = []
        self._registers_max = min(max_registers_per_request, _REGISTERS_MAX)
        self._reply_delay_s = reply_delay_s

    def reply(self, request: Request) -> Reply:
        """What the device answers, when, and with which faults."""
        self.requests += 1
        reply = Reply(request.unit_id, self._pdu(request), delay_s=self._reply_delay_s)
        reply = apply_all(self.faults, request, reply)
        for observer in self.observers:
            observer(request, reply)
        return reply

    def _pdu(self, request: Request) -> bytes:
        code = request.function_code
        if code not in _READ_BITS | _READ_REGISTERS or not self.registers.has_function(code):
            return _exception(code, ILLEGAL_FUNCTION)
        limit = _BITS_MAX if code in _READ_BITS else self._registers_max
        if len(request.pdu) != 5 or request.address is None or request.count is None or not 1 <= request.count <= limit:
            return _exception(code, ILLEGAL_DATA_VALUE)
        if request.address + request.count > 0x10000:
            return _exception(code, ILLEGAL_DATA_ADDRESS)
        words = self.registers.words(code, request.address, request.count)
        if words is None:
            return _exception(code, ILLEGAL_DATA_ADDRESS)
        data = _packed_bits(words) if code in _READ_BITS else b"".join(word.to_bytes(2, "big") for word in words)
        return bytes((code, len(data))) + data


def _exception(function_code: int, exception_code: int) -> bytes:
    return bytes((function_code | 0x80, exception_code))


def _packed_bits(bits: Iterable[int]) -> bytes:
    """The first bit is the lowest of the first byte."""
    number = 0
    length = 0
    for index, bit in enumerate(bits):
        number |= (bit & 1) << index
        length = index + 1
    return number.to_bytes((length + 7) // 8, "little")

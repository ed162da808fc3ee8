"""Modbus requests and replies whose registers stay bytes.

pymodbus makes a Python integer of each register; decoding by `struct` over the whole block is many times faster.
"""

from pymodbus.pdu import ModbusPDU


class ReadRegisters(ModbusPDU):
    """A request for registers, or for bits, by function code."""

    rtu_frame_size = 8

    def __init__(self, unit_id: int, function_code: int, address: int, count: int) -> None:
        super().__init__(dev_id=unit_id, address=address, count=count)
        self.function_code = function_code

    def encode(self) -> bytes:
        """Address and count, two bytes each."""
        return self.address.to_bytes(2, "big") + self.count.to_bytes(2, "big")


class RawRegistersReply(ModbusPDU):
    """The bytes of a reply, as they came."""

    function_code = 3
    rtu_byte_count_pos = 2
    byte_count = 0
    data = b""

    def decode(self, data: bytes) -> None:
        """Keep what follows the byte count; whether it is as long as that is for the line to judge."""
        if data:
            self.byte_count = data[0]
            self.data = data[1:]

    def __str__(self) -> str:
        # pymodbus renders every reply for its debug log, whether that is on or not.
        return "registers"


class RawInputRegistersReply(RawRegistersReply):
    """The same for input registers."""

    function_code = 4


RAW_REPLIES: tuple[type[ModbusPDU], ...] = (RawRegistersReply, RawInputRegistersReply)

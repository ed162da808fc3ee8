"""Requests and replies of Modbus masters as bytes. Pure.

Sources: Modbus Application Protocol V1.1b3 (chapters 6 and 7), Modbus over Serial Line V1.02 (chapter 2.5, appendix B),
Modbus Messaging on TCP/IP V1.0b (chapter 3.1.3).
"""

from dataclasses import dataclass

from pymodbus.framer import FramerRTU

TCP_HEADER_BYTES = 7
LONGEST_TCP_FRAME_BYTES = 260
LONGEST_RTU_FRAME_BYTES = 256
EXCEPTION_FRAME_BYTES = 5
RTU_OVERHEAD_BYTES = 5
"""Unit id, function code, byte count and the checksum's two bytes."""

BIT_CODES = frozenset({1, 2})
READ_CODES = frozenset({1, 2, 3, 4})


@dataclass(frozen=True, slots=True)
class Request:
    """One read of `count` registers, or bits with function codes 1 and 2."""

    unit_id: int
    function_code: int
    address: int
    count: int

    @property
    def reply_bytes(self) -> int:
        """The bytes of data that an answer has."""
        return -(-self.count // 8) if self.function_code in BIT_CODES else 2 * self.count

    @property
    def pdu(self) -> bytes:
        """Function code, address and count."""
        return self.function_code.to_bytes(1, "big") + self.address.to_bytes(2, "big") + self.count.to_bytes(2, "big")

    def rtu_frame(self) -> bytes:
        """As it goes onto a serial line."""
        body = self.unit_id.to_bytes(1, "big") + self.pdu
        return body + checksum(body)

    def tcp_frame(self, transaction_id: int) -> bytes:
        """As it goes over Modbus TCP."""
        header = transaction_id.to_bytes(2, "big") + b"\0\0\0\x06" + self.unit_id.to_bytes(1, "big")
        return header + self.pdu


@dataclass(frozen=True, slots=True)
class Reply:
    """A frame that is whole: data of a read, or the exception code instead.

    `transaction_id` is -1 on serial lines. Whose answer it is, is for the line to judge.
    """

    unit_id: int
    function_code: int
    data: bytes
    exception_code: int | None = None
    transaction_id: int = -1


def checksum(body: bytes) -> bytes:
    """The two bytes that end an RTU frame, the low one first."""
    return FramerRTU.compute_CRC(body).to_bytes(2, "big")


def take_rtu_replies(heard: bytearray, unit_id: int) -> list[Reply]:
    """Take the whole frames of a unit out of what was heard; what may be the beginning of one stays.

    What other units say, and the noise that transceivers make when they change direction, is passed over: a frame
    begins where unit id, function code, length and checksum fit.
    """
    found: list[Reply] = []
    start = 0
    while start <= len(heard) - EXCEPTION_FRAME_BYTES:
        length = _rtu_length(heard, start) if heard[start] == unit_id else 0
        frame = bytes(heard[start : start + length])
        if length and len(frame) == length and checksum(frame[:-2]) == frame[-2:]:
            found.append(_reply(frame[0], frame[1:-2]))
            del heard[: start + length]
            start = 0
        else:
            start += 1
    if len(heard) > 2 * LONGEST_RTU_FRAME_BYTES:
        del heard[:-LONGEST_RTU_FRAME_BYTES]
    return found


def take_tcp_replies(heard: bytearray) -> list[Reply] | None:
    """The same for Modbus TCP; None when it is no Modbus TCP: there is no telling where the next frame begins."""
    found: list[Reply] = []
    while len(heard) >= TCP_HEADER_BYTES + 2:
        length = int.from_bytes(heard[4:6], "big")
        if heard[2:4] != b"\0\0" or not 3 <= length <= LONGEST_TCP_FRAME_BYTES - 6:
            return None
        if len(heard) < 6 + length:
            break
        frame = bytes(heard[: 6 + length])
        del heard[: 6 + length]
        pdu = frame[TCP_HEADER_BYTES:]
        if not _is_whole(pdu):
            return None
        found.append(_reply(frame[6], pdu, int.from_bytes(frame[:2], "big")))
    return found


def _is_whole(pdu: bytes) -> bool:
    if pdu[0] & 0x7F not in READ_CODES:
        return False
    return len(pdu) == (2 if pdu[0] & 0x80 else 2 + pdu[1])


def _rtu_length(heard: bytearray, start: int) -> int:
    function_code = heard[start + 1]
    if function_code & 0x80:
        return EXCEPTION_FRAME_BYTES if function_code & 0x7F in READ_CODES else 0
    return RTU_OVERHEAD_BYTES + heard[start + 2] if function_code in READ_CODES else 0


def _reply(unit_id: int, pdu: bytes, transaction_id: int = -1) -> Reply:
    if pdu[0] & 0x80:
        return Reply(unit_id, pdu[0] & 0x7F, b"", pdu[1], transaction_id)
    return Reply(unit_id, pdu[0], pdu[2:], None, transaction_id)

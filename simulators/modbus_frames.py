"""Modbus frames as bytes: checksum, RTU requests in a stream, the TCP header.

Sources: Modbus over Serial Line V1.02 (chapter 2.5, appendix B) and Modbus Messaging on TCP/IP V1.0b (chapter 3.1.3).
"""

from dataclasses import dataclass

RTU_FRAME_MAX = 256
TCP_HEADER_LENGTH = 7
_FIXED_LENGTH = 8
"""Unit id, function code, two 16-bit fields, checksum: reads and single writes."""


def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
        table.append(crc)
    return tuple(table)


_CRC_TABLE = _crc_table()


def crc16(data: bytes) -> int:
    """The checksum of an RTU frame: polynomial 0xA001 (reflected 0x8005), start value 0xFFFF."""
    crc = 0xFFFF
    for byte in data:
        crc = crc >> 8 ^ _CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc


def rtu_frame(unit_id: int, pdu: bytes) -> bytes:
    """Unit id, PDU, checksum with its low byte first."""
    body = bytes((unit_id,)) + pdu
    return body + crc16(body).to_bytes(2, "little")


def tcp_frame(transaction_id: int, unit_id: int, pdu: bytes) -> bytes:
    """Header (transaction, protocol 0, length, unit id) and PDU."""
    return transaction_id.to_bytes(2, "big") + b"\0\0" + (len(pdu) + 1).to_bytes(2, "big") + bytes((unit_id,)) + pdu


@dataclass(frozen=True, slots=True)
class TcpHeader:
    """The seven bytes before a PDU; `pdu_length` is what follows them."""

    transaction_id: int
    unit_id: int
    pdu_length: int


def tcp_header(data: bytes) -> TcpHeader | None:
    """Read a header; None when it is no Modbus: the connection is then of no further use."""
    length = int.from_bytes(data[4:6], "big")
    if data[2:4] != b"\0\0" or not 2 <= length <= 254:
        return None
    return TcpHeader(int.from_bytes(data[:2], "big"), data[6], length - 1)


@dataclass(frozen=True, slots=True)
class RtuRequest:
    """A request whose checksum is right."""

    unit_id: int
    pdu: bytes

    @property
    def length(self) -> int:
        """Bytes on the line, checksum included."""
        return len(self.pdu) + 3


class RtuRequestReader:
    """Finds requests in the bytes of a line.

    The length of a request follows from its function code. When a checksum is wrong, everything heard is dropped, as a
    device does that waits for the next silence; `silence` is to be called when the line has been quiet.
    """

    def __init__(self) -> None:
        self._heard = bytearray()
        self.damaged = 0
        """Frames that were dropped for a wrong checksum or length."""

    @property
    def waiting(self) -> bool:
        """Whether part of a frame has been heard."""
        return bool(self._heard)

    def feed(self, data: bytes) -> list[RtuRequest]:
        """Take bytes; the requests that they complete."""
        self._heard += data
        found = []
        while (length := self._expected_length()) is not None and len(self._heard) >= length:
            frame = bytes(self._heard[:length])
            if crc16(frame[:-2]) != int.from_bytes(frame[-2:], "little"):
                self.silence()
                break
            del self._heard[:length]
            found.append(RtuRequest(frame[0], frame[1:-2]))
        if len(self._heard) > RTU_FRAME_MAX:
            self.silence()
        return found

    def silence(self) -> RtuRequest | None:
        """The line is quiet: what was heard is a request of unknown length, or noise that is dropped."""
        frame = bytes(self._heard)
        self._heard.clear()
        if not frame:
            return None
        if len(frame) >= 4 and crc16(frame[:-2]) == int.from_bytes(frame[-2:], "little"):
            return RtuRequest(frame[0], frame[1:-2])
        self.damaged += 1
        return None

    def _expected_length(self) -> int | None:
        if len(self._heard) < 2:
            return None
        function_code = self._heard[1]
        if function_code in {1, 2, 3, 4, 5, 6}:
            return _FIXED_LENGTH
        if function_code in {15, 16}:
            return 9 + self._heard[6] if len(self._heard) > 6 else None
        return None

"""Frames against the specification's own, and a million damaged ones."""

import logging
import random
from collections.abc import Callable

import pytest

from edge_agent.modbus_frames import Reply, Request, checksum, take_rtu_replies, take_tcp_replies
from simulators.modbus_frames import rtu_frame, tcp_frame
from tests.scale import scaled

log = logging.getLogger(__name__)

# Modbus Application Protocol V1.1b3, 6.3: registers 108 to 110 hold 555, 0 and 100. 6.1: coils 20 to 38.
HOLDING_REQUEST = Request(17, 3, 0x6B, 3)
HOLDING_REPLY = bytes.fromhex("03 06 02 2B 00 00 00 64")
COILS_REPLY = bytes.fromhex("01 03 CD 6B 05")


def test_requests_are_those_of_the_specification() -> None:
    assert HOLDING_REQUEST.pdu == bytes.fromhex("03 00 6B 00 03")
    assert Request(1, 1, 0x13, 0x13).pdu == bytes.fromhex("01 00 13 00 13")
    assert HOLDING_REQUEST.rtu_frame() == bytes.fromhex("11 03 00 6B 00 03 76 87")
    # Messaging on TCP/IP V1.0b, 4.4.2.1: transaction 0x1501.
    assert Request(0xFF, 3, 4, 1).tcp_frame(0x1501) == bytes.fromhex("15 01 00 00 00 06 FF 03 00 04 00 01")


def test_the_checksum_is_the_one_of_the_specification() -> None:
    # Modbus over Serial Line V1.02, appendix B: unit 2, function 7.
    assert checksum(bytes.fromhex("02 07")) == bytes.fromhex("41 12")


def test_replies_are_read_as_the_specification_says() -> None:
    data = bytes.fromhex("02 2B 00 00 00 64")
    assert take_rtu_replies(bytearray(rtu_frame(17, HOLDING_REPLY)), 17) == [Reply(17, 3, data)]
    assert take_tcp_replies(bytearray(tcp_frame(9, 17, HOLDING_REPLY))) == [Reply(17, 3, data, None, 9)]
    assert take_rtu_replies(bytearray(rtu_frame(17, COILS_REPLY)), 17) == [Reply(17, 1, bytes.fromhex("CD 6B 05"))]
    assert Request(17, 1, 0x13, 0x13).reply_bytes == 3
    assert take_rtu_replies(bytearray(rtu_frame(10, b"\x81\x02")), 10) == [Reply(10, 1, b"", 2)]


@pytest.mark.parametrize("noise", [b"", b"\0", b"\xff\xff\xff", b"\x11", b"\x11\x03\x02", rtu_frame(3, HOLDING_REPLY)])
@pytest.mark.parametrize("chunk_bytes", [1, 4, 300])
def test_what_stands_before_a_frame_is_passed_over(noise: bytes, chunk_bytes: int) -> None:
    stream, heard, found = noise + rtu_frame(17, HOLDING_REPLY), bytearray(), []
    for start in range(0, len(stream), chunk_bytes):
        heard += stream[start : start + chunk_bytes]
        found += take_rtu_replies(heard, 17)
    assert found == [Reply(17, 3, HOLDING_REPLY[2:])]


def damaged(frame: bytes, chance: random.Random) -> bytes:
    data = bytearray(frame)
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        place, kind = chance.randrange(len(data)) if data else 0, chance.randrange(5)
        if kind == 0 and data:
            data[place] ^= 1 << chance.randrange(8)
        elif kind == 1 and data:
            data[place] = chance.randrange(256)
        elif kind == 2 and data:
            del data[place : place + chance.randrange(1, 9)]
        elif kind == 3:
            data[place:place] = chance.randbytes(chance.randrange(1, 9))
        elif data:
            data[place:] = chance.randbytes(len(data) - place)
    return bytes(data)


def rtu(heard: bytearray) -> list[Reply]:
    return take_rtu_replies(heard, 17)


def tcp(heard: bytearray) -> list[Reply]:
    return take_tcp_replies(heard) or []


@pytest.mark.parametrize(
    ("take", "frame"),
    [
        (rtu, lambda data: rtu_frame(17, b"\x03" + bytes((len(data),)) + data)),
        (tcp, lambda data: tcp_frame(0x1501, 17, b"\x03" + bytes((len(data),)) + data)),
    ],
    ids=["rtu", "tcp"],
)
def test_damaged_frames_neither_crash_nor_give_values(
    take: Callable[[bytearray], list[Reply]], frame: Callable[[bytes], bytes]
) -> None:
    """TCP carries no checksum of its own: there only the length, unit, function code and transaction can be told."""
    chance, tried, fitting = random.Random(5), 0, 0
    for _ in range(scaled(3_000, 1_000_000)):
        data = chance.randbytes(2 * chance.randrange(1, 40))
        whole = frame(data)
        sent = damaged(whole, chance)
        if whole in sent:
            continue
        tried += 1
        heard = bytearray(sent)
        for reply in take(heard):
            if take is tcp:
                # What arrived is what is read: no byte is shifted, left out or made up.
                assert reply.exception_code is not None or sent.find(reply.data, 9) >= 9
            elif reply.unit_id == 17 and reply.exception_code is None and len(reply.data) == len(data):
                fitting += reply.data != data
        assert len(heard) <= 600
    log.info("%d damaged frames, %d accepted with a checksum that fits by chance", tried, fitting)
    assert fitting <= 3 + tried // 10_000

from simulators.modbus_frames import RtuRequest, RtuRequestReader, crc16, rtu_frame, tcp_frame, tcp_header

READ_TEN = bytes.fromhex("01030000000AC5CD")


def test_checksums_are_those_of_the_specification() -> None:
    assert crc16(bytes.fromhex("0207")) == 0x1241  # Modbus over Serial Line V1.02, 6.2.2
    assert rtu_frame(1, bytes.fromhex("030000000A")) == READ_TEN


def test_requests_are_found_in_pieces_and_in_a_row() -> None:
    reader = RtuRequestReader()
    assert reader.feed(READ_TEN[:3]) == []
    assert reader.waiting
    assert reader.feed(READ_TEN[3:] + READ_TEN) == [RtuRequest(1, READ_TEN[1:-2])] * 2
    assert not reader.waiting


def test_a_write_of_several_registers_has_the_length_that_it_says() -> None:
    frame = rtu_frame(5, bytes.fromhex("10000000020400010002"))
    assert RtuRequestReader().feed(frame) == [RtuRequest(5, frame[1:-2])]


def test_a_wrong_checksum_drops_everything_heard() -> None:
    reader = RtuRequestReader()
    assert reader.feed(READ_TEN[:-1] + b"\0" + READ_TEN) == []
    assert reader.damaged == 1
    assert reader.feed(READ_TEN) == [RtuRequest(1, READ_TEN[1:-2])]


def test_silence_ends_a_request_of_unknown_length_and_drops_noise() -> None:
    reader = RtuRequestReader()
    frame = rtu_frame(1, bytes((0x2B, 0x0E, 1, 0)))
    assert reader.feed(frame) == []
    assert reader.silence() == RtuRequest(1, frame[1:-2])
    reader.feed(b"\x01\x03\x00")
    assert reader.silence() is None
    assert reader.damaged == 1


def test_noise_without_an_end_is_not_kept() -> None:
    reader = RtuRequestReader()
    reader.feed(b"\x01\x55" * 200)
    assert not reader.waiting


def test_tcp_headers_are_read_and_strangers_refused() -> None:
    frame = tcp_frame(7, 1, bytes.fromhex("0300000001"))
    assert frame == bytes.fromhex("000700000006010300000001")
    header = tcp_header(frame[:7])
    assert header is not None
    assert (header.transaction_id, header.unit_id, header.pdu_length) == (7, 1, 5)
    assert tcp_header(b"GET / H") is None
    assert tcp_header(bytes.fromhex("00070000000101")) is None

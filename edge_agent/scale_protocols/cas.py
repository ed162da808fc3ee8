"""CAS: the 22 byte format with its lamp byte, and the ENQ/DC1 handshake of retail scales."""

from edge_agent.scale_protocols.weight import OUT_OF_RANGE, OVERLOAD, ScaleReply, device_error, displayed, refused

_STATES = frozenset({b"ST", b"US", b"OL"})
_UNITS = {b"kg": "kg", b" t": "t", b"lb": "lb", b" g": "g"}

ENQ = b"\x05"
ACK = b"\x06"
DC1 = b"\x11"
HEAD = b"\x01\x02"
TAIL = b"\x03\x04"
RETAIL_BYTES = 15


def parse_22_byte(telegram: bytes) -> ScaleReply:
    """Read a telegram without its line end; raises UnusableReplyError when it is none.

    `ST,GS,` device id and lamp byte `,000013.5 kg`. The lamp byte has bit 7 set.
    """
    if telegram.startswith(b"ERR") and len(telegram) <= 7:
        return device_error(f"error {telegram[3:].decode('ascii', errors='replace').strip()}")
    state, kind = telegram[:2], telegram[3:5]
    is_layout = (
        len(telegram) == 20
        and telegram[2:3] == telegram[5:6] == telegram[8:9] == b","
        and state in _STATES
        and kind in {b"GS", b"NT"}
        and telegram[6] >= 0x30
        and telegram[7] & 0x80
    )
    if not is_layout:
        raise refused(telegram, "CAS (22 bytes)")
    if state == b"OL":
        return OUT_OF_RANGE
    data, unit = telegram[9:17], _UNITS.get(telegram[18:20])
    if unit is None or not data.isascii():
        raise refused(telegram, "CAS (22 bytes)")
    return displayed(data.decode("ascii"), unit, stable=state == b"ST", net=kind == b"NT")


def parse_retail(telegram: bytes) -> ScaleReply:
    """Read the 15 bytes from SOH to EOT; raises UnusableReplyError when they are none or the check character is wrong.

    SOH STX, S or U, sign, 6 characters of weight, 2 of unit, the exclusive or of bytes 3 to 12, ETX EOT.
    """
    check = 0
    for byte in telegram[2:12]:
        check ^= byte
    is_layout = (
        len(telegram) == RETAIL_BYTES
        and telegram.startswith(HEAD)
        and telegram.endswith(TAIL)
        and telegram[12] == check
        and telegram[2:12].isascii()
    )
    if not is_layout:
        raise refused(telegram, "CAS (ENQ, DC1)")
    state, sign = chr(telegram[2]), chr(telegram[3])
    weight, unit = telegram[4:10].decode("ascii"), telegram[10:12].decode("ascii")
    if sign == "F" or "F" in weight:
        return OVERLOAD
    if state not in "SU" or sign not in " -" or unit not in {"kg", "lb"}:
        raise refused(telegram, "CAS (ENQ, DC1)")
    return displayed(sign + weight, unit, stable=state == "S")

"""Telegrams with status bits and checksums.

Layouts: Mettler Toledo ICS425/IND445 p50 and Rice Lake 920i p118 (Toledo continuous), CAS-M of docs.mertech.ru,
Adam MDW p14 and Ohaus Aviator 7000 p49 (NCI).
"""

from functools import reduce
from operator import xor

from simulators.scale_protocols.display import Display

_BIT5 = 0x20
_INCREMENT_1 = 0x08
_DIGITS = 6


def toledo_continuous(display: Display, *, checksum: bool = True) -> bytes:
    """STX, three status words, weight and tare as six digits each, CR, and the two's complement of their sum."""
    word_a = _BIT5 | _INCREMENT_1 | display.decimals + 2
    word_b = (
        _BIT5
        | 0x10  # kg
        | display.is_net
        | (display.sign == "-") << 1
        | bool(display.beyond) << 2
        | (not display.stable) << 3
    )
    digits = f"{_steps(display.shown_kg, display):06d}{_steps(display.tare_kg, display):06d}".encode("ascii")
    telegram = bytes((2, word_a, word_b, _BIT5)) + digits + b"\r"
    if not checksum:
        return telegram
    return telegram + bytes((-sum(byte & 0x7F for byte in telegram) & 0x7F,))


def cas_enq_dc1(display: Display) -> bytes:
    """SOH, STX, stability, sign, six characters, unit, exclusive or of all from stability on, ETX, EOT."""
    weight = "FFFFFF" if display.beyond == "+" else display.padded(6, "0")
    sign = "F" if display.beyond == "+" else "-" if display.sign == "-" else " "
    body = f"{'S' if display.stable else 'U'}{sign}{weight}{display.unit:>2}".encode("ascii")
    return b"\x01\x02" + body + bytes((reduce(xor, body),)) + b"\x03\x04"


def nci(display: Display) -> bytes:
    """The weight between LF and CR, then three status bytes between LF and CR, ETX."""
    weight = {"+": "^" * 6, "-": "_" * 6}.get(display.beyond) or display.signed(6)
    status = bytes(
        (
            0x30 | (not display.stable) | display.at_zero << 1,
            0x70 | (display.beyond == "-") | (display.beyond == "+") << 1,
            0x30 | display.is_net << 2,
        )
    )
    return b"\n" + f"{weight}{display.unit}".encode("ascii") + b"\r\n" + status + b"\r\x03"


def _steps(mass_kg: float, display: Display) -> int:
    """What six digits without a point can say."""
    steps = round(abs(mass_kg) * 10**display.decimals)
    return int(min(steps, 10**_DIGITS - 1))

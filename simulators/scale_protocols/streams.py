"""Telegrams of scales that send by themselves, or when their print key is pressed.

Layouts are those of the makers' manuals: A&D EK-L p30 and GC p51, CAS CI-600D p74, Dini Argeo LTP p43, Rice Lake 482 Ag
p37 (which also lists Cardinal and Weigh-Tronix), Transcell TI-1680 p39 (Condec), Ohaus Defender 3000 p37 and RS232
interface manual p5.
"""

from simulators.scale_protocols.display import Display

_AANDD_DIGITS = 7


def aandd_standard(display: Display) -> bytes:
    """`ST,+0001.234 kg`: sign and eight characters with leading zeros; nines beyond the range."""
    number = display.sign + display.padded(8, "0")
    if display.beyond:
        nines = "9" * (_AANDD_DIGITS - display.decimals) + "." + "9" * display.decimals
        number = display.beyond + nines.rstrip(".")
    return _line(f"{display.state('ST', 'US', 'OL')},{number}{display.unit:>3}")


def aandd_18_byte_gs(display: Display) -> bytes:
    """`ST,GS,+001.234kg`."""
    return _line(f"{_state_and_type(display)}{display.sign}{display.padded(7, '0')}{display.unit:>2}")


def cas_22_byte(display: Display, device_id: int = 1) -> bytes:
    """State and type as text, the number of the device and the lamps as a byte each, then `0001.234 kg`."""
    lamps = 0x80 | display.stable << 6 | (not display.is_net) << 2 | display.is_net << 1 | display.at_zero
    head = _state_and_type(display).encode("ascii") + bytes((0x30 + device_id, lamps))
    return head + _line(f",{display.signed(8, '0')} {display.unit:>2}")


def dini_argeo(display: Display) -> bytes:
    """The short string, `ST,GS,     0.0,kg`."""
    state = display.state("ST", "US", "OL", "UL")
    return _line(f"{state},{'NT' if display.is_net else 'GS'},{display.signed(8)},{display.unit}")


def dini_argeo_extended(display: Display) -> bytes:
    """Net weight, tare and pieces: `1ST,       0.0,PT      20.8,         0,kg`."""
    tare = f"{display.tare_kg:.{display.decimals}f}"
    state = display.state("ST", "US", "OL", "UL")
    return _line(f"1{state},{display.signed(10)},PT{tare:>10},{0:>10},{display.unit}")


def rice_lake_stream(display: Display) -> bytes:
    """STX, polarity, seven characters, unit, mode and status as a letter each."""
    unit = {"lb": "L", "kg": "K", "t": "T", "g": "G", "oz": "O"}.get(display.unit, " ")
    polarity = "-" if display.sign == "-" else " "
    status = display.state(" ", "M", "O")
    return b"\x02" + _line(f"{polarity}{display.padded(7)}{unit}{'N' if display.is_net else 'G'}{status}")


def cardinal_stream(display: Display) -> bytes:
    """It begins with CR and ends with ETX."""
    mode = "n" if display.is_net else "g"
    status = display.state(" ", "m", "o")
    text = f"\r{display.sign}{display.padded(6, '0')}{status} {display.unit:<2} {mode}  \x03"
    return text.encode("ascii")


def weightronix_stream(display: Display) -> bytes:
    """A blank, g or n, sign, six characters, unit; nothing tells whether the weight is stable."""
    return _line(f" {'n' if display.is_net else 'g'}{display.sign}{display.padded(6, '0')} {display.unit}")


def condec_demand(display: Display) -> bytes:
    """STX, a minus or a blank, eight characters, unit and GR or NT in capitals."""
    polarity = "-" if display.sign == "-" else " "
    mode = "NT" if display.is_net else "GR"
    return b"\x02" + _line(f"{polarity}{display.padded(8)} {display.unit.upper()} {mode}")


def ohaus_3000(display: Display) -> bytes:
    """Polarity, seven characters, unit of five, a question mark while unstable, G or NET."""
    polarity = "-" if display.sign == "-" else " "
    legend = "NET" if display.is_net else "G"
    return _line(f"{polarity} {display.padded(7)} {display.unit:<5}{display.state(' ', '?', '?')}{legend:<3}")


def ohaus_portable(display: Display) -> bytes:
    """`     192.21 g`, a question mark while unstable, NET; trailing blanks are left out."""
    text = f"{display.signed(11)} {display.unit} {display.state(' ', '?', '?')} {'NET' if display.is_net else ''}"
    return _line(text.rstrip())


def _state_and_type(display: Display) -> str:
    return f"{display.state('ST', 'US', 'OL')},{'NT' if display.is_net else 'GS'},"


def _line(text: str) -> bytes:
    return text.encode("ascii") + b"\r\n"

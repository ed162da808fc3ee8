"""Telegrams of scales that are asked: SMA (Sartorius PR 5220 p130) and Sartorius SBI (CP323S p55)."""

from dataclasses import replace

from simulators.scale_protocols.display import Display

_ERROR = "-" * 10


def sma(display: Display, *, high_resolution: bool = False) -> bytes:
    """LF, status, range, mode, motion, reserved, ten characters, unit of three, CR."""
    mode = "N" if display.is_net else "G"
    if high_resolution:
        display, mode = replace(display, decimals=display.decimals + 1), mode.lower()
    status = {"+": "O", "-": "U"}.get(display.beyond) or ("Z" if display.at_zero else " ")
    weight = _ERROR if display.beyond else display.signed(10)
    return _sma_telegram(status, mode, " " if display.stable else "M", weight, display.unit)


def sma_tare(display: Display) -> bytes:
    """The container's weight."""
    return _sma_telegram(" ", "T", " ", f"{display.tare_kg:10.{display.decimals}f}", display.unit)


def sartorius_sbi(display: Display) -> bytes:
    """Sixteen characters: sign, blank, eight characters, blank, unit of three. While unstable there is no unit."""
    if display.beyond:
        return f"{'H' if display.beyond == '+' else 'L':^14}\r\n".encode("ascii")
    sign = " " if display.shown_kg == 0 else display.sign
    unit = display.unit if display.stable else ""
    return f"{sign} {display.padded(8)} {unit:<3}\r\n".encode("ascii")


def sartorius_sbi_22(display: Display) -> bytes:
    """The same with six characters before it that say what it is."""
    return f"{'Stat' if display.beyond else 'N':<6}".encode("ascii") + sartorius_sbi(display)


def _sma_telegram(status: str, mode: str, motion: str, weight: str, unit: str) -> bytes:
    return f"\n{status}1{mode}{motion} {weight}{unit:<3}\r".encode("ascii")

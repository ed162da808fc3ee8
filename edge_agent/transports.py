"""What a line runs over, and how long its bytes take."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class SerialPort:
    """An RS-485 or RS-232 port. Modbus RTU has 8 data bits; some scales have 7."""

    port: str
    baud: int = 9600
    parity: Literal["N", "E", "O"] = "N"
    stop_bits: Literal[1, 2] = 1
    data_bits: Literal[7, 8] = 8

    @property
    def character_s(self) -> float:
        """How long one character takes: start bit, data bits, parity, stop bits."""
        return (1 + self.data_bits + (self.parity != "N") + self.stop_bits) / self.baud

    def __str__(self) -> str:
        return f"{self.port} at {self.baud} {self.data_bits}{self.parity}{self.stop_bits}"


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """A Modbus TCP device or gateway, or with `rtu_framing` a serial server that passes RTU frames through."""

    host: str
    port: int = 502
    rtu_framing: bool = False

    def __str__(self) -> str:
        return f"{self.host}:{self.port}" + (" (RTU over TCP)" if self.rtu_framing else "")


@dataclass(frozen=True, slots=True)
class GpioChip:
    """Lines of a computer to which contacts are wired."""

    chip: str

    def __str__(self) -> str:
        return self.chip


Transport = SerialPort | TcpAddress


def frame_gap_s(transport: Transport) -> float:
    """The silence that must stand between two RTU frames; 0 where frames do not depend on silence.

    3.5 characters, and a fixed 1.75 ms above 19,200 baud (Modbus over Serial Line V1.02, 2.5.1.1).
    """
    if isinstance(transport, SerialPort):
        return 0.00175 if transport.baud > 19_200 else 3.5 * transport.character_s
    return 0.004 if transport.rtu_framing else 0.0

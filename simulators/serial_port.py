"""A serial line's end as a file descriptor: a real port, or a pseudo-terminal under a name that stays."""

import contextlib
import fcntl
import os
import sys
import termios
import tty
from pathlib import Path
from types import TracebackType
from typing import Self

import serial

from simulators.errors import SimulatorError


class PseudoTerminal:
    """A serial line without hardware. Masters open `path`, a link that the terminal's own name hides behind.

    It takes any baud rate, and 8N1 or 8N2; parity is refused by the operating system.

    Args:
        path: where the link is made; a link that is there already is replaced, anything else is refused.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if path.exists() and not path.is_symlink():
            raise SimulatorError(f"{path}: is there already and no link to a pseudo-terminal")
        self.descriptor, self._line = os.openpty()
        try:
            tty.setraw(self._line)
            os.set_blocking(self.descriptor, False)
            path.unlink(missing_ok=True)
            path.symlink_to(os.ttyname(self._line))
        except OSError as error:
            self.close()
            raise SimulatorError(f"{path}: cannot be made: {error.strerror}") from error

    def forget_unread(self, more_than_bytes: int) -> None:
        """Drop what no master has read, when it is more than so much: a line has no memory."""
        unread = fcntl.ioctl(self._line, termios.FIONREAD, b"\0\0\0\0")
        if int.from_bytes(unread, sys.byteorder) > more_than_bytes:
            termios.tcflush(self._line, termios.TCIFLUSH)

    def close(self) -> None:
        """Remove the link and hang up."""
        with contextlib.suppress(OSError):
            if self.path.is_symlink() and str(self.path.readlink()) == os.ttyname(self._line):
                self.path.unlink()
        # The line's end is kept open until now: else the last master's close would hang it up.
        os.close(self.descriptor)
        os.close(self._line)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class SerialPort:
    """A real serial port.

    Args:
        path: the port's device file.
        baud: bits a second.
        parity: N, E or O.
        stop_bits: 1 or 2.
    """

    def __init__(self, path: Path, baud: int, parity: str = "N", stop_bits: int = 1) -> None:
        try:
            self._port = serial.Serial(str(path), baud, parity=parity, stopbits=stop_bits, timeout=0)
        except (OSError, ValueError) as error:
            raise SimulatorError(f"{path}: cannot be opened as a serial port: {error}") from error
        self.path = path
        self.descriptor: int = self._port.fileno()

    def close(self) -> None:
        """Let go of the port."""
        self._port.close()


def open_serial(path: Path, baud: int, parity: str = "N", stop_bits: int = 1) -> PseudoTerminal | SerialPort:
    """The serial port at `path`; where there is none, a pseudo-terminal of that name."""
    if path.is_char_device() and not path.is_symlink():
        return SerialPort(path, baud, parity, stop_bits)
    if path.is_symlink() and path.exists() and not str(path.readlink()).startswith("/dev/pts/"):
        return SerialPort(path, baud, parity, stop_bits)
    return PseudoTerminal(path)

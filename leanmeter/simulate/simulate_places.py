"""Where a simulated device listens, as the command line names it, and how it says that it does."""

import argparse
import asyncio
import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from simulators.errors import SimulatorError
from simulators.line_pacing import LineSpeed
from simulators.serial_port import PseudoTerminal, SerialPort, open_serial
from simulators.terminal_view import TerminalView

LOOPBACK = "127.0.0.1"


def add_serial_settings(parser: argparse.ArgumentParser) -> None:
    """Add the settings of a serial line."""
    parser.add_argument("--baud", type=int, help="speed of the line (default the profile's, else 9600)")
    parser.add_argument("--parity", choices=("N", "E", "O"), default="N", help="of a real serial port")
    parser.add_argument(
        "--chunk-bytes",
        type=int,
        choices=(1, 4, 16, 32, 256),
        default=32,
        help="so many bytes at a time keep the line's pace: 1 is truest, 32 (default) a tenth of the work",
    )
    parser.add_argument("--stop-bits", type=int, choices=(1, 2), default=1, help="of the serial line")


@contextlib.contextmanager
def needing(what: str, extra: str) -> Iterator[None]:
    """Imports of what the simulators install without; raises SimulatorError that says how to get it."""
    try:
        yield
    except ModuleNotFoundError as problem:
        raise SimulatorError(
            f"{what}: needs the package {problem.name!r}; install it with pip install 'leanmeter[simulators,{extra}]'"
        ) from problem


def add_ready(parser: argparse.ArgumentParser) -> None:
    """Add how it says that it can be read."""
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--json", action="store_true", help="say in JSON when it is ready")
    shown.add_argument("--view", action="store_true", help="show registers, requests and faults in this terminal")


def port(text: str) -> int:
    """A TCP port, for argparse."""
    number = int(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError("a port is between 0 and 65535")
    return number


def address(option: str, text: str) -> tuple[str, int]:
    """Host and port of HOST:PORT; raises SimulatorError that names the option."""
    host, separator, number = text.rpartition(":")
    if not separator or not number.isascii() or not number.isdigit() or int(number) > 65535:
        raise SimulatorError(f"{option} {text}: expected HOST:PORT, for example 127.0.0.1:5020 or :5020")
    return host.strip("[]") or LOOPBACK, int(number)


def check_baud(baud: int) -> None:
    """Raise SimulatorError for a speed that no line has."""
    if not 300 <= baud <= 1_000_000:
        raise SimulatorError(f"--baud {baud}: a line has between 300 and 1000000 baud")


def serial_line(arguments: argparse.Namespace, baud: int) -> tuple[PseudoTerminal | SerialPort, LineSpeed | None]:
    """Open the port of --serial; a pseudo-terminal gets a speed, a real port has its own."""
    check_baud(baud)
    line = open_serial(Path(arguments.serial), baud, arguments.parity, arguments.stop_bits)
    bits = 9 + arguments.stop_bits + (arguments.parity != "N")
    return line, LineSpeed(baud, bits, arguments.chunk_bytes) if isinstance(line, PseudoTerminal) else None


async def wait_or_show(
    arguments: argparse.Namespace, view: TerminalView | None, text: str, facts: dict[str, object], stop: asyncio.Event
) -> None:
    """Until `stop` is set, after one line when it can be read; or with a view that shows it all."""
    if view is None:
        say_ready(arguments, text, facts)
        await stop.wait()
    else:
        await view.run(text, stop, sys.stdout)


def say_ready(arguments: argparse.Namespace, text: str, facts: dict[str, object]) -> None:
    """One line when it can be read, as text or with --json."""
    line = json.dumps({"listening": True, **facts}) if arguments.json else f"listening on {text}"
    sys.stdout.write(line + "\n")
    sys.stdout.flush()

"""Units and masters that the servers' tests share."""

import asyncio
import os
import subprocess
import termios
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from simulators.modbus_frames import crc16
from simulators.modbus_unit import ModbusUnit
from simulators.register_sources import LiteralRegisters


def numbered_unit(first: int, *, reply_delay_s: float = 0.0, registers_max: int = 125) -> ModbusUnit:
    """A unit whose input register n holds `first` + n."""
    table = {address: first + address for address in range(200)}
    return ModbusUnit(
        LiteralRegisters({4: table}), max_registers_per_request=registers_max, reply_delay_s=reply_delay_s
    )


@contextmanager
def raw_terminal(path: Path) -> Iterator[int]:
    """A master's end of a serial line, for bytes that no library would send."""
    descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY)
    try:
        tty.setraw(descriptor, termios.TCSANOW)
        os.set_blocking(descriptor, False)
        yield descriptor
    finally:
        os.close(descriptor)


async def bytes_within(descriptor: int, count: int, timeout_s: float) -> bytes:
    """What arrives, until it is `count` bytes or time is up."""
    data = b""
    deadline_s = time.monotonic() + timeout_s
    while len(data) < count and time.monotonic() < deadline_s:
        try:
            data += os.read(descriptor, 4096)
        except BlockingIOError:
            await asyncio.sleep(0.0005)
    return data


def checksum_is_right(frame: bytes) -> bool:
    """Of an RTU frame."""
    return crc16(frame[:-2]) == int.from_bytes(frame[-2:], "little")


async def run_mbpoll(program: Path, arguments: str) -> str:
    """What mbpoll says; the event loop goes on meanwhile, because the server lives on it."""

    def run() -> str:
        ran = subprocess.run([program, *arguments.split()], capture_output=True, text=True, timeout=20, check=False)
        return ran.stdout + ran.stderr

    return await asyncio.to_thread(run)

"""What the terminal shows: drawn, and as a user sees it on a pseudo-terminal."""

import asyncio
import fcntl
import io
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from typing import TYPE_CHECKING

from device_profiles.library import load_profile
from simulators.faults import Reply, Request, Silence
from simulators.line_faults import HangUp
from simulators.modbus_unit import ModbusUnit
from simulators.register_sources import LiteralRegisters
from simulators.scale import Scale
from simulators.terminal_keys import Key, read_keys
from simulators.terminal_view import TerminalView, view_for
from simulators.viewed_devices import ViewedMeter, ViewedScale
from simulators.weighing import Plate
from tests.servers.processes import LEANMETER

if TYPE_CHECKING:
    from pathlib import Path

REQUEST = Request(3, bytes((4, 0, 52, 0, 2)))


def meter(name: str, *faults: str) -> tuple[ViewedMeter, ModbusUnit]:
    unit = ModbusUnit(LiteralRegisters({4: {52: 0x44BB, 53: 0x8000}}))
    values = {"active_power_total": 1500.0}
    return ViewedMeter(name, load_profile("eastron/sdm630"), 3, unit, lambda: values, lambda: faults), unit


def test_registers_requests_and_what_became_of_them() -> None:
    view = TerminalView("a title")
    device, unit = meter("oven", "silence for 12 s")
    view.add(device)
    unit.reply(REQUEST)
    unit.reply(Request(3, bytes((4, 0, 60, 0, 2))))
    for fault in (Silence(), HangUp()):
        unit.faults = [fault]
        unit.reply(REQUEST)
    screen = " ".join(view.draw("127.0.0.1:5020", 120, 60).split())
    for words in (
        "a title 127.0.0.1:5020",
        "4 requests",
        "unit 3 eastron/sdm630 4 silence for 12 s",
        "input 52 active_power_total 1500 W 44bb 8000",
        "function 4 2 from 52 44bb 8000",
        "! exception 2",
        "! no answer",
        "! connection closed",
    ):
        assert words in screen, words


def test_a_small_terminal_is_never_overflown_and_all_registers_can_be_reached() -> None:
    view = TerminalView("meters")
    devices = [meter(f"meter-{index}") for index in range(30)]
    for device, _ in devices:
        view.add(device)
    for _ in range(50):
        devices[0][1].reply(REQUEST)
    seen = set()
    for _ in range(40):
        screen = view.draw("here", 60, 24)
        lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen).split("\n")
        assert len(lines) <= 24
        assert max(map(len, lines)) <= 60
        seen |= set(re.findall(r"^input (\d+)", "\n".join(lines), re.MULTILINE))
        view.press(Key.DOWN)
    registers = load_profile("eastron/sdm630").registers
    assert seen == {str(register.address) for register in registers}
    view.press(Key.PREVIOUS)
    assert "> meter-29" in view.draw("here", 60, 24)
    view.press(Key.NEXT)
    view.press(Key.UP)
    assert "> meter-0 " in view.draw("here", 60, 24)


def test_a_scale_shows_its_display_and_its_telegrams() -> None:
    plate = Plate(lambda: 0.0)
    observers: list[object] = []
    view = TerminalView("a scale")
    view.add(ViewedScale("packing", "mt_sics", Scale(plate, lambda: 0.0), observers))  # type: ignore[arg-type]
    plate.put(2.5)
    for observer in observers:
        observer(Request(0, b"SI"), Reply(0, b"S S 2.500 kg\r\n"))  # type: ignore[operator]
    screen = view.draw("here", 100, 24)
    assert "gross  2.500 kg  stable" in screen
    assert "SI  S S 2.500 kg<0d><0a>" in screen


def test_keys_of_one_moment_are_all_read() -> None:
    assert read_keys(b"\x1b[C\x1b[B?q") == [Key.NEXT, Key.DOWN, Key.END]


async def test_it_draws_until_it_is_stopped_and_only_where_somebody_can_see_it() -> None:
    screen, stop = io.StringIO(), asyncio.Event()
    assert view_for("meter", screen, wanted=True) is None
    drawing = asyncio.create_task(TerminalView("meter").run("here", stop, screen))
    await asyncio.sleep(0)
    stop.set()
    await asyncio.wait_for(drawing, 1)
    assert "nobody asks yet" in screen.getvalue()


def test_a_user_looks_and_presses_keys() -> None:
    mine, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    command: list[str | Path] = [LEANMETER, "simulate", "device", "eastron/sdm630", "abb/b23", "--tcp", ":0", "--view"]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    try:
        shown = seen_until(mine, b"", b"voltage_l1_n")
        assert b"> unit 1" in shown
        os.write(mine, b"\x1b[C")
        seen_until(mine, b"", b"> unit 2")
        os.write(mine, b"q")
        assert process.wait(10) == 0
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        os.close(mine)
        os.close(theirs)


def seen_until(terminal: int, seen: bytes, wanted: bytes, timeout_s: float = 20.0) -> bytes:
    deadline_s = time.monotonic() + timeout_s
    while wanted not in seen:
        readable, _, _ = select.select([terminal], [], [], max(0.0, deadline_s - time.monotonic()))
        assert readable, seen
        seen += os.read(terminal, 65536)
    return seen

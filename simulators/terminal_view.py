"""A terminal that shows what simulated devices hold and what is asked of them, as it happens."""

import asyncio
import shutil
import time
from collections import deque
from typing import TextIO

from simulators.terminal_keys import Key, keys_of
from simulators.viewed_devices import ViewedDevice

_REFRESH_S = 0.5
_KEPT_REQUESTS = 50
_RATE_S = 5.0
_CLEAR_TO_END = "\x1b[K"
_HOME, _CLEAR_BELOW = "\x1b[H", "\x1b[J"
_HIDE_CURSOR, _SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
_BOLD, _RED, _DIM, _PLAIN = "\x1b[1m", "\x1b[31m", "\x1b[2m", "\x1b[0m"


class TerminalView:
    """Devices, the registers of one of them, faults and requests.

    Args:
        title: of the first line.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._devices: list[ViewedDevice] = []
        self._requests: deque[str] = deque(maxlen=_KEPT_REQUESTS)
        self._moments_s: deque[float] = deque(maxlen=10_000)
        self._chosen = 0
        self._first_row = 0
        self._rows_shown = 1

    def add(self, device: ViewedDevice) -> None:
        """Show a device too."""
        self._devices.append(device)
        device.watch(lambda text: self._note(device, text))

    def _note(self, device: ViewedDevice, text: str) -> None:
        self._moments_s.append(time.monotonic())
        self._requests.append(f"{time.strftime('%H:%M:%S')}  {device.name:<24} {text}")

    def press(self, key: Key) -> None:
        """Choose another device, or other registers of it."""
        if key in {Key.NEXT, Key.PREVIOUS} and self._devices:
            self._chosen = (self._chosen + (1 if key is Key.NEXT else -1)) % len(self._devices)
            self._first_row = 0
        elif key is Key.DOWN:
            self._first_row += self._rows_shown
        elif key is Key.UP:
            self._first_row = max(0, self._first_row - self._rows_shown)

    def draw(self, where: str, columns: int, lines: int) -> str:
        """The whole screen, never more than `lines` lines of `columns` characters."""
        now_s = time.monotonic()
        a_second = sum(now_s - moment_s < _RATE_S for moment_s in self._moments_s) / _RATE_S
        text = [_BOLD + _cut(f"{self._title}  {where}", columns) + _PLAIN]
        count = sum(device.requests for device in self._devices)
        keys = "  left/right: device" if len(self._devices) > 1 else ""
        text.append(_cut(f"{count} requests, {a_second:.1f} a second   {keys}  up/down: registers  q ends", columns))
        text += self._device_lines(columns, max(3, lines // 4))
        requests = list(self._requests)[-max(3, (lines - len(text)) // 3) :]
        asked = [_colored(line, columns) for line in requests] or ["nobody asks yet"]
        text += self._row_lines(columns, lines - len(text) - len(asked) - 2)
        text += ["", *asked]
        return _HOME + "\n".join(line + _CLEAR_TO_END for line in text[: lines - 1]) + _CLEAR_BELOW

    def _device_lines(self, columns: int, height: int) -> list[str]:
        if not self._devices:
            return []
        first = min(max(0, self._chosen - height + 1), max(0, len(self._devices) - height))
        found = []
        for index, device in enumerate(self._devices[first : first + height], first):
            mark = ">" if index == self._chosen else " "
            faults = ", ".join(device.faults())
            line = _cut(f"{mark} {device.name:<24} {device.place:<30} {device.requests:>7}  {faults}", columns)
            found.append(f"{_RED}{line}{_PLAIN}" if faults else line)
        return found

    def _row_lines(self, columns: int, height: int) -> list[str]:
        if not self._devices or height < 2:
            return []
        rows = self._devices[self._chosen].rows()
        width = max((len(row) for row in rows), default=1) + 3
        across = max(1, min(columns // width, -(-len(rows) // (height - 1))))
        self._rows_shown = across * (height - 1)
        self._first_row = min(self._first_row, max(0, len(rows) - self._rows_shown))
        shown = rows[self._first_row : self._first_row + self._rows_shown]
        tall = -(-len(shown) // across)
        heading = f"{self._devices[self._chosen].name}: {self._first_row + 1} to {self._first_row + len(shown)}"
        found = [_DIM + _cut(f"{heading} of {len(rows)}", columns) + _PLAIN]
        lines = ("".join(row.ljust(width) for row in shown[at::tall]).rstrip() for at in range(tall))
        return found + [_cut(line, columns) for line in lines]

    async def run(self, where: str, stop: asyncio.Event, screen: TextIO) -> None:
        """Draw twice a second, and at each key, until `stop` is set or somebody presses q."""
        pressed: asyncio.Queue[Key] = asyncio.Queue(maxsize=100)
        screen.write(_HIDE_CURSOR + _HOME + _CLEAR_BELOW)
        with keys_of(pressed):
            try:
                while not stop.is_set():
                    size = shutil.get_terminal_size()
                    screen.write(self.draw(where, size.columns, size.lines))
                    screen.flush()
                    key = await _next_key(pressed, stop)
                    if key is Key.END:
                        stop.set()
                    elif key is not None:
                        self.press(key)
            finally:
                screen.write(_SHOW_CURSOR + "\n")
                screen.flush()


async def _next_key(pressed: asyncio.Queue[Key], stop: asyncio.Event) -> Key | None:
    """A key, or None after a while."""
    key, end = asyncio.ensure_future(pressed.get()), asyncio.ensure_future(stop.wait())
    await asyncio.wait({key, end}, timeout=_REFRESH_S, return_when=asyncio.FIRST_COMPLETED)
    end.cancel()
    if key.done():
        return key.result()
    key.cancel()
    return None


def _cut(line: str, columns: int) -> str:
    return line if len(line) <= columns else line[: max(0, columns - 1)] + "~"


def _colored(line: str, columns: int) -> str:
    line = _cut(line, columns)
    return f"{_RED}{line}{_PLAIN}" if "!" in line else line


def view_for(title: str, screen: TextIO, *, wanted: bool) -> TerminalView | None:
    """A view, where one is wanted and somebody can see it."""
    return TerminalView(title) if wanted and screen.isatty() else None

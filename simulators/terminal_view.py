"""A terminal that shows what a simulated device measures and what is asked of it, as it happens."""

import asyncio
import shutil
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TextIO

from simulators.faults import Reply, Request
from simulators.value_faults import ValuesAt

_REQUESTS_SHOWN = 12
_REFRESH_S = 0.5
_CLEAR = "\x1b[H\x1b[J"
_BOLD, _RED, _PLAIN = "\x1b[1m", "\x1b[31m", "\x1b[0m"
_COLUMN_WIDTH = 44


class TerminalView:
    """Collects requests and draws them.

    Args:
        title: of the first line.
        faults: sentences about what is wrong now.
    """

    def __init__(self, title: str, faults: Callable[[], Sequence[str]] = lambda: ()) -> None:
        self._title = title
        self._faults = faults
        self._requests: deque[str] = deque(maxlen=_REQUESTS_SHOWN)
        self._count = 0
        self._values: tuple[ValuesAt, Callable[[], float]] | None = None

    def show_values(self, values_at: ValuesAt, clock: Callable[[], float]) -> None:
        """Show what is measured too."""
        self._values = (values_at, clock)

    def note(self, request: Request, reply: Reply) -> None:
        """Remember a request and what became of it."""
        self._count += 1
        at = time.strftime("%H:%M:%S")
        asked = f"unit {request.unit_id:<3} function {request.function_code}"
        if request.address is not None and request.count is not None:
            asked += f"  {request.count:>3} from {request.address:<5}"
        self._requests.append(f"{at}  {asked}  {_outcome(request, reply)}")

    def draw(self, where: str, columns: int, lines: int) -> str:
        """The whole screen: title, faults, requests, as many values as fit."""
        text = [f"{_BOLD}{self._title}{_PLAIN}  {where}", f"{self._count} requests    Ctrl-C ends", ""]
        text += [f"{_RED}{fault}{_PLAIN}" for fault in self._faults()]
        text += self._requests or ["nobody asks yet"]
        text.append("")
        if self._values is not None:
            values_at, clock = self._values
            entries = [f"{name:<32}{_number(value):>11}" for name, value in values_at(clock()).items()]
            across = max(1, columns // _COLUMN_WIDTH)
            height = max(1, min(lines - len(text) - 1, -(-len(entries) // across)))
            for row in range(height):
                cells = entries[row : height * across : height]
                text.append(" ".join(cell[: _COLUMN_WIDTH - 1].ljust(_COLUMN_WIDTH - 1) for cell in cells).rstrip())
        return _CLEAR + "\n".join(text[: lines - 1]) + "\n"

    async def run(self, where: str, stop: asyncio.Event, screen: TextIO) -> None:
        """Draw twice a second until `stop` is set."""
        while not stop.is_set():
            size = shutil.get_terminal_size()
            screen.write(self.draw(where, size.columns, size.lines))
            screen.flush()
            try:
                async with asyncio.timeout(_REFRESH_S):
                    await stop.wait()
            except TimeoutError:
                continue


def _outcome(request: Request, reply: Reply) -> str:
    if reply.hang_up:
        return f"{_RED}connection closed{_PLAIN}"
    if reply.silent:
        return f"{_RED}no answer{_PLAIN}"
    spoilt = f" {_RED}spoilt on the way{_PLAIN}" if reply.frame_edits else ""
    late = f" after {reply.delay_s:.2f} s" if reply.delay_s else ""
    if reply.pdu[0] != request.function_code:
        return f"{_RED}exception {reply.pdu[1]}{_PLAIN}{late}{spoilt}"
    words = reply.pdu[2:18].hex(" ", 2)
    return f"{words}{' ...' if len(reply.pdu) > 18 else ''}{late}{spoilt}"


def _number(value: float | str | None) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)

"""A GPIO chip that is not there: what the kernel does with the levels of a line, as far as a pulse counter sees it."""

import errno
from collections import deque
from datetime import timedelta

from gpiod import EdgeEvent, LineSettings
from gpiod.line import Bias, Edge

BUFFERED_EVENTS = 16
"""So many events the kernel keeps for one line; of more it drops the oldest."""


class FakeLine:
    """A line with a contact: its levels become debounced, numbered edges (gpiolib-cdev.c, debounce_work_func)."""

    def __init__(self, chip: "FakeChip", offset: int, settings: LineSettings) -> None:
        self._chip = chip
        self._offset = offset
        self.settings = settings
        self._waiting: deque[EdgeEvent] = deque(maxlen=BUFFERED_EVENTS)
        self._number = 0
        self._is_active = False
        self.released = False

    def wait_edge_events(self, timeout: timedelta | float | None = None) -> bool:
        assert timeout == 0
        self._chip.check()
        return bool(self._waiting)

    def read_edge_events(self, max_events: int | None = None) -> list[EdgeEvent]:
        assert max_events is None
        found = list(self._waiting)
        self._waiting.clear()
        return found

    def release(self) -> None:
        self.released = True
        self._chip.requested.pop(self._offset)

    def settle(self, *, high: bool) -> None:
        """The level has stood for longer than the debounce period."""
        active = high != self.settings.active_low
        if active and not self._is_active and self.settings.edge_detection is Edge.RISING:
            self._number += 1
            self._waiting.append(EdgeEvent(1, 0, self._offset, self._number, self._number))
        self._is_active = active


class FakeChip:
    """Lines that are held up or down, as asked for, by contacts that nobody closes but the test."""

    def __init__(self) -> None:
        self.requested: dict[int | str, FakeLine] = {}
        self.problem: OSError | None = None

    def __call__(self, chip: str, offset: int | str, settings: LineSettings) -> FakeLine:
        self.check()
        assert chip == "/dev/gpiochip0"
        if offset in self.requested:
            raise OSError(errno.EBUSY, "Device or resource busy")
        self.requested[offset] = FakeLine(self, int(offset), settings)
        return self.requested[offset]

    def check(self) -> None:
        if self.problem is not None:
            raise self.problem

    def contact(self, offset: int, *closed_s: float) -> None:
        """Close a contact for each of these times in turn, open for as long after each; shorter ones bounce off."""
        line = self.requested[offset]
        held_high = line.settings.bias is Bias.PULL_UP
        for duration_s in closed_s:
            if timedelta(seconds=duration_s) > line.settings.debounce_period:
                line.settle(high=not held_high)
                line.settle(high=held_high)

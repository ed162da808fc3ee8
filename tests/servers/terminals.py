"""Serial lines without hardware."""

import os
import tty
from collections.abc import Iterator
from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class PseudoTerminal:
    """A serial line: one end is a device path, the other a file descriptor.

    It takes any baud rate at no speed in particular, and 8N1 or 8N2; parity fails with EINVAL.
    """

    device: str
    controller: int


@pytest.fixture
def pseudo_terminal() -> Iterator[PseudoTerminal]:
    """A serial line that passes bytes as they are (raw mode), open until the test ends."""
    controller, line = os.openpty()
    tty.setraw(line)
    # The line's end stays open here too: else the last reader's close would hang it up.
    yield PseudoTerminal(os.ttyname(line), controller)
    os.close(line)
    os.close(controller)

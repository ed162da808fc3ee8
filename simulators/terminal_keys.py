"""Keys of a terminal, as they are pressed."""

import asyncio
import contextlib
import os
import sys
import termios
import tty
from collections.abc import Iterator
from enum import Enum, auto


class Key(Enum):
    """What a key means."""

    NEXT = auto()
    PREVIOUS = auto()
    UP = auto()
    DOWN = auto()
    END = auto()


_KEYS = {
    b"\x1b[C": Key.NEXT,
    b"\t": Key.NEXT,
    b"\x1b[D": Key.PREVIOUS,
    b"\x1b[A": Key.UP,
    b"\x1b[5~": Key.UP,
    b"\x1b[B": Key.DOWN,
    b"\x1b[6~": Key.DOWN,
    b"q": Key.END,
}


def read_keys(data: bytes) -> list[Key]:
    """What was pressed; keys without a meaning are left out."""
    found = []
    while data:
        sequence = next((known for known in _KEYS if data.startswith(known)), None)
        if sequence is not None:
            found.append(_KEYS[sequence])
        data = data[len(sequence) if sequence is not None else 1 :]
    return found


@contextlib.contextmanager
def keys_of(pressed: "asyncio.Queue[Key]") -> Iterator[None]:
    """Put keys of the standard input into a queue; does nothing where that is no terminal."""
    if not sys.stdin.isatty():
        yield
        return
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)

    def readable() -> None:
        for key in read_keys(os.read(descriptor, 64)):
            with contextlib.suppress(asyncio.QueueFull):
                pressed.put_nowait(key)

    loop = asyncio.get_running_loop()
    tty.setcbreak(descriptor)
    loop.add_reader(descriptor, readable)
    try:
        yield
    finally:
        loop.remove_reader(descriptor)
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)

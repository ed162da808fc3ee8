"""How fast bytes travel: an RTU line at its baud rate, against absolute deadlines."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LineSpeed:
    """A line's speed. `bits_per_character` is 10 for 8N1, 11 with parity or a second stop bit.

    Bytes are handed over in chunks of `chunk_bytes` at the moment when the last of them would have arrived: 1 is true
    to a line and costs a wake-up each; 32 keeps the time of a whole frame and is ten times cheaper.
    """

    baud: int
    bits_per_character: int = 10
    chunk_bytes: int = 32

    @property
    def character_s(self) -> float:
        """How long one byte takes."""
        return self.bits_per_character / self.baud

    @property
    def frame_gap_s(self) -> float:
        """The silence that ends a frame: 3.5 characters, above 19200 baud 1.75 ms (Serial Line, 2.5.1.1)."""
        return 3.5 * self.character_s if self.baud <= 19200 else 0.00175


AT_ONCE = None
"""Instead of a speed: bytes are handed over as they come."""


async def sleep_until(loop_time_s: float) -> None:
    """Wait for a moment of the event loop's clock; late wake-ups do not add up."""
    delay_s = loop_time_s - asyncio.get_running_loop().time()
    if delay_s > 0:
        await asyncio.sleep(delay_s)


async def write_paced(write: Callable[[bytes], None], frame: bytes, speed: LineSpeed | None, start_s: float) -> None:
    """Hand over a frame whose first bit goes onto the line at `start_s` of the event loop's clock."""
    if speed is None:
        await sleep_until(start_s)
        write(frame)
        return
    for begin in range(0, len(frame), speed.chunk_bytes):
        chunk = frame[begin : begin + speed.chunk_bytes]
        await sleep_until(start_s + (begin + len(chunk)) * speed.character_s)
        write(chunk)

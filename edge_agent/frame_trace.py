"""A ring of the last frames of a line."""

import time
from collections import deque

FRAMES_A_LINE = 1000

_SAME_FRAME_MS = 30.0
"""Bytes of a serial adapter come every 16 ms; what comes within that belongs to the frame before."""

_FRAME_BYTES_MAX = 512


class FrameTrace:
    """The last 1,000 frames of a line."""

    def __init__(self) -> None:
        self._frames: deque[tuple[float, bool, bytes]] = deque(maxlen=FRAMES_A_LINE)

    def note(self, data: bytes, *, sent: bool) -> None:
        """Keep bytes that went out or came in; what comes in pieces becomes one frame again."""
        now_ms = time.time() * 1000
        frames = self._frames
        if frames and not sent and not frames[-1][1]:
            began_ms, _, before = frames[-1]
            if now_ms - began_ms < _SAME_FRAME_MS and len(before) + len(data) <= _FRAME_BYTES_MAX:
                frames[-1] = (now_ms, False, before + data)
                return
        frames.append((now_ms, sent, bytes(data[:_FRAME_BYTES_MAX])))

    def frames(self) -> list[tuple[float, bool, bytes]]:
        """Time in ms since 1970, whether it was sent, bytes; the oldest first."""
        return list(self._frames)

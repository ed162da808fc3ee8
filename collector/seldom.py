"""What would be said with every message of an edge is said once a minute."""

import time
from collections.abc import Callable, Hashable

INTERVAL_S = 60.0
MAXIMUM_KEYS = 10_000


class Seldom:
    """Tells whether something of a key may be said again; `clock` gives monotonic seconds."""

    def __init__(self, interval_s: float = INTERVAL_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval_s = interval_s
        self._clock = clock
        self._said: dict[Hashable, float] = {}

    def due(self, key: Hashable) -> bool:
        """Whether the interval is over since this was last true for the key."""
        now_s = self._clock()
        if now_s - self._said.get(key, float("-inf")) < self._interval_s:
            return False
        if len(self._said) >= MAXIMUM_KEYS:
            self._said.clear()
        self._said[key] = now_s
        return True

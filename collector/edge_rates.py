"""How much each edge may send in a time: a token bucket of batches and one of bytes."""

import time
from collections.abc import Callable
from dataclasses import dataclass

BURST_S = 10.0
"""An edge that was quiet may send so many seconds' worth at once."""
MAXIMUM_EDGES = 10_000


@dataclass(slots=True)
class _Bucket:
    batches: float
    size: float
    at: float


class EdgeRates:
    """The buckets of all edges; those of edges that have been quiet are forgotten.

    Args:
        batches_per_s: of one edge.
        bytes_per_s: of one edge.
        clock: monotonic seconds.
    """

    def __init__(self, batches_per_s: float, bytes_per_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._batches_per_s = batches_per_s
        self._bytes_per_s = bytes_per_s
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}

    def take(self, edge: str, size: int) -> bool:
        """Whether a message of `size` bytes is within the edge's rate; one that is not costs it nothing."""
        now = self._clock()
        bucket = self._buckets.get(edge)
        if bucket is None:
            self._make_room(now)
            bucket = self._buckets[edge] = _Bucket(self._batches_per_s * BURST_S, self._bytes_per_s * BURST_S, now)
        elapsed_s = now - bucket.at
        bucket.at = now
        bucket.batches = min(bucket.batches + elapsed_s * self._batches_per_s, self._batches_per_s * BURST_S)
        bucket.size = min(bucket.size + elapsed_s * self._bytes_per_s, self._bytes_per_s * BURST_S)
        if bucket.batches < 1 or bucket.size < size:
            return False
        bucket.batches -= 1
        bucket.size -= size
        return True

    def _make_room(self, now: float) -> None:
        """Forget buckets that are full again, and the oldest when none is."""
        if len(self._buckets) < MAXIMUM_EDGES:
            return
        for edge in [edge for edge, bucket in self._buckets.items() if now - bucket.at > BURST_S]:
            del self._buckets[edge]
        if len(self._buckets) >= MAXIMUM_EDGES:
            del self._buckets[next(iter(self._buckets))]

"""How many batches may be on their way: one probe until the collector answers, more as it goes on answering."""

from wire_format.batch import BatchId

FIRST_PROBE_TIMEOUT_S = 2.0


class Window:
    """Batches in flight with their deadlines. Times are seconds of one monotonic clock.

    It opens by one with each acknowledgement, so it doubles in each round trip, and collapses to one on a timeout.
    A probe, the only batch on its way while nothing has been answered, gets a short timeout at first (a collector
    that has just started misses what was sent before), which doubles up to `timeout_s`.
    """

    def __init__(self, maximum: int, timeout_s: float) -> None:
        self.limit = 1
        self._maximum = maximum
        self._timeout_s = timeout_s
        self._deadlines: dict[BatchId, float] = {}
        self._unanswered_probes = 0

    @property
    def has_room(self) -> bool:
        """Whether one more batch may be sent."""
        return len(self._deadlines) < self.limit

    @property
    def in_flight(self) -> int:
        """How many batches are on their way."""
        return len(self._deadlines)

    @property
    def is_probing(self) -> bool:
        """Whether only one batch may be on its way."""
        return self.limit == 1

    @property
    def next_deadline_s(self) -> float | None:
        """When the first batch in flight times out."""
        return min(self._deadlines.values(), default=None)

    def sent(self, batch_id: BatchId, now_s: float) -> None:
        """A batch has been sent."""
        timeout_s = self._timeout_s
        if self.is_probing:
            doublings = min(self._unanswered_probes, 30)
            timeout_s = min(timeout_s, FIRST_PROBE_TIMEOUT_S * 2.0**doublings)
        self._deadlines[batch_id] = now_s + timeout_s

    def acknowledged(self, batch_id: BatchId) -> None:
        """A batch that was sent has been answered, in time or late."""
        self._deadlines.pop(batch_id, None)
        self._unanswered_probes = 0
        self.limit = min(self.limit + 1, self._maximum)

    def expired(self, now_s: float) -> list[BatchId]:
        """Take out the batches whose deadline has passed; any collapses the window."""
        late = [batch_id for batch_id, deadline_s in self._deadlines.items() if deadline_s <= now_s]
        if late:
            for batch_id in late:
                del self._deadlines[batch_id]
            self._unanswered_probes += 1
            self.limit = 1
        return late

    def collapse(self) -> list[BatchId]:
        """The connection is lost: take out all batches in flight."""
        lost = list(self._deadlines)
        self._deadlines.clear()
        self._unanswered_probes = 0
        self.limit = 1
        return lost

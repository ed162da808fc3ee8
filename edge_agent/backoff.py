"""How long to leave alone what does not answer."""


class Backoff:
    """Doubles the wait with each failure, up to a bound. The first `free_failures` cost no wait."""

    def __init__(self, minimum_s: float, maximum_s: float, free_failures: int = 0) -> None:
        self._minimum_s = minimum_s
        self._maximum_s = maximum_s
        self._free_failures = free_failures
        self.failures = 0
        self._due_at_s = 0.0

    def is_due(self, now_s: float) -> bool:
        """Whether it is time for another try."""
        return now_s >= self._due_at_s

    def failed(self, now_s: float) -> None:
        """Take note of a try that failed."""
        doublings = self.failures - self._free_failures
        self.failures += 1
        if doublings >= 0:
            self._due_at_s = now_s + min(self._minimum_s * 2.0 ** min(doublings, 60), self._maximum_s)

    def succeeded(self) -> bool:
        """Take note of a try that succeeded; true when ones before it had failed."""
        had_failed = self.failures > 0
        self.failures, self._due_at_s = 0, 0.0
        return had_failed

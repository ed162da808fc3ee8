"""Distribution of delays in a bounded number of classes."""

import math

_GROWTH = 1.05
_CLASSES = 460  # the last begins at 1.05**459 ms, about two months


class DelayHistogram:
    """Counts of delays in ms, in classes 5 % wide, which is how exact its answers are."""

    def __init__(self) -> None:
        self._counts = [0] * _CLASSES
        self._total = 0

    def add(self, delay_ms: float, count: int = 1) -> None:
        """Count a delay; one below 1 ms counts as 1 ms."""
        index = min(int(math.log(max(delay_ms, 1.0)) / math.log(_GROWTH)), _CLASSES - 1)
        self._counts[index] += count
        self._total += count

    def quantile(self, share: float) -> float | None:
        """The delay in ms that this share of all does not exceed; None when there are none."""
        if not self._total:
            return None
        wanted = math.ceil(share * self._total)
        reached = 0
        for index, count in enumerate(self._counts):
            reached += count
            if reached >= wanted and count:
                return float(_GROWTH ** (index + 0.5))
        raise AssertionError("the counts add up to the total")

"""A simulated meter whose register has coarse steps, and the truth that it hides."""

import math
from collections.abc import Callable, Iterator
from itertools import pairwise

RATE = "active_power_total"
ENERGY = "active_energy_import_total"

Cell = tuple[str, int, float]
"""Quantity, time in ms, value."""


class CoarseMeter:
    """Power is read every 2 s, the register every 10 s, as an edge does it.

    Args:
        power_w: the true power by the time since the start in s.
        start_ms: when it is read first.
        step_kwh: of the register, which is cut off, not rounded.
        first_kwh: what it had counted by then.
    """

    def __init__(
        self, power_w: Callable[[float], float], start_ms: int, step_kwh: float = 0.1, first_kwh: float = 1512.034
    ) -> None:
        self._power_w = power_w
        self._start_ms = start_ms
        self._step_kwh = step_kwh
        self._true_kwh = [first_kwh]

    def true_kwh(self, second: int) -> float:
        """The energy since ever, by sums of seconds."""
        for later in range(len(self._true_kwh), second + 1):
            self._true_kwh.append(self._true_kwh[-1] + self._power_w(later - 0.5) / 3_600_000)
        return self._true_kwh[second]

    def shown_kwh(self, second: int) -> float:
        return round(math.floor(self.true_kwh(second) / self._step_kwh + 1e-9) * self._step_kwh, 6)

    def cells(self, first_s: int, last_s: int, *, total_every_s: int = 10) -> Iterator[Cell]:
        for second in range(first_s, last_s + 1, 2):
            time_ms = self._start_ms + second * 1000
            yield RATE, time_ms, round(self._power_w(second), 1)
            if second % total_every_s == 0:
                yield ENERGY, time_ms, self.shown_kwh(second)

    def true_amounts(self, ends_s: list[int]) -> list[float]:
        return [self.true_kwh(end) - self.true_kwh(start) for start, end in pairwise(ends_s)]

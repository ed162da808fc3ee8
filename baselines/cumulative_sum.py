"""CUSUM: the running sum of actual less expected. It falls while energy is saved, and bends where something changed."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Alarm:
    """From `row` on (index from 0) use is `less` or `more` than expected, found at `found_at`."""

    row: int
    found_at: int
    direction: Literal["less", "more"]


def cumulative_sum(actual: Sequence[float], expected: Sequence[float]) -> list[float]:
    """The running sum of actual − expected."""
    return list(itertools.accumulate(used - foreseen for used, foreseen in zip(actual, expected, strict=True)))


def alarms(
    actual: Sequence[float],
    expected: Sequence[float],
    deviation: float,
    *,
    slack: float = 0.5,
    threshold: float = 5.0,
    autocorrelation: float = 0.0,
) -> list[Alarm]:
    """Tabular CUSUM (Montgomery, Introduction to Statistical Quality Control, 7th ed., section 9.1.2).

    `slack` and `threshold` are in units of the residual standard deviation: with 0.5 and 5 a shift of one deviation is
    found after about 10 rows, and a false alarm comes about once in 465. After an alarm its side starts again.
    Where errors follow each other by `autocorrelation` ρ, that would be once in 96 rows for 0.3 and in 39 for 0.6; with
    the threshold / (1 − ρ), as here, it is once in 330 or more up to 0.8, and the shift is found after 14 and 24 rows.
    """
    found = []
    sums = {"more": 0.0, "less": 0.0}
    since = {"more": 0, "less": 0}
    if deviation <= 0.0:
        return []
    limit = threshold / (1.0 - autocorrelation)
    for row, (used, foreseen) in enumerate(zip(actual, expected, strict=True)):
        distance = (used - foreseen) / deviation
        steps: tuple[tuple[Literal["more", "less"], float], ...] = (("more", distance), ("less", -distance))
        for direction, step in steps:
            sums[direction] = max(0.0, sums[direction] + step - slack)
            if sums[direction] == 0.0:
                since[direction] = row + 1
            elif sums[direction] > limit:
                found.append(Alarm(since[direction], row, direction))
                sums[direction], since[direction] = 0.0, row + 1
    return found

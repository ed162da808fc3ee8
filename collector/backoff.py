"""Pauses between tries: longer each time up to a bound, and never in step with others."""

import random


class Backoff:
    """Pauses that double from `first_s` to `longest_s`, each shortened at random by up to a half."""

    def __init__(self, first_s: float, longest_s: float) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._next_s = first_s

    def pause_s(self) -> float:
        """How long to wait before the next try."""
        pause_s = self._next_s * random.uniform(0.5, 1.0)  # noqa: S311  # spreads tries, protects nothing
        self._next_s = min(2 * self._next_s, self._longest_s)
        return pause_s

    def reset(self) -> None:
        """Begin with the first pause again, after a try that went well."""
        self._next_s = self._first_s

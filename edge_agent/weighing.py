"""Tells a weighing from a weight: something was put on the scale, stood still, and was taken off again."""

from dataclasses import dataclass


@dataclass(slots=True)
class WeighingState:
    """What has to survive a restart: the sum so far in steps of 10**exponent, and whether the load is counted."""

    total: int
    counted: bool
    exponent: int


@dataclass(frozen=True, slots=True)
class WeighingEvent:
    """A load that was weighed: mass * 10**exponent kg at a time, counted in the total `quantity`."""

    device: str
    mass: int
    exponent: int
    time_ms: int
    quantity: str = "weighed_mass_total"


class WeighingDetector:
    """Counts a load once: when it is stable and above the threshold, and not again until it was nearly gone.

    `threshold` and weights are in steps of 10**exponent kg. "Nearly gone" is half the threshold, so that a weight that
    trembles about the threshold is one weighing. The first stable weight counts: what is added later belongs to the
    next weighing only after the scale was empty.
    """

    def __init__(self, threshold: int, exponent: int, state: WeighingState | None = None) -> None:
        self._threshold = threshold
        self._empty_below = threshold / 2
        if state is None:
            self.state = WeighingState(0, counted=False, exponent=exponent)
        else:
            self.state = _rescaled(state, exponent)

    def would_count(self, weight: int) -> bool:
        """Whether a stable weight would complete a weighing."""
        return not self.state.counted and weight >= self._threshold

    def is_empty(self, weight: int) -> bool:
        """Whether nearly nothing lies there."""
        return weight < self._empty_below

    def update(self, weight: int, *, stable: bool) -> int:
        """Take a reading; returns the mass of the weighing that it completes, 0 when it completes none."""
        state = self.state
        if state.counted:
            if self.is_empty(weight):
                state.counted = False
            return 0
        if stable and self.would_count(weight):
            state.counted = True
            state.total += weight
            return weight
        return 0


def _rescaled(state: WeighingState, exponent: int) -> WeighingState:
    if exponent <= state.exponent:
        return WeighingState(state.total * 10 ** (state.exponent - exponent), state.counted, exponent)
    # Rounded up: a total never goes back.
    return WeighingState(-(-state.total // 10 ** (exponent - state.exponent)), state.counted, exponent)

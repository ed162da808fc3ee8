"""A load that somebody sets while it is measured."""

from collections.abc import Callable, Iterator

from simulators.load_curve import Piece

_STEP_S = 0.05


class SettableLoad:
    """A rate (W, of water m3/h) that holds until it is set otherwise; its integral stays exact.

    Args:
        rate: what it begins with.
        clock: seconds since the simulation's start.
    """

    def __init__(self, rate: float, clock: Callable[[], float]) -> None:
        self._rate = rate
        self._clock = clock
        # Kept, so that each of a meter's curves sees the same pieces: one a change, and one for each step asked for.
        self._pieces: list[Piece] = []
        self._end_s = 0.0

    @property
    def rate(self) -> float:
        """What it is now."""
        return self._rate

    def set(self, rate: float) -> None:
        """From now on; at the latest after a twentieth of a second it shows."""
        self._extend(self._clock() - self._end_s)
        self._rate = rate

    def pieces(self) -> Iterator[Piece]:
        """Pieces from time 0 on."""
        index = 0
        while True:
            if index == len(self._pieces):
                self._extend(max(_STEP_S, self._clock() - self._end_s))
            yield self._pieces[index]
            index += 1

    def _extend(self, duration_s: float) -> None:
        if duration_s > 0:
            self._pieces.append(Piece(duration_s, self._rate, self._rate))
            self._end_s += duration_s

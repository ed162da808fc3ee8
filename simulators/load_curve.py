"""Power over time whose energy is its exact integral: straight pieces, made from a seed when they are needed.

What a meter shows as a total is computed from the very pieces that it shows as power, so the two agree to the digit,
at any moment, whatever was asked before. The same holds for a flow and its volume.
"""

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

from simulators.errors import SimulatorError

_SECONDS_AN_HOUR = 3600.0
_KEPT_PIECES = 40_000
"""Older pieces are forgotten; their amount stays in the totals. At a piece each second that is half a day."""


class Piece(NamedTuple):
    """A straight piece: the rate goes from `start_rate` to `end_rate` in `duration_s`."""

    duration_s: float
    start_rate: float
    end_rate: float


class Load(Protocol):
    """Something that uses or makes power: the same pieces each time it is asked, without an end."""

    def pieces(self) -> Iterator[Piece]:
        """Pieces from time 0 on."""
        ...


class Curve:
    """A rate (W, m3/h) by time, and its integral (Wh, m3).

    Args:
        load: what makes the pieces.
        kept_pieces: how many of the newest are remembered.
    """

    def __init__(self, load: Load, kept_pieces: int = _KEPT_PIECES) -> None:
        self._pieces = load.pieces()
        self._kept = kept_pieces
        self._starts_s = array("d")
        self._start_rates = array("d")
        self._end_rates = array("d")
        self._amounts = array("d")  # up to each piece's start
        self._end_s = 0.0
        self._end_amount = 0.0

    def rate(self, time_s: float) -> float:
        """The rate at a time."""
        index = self._index(time_s)
        return self._interpolated(index, time_s)

    def amount(self, time_s: float) -> float:
        """The integral of the rate from time 0, in rate-hours."""
        index = self._index(time_s)
        since_s = time_s - self._starts_s[index]
        mean = (self._start_rates[index] + self._interpolated(index, time_s)) / 2
        return self._amounts[index] + mean * since_s / _SECONDS_AN_HOUR

    def _interpolated(self, index: int, time_s: float) -> float:
        start_s = self._starts_s[index]
        end_s = self._starts_s[index + 1] if index + 1 < len(self._starts_s) else self._end_s
        start, end = self._start_rates[index], self._end_rates[index]
        return start + (end - start) * ((time_s - start_s) / (end_s - start_s))

    def _index(self, time_s: float) -> int:
        while time_s >= self._end_s:
            self._extend()
        index = bisect_right(self._starts_s, time_s) - 1
        if index < 0:
            raise SimulatorError(f"time {time_s} s: the simulation begins at 0 and remembers {self._kept} pieces")
        return index

    def _extend(self) -> None:
        piece = next(self._pieces)
        self._starts_s.append(self._end_s)
        self._start_rates.append(piece.start_rate)
        self._end_rates.append(piece.end_rate)
        self._amounts.append(self._end_amount)
        self._end_s += piece.duration_s
        self._end_amount += (piece.start_rate + piece.end_rate) / 2 * piece.duration_s / _SECONDS_AN_HOUR
        if len(self._starts_s) >= 2 * self._kept:
            for column in (self._starts_s, self._start_rates, self._end_rates, self._amounts):
                del column[: -self._kept]


class Sum:
    """The sum of loads, each with a factor (-1 for generation): again a load, with a piece for each change of any.

    Args:
        parts: loads and their factors.
    """

    def __init__(self, parts: Sequence[tuple[float, Load]]) -> None:
        self._parts = tuple(parts)

    def pieces(self) -> Iterator[Piece]:
        """Pieces from time 0 on."""
        sources = [_Cursor(factor, load.pieces()) for factor, load in self._parts]
        start_s = 0.0
        while True:
            end_s = min(source.end_s for source in sources)
            if end_s > start_s:
                start = sum(source.rate(start_s) for source in sources)
                yield Piece(end_s - start_s, start, sum(source.rate(end_s) for source in sources))
            for source in sources:
                if source.end_s <= end_s:
                    source.advance()
            start_s = end_s


class _Cursor:
    """The present piece of one part of a sum."""

    def __init__(self, factor: float, pieces: Iterator[Piece]) -> None:
        self._factor = factor
        self._pieces = pieces
        self._start_s = 0.0
        self.end_s = 0.0
        self._piece = Piece(0.0, 0.0, 0.0)
        self.advance()

    def advance(self) -> None:
        self._start_s = self.end_s
        self._piece = next(self._pieces)
        self.end_s = self._start_s + self._piece.duration_s

    def rate(self, time_s: float) -> float:
        duration_s, start, end = self._piece
        return self._factor * (start + (end - start) * ((time_s - self._start_s) / duration_s))


class PositivePart:
    """What of a load is above 0: what a meter counts as import. With factor -1, what it counts as export.

    Args:
        load: a load that may be negative.
        factor: 1 or -1.
    """

    def __init__(self, load: Load, factor: float = 1.0) -> None:
        self._load = load
        self._factor = factor

    def pieces(self) -> Iterator[Piece]:
        """Pieces from time 0 on; a piece that crosses 0 is cut there."""
        for duration_s, before, after in self._load.pieces():
            start, end = self._factor * before, self._factor * after
            if start >= 0 and end >= 0:
                yield Piece(duration_s, start, end)
            elif start <= 0 and end <= 0:
                yield Piece(duration_s, 0.0, 0.0)
            else:
                crossing_s = duration_s * start / (start - end)
                yield Piece(crossing_s, max(start, 0.0), 0.0)
                yield Piece(duration_s - crossing_s, 0.0, max(end, 0.0))


class Made:
    """A load whose pieces a function makes, anew each time."""

    def __init__(self, make: Callable[[], Iterator[Piece]]) -> None:
        self._make = make

    def pieces(self) -> Iterator[Piece]:
        """Pieces from time 0 on."""
        return self._make()

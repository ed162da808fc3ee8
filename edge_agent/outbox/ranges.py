"""A set of numbers that is made of few long ranges."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator


class NumberRanges:
    """Disjoint ranges, ascending, that do not touch."""

    def __init__(self, ranges: Iterable[range] = ()) -> None:
        self._starts: list[int] = []
        self._stops: list[int] = []
        for numbers in ranges:
            self.add(numbers)

    def __iter__(self) -> Iterator[range]:
        return map(range, self._starts, self._stops)

    def __bool__(self) -> bool:
        return bool(self._starts)

    def __contains__(self, number: int) -> bool:
        index = bisect_right(self._stops, number)
        return index < len(self._starts) and self._starts[index] <= number

    def add(self, numbers: range) -> None:
        """Join a range; what is there already stays."""
        if not numbers:
            return
        first = bisect_left(self._stops, numbers.start)
        beyond = bisect_right(self._starts, numbers.stop)
        start, stop = numbers.start, numbers.stop
        if first < beyond:
            start, stop = min(start, self._starts[first]), max(stop, self._stops[beyond - 1])
        self._starts[first:beyond] = [start]
        self._stops[first:beyond] = [stop]

    def remove(self, numbers: range) -> None:
        """Take a range out; what is not there is no error."""
        if not numbers:
            return
        first = bisect_right(self._stops, numbers.start)
        beyond = bisect_left(self._starts, numbers.stop)
        if first >= beyond:
            return
        rests = [(self._starts[first], numbers.start), (numbers.stop, self._stops[beyond - 1])]
        rests = [(start, stop) for start, stop in rests if start < stop]
        self._starts[first:beyond] = [start for start, _ in rests]
        self._stops[first:beyond] = [stop for _, stop in rests]

    def missing(self, numbers: range) -> list[range]:
        """The parts of a range that are not in here."""
        gaps = []
        position = numbers.start
        for index in range(bisect_right(self._stops, numbers.start), len(self._starts)):
            if self._starts[index] >= numbers.stop:
                break
            if position < self._starts[index]:
                gaps.append(range(position, self._starts[index]))
            position = self._stops[index]
        if position < numbers.stop:
            gaps.append(range(position, numbers.stop))
        return gaps

    def first(self, at_most: int) -> range:
        """The beginning of the first range, `at_most` numbers long; empty when there is none."""
        if not self._starts:
            return range(0)
        return range(self._starts[0], min(self._stops[0], self._starts[0] + at_most))

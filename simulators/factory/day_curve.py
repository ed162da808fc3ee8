"""A load's rate over one day as straight pieces, and its exact integral.

Times are seconds since the day began. Reactive power is the rate times the tangent of phi of the piece, so that an
idling motor shows its poor power factor, and its integral is as exact as that of the rate.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

_SECONDS_AN_HOUR = 3600.0


class Samples(NamedTuple):
    """A load at some times: rate (W, m3/h), its integral since the day began (Wh, m3), both again for reactive."""

    rates: list[float]
    amounts: list[float]
    reactive_rates: list[float]
    reactive_amounts: list[float]


class Track:
    """Collects the pieces of a day, one after the other.

    Args:
        length_s: of the day; what is beyond is cut off.
    """

    def __init__(self, length_s: float) -> None:
        self.length_s = length_s
        self.at_s = 0.0
        self.starts_s = array("d")
        self.start_rates = array("d")
        self.end_rates = array("d")
        self.tangents = array("d")

    def until(self, end_s: float, rate: float, tangent: float = 0.0, end_rate: float | None = None) -> None:
        """Go on to a time at a rate, straight to `end_rate` if given; a time that has passed adds nothing."""
        last = rate if end_rate is None else end_rate
        if end_s > self.length_s:
            if end_rate is not None and end_s > self.at_s:
                last = rate + (last - rate) * max(0.0, (self.length_s - self.at_s) / (end_s - self.at_s))
            end_s = self.length_s
        if end_s <= self.at_s:
            return
        self.starts_s.append(self.at_s)
        self.start_rates.append(rate)
        self.end_rates.append(last)
        self.tangents.append(tangent)
        self.at_s = end_s

    def curve(self, dead: Iterable[tuple[float, float]] = ()) -> "DayCurve":
        """The finished day; in `dead` times (seconds of the day, ascending) there is no power."""
        if self.at_s < self.length_s:
            self.until(self.length_s, 0.0)
        track = self
        for start_s, end_s in dead:
            track = track._cut(start_s, end_s)  # its own kind
        return DayCurve(track)

    def _cut(self, start_s: float, end_s: float) -> "Track":
        cut = Track(self.length_s)
        ends_s = [*self.starts_s[1:], self.length_s]
        pieces = zip(self.starts_s, ends_s, self.start_rates, self.end_rates, self.tangents, strict=True)
        for begin_s, finish_s, first, last, tangent in pieces:
            if finish_s <= start_s or begin_s >= end_s:
                cut.until(begin_s, 0.0)
                cut.until(finish_s, first, tangent, last)
                continue
            slope = (last - first) / (finish_s - begin_s)
            cut.until(start_s, first, tangent, first + slope * (start_s - begin_s))
            cut.until(min(end_s, finish_s), 0.0)
            if finish_s > end_s:
                cut.until(finish_s, first + slope * (end_s - begin_s), tangent, last)
        return cut


class DayCurve:
    """The pieces of a day with their cumulative amounts."""

    def __init__(self, track: Track) -> None:
        self.length_s = track.length_s
        self.starts_s = track.starts_s
        self.start_rates = track.start_rates
        self.tangents = track.tangents
        ends_s = array("d", [*track.starts_s[1:], track.length_s])
        self.slopes = array("d")
        self._amounts = array("d", [0.0])
        self._reactive = array("d", [0.0])
        total = reactive = 0.0
        pieces = zip(track.starts_s, ends_s, track.start_rates, track.end_rates, track.tangents, strict=True)
        for start_s, end_s, first, last, tangent in pieces:
            length_s = end_s - start_s
            amount = (first + last) / 2 * length_s / _SECONDS_AN_HOUR
            total += amount
            reactive += amount * tangent
            self._amounts.append(total)
            self._reactive.append(reactive)
            self.slopes.append((last - first) / length_s)

    @property
    def amount(self) -> float:
        """The integral over the whole day, in rate-hours."""
        return self._amounts[-1]

    @property
    def reactive_amount(self) -> float:
        """The same of the reactive rate."""
        return self._reactive[-1]

    def samples(self, times_s: Sequence[float]) -> Samples:
        """Rate and integral at times of the day, ascending."""
        found = Samples([], [], [], [])
        starts, rates, slopes, tangents = self.starts_s, self.start_rates, self.slopes, self.tangents
        amounts, reactive = self._amounts, self._reactive
        add_rate, add_amount = found.rates.append, found.amounts.append
        add_reactive_rate, add_reactive_amount = found.reactive_rates.append, found.reactive_amounts.append
        low = 0
        for time_s in times_s:
            low = bisect_right(starts, time_s, low) - 1
            since_s = time_s - starts[low]
            first, tangent = rates[low], tangents[low]
            rate = first + slopes[low] * since_s
            grown = (first + rate) / 2 * since_s / _SECONDS_AN_HOUR
            add_rate(rate)
            add_amount(amounts[low] + grown)
            add_reactive_rate(rate * tangent)
            add_reactive_amount(reactive[low] + grown * tangent)
        return found


def signed_curves(parts: Sequence[tuple[float, DayCurve]], length_s: float) -> tuple[DayCurve, DayCurve]:
    """What of a weighted sum of loads is above 0, and what is below (as positive numbers).

    Args:
        parts: factor and curve.
        length_s: of the day.
    """
    changes: list[tuple[float, float, float]] = []
    for factor, curve in parts:
        rate = slope = 0.0
        # A piece is the straight line rate + slope * t from its start on; kept as changes at t = 0 of the day.
        for start_s, first, steepness in zip(curve.starts_s, curve.start_rates, curve.slopes, strict=True):
            constant = first - steepness * start_s
            changes.append((start_s, factor * (constant - rate), factor * (steepness - slope)))
            rate, slope = constant, steepness
    changes.sort()
    positive, negative = Track(length_s), Track(length_s)
    constant = slope = at_s = 0.0
    for time_s, constant_change, slope_change in changes:
        if time_s > at_s:
            _append_signed(positive, negative, (at_s, time_s), constant, slope)
            at_s = time_s
        constant += constant_change
        slope += slope_change
    _append_signed(positive, negative, (at_s, length_s), constant, slope)
    return positive.curve(), negative.curve()


def _append_signed(positive: Track, negative: Track, span: tuple[float, float], constant: float, slope: float) -> None:
    start_s, end_s = span
    first, last = constant + slope * start_s, constant + slope * end_s
    if first >= 0 and last >= 0:
        positive.until(end_s, first, 0.0, last)
        negative.until(end_s, 0.0)
    elif first <= 0 and last <= 0:
        positive.until(end_s, 0.0)
        negative.until(end_s, -first, 0.0, -last)
    else:
        crossing_s = start_s + (end_s - start_s) * first / (first - last)
        positive.until(crossing_s, max(first, 0.0), 0.0, 0.0)
        negative.until(crossing_s, max(-first, 0.0), 0.0, 0.0)
        positive.until(end_s, 0.0, 0.0, max(last, 0.0))
        negative.until(end_s, 0.0, 0.0, max(-last, 0.0))

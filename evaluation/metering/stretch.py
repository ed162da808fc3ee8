"""Readings of one quantity of a device: one stretch of time is read at once, and what lies beyond is asked for."""

from bisect import bisect_left, bisect_right

from store.protocol import Latest, ReadingStore, Series
from store.schema import EARLIEST_MS, LATEST_MS


class Stretch:
    """Answers as the store does; within [start, end) out of what `read` has fetched.

    Args:
        readings: where they are stored.
        site: its id.
        device: whose.
        quantity: what.
    """

    def __init__(self, readings: ReadingStore, site: str, device: str, quantity: str) -> None:
        self._readings = readings
        self._key = (site, device, quantity)
        self._start_ms = self._end_ms = 0
        self._series = Series((), ())

    async def read(self, start_ms: int, end_ms: int) -> None:
        """Fetch the readings of [start, end)."""
        self._series = await self._readings.readings(*self._key, start_ms, end_ms)
        self._start_ms, self._end_ms = start_ms, end_ms

    def know_of_none(self) -> None:
        """Take it that there are no readings at all."""
        self._start_ms, self._end_ms, self._series = EARLIEST_MS, LATEST_MS, Series((), ())

    @property
    def is_empty(self) -> bool:
        """Whether nothing was found where it was read."""
        return not self._series.times_ms

    async def readings(self, start_ms: int, end_ms: int) -> Series:
        """See `ReadingStore.readings`."""
        if start_ms < self._start_ms or end_ms > self._end_ms:
            return await self._readings.readings(*self._key, start_ms, end_ms)
        return self.fetched(start_ms, end_ms)

    def fetched(self, start_ms: int, end_ms: int) -> Series:
        """Of the readings of [start, end) those that `read` has fetched."""
        times, values = self._series.times_ms, self._series.values
        part = slice(bisect_left(times, start_ms), bisect_left(times, end_ms))
        return Series(times[part], values[part])

    async def last_before(self, time_ms: int) -> Latest | None:
        """See `ReadingStore.last_before`."""
        if self._start_ms <= time_ms < self._end_ms:
            index = bisect_right(self._series.times_ms, time_ms) - 1
            if index >= 0:
                return self._at(index)
            time_ms = self._start_ms - 1
        if time_ms < EARLIEST_MS:
            return None
        return await self._readings.last_before(*self._key, time_ms)

    async def first_after(self, time_ms: int) -> Latest | None:
        """See `ReadingStore.first_after`."""
        if self._start_ms <= time_ms < self._end_ms:
            index = bisect_left(self._series.times_ms, time_ms)
            if index < len(self._series.times_ms):
                return self._at(index)
            time_ms = self._end_ms
        if time_ms >= LATEST_MS:
            return None
        return await self._readings.first_after(*self._key, time_ms)

    def _at(self, index: int) -> Latest:
        return Latest(self._series.times_ms[index], self._series.values[index])

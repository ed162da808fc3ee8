"""How much each device gave on each UTC day, told when the day is over, so that the collector can compare."""

from collections.abc import Iterator
from decimal import Decimal

import msgspec

from edge_agent.counters import is_monotonic_total
from wire_format.batch import Column, DeviceRows
from wire_format.events import VALUES, Event, EventKind
from wire_format.limits import MAX_EVENT_NUMBERS

DAY_MS = 86_400_000
GRACE_MS = 60_000
"""A day's last rows are in the outbox by then."""
DAYS_KEPT = 3
TOLD_AT_ONCE = 50

Reading = tuple[int, int, int]
"""Time in ms, integer, exponent."""


class DayCount(msgspec.Struct, array_like=True):
    """Values of one device on one day; `told` of them were told of. First and last reading of each total."""

    values: int = 0
    told: int = 0
    totals: dict[str, tuple[Reading, Reading]] = {}


Days = dict[str, dict[int, DayCount]]
"""By device and number of the day since 1970."""


class DayCounts:
    """Counts what the outbox has taken.

    What a kill takes from the counts, since they are kept with every tenth record only, makes the edge tell less than
    there is, never more.

    Args:
        days: of the run before; counted on in place.
    """

    def __init__(self, days: Days) -> None:
        self._days = days
        self._newest_ms = 0

    def count(self, rows: DeviceRows) -> None:
        """Rows are in the outbox."""
        self._newest_ms = max(rows.times_ms[-1], self._newest_ms - GRACE_MS)
        first_day, last_day = rows.times_ms[0] // DAY_MS, rows.times_ms[-1] // DAY_MS
        for number in range(first_day, last_day + 1):
            places = [place for place, time_ms in enumerate(rows.times_ms) if time_ms // DAY_MS == number]
            if places:
                count = self._days.setdefault(rows.device, {}).setdefault(number, DayCount())
                for column in rows.columns:
                    _add(count, column, rows.times_ms, places)

    def over(self) -> Iterator[Event]:
        """What is to be told of days that are over, a few at a time; days that were told are forgotten in the end."""
        today = (self._newest_ms - GRACE_MS) // DAY_MS
        left = TOLD_AT_ONCE
        for device, days in self._days.items():
            for number, count in list(days.items()):
                if number < today and count.values > count.told and left:
                    left -= 1
                    count.told = count.values
                    yield _event(device, number, count)
                elif number < today - DAYS_KEPT:
                    del days[number]


def _add(count: DayCount, column: Column, times_ms: tuple[int, ...], places: list[int]) -> None:
    present = [place for place in places if column.integers[place] is not None]
    count.values += len(present)
    if present and is_monotonic_total(column.quantity):
        first, last = (
            (times_ms[place], column.integers[place] or 0, column.exponent) for place in (present[0], present[-1])
        )
        if column.quantity in count.totals:
            known = count.totals[column.quantity]
            first, last = min(known[0], first), max(known[1], last)
        count.totals[column.quantity] = (first, last)


def _event(device: str, number: int, count: DayCount) -> Event:
    # Totals of all phases and directions before those of one.
    names = sorted(count.totals, key=lambda name: (not name.endswith("_total"), name))
    numbers = {name: _rise(*count.totals[name]) for name in names[: MAX_EVENT_NUMBERS - 1]}
    text = f"{count.values} values were kept on this day"
    return Event(device, EventKind.DAY_COUNTED, number * DAY_MS, "", text, {VALUES: float(count.values), **numbers})


def _rise(first: Reading, last: Reading) -> float:
    return float(Decimal(last[1]).scaleb(last[2]) - Decimal(first[1]).scaleb(first[2]))

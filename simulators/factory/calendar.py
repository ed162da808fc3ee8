"""When a plant works: local days, shifts with breaks, holidays."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from simulators.factory.schema import PlantFile

_LONGEST_CLOSURE_DAYS = 31


class Window(NamedTuple):
    """A half-open time [start, end), in seconds since 1970 UTC."""

    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Day:
    """A local day; `number` counts from the simulation's first day, 0."""

    date: date
    number: int
    window: Window


@dataclass(frozen=True, slots=True)
class ShiftRun:
    """One shift on one date, which may end on the next day."""

    shift: str
    date: date
    window: Window
    breaks: tuple[Window, ...]


class Calendar:
    """The working time of a plant.

    Args:
        plant: shifts, holidays, time zone.
        first: the day with number 0.
    """

    def __init__(self, plant: PlantFile, first: date) -> None:
        self._plant = plant
        self._zone = ZoneInfo(plant.time_zone)
        self.first = first

    def date_of(self, time_s: float) -> date:
        """The local date at a time."""
        return datetime.fromtimestamp(time_s, UTC).astimezone(self._zone).date()

    def day(self, number: int) -> Day:
        """The day of a number."""
        on = self.first + timedelta(days=number)
        return Day(on, number, Window(self._at(on, time()), self._at(on + timedelta(days=1), time())))

    def number_of(self, time_s: float) -> int:
        """The number of the day at a time; negative before the first."""
        return (self.date_of(time_s) - self.first).days

    def is_holiday(self, on: date) -> bool:
        """Whether nobody works on a date, whatever its weekday."""
        return f"{on:%m-%d}" in self._plant.holidays

    def runs(self, shifts: Iterable[str], day: Day) -> list[ShiftRun]:
        """The shifts that touch a day, in their order."""
        found = [
            run
            for on in (day.date - timedelta(days=1), day.date)
            for shift in shifts
            if (run := self._run(shift, on)) is not None and overlap(run.window, day.window) is not None
        ]
        return sorted(found, key=lambda run: run.window)

    def last_before(self, shifts: Sequence[str], time_s: float) -> ShiftRun | None:
        """The last shift that ended by a time, at most a month ago."""
        on = self.date_of(time_s)
        for back in range(_LONGEST_CLOSURE_DAYS):
            runs = [self._run(shift, on - timedelta(days=back)) for shift in shifts]
            ended = [run for run in runs if run is not None and run.window.end_s <= time_s]
            if ended:
                return max(ended, key=lambda run: run.window.end_s)
        return None

    def _run(self, name: str, on: date) -> ShiftRun | None:
        shift = self._plant.shifts[name]
        if on.strftime("%a").lower() not in shift.days or self.is_holiday(on):
            return None
        start_s = self._at(on, shift.start)
        end_s = self._at(on if shift.end > shift.start else on + timedelta(days=1), shift.end)
        breaks = []
        for begin, finish in shift.breaks:
            first_s = self._at(on if begin >= shift.start else on + timedelta(days=1), begin)
            last_s = self._at(on if finish >= shift.start else on + timedelta(days=1), finish)
            breaks.append(Window(first_s, last_s))
        return ShiftRun(name, on, Window(start_s, end_s), tuple(breaks))

    def _at(self, on: date, clock: time) -> float:
        return datetime.combine(on, clock, self._zone).timestamp()


def overlap(first: Window, second: Window) -> Window | None:
    """What two windows have in common."""
    start_s, end_s = max(first.start_s, second.start_s), min(first.end_s, second.end_s)
    return Window(start_s, end_s) if start_s < end_s else None


def without(window: Window, holes: Iterable[Window]) -> Iterator[Window]:
    """A window less some others."""
    start_s = window.start_s
    for hole in sorted(holes):
        if hole.start_s > start_s:
            yield from filter(None, [overlap(Window(start_s, hole.start_s), window)])
        start_s = max(start_s, hole.end_s)
    if start_s < window.end_s:
        yield Window(start_s, window.end_s)


def united(windows: Iterable[Window]) -> list[Window]:
    """Windows that touch or overlap become one; ascending."""
    joined: list[Window] = []
    for window in sorted(windows):
        if joined and window.start_s <= joined[-1].end_s:
            joined[-1] = Window(joined[-1].start_s, max(joined[-1].end_s, window.end_s))
        else:
            joined.append(window)
    return joined


def gaps(windows: Sequence[Window], within: Window) -> list[Window]:
    """What of a window is not covered by others."""
    return list(without(within, windows))

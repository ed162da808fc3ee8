"""Everything about one day that loads need to know."""

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from simulators.factory.calendar import Calendar, Day, Window, gaps, overlap, united
from simulators.factory.chance import chance
from simulators.factory.production import Run
from simulators.factory.schema import Load, PlantFile

_LOOK_ON_S = 3600.0


@dataclass(frozen=True, slots=True)
class DayContext:
    """A day of a plant: `plant` as it is on that day, weather, and what the lines make. Seconds count from midnight."""

    plant: PlantFile
    seed: str
    calendar: Calendar
    day: Day
    hourly_degc: list[float]
    cloudiness: float
    runs: dict[str, list[Run]]

    @property
    def length_s(self) -> float:
        """23, 24 or 25 hours."""
        return self.day.window.end_s - self.day.window.start_s

    def chance(self, name: str) -> Random:
        """What happens to a load on this day."""
        return chance(self.seed, "load", name, self.day.date)

    def shifts_of(self, load: Load) -> tuple[str, ...]:
        """The shifts in which a load is used: its own, else its line's; empty is always."""
        if load.shifts is not None:
            return load.shifts
        return self.plant.lines[load.line].shifts if load.line is not None else ()

    def attended(self, load: Load, before_min: float = 0.0, after_min: float = 0.0) -> list[Window]:
        """The load's shifts, longer by so much before and after; the whole day for one without shifts."""
        whole = Window(0.0, self.length_s)
        shifts = self.shifts_of(load)
        if not shifts:
            return [whole]
        origin_s = self.day.window.start_s
        # A margin before tomorrow's first shift may begin today.
        tomorrow = self.calendar.day(self.day.number + 1)
        runs = self.calendar.runs(shifts, self.day) + self.calendar.runs(shifts, tomorrow)
        windows = [
            Window(run.window.start_s - origin_s - 60 * before_min, run.window.end_s - origin_s + 60 * after_min)
            for run in runs
        ]
        return united(part for window in windows if (part := overlap(window, whole)) is not None)

    def forgotten(self, name: str, load: Load, attended: Iterable[Window], share: float) -> list[Window]:
        """Times outside the shifts in which a load is on, because nobody switched it off after the last shift."""
        shifts = self.shifts_of(load)
        found = []
        for gap in gaps(list(attended), Window(0.0, self.length_s)):
            last = self.calendar.last_before(shifts, self.day.window.start_s + gap.start_s + 1.0)
            if last is not None and chance(self.seed, "left on", name, last.shift, last.date).random() < share:
                found.append(gap)
        return found

    def working(self, line: str | None) -> list[Window]:
        """When a line makes something."""
        origin_s = self.day.window.start_s
        runs = self.runs[line] if line is not None else []
        return united(Window(run.window.start_s - origin_s, run.window.end_s - origin_s) for run in runs)

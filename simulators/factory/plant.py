"""A plant over time: any moment can be asked for, in any order, and gives the same answer."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from simulators.errors import SimulatorError
from simulators.factory.calendar import Calendar
from simulators.factory.day_curve import DayCurve, Samples
from simulators.factory.plant_day import PlantDay
from simulators.factory.schema import PlantFile, PlantFileError
from simulators.factory.weather import Weather

IMPORT = "mains import"
EXPORT = "mains export"
ON_MAINS = " on mains"
"""Added to a load's name: without what the generator supplied."""

_KEPT_DAYS = 4
LONGEST_DAYS = 3700
"""Totals are sums over all days since the first: ten years bound what a mistyped date can cost."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure of the plant file, put into effect at the beginning of a day (0 is the first)."""

    name: str
    day: int


class Plant:
    """A factory.

    Every signal is a function of seed and time, drawn day by day: a total is the sum of the days since the first plus
    what the present day has brought.

    Args:
        file: what it consists of.
        seed: the same seed gives the same data.
        first: the local date on which totals begin, and measures count their days from.
        measures: those that are put into effect.

    Raises:
        PlantFileError: a measure is not in the file, or names what is not there.
    """

    def __init__(self, file: PlantFile, seed: int, first: date, measures: Iterable[Measure] = ()) -> None:
        self.file = file
        self.seed = seed
        self.measures = tuple(sorted(measures, key=lambda measure: measure.day))
        self.calendar = Calendar(file, first)
        # Two plants of the same seed have nothing in common.
        self.chances = f"{file.id} {seed}"
        self.weather = Weather(file.climate, self.chances)
        self._regimes = [(0, file)]
        for measure in self.measures:
            self._regimes.append((measure.day, with_measure(self._regimes[-1][1], measure.name)))
        self._days: OrderedDict[int, PlantDay] = OrderedDict()
        self._sums: list[dict[str, tuple[float, float]]] = [{}]
        self._sampled: tuple[float, ...] = ()
        self._samples: dict[str, Samples] = {}

    @property
    def start_s(self) -> float:
        """Midnight of the first day, in seconds since 1970 UTC."""
        return self.calendar.day(0).window.start_s

    def file_on(self, number: int) -> PlantFile:
        """The plant as it is on a day, after the measures of that day."""
        return next(file for day, file in reversed(self._regimes) if day <= number)

    def day_at(self, time_s: float) -> PlantDay:
        """The day that a time belongs to."""
        return self.day(self.calendar.number_of(time_s))

    def day(self, number: int) -> PlantDay:
        """A day by its number; the latest few are kept."""
        if not 0 <= number <= LONGEST_DAYS:
            raise SimulatorError(f"day {number}: the simulation covers days 0 to {LONGEST_DAYS} from its first")
        found = self._days.get(number)
        if found is None:
            found = PlantDay(self.file_on(number), self.chances, self.calendar, self.weather, self.calendar.day(number))
            self._days[number] = found
            if len(self._days) > _KEPT_DAYS:
                self._days.popitem(last=False)
        else:
            self._days.move_to_end(number)
        return found

    def samples(self, name: str, times_s: tuple[float, ...]) -> Samples:
        """A load, the sun, a line's flow (`line/flow`) or the mains at times of one local day.

        Amounts count from the first day. Import and export are there in plants with a solar system only.

        Args:
            name: as in `PlantDay.loads`, with ON_MAINS added, a line's flow, IMPORT or EXPORT.
            times_s: seconds since 1970 UTC, ascending.
        """
        if times_s != self._sampled:
            self._sampled, self._samples = times_s, {}
        if name not in self._samples:
            day = self.day_at(times_s[0])
            before, reactive_before = self.sums_before(day.day.number).get(name, (0.0, 0.0))
            found = _curve(day, name).samples([time_s - day.day.window.start_s for time_s in times_s])
            self._samples[name] = Samples(
                found.rates,
                [before + amount for amount in found.amounts],
                found.reactive_rates,
                [reactive_before + amount for amount in found.reactive_amounts],
            )
        return self._samples[name]

    def sums_before(self, number: int) -> Mapping[str, tuple[float, float]]:
        """What each load and flow had amounted to when a day began: its integral and that of its reactive part."""
        while len(self._sums) <= number:
            day = self.day(len(self._sums) - 1)
            last = self._sums[-1]
            self._sums.append(
                {
                    name: (
                        last.get(name, (0.0, 0.0))[0] + curve.amount,
                        last.get(name, (0.0, 0.0))[1] + curve.reactive_amount,
                    )
                    for name, curve in _curves(day)
                }
            )
        return self._sums[number]


def with_measure(file: PlantFile, name: str) -> PlantFile:
    """The plant after a measure: the file's `measures` name the values that it changes by `section.name.key`."""
    if name not in file.measures:
        raise PlantFileError(f"{file.id}: no measure {name!r}; there are {', '.join(file.measures) or 'none'}")
    document = file.model_dump(mode="json", by_alias=True)
    for path, value in file.measures[name].items():
        *way, last = path.split(".")
        place: Any = document
        for key in way:
            place = place.get(key) if isinstance(place, dict) else None
        if not isinstance(place, dict) or last not in place:
            raise PlantFileError(f"{file.id}: measures.{name}: there is no {path}")
        place[last] = value
    return PlantFile.model_validate(document)


def _curve(day: PlantDay, name: str) -> DayCurve:
    if name in {IMPORT, EXPORT}:
        return day.exchange[name == EXPORT]
    if name.endswith(ON_MAINS):
        return day.on_mains[name.removesuffix(ON_MAINS)]
    line, _, flow = name.partition("/")
    return day.flows[line][flow] if flow else day.loads[name]


def _curves(day: PlantDay) -> Iterator[tuple[str, DayCurve]]:
    yield from day.loads.items()
    if day.plant.outages.per_month:
        yield from ((name + ON_MAINS, curve) for name, curve in day.on_mains.items())
    if day.plant.solar is not None:
        yield from zip((IMPORT, EXPORT), day.exchange, strict=True)
    for line, flows in day.flows.items():
        yield from ((f"{line}/{flow}", curve) for flow, curve in flows.items())

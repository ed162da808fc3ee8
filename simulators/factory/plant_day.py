"""One finished day of a plant: outages, what the lines make, and the curve of every load."""

from functools import cached_property

from simulators.factory.calendar import Calendar, Day, Window, overlap, without
from simulators.factory.chance import chance
from simulators.factory.day_context import DayContext
from simulators.factory.day_curve import DayCurve, signed_curves
from simulators.factory.loads import load_track, solar_track
from simulators.factory.production import flow_curves, runs_of_day
from simulators.factory.schema import PlantFile
from simulators.factory.weather import Weather
from site_config.points import Resource

_DAYS_A_MONTH = 30.4

SOLAR = "solar"


class PlantDay:
    """A day of a plant.

    Attributes:
        day: which.
        outages: without mains, in seconds since 1970 UTC.
        on_generator: the parts of them in which a generator supplies the plant.
        loads: what each load takes, and `solar` what the sun gives, all without cable losses.
        on_mains: the same without what the generator supplied.
        flows: line -> rate -> curve; see `production.FLOWS`.
    """

    def __init__(self, plant: PlantFile, seed: str, calendar: Calendar, weather: Weather, day: Day) -> None:
        self.day = day
        self.plant = plant
        self.length_s = day.window.end_s - day.window.start_s
        self.outages = _outages(plant, seed, day)
        start_s = plant.outages.generator_start_s
        self.on_generator: list[Window] = []
        if start_s is not None:
            self.on_generator = [
                Window(outage.start_s + start_s, outage.end_s)
                for outage in self.outages
                if outage.end_s - outage.start_s > start_s
            ]
        dead = [part for outage in self.outages for part in without(outage, self.on_generator)]
        context = DayContext(
            plant=plant,
            seed=seed,
            calendar=calendar,
            day=day,
            hourly_degc=weather.hourly_degc(day.date),
            cloudiness=weather.cloudiness(day.date),
            runs={name: runs_of_day(plant, name, calendar, seed, day, dead) for name in plant.lines},
        )
        self.flows = {name: flow_curves(runs, day) for name, runs in context.runs.items()}
        self.loads: dict[str, DayCurve] = {}
        self.on_mains: dict[str, DayCurve] = {}
        for name, load in plant.loads.items():
            track = load_track(name, load, context)
            # Water goes on running without current.
            powered = load.resource is not Resource.WATER
            self.loads[name] = track.curve(self._relative(dead) if powered else [])
            if load.resource is Resource.ELECTRICITY:
                on_mains = track.curve(self._relative(self.outages)) if self.on_generator else self.loads[name]
                self.on_mains[name] = on_mains
        if plant.solar is not None:
            self.loads[SOLAR] = solar_track(plant.solar.peak_w, context).curve(self._relative(self.outages))

    @cached_property
    def exchange(self) -> tuple[DayCurve, DayCurve]:
        """Import from and export to the mains, W: all electric loads with their losses, less the sun."""
        parts = [(1 + self.plant.loss, curve) for curve in self.on_mains.values()]
        if SOLAR in self.loads:
            parts.append((-1.0, self.loads[SOLAR]))
        return signed_curves(parts, self.length_s)

    def _relative(self, windows: list[Window]) -> list[tuple[float, float]]:
        origin_s = self.day.window.start_s
        return [(window.start_s - origin_s, window.end_s - origin_s) for window in windows]


def _outages(plant: PlantFile, seed: str, day: Day) -> list[Window]:
    draw = chance(seed, "outage", day.date)
    if draw.random() >= plant.outages.per_month / _DAYS_A_MONTH:
        return []
    low, high = plant.outages.minutes
    start_s = day.window.start_s + draw.uniform(0.02, 0.98) * (day.window.end_s - day.window.start_s)
    found = overlap(Window(start_s, start_s + 60 * draw.uniform(low, high)), day.window)
    return [found] if found is not None else []

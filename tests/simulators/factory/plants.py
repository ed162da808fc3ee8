"""Plants that the tests share."""

from datetime import date
from functools import cache

from simulators.factory.plant import Measure, Plant
from simulators.factory.plant_files import load_plant

FIRST = date(2026, 8, 28)
"""A Friday."""

PLANTS = ("bakery", "garment", "hotel-laundry", "metal-parts", "plastics")


@cache
def shared_plant(name: str) -> Plant:
    """A plant that nobody changes."""
    return Plant(load_plant(name), 1, FIRST)


def plant(name: str, *, seed: int = 1, measures: tuple[Measure, ...] = ()) -> Plant:
    """A plant that nobody has asked yet."""
    return Plant(load_plant(name), seed, FIRST, measures)


def times_of(site: Plant, number: int, every_s: float) -> tuple[float, ...]:
    """Times of a day."""
    window = site.calendar.day(number).window
    return tuple(window.start_s + index * every_s for index in range(int((window.end_s - window.start_s) / every_s)))

"""A plant's curves as a picture: a strip for each measuring point, for people who know such a plant to judge."""

import itertools
from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

from simulators.factory.calendar import Window
from simulators.factory.meters import PlantMeters
from simulators.factory.plant import Plant
from simulators.factory.weather import temperature_at
from site_config.points import Resource

_WIDTH, _STRIP, _LEFT, _TOP, _GAP = 1200, 78, 190, 46, 10
_POINTS_A_DAY = 720
"""A point every two minutes."""

_HOUR_S = 3600.0
_COLORS = {
    Resource.ELECTRICITY: "#1f5fa8",
    Resource.WATER: "#1c8c8c",
    Resource.FUEL: "#b3541e",
    Resource.PRODUCT: "#4b7f2a",
    Resource.WASTE: "#8a3d6b",
}


class _Strip(NamedTuple):
    title: str
    unit: str
    color: str
    values: list[float]


def plant_picture(plant: Plant, first: int, days: int) -> str:
    """An SVG of whole local days.

    Args:
        plant: whose.
        first: the first day's number.
        days: how many, from 1 on.
    """
    windows = [plant.calendar.day(number).window for number in range(first, first + days)]
    times = [_times(window) for window in windows]
    strips = list(_strips(plant, times, first))
    height = _TOP + len(strips) * (_STRIP + _GAP) + 24
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" '
            f'font-size="12"><rect width="100%" height="100%" fill="white"/>'
            f'<text x="10" y="22" font-size="17">{escape(plant.file.name)}, seed {plant.seed}, '
            f"{plant.calendar.day(first).date:%a %d %b %Y}, {days} day{'s' if days > 1 else ''}</text>"
        )
    ]
    parts += _time_axis(plant, windows, first, height)
    for index, strip in enumerate(strips):
        parts += _drawn(strip, _TOP + index * (_STRIP + _GAP))
    return "".join([*parts, "</svg>\n"])


def _times(window: Window) -> tuple[float, ...]:
    step_s = (window.end_s - window.start_s) / _POINTS_A_DAY
    return tuple(window.start_s + index * step_s for index in range(_POINTS_A_DAY))


def _strips(plant: Plant, times: Sequence[tuple[float, ...]], first: int) -> Iterable[_Strip]:
    meters = PlantMeters(plant)
    for name, point in plant.file.points.items():
        found: list[float] = []
        for day_s in times:
            # Means, as a meter logs them: single moments of what switches on and off show a pattern that is not there.
            amounts = meters.amounts(name, day_s)
            step_h = (day_s[1] - day_s[0]) / _HOUR_S
            rates = [(after - before) / step_h for before, after in itertools.pairwise(amounts)]
            found += [*rates, rates[-1]]
        unit = "kW" if point.resource is Resource.ELECTRICITY else "kg/h" if point.weighs else "m3/h"
        if point.resource is Resource.PRODUCT and not point.weighs:
            unit = "pieces/h"
        yield _Strip(point.name, unit, _COLORS.get(point.resource, "#555555"), found)
    outside: list[float] = []
    for number, day_s in enumerate(times, first):
        hourly = plant.weather.hourly_degc(plant.calendar.day(number).date)
        outside += [temperature_at(hourly, 24 * index / len(day_s)) for index in range(len(day_s))]
    yield _Strip("Outside", "°C", "#999999", outside)


def _drawn(strip: _Strip, top: float) -> list[str]:
    low, high = min(*strip.values, 0.0), max(*strip.values, 1e-9)
    if strip.unit == "°C":
        low = min(strip.values) - 1
    across = (_WIDTH - _LEFT - 10) / len(strip.values)

    def at(value: float) -> float:
        return top + _STRIP * (high - value) / (high - low)

    line = " ".join(f"{_LEFT + index * across:.1f},{at(value):.1f}" for index, value in enumerate(strip.values))
    mean = sum(strip.values) / len(strip.values)
    zero = at(max(low, 0.0))
    return [
        (
            f'<text x="10" y="{top + 18}">{escape(strip.title)}</text>'
            f'<text x="10" y="{top + 36}" fill="#666">highest {high:.3g} {strip.unit}</text>'
            f'<text x="10" y="{top + 52}" fill="#666">mean {mean:.3g} {strip.unit}</text>'
            f'<line x1="{_LEFT}" x2="{_WIDTH - 10}" y1="{zero:.1f}" y2="{zero:.1f}" stroke="#bbb"/>'
            f'<polyline points="{line}" fill="none" stroke="{strip.color}" stroke-width="1"/>'
        )
    ]


def _time_axis(plant: Plant, windows: Sequence[Window], first: int, height: float) -> list[str]:
    across = (_WIDTH - _LEFT - 10) / len(windows)
    found = []
    hours = range(0, 24, 2) if len(windows) == 1 else (0, 12)
    for index in range(len(windows)):
        day = plant.calendar.day(first + index)
        for hour in hours:
            x = _LEFT + (index + hour / 24) * across
            told = f"{day.date:%a %d}" if hour == 0 and len(windows) > 1 else f"{hour}:00"
            found.append(
                f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 4}" y2="{height - 20}" stroke="#eee"/>'
                f'<text x="{x:.1f}" y="{height - 6}" fill="#666">{told}</text>'
            )
    return found

"""A synthetic outside temperature and cloud cover: climate, season, hour and chance, the same for the same seed."""

import math
from datetime import date, timedelta

from simulators.factory.chance import chance
from simulators.factory.schema import Climate

_MEMORY = 0.7
_REMEMBERED_DAYS = 10
_WARMEST_HOUR = 15.0
_COOLEST_HOUR = 6.0
_EVENING_HOUR = 18


class Weather:
    """The weather of a place.

    A day's departure from the season is a weighted sum of the independent draws of the last ten days, so that warm
    days follow warm days and still every date stands for itself.

    Args:
        climate: of the place.
        seed: of the plant.
    """

    def __init__(self, climate: Climate, seed: str) -> None:
        self._climate = climate
        self._seed = seed
        self._departures: dict[int, float] = {}

    def hourly_degc(self, on: date) -> list[float]:
        """25 temperatures: at each full hour from midnight to midnight of a date."""
        means = [self._mean_degc(on.toordinal() + offset) for offset in (0, 1)]
        swings_k = [self._swing_k(on + timedelta(days=offset)) for offset in (0, 1)]
        found = []
        for hour in range(25):
            # The evening already goes towards the next day's swing, so that nothing jumps at midnight.
            share = max(0.0, (hour - _EVENING_HOUR) / (24 - _EVENING_HOUR))
            swing_k = swings_k[0] + (swings_k[1] - swings_k[0]) * share
            found.append(means[0] + (means[1] - means[0]) * hour / 24 + swing_k / 2 * _daily_wave(float(hour)))
        return found

    def mean_degc(self, on: date) -> float:
        """The mean of the date's 24 hours, by trapezoids."""
        hours = self.hourly_degc(on)
        return (sum(hours) - (hours[0] + hours[-1]) / 2) / 24

    def cloudiness(self, on: date) -> float:
        """The share of the sun that clouds take on a date."""
        draw = chance(self._seed, "clouds", on.toordinal()).betavariate(1.6, 1.6)
        return min(0.95, max(0.02, self._climate.cloudiness + (draw - 0.5) * 0.7))

    def _swing_k(self, on: date) -> float:
        return self._climate.daily_swing_k * (1.25 - 0.7 * self.cloudiness(on))

    def _mean_degc(self, ordinal: int) -> float:
        climate = self._climate
        day_of_year = date.fromordinal(ordinal).timetuple().tm_yday
        season = math.cos(2 * math.pi * (day_of_year - climate.warmest) / 365.25)
        return climate.mean_degc + climate.yearly_swing_k / 2 * season + climate.day_to_day_k * self._departure(ordinal)

    def _departure(self, ordinal: int) -> float:
        if ordinal not in self._departures:
            draws = [
                _MEMORY**back * chance(self._seed, "temperature", ordinal - back).gauss(0, 1)
                for back in range(_REMEMBERED_DAYS)
            ]
            self._departures[ordinal] = sum(draws) * math.sqrt(1 - _MEMORY**2)
        return self._departures[ordinal]


def _daily_wave(hour: float) -> float:
    """-1 at the coolest hour, 1 at the warmest; the morning rises faster than the evening falls."""
    if _COOLEST_HOUR <= hour <= _WARMEST_HOUR:
        return -math.cos(math.pi * (hour - _COOLEST_HOUR) / (_WARMEST_HOUR - _COOLEST_HOUR))
    since = (hour - _WARMEST_HOUR) % 24
    return math.cos(math.pi * since / (24 - (_WARMEST_HOUR - _COOLEST_HOUR)))


def temperature_at(hourly_degc: list[float], hour: float) -> float:
    """Between two full hours, straight."""
    index = min(int(hour), len(hourly_degc) - 2)
    return hourly_degc[index] + (hourly_degc[index + 1] - hourly_degc[index]) * (hour - index)


def elevation(climate: Climate, on: date, solar_hour: float) -> float:
    """The sine of the sun's height, 0 at night.

    Declination by Cooper (1969): 23.45 degrees times sin(2 pi (284 + day of the year) / 365).
    """
    day_of_year = on.timetuple().tm_yday
    declination = math.radians(23.45) * math.sin(2 * math.pi * (284 + day_of_year) / 365)
    latitude = math.radians(climate.latitude_deg)
    hour_angle = math.radians(15 * (solar_hour - 12))
    height = math.sin(latitude) * math.sin(declination)
    height += math.cos(latitude) * math.cos(declination) * math.cos(hour_angle)
    return max(0.0, height)

"""What runs in a workshop: machines that cycle and flicker, the sun, taps. Seeded: the same seed, the same curve.

Powers and times are those of small machines as their rating plates and daily use have them; changes of state take half
a second, the time that a meter's own averaging would show.
"""

import math
import random
from collections.abc import Iterator

from simulators.load_curve import Load, Made, Piece

_SWITCHING_S = 0.5
_FLICKER_S = 2.0
_DAY_S = 86400.0
_SUNRISE_H = 6.0
_SUNSET_H = 18.0


def _random(seed: int, name: str) -> random.Random:
    return random.Random(f"{seed} {name}")  # noqa: S311  # repeatable chance, no secret


class _Level:
    """Remembers where the last piece ended, so that the curve has no jumps."""

    def __init__(self, rate: float) -> None:
        self.rate = rate

    def to(self, rate: float, duration_s: float) -> Piece:
        piece = Piece(duration_s, self.rate, rate)
        self.rate = rate
        return piece

    def hold(self, chance: random.Random, rate: float, duration_s: float, flicker: float) -> Iterator[Piece]:
        """Stay near a rate, within a share `flicker` of it."""
        left_s = duration_s
        while left_s > 0:
            step_s = min(_FLICKER_S, left_s)
            yield self.to(rate * (1 + chance.uniform(-flicker, flicker)), step_s)
            left_s -= step_s


def cycling(
    seed: int,
    name: str,
    *,
    on_w: tuple[float, float],
    off_w: float,
    on_s: tuple[float, float],
    off_s: tuple[float, float],
    start_peak: float = 1.0,
    flicker: float = 0.02,
    starts_on: bool = True,
) -> Load:
    """A machine that is on and off in turn: a thermostat, a compressor, a mixer.

    Args:
        seed: of the plant.
        name: of the machine, so that each has its own chance.
        on_w: lowest and highest power of a running phase.
        off_w: power between (controls, fans).
        on_s: shortest and longest running phase.
        off_s: shortest and longest pause.
        start_peak: how many times the running power a start draws, decaying within two seconds.
        flicker: share by which power wanders.
        starts_on: whether time 0 is in a running phase; its start is then past.
    """

    def make() -> Iterator[Piece]:
        chance = _random(seed, name)
        level = _Level(off_w)
        if starts_on:
            level = _Level(chance.uniform(*on_w))
            yield from level.hold(chance, level.rate, chance.uniform(*on_s), flicker)
        running = not starts_on
        while True:
            if running:
                power_w = chance.uniform(*on_w)
                yield level.to(power_w * start_peak, _SWITCHING_S)
                if start_peak > 1:
                    yield level.to(power_w * (1 + (start_peak - 1) * 0.25), 0.5)
                    yield level.to(power_w, 1.5)
                yield from level.hold(chance, power_w, chance.uniform(*on_s), flicker)
            else:
                yield level.to(off_w, _SWITCHING_S)
                yield from level.hold(chance, off_w, chance.uniform(*off_s), flicker)
            running = not running

    return Made(make)


def wandering(seed: int, name: str, *, between_w: tuple[float, float], step_s: float = 5.0) -> Load:
    """Lighting, computers, small machines: a slow random walk between two limits."""

    def make() -> Iterator[Piece]:
        chance = _random(seed, name)
        low, high = between_w
        level = _Level((low + high) / 2)
        while True:
            target = level.rate + chance.uniform(-0.12, 0.12) * (high - low)
            yield level.to(min(high, max(low, target)), step_s)

    return Made(make)


def constant(power_w: float) -> Load:
    """The same power at all times."""

    def make() -> Iterator[Piece]:
        while True:
            yield Piece(60.0, power_w, power_w)

    return Made(make)


def sun(seed: int, name: str, *, peak_w: float, start_hour: float, step_s: float = 10.0) -> Load:
    """A photovoltaic system between sunrise at 6 and sunset at 18 h, with passing clouds.

    Args:
        seed: of the plant.
        name: of the system.
        peak_w: at noon of a clear day.
        start_hour: the hour of the day at time 0. The workshop begins at an hour with sun whatever the clock says, so
            that a demonstration in the evening shows generation too.
        step_s: length of a piece.
    """

    def make() -> Iterator[Piece]:
        chance = _random(seed, name)
        cloud = 0.0
        time_s = start_hour * 3600.0
        level = _Level(peak_w * _elevation(time_s))
        while True:
            cloud = min(0.6, max(0.0, cloud + chance.uniform(-0.08, 0.08)))
            time_s += step_s
            yield level.to(peak_w * _elevation(time_s) * (1 - cloud), step_s)

    return Made(make)


def _elevation(time_s: float) -> float:
    """0 at night, 1 at noon: the sine of the sun's way over the day."""
    hour = time_s % _DAY_S / 3600.0
    return max(0.0, math.sin(math.pi * (hour - _SUNRISE_H) / (_SUNSET_H - _SUNRISE_H)))


def taps(seed: int, name: str, *, flow_m3_h: tuple[float, float] = (0.3, 1.2)) -> Load:
    """Water taps: a draw of some seconds, a pause of up to half a minute."""

    def make() -> Iterator[Piece]:
        chance = _random(seed, name)
        level = _Level(0.0)
        while True:
            yield from level.hold(chance, 0.0, chance.uniform(4, 25), 0.0)
            flow = chance.uniform(*flow_m3_h)
            yield level.to(flow, 1.0)
            yield from level.hold(chance, flow, chance.uniform(5, 30), 0.03)
            yield level.to(0.0, 1.0)

    return Made(make)

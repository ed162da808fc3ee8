"""What lies on a scale: an operator who puts a product on, waits until it is still, and takes it off again."""

import itertools
import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

_SETTLING_S = 1.2
_SWING_HZ = 2.2
_KEPT_WEIGHINGS = 10_000


@dataclass(frozen=True, slots=True)
class Load:
    """The mass on the plate now, kg, and whether it is still."""

    mass_kg: float
    stable: bool


class WeightSource(Protocol):
    """Something that lies on a scale, or not."""

    def load(self, time_s: float) -> Load:
        """What lies there at a time."""
        ...


@dataclass(frozen=True, slots=True)
class Weighing:
    """One product: put on at `on_s`, still at `still_s`, taken off at `off_s`, the plate still again at `empty_s`."""

    on_s: float
    still_s: float
    off_s: float
    empty_s: float
    mass_kg: float


class OperatorSequence:
    """Products weighed one after another, about every `interval_s`, the same for the same seed.

    Args:
        seed: of the sequence.
        interval_s: from one product to the next, on average.
        mass_kg: lightest and heaviest product.
        resolution_kg: masses are multiples of it.
        masses_kg: if there are any, those of the products, in their order and then again from the first.
    """

    def __init__(
        self,
        seed: int,
        interval_s: float = 8.0,
        mass_kg: tuple[float, float] = (1.0, 5.0),
        resolution_kg: float = 0.001,
        masses_kg: Sequence[float] = (),
    ) -> None:
        self._masses_kg = itertools.cycle(masses_kg) if masses_kg else None
        self._interval_s = interval_s
        self._lightest_kg, self._heaviest_kg = mass_kg
        self._resolution_kg = resolution_kg
        self._chance = random.Random(f"{seed} weighings")  # noqa: S311  # repeatable chance, no secret
        self._weighings: list[Weighing] = []
        self._forgotten_kg = 0.0
        self._next_s = 2.0

    def load(self, time_s: float) -> Load:
        """What lies on the plate at a time; times must not go back by more than 10,000 weighings."""
        for weighing in self._until(time_s):
            if weighing.on_s <= time_s < weighing.empty_s:
                return _moment(weighing, time_s)
        return Load(0.0, stable=True)

    def weighed_kg(self, time_s: float) -> float:
        """The mass of all products that have stood still on the plate by then."""
        self._make(time_s)
        return self._forgotten_kg + math.fsum(w.mass_kg for w in self._weighings if w.still_s <= time_s)

    def _until(self, time_s: float) -> Iterator[Weighing]:
        """The weighings begun by then, the newest first."""
        self._make(time_s)
        return (weighing for weighing in reversed(self._weighings) if weighing.on_s <= time_s)

    def _make(self, time_s: float) -> None:
        while self._next_s <= time_s:
            steps = self._chance.uniform(self._lightest_kg, self._heaviest_kg) / self._resolution_kg
            still_s = self._next_s + _SETTLING_S
            off_s = still_s + self._interval_s * self._chance.uniform(0.25, 0.4)
            mass_kg = round(round(steps) * self._resolution_kg, 6)
            if self._masses_kg is not None:
                mass_kg = next(self._masses_kg)
            weighing = Weighing(self._next_s, still_s, off_s, off_s + 0.6, mass_kg)
            self._weighings.append(weighing)
            self._next_s += self._interval_s * self._chance.uniform(0.85, 1.15)
            if len(self._weighings) > 2 * _KEPT_WEIGHINGS:
                self._forgotten_kg += math.fsum(w.mass_kg for w in self._weighings[:_KEPT_WEIGHINGS])
                del self._weighings[:_KEPT_WEIGHINGS]


class Plate:
    """A plate on which somebody puts what he likes, when he likes.

    Args:
        clock: seconds, the one that the scale is asked by.
        settling_s: how long the weight swings after a change.
    """

    def __init__(self, clock: Callable[[], float], settling_s: float = 0.0) -> None:
        self._clock = clock
        self._settling_s = settling_s
        self._before_kg = 0.0
        self._mass_kg = 0.0
        self._changed_s = -math.inf

    def put(self, mass_kg: float) -> None:
        """From now on this lies there, and nothing else."""
        self._before_kg, self._mass_kg, self._changed_s = self._mass_kg, mass_kg, self._clock()

    def load(self, time_s: float) -> Load:
        """What lies there at a time, not before the last change."""
        since_s = time_s - self._changed_s
        if since_s >= self._settling_s:
            return Load(self._mass_kg, stable=True)
        return Load(self._mass_kg + (self._before_kg - self._mass_kg) * _swing(since_s), stable=False)


class Drift:
    """A scale that creeps, as one does that warms up: what lies there seems to grow, or to shrink.

    Args:
        source: what truly lies there.
        kg_per_hour: how fast; a scale that follows its zero would take it off an empty plate, this one does not.
    """

    def __init__(self, source: WeightSource, kg_per_hour: float) -> None:
        self._source = source
        self._kg_per_s = kg_per_hour / 3600

    def load(self, time_s: float) -> Load:
        """What seems to lie there."""
        load = self._source.load(time_s)
        return Load(load.mass_kg + self._kg_per_s * time_s, load.stable)


class Overloads:
    """Somebody leans on the scale now and then.

    Args:
        source: what lies there else.
        every_s: from one time to the next.
        mass_kg: how heavily, more than the scale can carry.
        duration_s: how long.
    """

    def __init__(self, source: WeightSource, every_s: float, mass_kg: float, duration_s: float = 1.5) -> None:
        self._source = source
        self._every_s = every_s
        self._mass_kg = mass_kg
        self._duration_s = duration_s

    def load(self, time_s: float) -> Load:
        """What lies there, with what leans on it."""
        load = self._source.load(time_s)
        if time_s % self._every_s < self._every_s - self._duration_s:
            return load
        return Load(load.mass_kg + self._mass_kg, stable=False)


def _moment(weighing: Weighing, time_s: float) -> Load:
    if time_s >= weighing.off_s:
        share = 1 - (time_s - weighing.off_s) / (weighing.empty_s - weighing.off_s)
        return Load(weighing.mass_kg * share, stable=False)
    if time_s >= weighing.still_s:
        return Load(weighing.mass_kg, stable=True)
    since_s = time_s - weighing.on_s
    return Load(weighing.mass_kg * (1 - _swing(since_s)), stable=False)


def _swing(since_s: float) -> float:
    """What is left, so long after a change of the load, of the difference that it made."""
    return math.exp(-since_s / 0.3) * math.cos(2 * math.pi * _SWING_HZ * since_s)

"""The faults that are tried. Another module adds its own with `@fault("its name", order=...)`."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Size:
    """How much is tried: a smoke run, or all of it."""

    kills: int
    """Of each process."""
    faults: int
    """Of other kinds that take about a second each."""
    records_s: float
    """How many records a second the synthetic source keeps."""
    devices: int
    """In each record; each has `source.QUANTITIES` values."""


QUICK = Size(kills=30, faults=2, records_s=20.0, devices=5)
FULL = Size(kills=1000, faults=100, records_s=20.0, devices=24)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one fault: how often it was tried, what was promised, and what of that is not, or not once, in the store."""

    tried: int
    values: int
    lost: int
    duplicated: int


class NotHereError(Exception):
    """The fault cannot be tried on this machine; the message says what is missing."""


Trial = Callable[[Size, Path], Outcome]

FAULTS: dict[str, Trial] = {}


def fault(name: str) -> Callable[[Trial], Trial]:
    """Add a trial. It gets its size and an empty folder, and runs in the main thread of a process that may fork."""

    def add(trial: Trial) -> Trial:
        FAULTS[name] = trial
        return trial

    return add

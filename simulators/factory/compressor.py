"""A screw compressor with a receiver: loads up to the upper pressure, unloads, and stops when little air is used.

The receiver holds V * dp of free air (m3 at 1 bar) between its two pressures, so at a demand d a loaded compressor of
capacity c needs V * dp / (c - d) to fill it and the network V * dp / d to empty it.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from simulators.factory.calendar import Window
from simulators.factory.day_context import DayContext
from simulators.factory.day_curve import Track
from simulators.factory.schema import Compressor, Machine
from simulators.factory.tangent import START_S, START_TANGENT, tangent_of

_DEMAND_STEP_S = 600.0
_LONGEST_PHASE_S = 1800.0
_UNLOADED_COS_PHI = 0.55
_RATED_BAR = 7.0
_POWER_PER_BAR = 0.07
"""Each bar more takes about 7 % more power: the usual rule for screw compressors near 7 bar."""


class _Demand(NamedTuple):
    end_s: float
    m3_min: float


def compressor(track: Track, name: str, load: Compressor, context: DayContext) -> None:
    """Add the day of a compressor to a track."""
    # Leaks flow as the absolute pressure.
    leak_m3_min = load.leak_m3_min * (load.pressure_bar + 1) / (_RATED_BAR + 1)
    loaded = load.load_w * (1 + _POWER_PER_BAR * (load.pressure_bar - _RATED_BAR))
    stored_m3 = load.receiver_m3 * load.band_bar
    for window in context.attended(load, 20, 5):
        track.until(window.start_s, 0.0)
        # At midnight it goes on as it was.
        started = window.start_s <= 0
        for demand in _demands(name, context, window):
            needed = leak_m3_min + demand.m3_min
            while track.at_s < demand.end_s:
                if not started:
                    track.until(track.at_s + START_S, load.load_w * load.start_factor, START_TANGENT)
                    started = True
                _load_phase(track, load, loaded, stored_m3, needed, demand.end_s)
                started = _unload_phase(track, load, stored_m3, needed, window.end_s)
    track.until(context.length_s, 0.0)


def _load_phase(
    track: Track, load: Compressor, loaded: float, stored_m3: float, needed: float, demand_end_s: float
) -> None:
    spare = load.free_air_m3_min - needed
    fill_s = 60 * stored_m3 / spare if spare > 0 else _LONGEST_PHASE_S
    end_s = track.at_s + min(fill_s, _LONGEST_PHASE_S)
    if spare <= 0:
        # It never reaches the upper pressure: it stays loaded until less is used.
        end_s = max(demand_end_s, track.at_s + START_S)
    track.until(end_s, loaded, tangent_of(load.cos_phi))


def _unload_phase(track: Track, load: Compressor, stored_m3: float, needed: float, closing_s: float) -> bool:
    """Wait for the lower pressure; returns whether the motor still turns then."""
    if needed >= load.free_air_m3_min:
        return True
    empty_s = min(60 * stored_m3 / max(needed, 1e-3), _LONGEST_PHASE_S)
    turning_s = min(empty_s, 60 * load.off_delay_min)
    begin_s = track.at_s
    track.until(min(closing_s, begin_s + turning_s), load.unload_w, tangent_of(_UNLOADED_COS_PHI))
    if empty_s > turning_s:
        track.until(min(closing_s, begin_s + empty_s), 0.0)
        return False
    return True


def _demands(name: str, context: DayContext, window: Window) -> Iterator[_Demand]:
    """What the machines use, in steps in which it is taken as constant."""
    draw = context.chance(f"{name} air")
    users = [
        (load.air_m3_min * load.count, context.working(load.line))
        for load in context.plant.loads.values()
        if isinstance(load, Machine) and load.air_m3_min
    ]
    changes = {window.end_s}
    at_s = window.start_s
    while at_s < window.end_s:
        changes.add(at_s)
        at_s += _DEMAND_STEP_S
    for _, working in users:
        changes.update(edge for run in working for edge in run if window.start_s < edge < window.end_s)
    ordered = sorted(changes)
    for start_s, end_s in pairwise(ordered):
        middle_s = (start_s + end_s) / 2
        used = sum(air for air, working in users if any(run.start_s <= middle_s < run.end_s for run in working))
        yield _Demand(end_s, used * draw.uniform(0.75, 1.1))

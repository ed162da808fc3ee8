"""How loads spend a day, as straight pieces. Powers in W, flows in m3/h; times in seconds from midnight."""

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from simulators.factory.calendar import Window
from simulators.factory.compressor import compressor
from simulators.factory.day_context import DayContext
from simulators.factory.day_curve import Track
from simulators.factory.schema import (
    Compressor,
    Cooling,
    Heater,
    Heating,
    Load,
    Machine,
    Process,
    Scheduled,
    Steady,
    Taps,
)
from simulators.factory.tangent import START_S, START_TANGENT, tangent_of
from simulators.factory.weather import elevation, temperature_at

_ROOM_DEGC = 25.0
_CLOSING_MIN = 8.0
_LEVEL_S = (25.0, 55.0)
_WANDER_S = 240.0
_SUN_STEP_S = 60.0


def load_track(name: str, load: Load, context: DayContext) -> Track:
    """The day of a load."""
    track = Track(context.length_s)
    _BUILDERS[type(load)](track, name, load, context)
    return track


def solar_track(peak_w: float, context: DayContext) -> Track:
    """The day of a photovoltaic system: the sun's height, an overcast share, and single clouds that pass."""
    track = Track(context.length_s)
    draw = context.chance("solar")
    climate, on = context.plant.climate, context.day.date
    veil = 1 - 0.75 * context.cloudiness**2
    under_cloud = draw.random() < context.cloudiness
    change_s = 0.0
    depth = 0.5
    rate = 0.0
    at_s = 0.0
    while at_s < context.length_s:
        if at_s >= change_s:
            under_cloud = not under_cloud
            # Broken cloud moves fast; a clear or a grey sky stays for hours.
            mean_s = 300 + 2400 * (context.cloudiness if under_cloud else 1 - context.cloudiness) ** 2
            change_s = at_s + draw.expovariate(1 / mean_s)
            depth = draw.uniform(0.35, 0.8)
        at_s += _SUN_STEP_S
        height = elevation(climate, on, _solar_hour(context, at_s))
        shade = depth if under_cloud else 0.0
        # Low sun crosses more air; hot modules lose some per cent.
        following = peak_w * height**1.2 * veil * (1 - shade) * draw.uniform(0.97, 1.0)
        track.until(at_s, rate, 0.0, following)
        rate = following
    return track


def _solar_hour(context: DayContext, at_s: float) -> float:
    """By the sun where the place's longitude is known, else by the clock."""
    longitude_deg = context.plant.climate.longitude_deg
    if longitude_deg is None:
        return at_s / 3600
    utc_h = (context.day.window.start_s + at_s) % 86_400 / 3600
    return (utc_h + longitude_deg / 15) % 24


def _machine(track: Track, name: str, load: Machine, context: DayContext) -> None:
    draw = context.chance(name)
    attended = context.attended(load, load.warm_up_min, _CLOSING_MIN)
    forgotten = context.forgotten(name, load, attended, load.left_on)
    working = context.working(load.line)
    idle_tangent = tangent_of(load.idle_cos_phi if load.idle_cos_phi is not None else load.cos_phi)
    for window in sorted([*attended, *forgotten]):
        track.until(window.start_s, load.off_w * load.count)
        for run in working:
            if not window.start_s <= run.start_s < window.end_s:
                continue
            track.until(run.start_s, load.idle_w * load.count, idle_tangent)
            _work(track, load, run, draw, idle_tangent)
        track.until(window.end_s, load.idle_w * load.count, idle_tangent)
    track.until(context.length_s, load.off_w * load.count)


def _work(track: Track, load: Machine, run: Window, draw: Random, idle_tangent: float) -> None:
    tangent = tangent_of(load.cos_phi)
    if load.count > 1:
        # Many small machines: the share that works wanders as chance has it for so many.
        deviation = math.sqrt(load.run_share * (1 - load.run_share) / load.count)
        while track.at_s < run.end_s:
            share = min(1.0, max(0.0, draw.gauss(load.run_share, deviation)))
            rate = load.count * (load.idle_w + (load.run_w - load.idle_w) * share) * draw.uniform(0.98, 1.02)
            track.until(min(run.end_s, track.at_s + draw.uniform(*_LEVEL_S)), rate, tangent)
        return
    while track.at_s < run.end_s:
        cycle_s = draw.uniform(*load.cycle_s)
        rate = load.run_w * (1 + draw.uniform(-load.spread, load.spread))
        begin_s = _began(track, cycle_s, draw)
        if load.start_factor > 1:
            track.until(min(run.end_s, begin_s + START_S), rate * load.start_factor, START_TANGENT)
        half_s = begin_s + cycle_s * load.run_share * draw.uniform(0.3, 0.7)
        track.until(min(run.end_s, half_s), rate * draw.uniform(0.95, 1.05), tangent)
        track.until(min(run.end_s, begin_s + cycle_s * load.run_share), rate, tangent)
        track.until(min(run.end_s, begin_s + cycle_s), load.idle_w, idle_tangent)


def _heater(track: Track, name: str, load: Heater, context: DayContext) -> None:
    draw = context.chance(name)
    tangent = tangent_of(load.cos_phi)
    wanted_degc = load.temperature_degc or load.rated_degc
    hotter = (wanted_degc - _ROOM_DEGC) / (load.rated_degc - _ROOM_DEGC)
    heat_up_s = 60 * load.heat_up_min * hotter
    working = context.working(load.line)
    always = not context.shifts_of(load)
    for window in context.attended(load, heat_up_s / 60):
        _thermostat(track, load, draw, window.start_s, lambda _at_s: load.standby * hotter)
        # A window that begins at midnight goes on from the day before: it is hot already.
        if window.start_s > 0 and not always:
            track.until(window.start_s + heat_up_s * draw.uniform(0.9, 1.05), load.full_rate, tangent)
        _thermostat(
            track, load, draw, window.end_s,
            lambda at_s: hotter * (load.hold + (load.work if _within(working, at_s) else 0.0)),
        )  # fmt: skip
    _thermostat(track, load, draw, context.length_s, lambda _at_s: load.standby * hotter)


def _thermostat(track: Track, load: Heater, draw: Random, end_s: float, duty_at: Callable[[float], float]) -> None:
    tangent = tangent_of(load.cos_phi)
    while track.at_s < end_s:
        cycle_s = draw.uniform(*load.cycle_s)
        begin_s = _began(track, cycle_s, draw)
        duty = min(1.0, duty_at(track.at_s) * draw.uniform(0.9, 1.1))
        track.until(min(end_s, begin_s + cycle_s * duty), load.full_rate * draw.uniform(0.99, 1.01), tangent)
        track.until(min(end_s, begin_s + cycle_s), load.off_rate, tangent)


def _cooling(track: Track, name: str, load: Cooling, context: DayContext) -> None:
    draw = context.chance(name)
    tangent = tangent_of(load.cos_phi)
    working = context.working(load.line)
    for window in context.attended(load, 10):
        track.until(window.start_s, load.off_w, tangent)
        rate = load.off_w if window.start_s > 0 else None
        while track.at_s < window.end_s:
            cycle_s = draw.uniform(*load.cycle_s)
            begin_s = _began(track, cycle_s, draw)
            outside_degc = temperature_at(context.hourly_degc, track.at_s / 3600)
            duty = load.base + load.per_k * (outside_degc - load.base_degc)
            duty += load.work if _within(working, track.at_s) else 0.0
            duty = min(1.0, max(0.04, duty * draw.uniform(0.92, 1.08)))
            end_s = min(window.end_s, begin_s + cycle_s)
            if load.modulating:
                following = load.off_w + (load.full_w - load.off_w) * duty
                track.until(end_s, following if rate is None else rate, tangent, following)
                rate = following
                continue
            full = load.full_w * draw.uniform(0.97, 1.03)
            track.until(min(end_s, begin_s + START_S), full * load.start_factor, START_TANGENT)
            track.until(min(end_s, begin_s + cycle_s * duty), full, tangent)
            track.until(end_s, load.off_w, tangent)
    track.until(context.length_s, load.off_w, tangent)


def _heating(track: Track, name: str, load: Heating, context: DayContext) -> None:
    draw = context.chance(name)
    tangent = tangent_of(load.cos_phi)
    for window in context.attended(load, 60):
        track.until(window.start_s, load.off_rate, tangent)
        while track.at_s < window.end_s:
            cycle_s = draw.uniform(*load.cycle_s)
            begin_s = _began(track, cycle_s, draw)
            missing_k = max(0.0, load.base_degc - temperature_at(context.hourly_degc, track.at_s / 3600))
            duty = min(1.0, load.per_k * missing_k * draw.uniform(0.92, 1.08))
            track.until(min(window.end_s, begin_s + cycle_s * duty), load.full_rate, tangent)
            track.until(min(window.end_s, begin_s + cycle_s), load.off_rate, tangent)
    track.until(context.length_s, load.off_rate, tangent)


def _began(track: Track, cycle_s: float, draw: Random) -> float:
    """When a cycle began: now, or at midnight some time of the evening before, so that nothing starts at midnight."""
    return track.at_s if track.at_s > 0 else -cycle_s * draw.random()


def _scheduled(track: Track, name: str, load: Scheduled, context: DayContext) -> None:
    draw = context.chance(name)
    attended = context.attended(load, load.before_min, load.after_min)
    tangent = tangent_of(load.cos_phi)
    for window in sorted([*attended, *context.forgotten(name, load, attended, load.left_on)]):
        track.until(window.start_s, load.off_w, tangent)
        while track.at_s < window.end_s:
            rate = load.on_w * (1 + draw.uniform(-load.wander, load.wander))
            track.until(min(window.end_s, track.at_s + _WANDER_S), rate, tangent)
    track.until(context.length_s, load.off_w, tangent)


def _steady(track: Track, name: str, load: Steady, context: DayContext) -> None:
    draw = context.chance(name)
    low, high = load.between
    rate = draw.uniform(low, high)
    while track.at_s < context.length_s:
        following = min(high, max(low, rate + draw.uniform(-0.2, 0.2) * (high - low)))
        track.until(track.at_s + _WANDER_S, rate, tangent_of(load.cos_phi), following)
        rate = following


def _taps(track: Track, name: str, load: Taps, context: DayContext) -> None:
    draw = context.chance(name)
    for window in context.attended(load):
        at_s = window.start_s + draw.expovariate(load.draws_per_h / 3600)
        while at_s < window.end_s:
            track.until(at_s, 0.0)
            flow = load.flow_m3_h * draw.uniform(0.6, 1.2)
            at_s += draw.uniform(*load.litres) / 1000 / flow * 3600
            track.until(at_s, flow)
            at_s += draw.expovariate(load.draws_per_h / 3600)


def _process(track: Track, _name: str, load: Process, context: DayContext) -> None:
    origin_s = context.day.window.start_s
    for run in context.runs[load.line or ""]:
        track.until(run.window.start_s - origin_s, 0.0)
        track.until(run.window.end_s - origin_s, run.pieces_per_h * load.per_piece, tangent_of(load.cos_phi))


def _within(windows: Sequence[Window], at_s: float) -> bool:
    index = bisect_right(windows, at_s, key=lambda window: window.start_s) - 1
    return index >= 0 and at_s < windows[index].end_s


_BUILDERS: dict[type, Callable[[Track, str, Any, DayContext], None]] = {
    Machine: _machine,
    Heater: _heater,
    Compressor: compressor,
    Cooling: _cooling,
    Heating: _heating,
    Scheduled: _scheduled,
    Steady: _steady,
    Taps: _taps,
    Process: _process,
}

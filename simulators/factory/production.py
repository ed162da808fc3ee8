"""What the lines make: runs of products with their speed and scrap, and the masses that go with them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from simulators.factory.calendar import Calendar, Day, ShiftRun, Window, overlap, without
from simulators.factory.chance import chance
from simulators.factory.day_curve import DayCurve, Track
from simulators.factory.schema import Line, PlantFile, Product

STARTUP_S = 900.0

FLOWS = ("pieces", "scrap_pieces", "product", "material", "waste", "evaporated")
"""Rates of a line: good and bad pieces/h; kg/h of good product, material in, scrap and offcuts, and moisture lost."""


@dataclass(frozen=True, slots=True)
class Run:
    """A line makes one product at one speed."""

    window: Window
    product: Product
    pieces_per_h: float
    scrap: float


def runs_of_day(
    plant: PlantFile, name: str, calendar: Calendar, seed: str, day: Day, dead: Sequence[Window]
) -> list[Run]:
    """The runs of a line on a day, ascending; nothing runs in `dead` times."""
    line = plant.lines[name]
    found = [
        Run(part, run.product, run.pieces_per_h, run.scrap)
        for shift in calendar.runs(line.shifts, day)
        for run in _shift_runs(name, line, seed, shift)
        for whole in without(run.window, dead)
        if (part := overlap(whole, day.window)) is not None
    ]
    return sorted(found, key=lambda run: run.window)


def flow_curves(runs: Iterable[Run], day: Day) -> dict[str, DayCurve]:
    """The line's rates over a day, by the names of FLOWS."""
    begin_s, end_s = day.window
    tracks = {name: Track(end_s - begin_s) for name in FLOWS}
    for run in runs:
        product = run.product
        good, bad = run.pieces_per_h * (1 - run.scrap), run.pieces_per_h * run.scrap
        rates = (
            good,
            bad,
            good * product.mass_kg,
            run.pieces_per_h * (product.mass_kg + product.offcut_kg + product.evaporated_kg),
            bad * product.mass_kg + run.pieces_per_h * product.offcut_kg,
            run.pieces_per_h * product.evaporated_kg,
        )
        for track, rate in zip(tracks.values(), rates, strict=True):
            track.until(run.window.start_s - begin_s, 0.0)
            track.until(run.window.end_s - begin_s, rate)
    return {name: track.curve() for name, track in tracks.items()}


def _shift_runs(name: str, line: Line, seed: str, shift: ShiftRun) -> list[Run]:
    """A shift: setup, lots with changeovers and short stops between breaks, cleaning; slow days end earlier."""
    draw = chance(seed, "line", name, shift.shift, shift.date)
    start_s = shift.window.start_s + 60 * line.setup_min * draw.uniform(0.8, 1.3)
    end_s = shift.window.end_s - 60 * line.cleaning_min * draw.uniform(0.8, 1.2)
    filled = line.demand.get(shift.date.strftime("%a").lower(), 1.0)  # type: ignore[call-overload]  # strftime's words
    end_s = start_s + (end_s - start_s) * min(1.0, filled * draw.uniform(0.93, 1.04))
    products = list(line.products.values())
    lots = draw.choices(products, [product.share for product in products], k=line.lots_a_shift)
    cuts = [0.0, *sorted(draw.uniform(0.15, 0.85) for _ in lots[1:]), 1.0]
    stops = list(_stops(line, draw.expovariate, Window(start_s, end_s)))
    found = []
    for index, product in enumerate(lots):
        changed = index > 0 and product is not lots[index - 1]
        lot = Window(
            start_s + cuts[index] * (end_s - start_s) + (60 * line.changeover_min if changed else 0.0),
            start_s + cuts[index + 1] * (end_s - start_s),
        )
        speed = product.pieces_per_h * draw.uniform(0.94, 1.02)
        scrap = product.scrap * draw.uniform(0.7, 1.4)
        fresh = Window(lot.start_s, lot.start_s + (STARTUP_S if changed or index == 0 else 0.0))
        for window in without(lot, [*shift.breaks, *stops]):
            for part, share in ((overlap(window, fresh), product.startup_scrap), (_after(window, fresh), scrap)):
                if part is not None:
                    found.append(Run(part, product, speed, min(1.0, share)))
    return found


def _stops(line: Line, expovariate: Callable[[float], float], window: Window) -> Iterable[Window]:
    """Jams, missing material, a call: at any time, mostly short."""
    at_s = window.start_s
    while line.stop_min:
        at_s += 60 * expovariate(1 / line.minutes_between_stops)
        if at_s >= window.end_s:
            return
        length_s = 60 * min(4 * line.stop_min, expovariate(1 / line.stop_min))
        yield Window(at_s, at_s + length_s)
        at_s += length_s


def _after(window: Window, earlier: Window) -> Window | None:
    start_s = max(window.start_s, earlier.end_s)
    return Window(start_s, window.end_s) if start_s < window.end_s else None

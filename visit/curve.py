"""The curve of today: site, supply and own generation, joined from sampled readings. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from site_config.points import Point, Resource, Role, site_use
from store.protocol import IntervalRow
from store.schema import INTERVAL_MS

# The finest step that keeps a curve below this many points is taken.
MAXIMUM_POINTS = 300
STEPS_MS = (2_000, 10_000, 60_000, 300_000)
# Until a site has been measured for this long, a whole day's axis would show a stroke and nothing else.
WHOLE_DAY_AFTER_MS = 2 * 3_600_000
SHORTEST_AXIS_MS = 10 * 60_000

_EXAMPLE_SAVING = 0.12
_EXAMPLE_SMOOTHING_MS = 2 * 3_600_000


@dataclass(frozen=True, slots=True)
class ExpectedPower:
    """What a baseline expects of a quarter of an hour: mean power and its band in kW, at its middle."""

    time_ms: int
    expected_kw: float
    lower_kw: float
    upper_kw: float
    goal_kw: float | None


@dataclass(frozen=True, slots=True)
class Curve:
    """Mean powers in kW at `times_ms`, the middle of each step; None where one of its meters has no value.

    `generation_kw` is empty where there is none, `example_kw` where no example is wanted, `expected` without
    a baseline of the site's power. `start_ms` and `end_ms` are those of the axis.
    """

    start_ms: int
    end_ms: int
    times_ms: tuple[int, ...]
    site_kw: tuple[float | None, ...]
    generation_kw: tuple[float | None, ...]
    example_kw: tuple[float | None, ...] = ()
    expected: tuple[ExpectedPower, ...] = ()


def step_for(span_ms: int) -> int:
    """The step of a curve over that much time."""
    return next((step for step in STEPS_MS if span_ms <= step * MAXIMUM_POINTS), STEPS_MS[-1])


def coarser_step(windows: Mapping[str, Mapping[int, float]], step_ms: int) -> int | None:
    """The next step where a point is read more rarely than once a step and its curve would be all gaps; else None."""
    for by_start in windows.values():
        starts = sorted(by_start)
        apart = [later - earlier for earlier, later in pairwise(starts)]
        if apart and median(apart) > step_ms:
            return next((step for step in STEPS_MS if step > step_ms), None)
    return None


def build_curve(
    points: Sequence[Point],
    windows: Mapping[str, Mapping[int, float]],
    step_ms: int,
    day: tuple[int, int],
    *,
    example: bool,
) -> Curve:
    """Join the points' mean powers (kW by start of window) to the site's curve.

    `day` is the site-local day as (start, end) in ms. Windows that no point has are kept as None, so that a line does
    not cross a gap.
    """
    electricity = [point for point in points if point.resource is Resource.ELECTRICITY]
    found = sorted({start for by_start in windows.values() for start in by_start})
    if not found:
        return Curve(*day, (), (), ())
    starts = range(found[0], found[-1] + step_ms, step_ms)
    site: list[float | None] = []
    generation: list[float | None] = []
    generators = [point.id for point in electricity if point.role is Role.GENERATION]
    for start in starts:
        values = {point.id: windows[point.id][start] for point in electricity if start in windows.get(point.id, {})}
        site.append(site_use(electricity, Resource.ELECTRICITY, values))
        made = [values[name] for name in generators if name in values]
        generation.append(sum(made) if generators and len(made) == len(generators) else None)
    axis = day
    if found[-1] - found[0] < WHOLE_DAY_AFTER_MS:
        axis = (found[0], max(found[-1] + step_ms, found[0] + SHORTEST_AXIS_MS))
    return Curve(
        *axis,
        tuple(start + step_ms // 2 for start in starts),
        tuple(site),
        tuple(generation) if generators else (),
        example_baseline(site, _EXAMPLE_SMOOTHING_MS // step_ms) if example else (),
    )


def expected_powers(rows: Sequence[IntervalRow]) -> tuple[ExpectedPower, ...]:
    """What is expected of intervals, of those of which something is."""
    an_hour = 3_600_000 / INTERVAL_MS
    return tuple(
        ExpectedPower(
            row.start_ms + INTERVAL_MS // 2,
            row.expected * an_hour,
            max((row.lower or 0.0) * an_hour, 0.0),
            (row.upper or 0.0) * an_hour,
            None if row.goal is None else row.goal * an_hour,
        )
        for row in rows
        if row.expected is not None
    )


def example_baseline(site_kw: Sequence[float | None], window: int) -> tuple[float | None, ...]:
    """What a baseline might look like, for showing only: the smoothed curve, raised as if a part had been saved.

    `window` is how many steps to either side are smoothed over.
    """
    smoothed: list[float | None] = []
    for index in range(len(site_kw)):
        around = site_kw[max(index - window, 0) : index + window + 1]
        known = [value for value in around if value is not None]
        smoothed.append(sum(known) / len(known) / (1 - _EXAMPLE_SAVING) if known else None)
    return tuple(smoothed)

"""Lets the agent read a scenario and compares what it kept with what the scenario file expects."""

import asyncio
import functools
import itertools
import logging
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from edge_agent.agent import Agent
from edge_agent.outbox import Outbox
from simulators.scenario import ExpectedDevice, ExpectedTotal, Scenario
from simulators.scenario_run import ScenarioRun, SimulatedDevice
from simulators.value_faults import ValuesAt, is_total
from site_config.schema import load_site
from wire_format.codec import decode_rows
from wire_format.quality import Quality
from wire_format.quantities import QUANTITIES

NOBODY_LISTENS_PORT = 9
"""The discard service: the agent keeps everything in its outbox, where it is read at the end."""

_LOOK_AHEAD_S = 1.0
"""A row is timed at the middle of its transaction, which takes longer when a part of it is asked in vain."""
_STEP_S = 0.25
_SWINGING_STEP_S = 0.02
"""A weight that settles goes up and down within a quarter of a second."""

_FLOAT_SHARE = 2e-7
_PRESENT_SHARE = 0.01
_RECORDS_MAX = 10_000_000


@dataclass(slots=True)
class Reading:
    """All that was kept of one quantity of one device: times in s of the scenario, values, marks."""

    times_s: list[float] = field(default_factory=list)
    values: list[float | None] = field(default_factory=list)
    qualities: list[Quality] = field(default_factory=list)
    resolution: float = 0.0


class _Events(logging.Handler):
    """What the agent says about totals, until it publishes events."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[tuple[str, str]] = set()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep (device, kind) of a message about a total."""
        if isinstance(record.args, tuple) and len(record.args) > 3:
            self.seen.add((str(record.args[0]), str(record.args[2])))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a scenario: readings by device and quantity, differences from what was expected by device."""

    readings: dict[str, dict[str, Reading]]
    differences: dict[str, list[str]]


async def check_scenario(scenario: Scenario, directory: Path) -> Outcome:
    """Run a scenario for its whole duration with the agent as its reader.

    Raises SimulatorError and AgentConfigurationError, as the simulator and the agent do.
    """
    events = _Events()
    counters = logging.getLogger("edge_agent.totals")
    counters.addHandler(events)
    level, propagate = counters.level, counters.propagate
    counters.setLevel(logging.INFO)
    counters.propagate = False
    try:
        async with ScenarioRun(scenario, directory, NOBODY_LISTENS_PORT) as run:
            site = load_site(run.site_file)
            agent = Agent(site)
            agent.drain_timeout_s = 0.0
            stop = asyncio.Event()
            asyncio.get_running_loop().call_later(scenario.duration_s, stop.set)
            await agent.run(stop)
    finally:
        counters.removeHandler(events)
        counters.setLevel(level)
        counters.propagate = propagate
    readings = _kept(site.data_dir / "outbox", site.outbox_max_bytes, run.started_wall_ms)
    differences = {
        device: list(
            _differences(
                run.devices[device],
                expected,
                readings.get(device, {}),
                {kind for name, kind in events.seen if name == device},
            )
        )
        for device, expected in scenario.expected.items()
    }
    return Outcome(readings, differences)


def _kept(outbox_directory: Path, max_bytes: int, started_wall_ms: float) -> dict[str, dict[str, Reading]]:
    found: dict[str, dict[str, Reading]] = {}
    with Outbox.open(outbox_directory, max_bytes=max_bytes) as outbox:
        for numbers in outbox.unacknowledged():
            for record in outbox.read(numbers):
                for rows in decode_rows(record.payload)[0]:
                    device = found.setdefault(rows.device, {})
                    for column in rows.columns:
                        reading = device.setdefault(column.quantity, Reading())
                        reading.resolution = 10.0**column.exponent
                        reading.times_s += [(time_ms - started_wall_ms) / 1000 for time_ms in rows.times_ms]
                        reading.values += column.values()
                        reading.qualities += [column.quality_at(row) for row in range(len(rows.times_ms))]
    return found


def _differences(
    device: SimulatedDevice, expected: ExpectedDevice, readings: dict[str, Reading], events: set[str]
) -> Iterator[str]:
    if not readings:
        yield "nothing was read"
        return
    marks = {quality for reading in readings.values() for quality in _once_started(reading)} - {Quality.GOOD}
    yield from _sets("qualities", expected.qualities, (mark.name.lower() for mark in marks))
    yield from _sets("events", expected.events, events)
    source = functools.cache(device.true_at if expected.values == "true" else device.shown_at)
    for quantity, reading in readings.items():
        if quantity in expected.totals:
            yield from _growth(quantity, reading, expected.totals[quantity], source)
        elif not is_total(quantity) or not expected.events:
            # After an event a total goes on from where it stood, not from what is shown.
            yield from _wrong_values(quantity, reading, source, expected.oldest_s)
        if expected.recovers and reading.qualities[-1] is not Quality.GOOD:
            yield f"{quantity}: is {reading.qualities[-1].name.lower()} at the end"


def _once_started(reading: Reading) -> list[Quality]:
    """Marks from the first good value on: a total of 0 is held back until it has stood for a while."""
    first = next((at for at, quality in enumerate(reading.qualities) if quality is Quality.GOOD), 0)
    return reading.qualities[first:]


def _sets(what: str, expected: Iterable[str], found: Iterable[str]) -> Iterator[str]:
    wanted, seen = set(expected), set(found)
    if wanted != seen:
        yield f"{what}: expected {', '.join(sorted(wanted)) or 'none'}, found {', '.join(sorted(seen)) or 'none'}"


def _wrong_values(quantity: str, reading: Reading, source: ValuesAt, oldest_s: float) -> Iterator[str]:
    """The first value that the device did not measure around its time; demands depend on who looked when."""
    if quantity.startswith("demand") or quantity not in QUANTITIES:
        return
    for time_s, value, quality in zip(reading.times_s, reading.values, reading.qualities, strict=True):
        if quality is not Quality.GOOD or value is None:
            continue
        step_s = _SWINGING_STEP_S if quantity.startswith("weight_") else _STEP_S
        steps = range(math.floor((time_s - oldest_s) / step_s), math.ceil((time_s + _LOOK_AHEAD_S) / step_s) + 1)
        around = [source(max(0.0, step * step_s)).get(quantity) for step in steps]
        right = [number for number in around if isinstance(number, float)]
        if len(right) < len(around):
            continue
        share = _FLOAT_SHARE if is_total(quantity) else _PRESENT_SHARE
        slack = reading.resolution + share * max(map(abs, right))
        if not min(right) - slack <= value <= max(right) + slack:
            yield f"{quantity}: {value} at {time_s:.1f} s, between {min(right):.9g} and {max(right):.9g} were right"
            return


def _growth(quantity: str, reading: Reading, expected: ExpectedTotal, source: ValuesAt) -> Iterator[str]:
    good = [(time_s, value) for time_s, value in zip(reading.times_s, reading.values, strict=True) if value is not None]
    if len(good) < 2:
        yield f"{quantity}: fewer than two values"
        return
    if any(after < before for (_, before), (_, after) in itertools.pairwise(good)):
        yield f"{quantity}: went back"
    (first_s, first), (last_s, last) = good[0], good[-1]
    growth = expected.growth
    if growth is None:
        begin, end = (source(max(0.0, time_s)).get(quantity) for time_s in (first_s, last_s))
        growth = end - begin if isinstance(begin, float) and isinstance(end, float) else 0.0
    if abs(last - first - growth) > expected.tolerance:
        yield f"{quantity}: grew by {last - first:.6g}, expected {growth:.6g} within {expected.tolerance:g}"

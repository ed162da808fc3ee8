"""kill -9 of each process at random moments."""

import asyncio
import random
import time
from pathlib import Path

from bench.faults import source
from bench.faults.line import EVALUATED_DEVICES, Line, line
from bench.faults.registry import Outcome, Size, fault
from evaluation.worker import run
from store.factory import open_readings
from store.server_file import load_server_file
from tests.wire_format.readings import NAMES

LONGEST_LIFE_S = 0.4
LONGEST_DEATH_S = 0.02
INTERVAL_MS = 900_000


@fault("kill -9 of the agent")
def kill_agent(size: Size, folder: Path) -> Outcome:
    """While it samples, syncs, publishes and takes acknowledgements."""
    with line(folder, size) as made:
        return _killed(made, "edge", size.kills)


@fault("agent killed again and again while the broker is away")
def kill_lonely_agent(size: Size, folder: Path) -> Outcome:
    """Nothing but the outbox has what it read."""
    times = max(3, size.faults)
    with line(folder, size) as made:
        made.kill("broker")
        chance = random.Random(6)
        for _ in range(times):
            time.sleep(chance.uniform(0.1, 2 * LONGEST_LIFE_S))
            made.kill("edge")
            made.start("edge")
        made.start("broker")
        made.finish()
        return made.outcome(times)


@fault("kill -9 of the broker (without persistence)")
def kill_broker(size: Size, folder: Path) -> Outcome:
    """With batches and acknowledgements in it, all of which it forgets."""
    with line(folder, size) as made:
        return _killed(made, "broker", size.kills)


@fault("kill -9 of the collector")
def kill_collector(size: Size, folder: Path) -> Outcome:
    """While it takes, stores and answers."""
    with line(folder, size) as made:
        return _killed(made, "collector", size.kills)


@fault("kill -9 of the evaluation")
def kill_evaluation(size: Size, folder: Path) -> Outcome:
    """While it evaluates; lost is also every interval that differs from what the counters say."""
    with line(folder, size, evaluation=True) as made:
        outcome = _killed(made, "evaluation", size.kills)
        wrong = asyncio.run(_wrong_intervals(made))
        return Outcome(outcome.tried, outcome.values, outcome.lost + wrong, outcome.duplicated)


@fault("kill -9 of agent, broker, collector and evaluation in turn")
def kill_all(size: Size, folder: Path) -> Outcome:
    """Any of them, whatever the others are doing."""
    with line(folder, size, evaluation=True) as made:
        return _killed(made, "", size.kills)


def _killed(made: Line, name: str, kills: int) -> Outcome:
    chance = random.Random(name)
    names = [name] if name else ["edge", "broker", "collector", "evaluation"]
    time.sleep(1.0)
    for number in range(kills):
        victim = names[number % len(names)]
        time.sleep(chance.uniform(0.0, LONGEST_LIFE_S))
        made.kill(victim)
        time.sleep(chance.uniform(0.0, LONGEST_DEATH_S))
        made.start(victim)
    made.finish()
    return made.outcome(kills)


async def _wrong_intervals(made: Line) -> int:
    """Evaluate what is left, and compare each whole interval's amount with its counter."""
    settings = load_server_file(made.server_file)
    await run(settings, asyncio.Event(), once=True)
    column = NAMES.index(source.TOTAL)
    # Intervals that begin and end within what was read: the first and the last are cut.
    last_ms = made.start_ms + made.progress.get("done") * source.STEP_MS
    starts = range(made.start_ms + INTERVAL_MS, last_ms - INTERVAL_MS, INTERVAL_MS)
    minutes = INTERVAL_MS // source.STEP_MS
    wrong = 0
    readings = open_readings(settings.store)
    try:
        for device in range(EVALUATED_DEVICES):
            rows = await readings.intervals(source.SITE, starts.start, starts.stop, f"point-{device}")
            amounts = {row.start_ms: row.amount for row in rows}
            expected = source.value_of(device, column, minutes) - source.value_of(device, column, 0)
            wrong += sum(abs(amounts.get(start, -1.0) - expected) > 1e-6 for start in starts)
    finally:
        await readings.close()
    return wrong

"""What happens to the server: a collector dies in its work, InfluxDB fails, a week comes at once, all come back."""

import asyncio
import shutil
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from bench.faults.registry import NotHereError, Outcome, Size, fault
from tests.collector.running import running_collector
from tests.faults import fleet
from tests.faults.test_backlog import all_at_once, days_drained
from tests.faults.test_collector_killed import killed_at_random_moments, killed_between_store_and_answer
from tests.faults.test_influxdb import FAULTS, influxdb_fails
from tests.servers.influxdb import InfluxDBProcess
from tests.servers.mosquitto import Mosquitto
from tests.servers.processes import Processes

WEEK_S = 7 * 86_400
AGENTS = 200
PLACES = 4
FULL_KILLS = 1000


@fault("collector killed between store and answer")
def killed_in_the_middle(size: Size, folder: Path) -> Outcome:
    """Before and after rows, after marks, and before the answer, in turn."""
    return _tried(
        folder, lambda rig: killed_between_store_and_answer(_times(size, PLACES), folder, rig.processes, rig.broker)
    )


@fault("one of two collectors killed")
def two_collectors(size: Size, folder: Path) -> Outcome:
    """They share the edges."""
    return _tried(
        folder, lambda rig: killed_at_random_moments(size.faults, folder, rig.processes, rig.broker, collectors=2)
    )


@fault("InfluxDB slow, 429, 500, 503, hangs up")
def influxdb_rude(size: Size, folder: Path) -> Outcome:
    """Through a proxy between it and the collector."""
    return _tried(
        folder,
        lambda rig: influxdb_fails(_times(size, len(FAULTS)), folder, rig.broker, rig.run_collector, rig.influxdb()),
    )


@fault("a week's outbox drained beside live readings")
def week(size: Size, folder: Path) -> Outcome:
    """Two devices of 25 quantities, a row a second."""
    seconds = WEEK_S if size.kills >= FULL_KILLS else 3600

    async def trial(rig: "_Rig") -> fleet.Outcome:
        return (await days_drained(seconds, folder, rig.broker, rig.run_collector))[0]

    return _tried(folder, trial)


@fault("200 agents reconnect at once")
def everybody(size: Size, folder: Path) -> Outcome:
    """After an outage of some seconds, with a backlog each."""

    async def trial(rig: "_Rig") -> fleet.Outcome:
        return (await all_at_once(AGENTS, folder, rig.broker, rig.run_collector, times=_times(size, 20)))[0]

    return _tried(folder, trial)


class _Rig:
    """Real servers for one trial, which end with it."""

    def __init__(self, folder: Path, at_the_end: ExitStack) -> None:
        self._folder = folder
        self._at_the_end = at_the_end
        logs = folder / "logs"
        logs.mkdir(parents=True)
        self.processes = Processes(logs)
        at_the_end.callback(self.processes.kill_all)
        self.broker = Mosquitto(_program("mosquitto"), folder, settings="log_type all")
        at_the_end.callback(self.broker.kill)
        self.broker.start()
        self.run_collector = partial(running_collector, folder)

    def influxdb(self) -> InfluxDBProcess:
        server = InfluxDBProcess(_program("influxd"), self._folder)
        self._at_the_end.callback(server.kill)
        server.start()
        return server


def _tried(folder: Path, trial: Callable[[_Rig], Coroutine[Any, Any, fleet.Outcome]]) -> Outcome:
    with ExitStack() as at_the_end:
        found = asyncio.run(trial(_Rig(folder, at_the_end)))
    return Outcome(found.times, found.values, found.lost + found.wrong, found.duplicated)


def _times(size: Size, share: int) -> int:
    return max(1, size.faults // share)


def _program(name: str) -> Path:
    found = shutil.which(name)
    if found is None:
        raise NotHereError(f"{name} is not installed")
    return Path(found)

"""A whole line of killable processes: source with outbox and publisher, mosquitto, collector, evaluation, store."""

import asyncio
import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from bench.faults import children, source
from bench.faults.registry import NotHereError, Outcome, Size
from site_config.schema import load_site
from store.factory import open_readings
from store.protocol import OperatedReadingStore
from store.server_file import load_server_file
from tests.servers.mosquitto import Mosquitto
from tests.servers.ports import LOOPBACK
from tests.wire_format.readings import NAMES

DRAIN_TIMEOUT_S = 900.0
EVALUATED_DEVICES = 3
SPARE_MS = 86_400_000


@dataclass
class Line:
    """Processes by name; `uncertain` are records that a kill met while they were handed over: they may be there."""

    directory: Path
    size: Size
    start_ms: int
    broker: Mosquitto
    server_file: Path
    processes: dict[str, children.Child] = field(default_factory=dict)
    uncertain: set[int] = field(default_factory=set)

    @property
    def progress(self) -> source.Progress:
        """How far the source is."""
        return source.Progress(self.directory / "progress")

    def kill(self, name: str) -> None:
        """Kill -9."""
        if name == "broker":
            self.broker.kill()
            return
        self.processes[name].kill()
        if name == "edge":
            self.note_uncertain()

    def note_uncertain(self) -> None:
        """After the source was killed."""
        progress = self.progress
        if progress.get("intended") > progress.get("done"):
            self.uncertain.add(progress.get("intended"))

    def start(self, name: str) -> None:
        """Start what was killed."""
        if name == "broker":
            self.broker.start()
        else:
            self.processes[name].start()

    def finish(self) -> None:
        """Let the source end, with everything acknowledged, and the collector after it."""
        self.progress.set("stop", 1)
        self.processes["edge"].wait(DRAIN_TIMEOUT_S)
        self.processes["collector"].stop()
        if "evaluation" in self.processes:
            self.processes["evaluation"].stop()

    def outcome(self, tried: int) -> Outcome:
        """Compare the whole store with what was promised."""
        return asyncio.run(self._outcome(tried))

    async def _outcome(self, tried: int) -> Outcome:
        last = self.progress.get("done")
        promised = set(range(1, last + 1)) - self.uncertain
        lost = duplicated = 0
        readings = open_readings(load_server_file(self.server_file).store)
        try:
            for device in range(self.size.devices):
                for column, name in enumerate(NAMES):
                    wrong, strange = await self._check(readings, device, column, name, promised)
                    lost, duplicated = lost + wrong, duplicated + strange
            duplicated += (await readings.count(source.SITE)).duplicates
        finally:
            await readings.close()
        return Outcome(tried, len(promised) * self.size.devices * len(NAMES), lost, duplicated)

    async def _check(
        self, readings: OperatedReadingStore, device: int, column: int, name: str, promised: set[int]
    ) -> tuple[int, int]:
        series = await readings.readings(
            source.SITE, f"meter-{device}", name, self.start_ms - SPARE_MS, self.start_ms + 40 * SPARE_MS
        )
        right: set[int] = set()
        strange = 0
        for time_ms, value in zip(series.times_ms, series.values, strict=True):
            number, rest = divmod(time_ms - self.start_ms, source.STEP_MS)
            is_known = not rest and (number in promised or number in self.uncertain)
            strange += not is_known
            if is_known and value == source.value_of(device, column, number):
                right.add(number)
        return len(promised - right), strange


@contextlib.contextmanager
def line(
    directory: Path,
    size: Size,
    *,
    evaluation: bool = False,
    store: dict[str, Any] | None = None,
    port: int | None = None,
) -> Iterator[Line]:
    """A running line. `store` as in server.yaml, SQLite by default; `port`: what the edge takes for the broker's."""
    program = shutil.which("mosquitto")
    if program is None:
        raise NotHereError("mosquitto is not installed")
    directory.mkdir(parents=True, exist_ok=True)
    broker = Mosquitto(Path(program), directory)
    made = Line(directory, size, source.first_ms(), broker, directory / "server.yaml")
    _write_files(made, store or {"sqlite": str(directory / "readings.sqlite")})
    made.processes["collector"] = children.server("collector", made.server_file)
    if evaluation:
        made.processes["evaluation"] = children.server("evaluation", made.server_file)
    made.processes["edge"] = children.edge(directory, port or broker.port, made.start_ms, size.devices, size.records_s)
    try:
        broker.start()
        for child in made.processes.values():
            child.start()
        yield made
    finally:
        for child in made.processes.values():
            child.kill()
        broker.kill()


def _write_files(made: Line, store: dict[str, Any]) -> None:
    points = [
        {
            "id": f"point-{device}",
            "name": f"Point {device}",
            "resource": "electricity",
            "role": "part",
            "measured_by": f"meter-{device}",
        }
        for device in range(EVALUATED_DEVICES)
    ]
    devices = [
        {"id": f"meter-{device}", "profile": "eastron/sdm630", "unit_id": device + 1}
        for device in range(EVALUATED_DEVICES)
    ]
    site = {
        "site": source.SITE,
        "edge": source.EDGE,
        "lines": [{"id": "line", "tcp": {"host": LOOPBACK}, "devices": devices}],
        "points": points,
    }
    site_file = made.directory / "site.yaml"
    site_file.write_text(yaml.safe_dump(site), encoding="utf-8")
    load_site(site_file)
    server = {
        "store": store,
        "entities": str(made.directory / "entities.sqlite"),
        "collector": {
            "mqtt": {"host": LOOPBACK, "port": made.broker.port},
            "sites": [str(site_file)],
            "limits": {"batches_per_s": 10_000, "bytes_per_s": 1e8},  # what is measured here is not their bound
        },
        "evaluation": {"interval_s": 0.2, "gap_limit_s": 3600},
    }
    made.server_file.write_text(yaml.safe_dump(server), encoding="utf-8")

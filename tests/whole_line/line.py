"""The whole line as processes that a test may kill: simulated workshop, agent, broker, collector, evaluation."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.servers.mosquitto import Mosquitto
from tests.servers.processes import LEANMETER, ManagedProcess, Processes

SITE = "workshop"
Cell = tuple[str, str, int]
"""Device, quantity, time in ms."""


@dataclass
class Line:
    """Processes by name, and where they keep what they keep."""

    directory: Path
    broker: Mosquitto
    processes: dict[str, ManagedProcess]

    @property
    def site_file(self) -> Path:
        return self.directory / "site.yaml"

    def journal(self) -> tuple[dict[Cell, float], dict[Cell, float]]:
        """What the agent handed to the operating system for certain, and what at most."""
        done: dict[Cell, float] = {}
        intended: dict[Cell, float] = {}
        if not (self.directory / "journal").exists():
            return done, intended
        for text in (self.directory / "journal").read_text(encoding="utf-8").splitlines():
            try:
                entry = json.loads(text)
            except ValueError:
                continue  # a line cut off by a kill promises nothing
            target = done if entry["kind"] == "done" else intended
            target.update({(device, quantity, time_ms): value for device, quantity, time_ms, value in entry["cells"]})
        return done, intended

    def kill(self, name: str) -> None:
        """Kill -9."""
        if name == "broker":
            self.broker.kill()
        else:
            self.processes[name].kill()

    def restart(self, name: str) -> None:
        """Start what was killed."""
        if name == "broker":
            self.broker.start()
        else:
            self.processes[name].start()

    def end_agent(self) -> Mapping[str, Any]:
        """Ask the agent to end, with an empty outbox; returns its last summary.

        An agent that may not wait any longer for a broker that has only just come back leaves the rest for its next
        start: that is what is promised, so it is started again.
        """
        edge = self.processes["edge"]
        for _ in range(5):
            assert edge.stop(timeout_s=60) == 0, edge.log()
            summary: Mapping[str, Any] = json.loads((self.directory / "edge-summary.json").read_text(encoding="utf-8"))
            if summary["unacknowledged_records"] == 0:
                return summary
            edge.start()
        raise AssertionError(f"the outbox does not run empty\n{edge.log()}")


def start_line(
    directory: Path,
    processes: Processes,
    broker: Mosquitto,
    store: Mapping[str, object],
    *,
    settings: Mapping[str, object] | None = None,
) -> Line:
    """Start everything but the page. `settings` are keys of the site file that differ from the workshop's."""
    directory.mkdir(parents=True, exist_ok=True)
    simulators = processes.start_leanmeter(
        "simulate", "workshop", "--directory", directory, "--site", SITE, "--mqtt-port", str(broker.port)
    )
    site_file = directory / "site.yaml"
    simulators.wait_for(site_file.exists, what="site.yaml")
    site = yaml.safe_load(site_file.read_text(encoding="utf-8"))
    site_file.write_text(yaml.safe_dump({**site, **(settings or {})}), encoding="utf-8")
    server = {
        "store": store,
        "entities": str(directory / "entities.sqlite"),
        "collector": {"mqtt": {"host": broker.host, "port": broker.port}, "sites": [str(site_file)]},
        "evaluation": {"interval_s": 0.5},
    }
    server_file = directory / "server.yaml"
    server_file.write_text(yaml.safe_dump(server), encoding="utf-8")
    collector = processes.start(LEANMETER, "collector", "run", "--config", server_file)
    collector.wait_for((directory / "entities.sqlite").exists, what="entities.sqlite")
    evaluation = processes.start(LEANMETER, "evaluation", "run", "--config", server_file)
    edge = processes.start(
        sys.executable,
        Path(__file__).with_name("journalling_agent.py"),
        directory / "journal",
        *("edge", "run", "--config", site_file, "--summary", directory / "edge-summary.json"),
        environment={"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    named = {"simulators": simulators, "collector": collector, "evaluation": evaluation, "edge": edge}
    return Line(directory, broker, named)

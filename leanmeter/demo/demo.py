"""The demo: starts every program of the line as a user would, shows that it lives, counts at the end."""

import argparse
import asyncio
import json
import os
import signal
import socket
import sys
import time
import webbrowser
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from types import FrameType
from zoneinfo import ZoneInfo

import yaml

from leanmeter.demo.child_processes import ChildError, ChildProcesses
from leanmeter.demo.demo_files import InfluxTarget, prepare_directory, write_settings, write_summary
from leanmeter.demo.demo_plan import DemoHistory, plan_document
from leanmeter.demo.demo_status import DemoStore
from leanmeter.demo.embedded_broker import configure_broker
from leanmeter.demo.influx_bucket import prepare_bucket
from simulators.factory.plant_files import load_plant, ready_plants
from simulators.factory.schema import PlantFile
from site_config.errors import ConfigurationError

_READY_S = 30.0
_DRAIN_S = 60.0
_PLANT = "metal-parts"
_DAYS = 90
_HISTORY_INTERVAL_S = 300


def run_demo(arguments: argparse.Namespace) -> int:
    """Run until Ctrl-C or `--seconds`; returns 0, or 1 when a program of the line failed."""
    influx = _influx(arguments)
    history = _history(arguments)
    directory: Path = arguments.directory.absolute()
    prepare_directory(directory)
    stop = _Stop()
    # Data of earlier demos may be in the same bucket; a site of its own keeps the counts apart.
    suffix = "" if influx is None else f"-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}"
    site = ("workshop" if history is None else history.plant.id) + suffix
    others = _others(history, suffix) if arguments.programme else {}
    try:
        with ChildProcesses(directory / "logs") as children:
            started = _start(children, directory, site, arguments.port, influx, history, others, stop)
            what = "a simulated workshop" if history is None else f"{history.plant.name} (simulated)"
            _say(f"\nLeanmeter shows {what} at  {started.page_url}")
            _say("Open it on this machine. Ctrl-C ends the demo.\n")
            if not arguments.no_browser and arguments.seconds is None and _has_display():
                webbrowser.open(started.page_url)
            asyncio.run(_show(children, directory, site, stop, arguments.seconds))
            summary = asyncio.run(_finish(children, directory, site, started.values_of_history))
    except ChildError as problem:
        sys.stderr.write(f"\nleanmeter demo: {problem}\n")
        return 1
    sys.stdout.write(
        f"{summary['values_sampled']} values sampled, {summary['values_stored']} stored, "
        f"{summary['values_lost']} lost, {summary['duplicates']} twice.\n"
    )
    if arguments.summary is not None:
        write_summary(arguments.summary, summary)
    return 0


@dataclass(frozen=True, slots=True)
class _Started:
    """Where the page is, and how many values of the past were stored before the agent began."""

    page_url: str
    values_of_history: int


class _Stop:
    """Set by Ctrl-C or SIGTERM; a second Ctrl-C ends at once."""

    def __init__(self) -> None:
        self.requested = False
        signal.signal(signal.SIGINT, self._request)
        signal.signal(signal.SIGTERM, self._request)

    def _request(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self.requested = True
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _influx(arguments: argparse.Namespace) -> InfluxTarget | None:
    if arguments.influx is None:
        return None
    token = arguments.token or os.environ.get("INFLUX_TOKEN")
    if not token:
        raise ConfigurationError("--token: InfluxDB needs one (or set INFLUX_TOKEN)")
    return asyncio.run(prepare_bucket(arguments.influx, token, arguments.org, arguments.bucket))


def _history(arguments: argparse.Namespace) -> DemoHistory | None:
    if arguments.history is None and arguments.plant is None:
        return None
    plant = load_plant(arguments.plant or _PLANT)
    days = arguments.history or _DAYS
    return DemoHistory(plant, _first_day(plant, days), days)


def _others(history: DemoHistory | None, suffix: str) -> Mapping[str, DemoHistory]:
    """The other ready plants with a past as long, by site; without agents, so their data end where the demo begins."""
    if history is None:
        raise ConfigurationError("--programme: needs --history, whose days the other sites get too")
    plants = [load_plant(name) for name in ready_plants() if name != history.plant.id]
    return {
        f"{plant.id}{suffix}": DemoHistory(plant, _first_day(plant, history.days), history.days) for plant in plants
    }


def _first_day(plant: PlantFile, days: int) -> date:
    return datetime.now(ZoneInfo(plant.time_zone)).date() - timedelta(days=days)


def _start(
    children: ChildProcesses,
    directory: Path,
    site: str,
    wanted_port: int,
    influx: InfluxTarget | None,
    history: DemoHistory | None,
    others: Mapping[str, DemoHistory],
    stop: _Stop,
) -> _Started:
    mqtt_port = _free_port()
    page_port = wanted_port if _is_free(wanted_port) else _free_port()
    server_file = write_settings(
        directory,
        site=site,
        mqtt_port=mqtt_port,
        page_port=page_port,
        influx=influx,
        gap_limit_s=None if history is None else 3 * _HISTORY_INTERVAL_S,
    )
    site_file = directory / "site.yaml"
    # Before a past, which takes minutes: meanwhile another program could take the port.
    children.start("broker", ["-m", "leanmeter.demo.embedded_broker", str(configure_broker(directory, mqtt_port))])
    children.wait_until("the broker", lambda: not _is_free(mqtt_port), _READY_S)
    values = 0
    if history is not None:
        values = _write_history(children, directory, server_file, site, history, stop)
    for other, its_history in others.items():
        _write_history(children, directory, server_file, other, its_history, stop)
    simulated = ["workshop"] if history is None else _plant(history, "now")
    children.start(
        "simulators",
        [
            *_LEANMETER, "simulate", *simulated, "--directory", str(directory),
            "--site", site, "--mqtt-port", str(mqtt_port),
        ],
    )  # fmt: skip
    children.wait_until("the simulated workshop", site_file.exists, _READY_S)
    for name in ("collector", "evaluation", "visit"):
        children.start(name, [*_LEANMETER, name, "run", "--config", str(server_file)])
        if name == "collector":
            children.wait_until("the collector's start", (directory / "entities.sqlite").exists, _READY_S)
    children.start(
        "edge",
        [*_LEANMETER, "edge", "run", "--config", str(site_file), "--summary", str(_edge_summary(directory))],
    )
    children.wait_until("the page", lambda: not _is_free(page_port), _READY_S)
    return _Started(f"http://127.0.0.1:{page_port}/", values)


def _write_history(
    children: ChildProcesses, directory: Path, server_file: Path, site: str, history: DemoHistory, stop: _Stop
) -> int:
    """The plant's past through the collector's ingest, its plan, and what follows; returns how many values."""
    changed = history.first + timedelta(days=history.measure_day)
    _say(f"Simulating {history.days} days of {history.plant.name}; on {changed} it took its measures:")
    _say(f"  {', '.join(history.plant.measures)}")
    config = ["--store-config", str(server_file)]
    line = children.run(
        "history",
        [
            *_LEANMETER, "simulate", *_plant(history, history.start, live=False), *config,
            "--site", site, "--interval-s", str(_HISTORY_INTERVAL_S), "--no-evaluation", "--json",
        ],
        lambda: stop.requested,
    )  # fmt: skip
    facts = json.loads(line)
    _say(f"  {facts['values']:,.0f} readings stored in {facts['seconds_to_write']:.0f} s; evaluating them ...")
    plan = directory / f"{site}-plan.yaml"
    plan.write_text(yaml.safe_dump(plan_document(history, site), sort_keys=False), encoding="utf-8")
    chosen = ["--config", str(server_file)]
    began_s = time.monotonic()
    for name, command in (
        ("plan", ["plan", "import", str(plan), *chosen, "--author", "demo"]),
        ("first evaluation", ["evaluation", "run", *chosen, "--once"]),
    ):
        children.run(name, [*_LEANMETER, *command], lambda: stop.requested)
    _say(f"  baselines, goals and bands ready in {time.monotonic() - began_s:.0f} s")
    return int(facts["values"])


def _plant(history: DemoHistory, since: str, *, live: bool = True) -> list[str]:
    kind = ["plant"] if live else ["history"]
    measures = [word for measure in history.measures for word in ("--measure", measure)]
    first = ["--first-day", history.first.isoformat()] if live else []
    return [*kind, history.plant.id, "--from", since, *first, *measures]


_LEANMETER = ("-m", "leanmeter")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def _show(children: ChildProcesses, directory: Path, site: str, stop: _Stop, seconds: float | None) -> None:
    """Keep one line up to date until it is time to end."""
    started = time.monotonic()
    async with DemoStore(directory, site) as store:
        while not stop.requested and (seconds is None or time.monotonic() - started < seconds):
            children.check()
            line = await store.status_line()
            if sys.stdout.isatty():
                sys.stdout.write(f"\r\x1b[K{line}")
                sys.stdout.flush()
            await asyncio.sleep(1.0)
        sys.stdout.write(f"{line}\n" if not sys.stdout.isatty() else "\n")


async def _finish(children: ChildProcesses, directory: Path, site: str, values_of_history: int) -> Mapping[str, object]:
    """End the agent, let the line run empty, and count."""
    sys.stdout.write("Ending: waiting until everything is stored ...\n")
    sys.stdout.flush()
    async with DemoStore(directory, site) as store:
        site_power_kw = await store.site_power_kw()
        children.end("edge", timeout_s=_DRAIN_S)
        edge_file = _edge_summary(directory)
        if not edge_file.exists():
            raise ChildError(f"edge ended without its summary (log: {directory / 'logs' / 'edge.log'})")
        edge = json.loads(edge_file.read_text(encoding="utf-8"))
        await store.wait_until_evaluated(timeout_s=_DRAIN_S)
        stored = await store.count()
        return {
            "samples": edge["samples"],
            "values_sampled": edge["values_sampled"],
            "values_stored": stored.values - values_of_history,
            "values_lost": edge["values_sampled"] + values_of_history - stored.values,
            "duplicates": stored.duplicates,
            "batches_acknowledged": edge["batches_acknowledged"],
            "delay_ms": edge["delay_ms"],
            "site_power_kw": site_power_kw,
            "energy_kwh": await store.energy_kwh(),
        }


def _edge_summary(directory: Path) -> Path:
    return directory / "edge-summary.json"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _has_display() -> bool:
    return sys.platform in {"darwin", "win32"} or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))

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
from pathlib import Path
from types import FrameType

from leanmeter.child_processes import ChildError, ChildProcesses
from leanmeter.demo_files import InfluxTarget, prepare_directory, write_settings, write_summary
from leanmeter.demo_status import DemoStore
from leanmeter.embedded_broker import configure_broker
from leanmeter.influx_bucket import prepare_bucket
from site_config.errors import ConfigurationError

_READY_S = 30.0
_DRAIN_S = 60.0


def run_demo(arguments: argparse.Namespace) -> int:
    """Run until Ctrl-C or `--seconds`; returns 0, or 1 when a program of the line failed."""
    influx = _influx(arguments)
    directory: Path = arguments.directory.absolute()
    prepare_directory(directory)
    stop = _Stop()
    # Data of earlier demos may be in the same bucket; a site of its own keeps the counts apart.
    site = "workshop" if influx is None else f"workshop-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}"
    try:
        with ChildProcesses(directory / "logs") as children:
            page_url = _start(children, directory, site, arguments.port, influx)
            sys.stdout.write(f"\nLeanmeter shows a simulated workshop at  {page_url}\n")
            sys.stdout.write("Open it on this machine. Ctrl-C ends the demo.\n\n")
            sys.stdout.flush()
            if not arguments.no_browser and arguments.seconds is None and _has_display():
                webbrowser.open(page_url)
            asyncio.run(_show(children, directory, site, stop, arguments.seconds))
            summary = asyncio.run(_finish(children, directory, site))
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


def _start(children: ChildProcesses, directory: Path, site: str, wanted_port: int, influx: InfluxTarget | None) -> str:
    mqtt_port = _free_port()
    page_port = wanted_port if _is_free(wanted_port) else _free_port()
    server_file = write_settings(directory, site=site, mqtt_port=mqtt_port, page_port=page_port, influx=influx)
    site_file = directory / "site.yaml"
    broker_file = configure_broker(directory, mqtt_port)
    children.start("broker", ["-m", "leanmeter.embedded_broker", str(broker_file)])
    children.start(
        "simulators",
        [
            *_LEANMETER, "simulate", "workshop", "--directory", str(directory),
            "--site", site, "--mqtt-port", str(mqtt_port),
        ],
    )  # fmt: skip
    children.wait_until("the simulated workshop", site_file.exists, _READY_S)
    children.wait_until("the broker", lambda: not _is_free(mqtt_port), _READY_S)
    for name in ("collector", "evaluation", "visit"):
        children.start(name, [*_LEANMETER, name, "run", "--config", str(server_file)])
        if name == "collector":
            children.wait_until("the collector's start", (directory / "entities.sqlite").exists, _READY_S)
    children.start(
        "edge",
        [*_LEANMETER, "edge", "run", "--config", str(site_file), "--summary", str(_edge_summary(directory))],
    )
    children.wait_until("the page", lambda: not _is_free(page_port), _READY_S)
    return f"http://127.0.0.1:{page_port}/"


_LEANMETER = ("-m", "leanmeter")


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


async def _finish(children: ChildProcesses, directory: Path, site: str) -> Mapping[str, object]:
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
            "values_stored": stored.values,
            "values_lost": edge["values_sampled"] - stored.values,
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

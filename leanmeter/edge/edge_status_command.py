"""`leanmeter edge status`: how the agent of this computer does, as a table for people."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from edge_agent.health import ANSWER_NAME, REQUEST_NAME
from leanmeter.edge.edge_asking import NoAgentError, ask
from site_config.schema import Site, load_site

_TIMEOUT_S = 5.0
_HEADINGS = ("DEVICE", "STATE", "VALUES", "LINK ERRORS", "DEVICE ERRORS", "IMPLAUSIBLE")
_LEFT = 2
"""How many columns of the table are text; the others are numbers."""

_SOURCES = {
    "ntp": "network time",
    "hardware": "this computer's clock",
    "collector": "the collector's time",
    "visitor": "a visitor's time",
    "none": "nobody vouches for it",
}


def add_arguments(status: argparse.ArgumentParser) -> None:
    """Add what `status` takes beside the site file."""
    status.add_argument("--json", action="store_true", help="write JSON")
    status.set_defaults(handler=_run)


def _run(arguments: argparse.Namespace) -> int:
    site = load_site(arguments.config)
    try:
        status = json.loads(ask(site.data_dir, REQUEST_NAME, ANSWER_NAME, _TIMEOUT_S))
    except NoAgentError as problem:
        if arguments.json:
            sys.stdout.write(json.dumps({"running": False}) + "\n")
        else:
            sys.stderr.write(f"not running: {problem}\n")
        return 1
    if arguments.json:
        sys.stdout.write(json.dumps(status, indent=2) + "\n")
    else:
        sys.stdout.write("\n".join(_lines(site, status)) + "\n")
    return 0


def _lines(site: Site, status: dict[str, Any]) -> Iterator[str]:
    health = status["health"]
    yield f"{site.site}, {site.edge}: running for {_duration(health['uptime_s'])}"
    yield f"broker    {_broker(health)}"
    yield f"outbox    {_outbox(status)}"
    yield f"clock     {_clock(status)}"
    for line, entry in status["lines"].items():
        yield f"line      {line}: busy {entry['bus_use_percent']:.0f} % of the time"
    yield f"devices   {health['devices_alive']:.0f} of {health['devices_installed']:.0f} answer"
    yield from _errors(health)
    yield ""
    yield from _table(status["devices"])


def _broker(health: dict[str, float]) -> str:
    if not health["broker_connected"]:
        return f"NOT CONNECTED; nothing is lost, {health['outbox_records']:.0f} records wait in the outbox"
    if health["acknowledgement_age_s"] > 2 * _TIMEOUT_S:
        return (
            f"connected, but NO ACKNOWLEDGEMENT for {_duration(health['acknowledgement_age_s'])}: does a collector run?"
        )
    delay = f", 99 % stored within {health['delay_p99_s']:.1f} s" if "delay_p99_s" in health else ""
    return f"connected{delay}"


def _outbox(status: dict[str, Any]) -> str:
    health = status["health"]
    text = (
        f"{_size(health['outbox_bytes'])} of {_size(status['outbox_limit_bytes'])} "
        f"({health['outbox_use_percent']:.0f} %), {health['outbox_records']:.0f} records wait"
    )
    if health["outbox_records"]:
        text += f", the oldest for {_duration(health['outbox_oldest_age_s'])}"
    if health["outbox_thinned_rows_total"]:
        text += f", {health['outbox_thinned_rows_total']:.0f} rows THINNED for want of room"
    if health["outbox_write_failures_total"]:
        text += f", {health['outbox_write_failures_total']:.0f} WRITES FAILED"
    if "disk_free_bytes" in health:
        text += f"; {_size(health['disk_free_bytes'])} free on its disk"
    return text


def _clock(status: dict[str, Any]) -> str:
    text = str(_SOURCES[status["clock_source"]])
    if not status["time_known"]:
        return "NOT SET: readings wait on the disk until the time is known (leanmeter edge set-clock)"
    offset_s = status["health"]["clock_offset_s"]
    return (
        text if not offset_s else f"{text}; the system's is {abs(offset_s):.0f} s {'slow' if offset_s > 0 else 'fast'}"
    )


def _errors(health: dict[str, float]) -> Iterator[str]:
    named = {
        "polls without an answer": "polls_unanswered_total",
        "polls skipped, the line was busy": "polls_skipped_total",
        "batches that the collector could not read": "batches_rejected_total",
        "rows that the store refused": "rows_refused_total",
        "acknowledgements that came too late": "acknowledgement_timeouts_total",
    }
    for text, quantity in named.items():
        if health[quantity]:
            yield f"since start: {health[quantity]:.0f} {text}"


def _table(devices: dict[str, dict[str, Any]]) -> Iterator[str]:
    rows: list[Sequence[str]] = [_HEADINGS]
    for name, state in devices.items():
        counts = (state["values"], state["link_errors"], state["device_errors"], state["implausible"])
        rows.append((name, _state(state), *map(str, counts)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    for row in rows:
        cells = [
            cell.ljust(width) if column < _LEFT else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()


def _state(state: dict[str, Any]) -> str:
    if state["answers"]:
        return "answers"
    if state["silent_for_s"] is None:
        return "NEVER HEARD"
    return f"SILENT for {_duration(state['silent_for_s'])}"


def _duration(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _size(byte_count: float) -> str:
    for size, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if byte_count >= size:
            return f"{byte_count / size:.1f} {unit}"
    return f"{byte_count:.0f} B"

"""`leanmeter collector status`: how collectors and edges stand, from what they have stored."""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from collector.health import COMPARED_DAYS
from collector.quarantine import Quarantine
from site_config.errors import ConfigurationError
from store.edge_ledger import EdgeLedger, LastBatch, Reconciliation
from store.factory import open_readings
from store.protocol import StoreError
from store.schema import SERVER_SITE
from store.server_file import ServerFile, load_server_file
from wire_format.topics import EdgeAddress

_RECENT_MS = 60_000
_DAY_MS = 86_400_000
_HEADINGS = ("EDGE", "LAST BATCH", "NEWEST READING", "CLOCK", "SET ASIDE", f"LAST {COMPARED_DAYS} DAYS")


@dataclass(frozen=True, slots=True)
class _State:
    now_ms: int
    programs: dict[str, dict[str, float]]
    problem: str
    edges: dict[EdgeAddress, LastBatch]
    set_aside: dict[str, tuple[int, int]]
    compared: tuple[Reconciliation, ...]


def show_status(arguments: argparse.Namespace) -> int:
    """Print the table, or JSON."""
    settings = load_server_file(arguments.config)
    if not settings.entities.exists():
        raise ConfigurationError(f"{arguments.config}: entities: {settings.entities} does not exist yet")
    state = asyncio.run(_state(settings))
    if arguments.json:
        sys.stdout.write(json.dumps(_as_json(state), indent=2) + "\n")
    else:
        sys.stdout.write("\n".join([*_program_lines(state), "", *_table(state)]) + "\n")
    return 0


async def _state(settings: ServerFile) -> _State:
    now_ms = time.time_ns() // 1_000_000
    ledger, quarantine = EdgeLedger(settings.entities), Quarantine(settings.entities)
    try:
        edges, set_aside = await ledger.last_batches(), await quarantine.by_topic()
        compared = await ledger.reconciliations(now_ms - (COMPARED_DAYS + 1) * _DAY_MS)
    finally:
        await ledger.close()
        await quarantine.close()
    programs: dict[str, dict[str, float]] = {}
    problem = ""
    readings = open_readings(settings.store)
    try:
        for (device, quantity), latest in (await readings.latest(SERVER_SITE, now_ms - _RECENT_MS)).items():
            if "." not in device:
                programs.setdefault(device, {})[quantity] = latest.value
    except StoreError as error:
        problem = str(error)
    finally:
        await readings.close()
    return _State(now_ms, programs, problem, edges, set_aside, compared)


def _program_lines(state: _State) -> list[str]:
    if state.problem:
        return [f"store: {state.problem}"]
    lines = []
    for name, numbers in sorted(state.programs.items()):
        if "broker_connected" in numbers:
            lines.append(
                f"{name}: {'connected' if numbers['broker_connected'] else 'NO BROKER'}, "
                f"store {'available' if numbers.get('store_available') else 'OUT OF REACH'}, "
                f"{numbers.get('batches_waiting', 0):.0f} batches waiting, "
                f"{numbers.get('values_stored_total', 0):.0f} values stored since its start"
            )
        elif "messages_waiting" in numbers:
            failing = numbers.get("destinations_failing", 0)
            lines.append(
                f"{name}: {numbers['messages_waiting']:.0f} messages wait, "
                f"{f'{failing:.0f} DESTINATIONS FAIL' if failing else 'all destinations work'}"
            )
        else:
            lines.append(
                f"{name}: {numbers.get('marks_waiting', 0):.0f} intervals wait, "
                f"last cycle {numbers.get('cycle_duration_s', 0):.1f} s"
            )
    return lines or [f"no collector has told of itself in the last {_RECENT_MS // 1000} s"]


def _table(state: _State) -> list[str]:
    rows: list[Sequence[str]] = [_HEADINGS]
    for edge, last in state.edges.items():
        rows.append(
            (
                str(edge),
                f"{_age(state.now_ms - last.stored_ms)} ago",
                f"{_age(state.now_ms - last.reading_ms)} ago",
                last.clock_source,
                str(state.set_aside.get(edge.topic("batch"), (0, 0))[0]),
                _days(edge, state.compared),
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _days(edge: EdgeAddress, compared: Sequence[Reconciliation]) -> str:
    mine = [one for one in compared if (one.site, one.edge) == (edge.site, edge.edge)]
    days = {one.day_ms for one in mine}
    wrong = [one for one in mine if not one.agrees]
    if not days:
        return "not compared yet"
    if not wrong:
        return f"{len(days)} whole"
    missing = sum(one.missing for one in wrong)
    return f"{len({one.day_ms for one in wrong})} of {len(days)} WRONG, {missing} values missing"


def _age(milliseconds: int) -> str:
    seconds = max(milliseconds, 0) // 1000
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _as_json(state: _State) -> dict[str, Any]:
    return {
        "programs": state.programs,
        "store_problem": state.problem,
        "edges": [
            {
                "site": edge.site,
                "edge": edge.edge,
                "last_batch_age_s": (state.now_ms - last.stored_ms) / 1000,
                "newest_reading_age_s": (state.now_ms - last.reading_ms) / 1000,
                "clock_source": last.clock_source,
                "quarantine_entries": state.set_aside.get(edge.topic("batch"), (0, 0))[0],
                "days": [
                    {
                        "day_ms": one.day_ms,
                        "device": one.device,
                        "told": one.told,
                        "stored": one.stored,
                        "wrong_totals": one.wrong_totals,
                    }
                    for one in state.compared
                    if (one.site, one.edge) == (edge.site, edge.edge)
                ],
            }
            for edge, last in state.edges.items()
        ],
    }

"""How long a site's year takes to be evaluated again after its plan changed: costs, goals, what is expected.

    python -m bench.reevaluation [--points 50] [--days 365] [--step week] [--influx URL --token TOKEN]

Prints one line of JSON. Writing the year itself is not part of the time.
"""

import argparse
import asyncio
import json
import math
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from evaluation.accounting.days import day_of
from evaluation.evaluator import Evaluator
from evaluation.judging.freezing import Freezer
from evaluation.plan.plan_file import PlanFile
from evaluation.site_model import load_model
from evaluation.worker import DAYS_AT_ONCE
from site_config.schema import Site, SiteFile
from store.entities import Entities
from store.factory import open_readings
from store.protocol import IntervalRow, OperatedReadingStore
from store.schema import INTERVAL_MS
from store.settings import StoreSettings

SITE = "works"
BASELINE_DAYS = 180
QUARTERS = 96
_DAYS_AT_ONCE = 5


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=50)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--step", choices=("day", "week", "month"), default="day", help="of the baseline")
    parser.add_argument("--influx", metavar="URL")
    parser.add_argument("--token", default="")
    parser.add_argument("--org", default="leanmeter")
    parser.add_argument("--bucket", default="leanmeter-bench")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        sys.stdout.write(json.dumps(asyncio.run(measure(asked, Path(folder)))) + "\n")
    return 0


async def measure(asked: argparse.Namespace, folder: Path) -> dict[str, float]:
    """Seconds and rows of a first derivation, of one that finds nothing to change, and of an hour that came late."""
    store: dict[str, Any] = {"sqlite": folder / "readings.sqlite"}
    if asked.influx:
        store = {"influx": {"url": asked.influx, "token": asked.token, "org": asked.org, "bucket": asked.bucket}}
    readings = open_readings(StoreSettings.model_validate(store))
    entities = Entities(folder / "entities.sqlite")
    try:
        await entities.import_site(_site(asked.points), "bench")
        first = date(2025, 1, 1)
        plan = PlanFile.model_validate(_plan(first, min(BASELINE_DAYS, asked.days // 2), asked.step))
        await entities.plans.put(SITE, plan.model_dump(mode="json", by_alias=True), {}, "bench")
        await _write_year(readings, first, asked.points, asked.days)
        entry = await entities.site(SITE)
        if entry is None:
            raise RuntimeError("the site was imported and is not there")
        await _derive(readings, entities, first, asked.days)
        if not await Freezer(readings, entities).freeze_what_is_due(entry):
            raise RuntimeError("the baseline was not frozen")
        found: dict[str, float] = {"points": asked.points, "days": asked.days}
        found |= await _timed("new_version", _derive(readings, entities, first, asked.days))
        found |= await _timed("unchanged", _derive(readings, entities, first, asked.days))
        rows = await readings.intervals(SITE, *_hour(first, asked.days - 5), "main")
        await readings.write_intervals([_more(row) for row in rows])
        found |= await _timed("late_hour", _derive(readings, entities, first + timedelta(days=asked.days - 5), 1))
        return found
    finally:
        await entities.close()
        await readings.close()


async def _timed(name: str, work: Any) -> dict[str, float]:
    began_s, began_cpu_s = time.monotonic(), time.process_time()
    rows = await work
    return {
        f"{name}_s": round(time.monotonic() - began_s, 2),
        f"{name}_cpu_s": round(time.process_time() - began_cpu_s, 2),
        f"{name}_rows": rows,
    }


async def _derive(readings: OperatedReadingStore, entities: Entities, first: date, days: int) -> int:
    entry = await entities.site(SITE)
    if entry is None:
        raise RuntimeError("the site was imported and is not there")
    model = await load_model(entities, entry)
    evaluator = Evaluator(readings, model, 60_000, plans=entities.plans)
    written = 0
    for begin in range(0, days, DAYS_AT_ONCE):
        numbers = range(begin, min(begin + DAYS_AT_ONCE, days))
        some = [day_of(_midnight_ms(first + timedelta(days=number)), model.time_zone) for number in numbers]
        found = await evaluator.rederive_days(some)
        await evaluator.settle(some)
        written += found.intervals + found.days
    return written + await evaluator.bills.write({first + timedelta(days=number) for number in range(days)})


async def _write_year(readings: OperatedReadingStore, first: date, points: int, days: int) -> None:
    for begin in range(0, days, _DAYS_AT_ONCE):
        rows: list[IntervalRow] = []
        for number in range(begin, min(begin + _DAYS_AT_ONCE, days)):
            kg = 300.0 + 400.0 * math.sin(number) ** 2
            start_ms = _midnight_ms(first + timedelta(days=number))
            for quarter in range(QUARTERS):
                shape = 1.0 + math.sin(quarter / QUARTERS * math.tau) / 2
                start = start_ms + quarter * INTERVAL_MS
                used = (1.0 + kg / 500.0 + 0.1 * math.sin(number * 7.0)) * shape
                rows.append(_row("main", start, used, "electricity"))
                rows.append(_row("bread", start, kg / QUARTERS, "product"))
                rows += [_row(f"part-{part}", start, used / points, "electricity") for part in range(points - 2)]
        await readings.write_intervals(rows)


def _row(point: str, start_ms: int, amount: float, resource: str) -> IntervalRow:
    return IntervalRow(SITE, point, start_ms, amount, amount * 4, 1.0, "measured", resource)


def _more(row: IntervalRow) -> IntervalRow:
    return _row(row.point, row.start_ms, row.amount + 1.0, row.resource)


def _hour(first: date, number: int) -> tuple[int, int]:
    start_ms = _midnight_ms(first + timedelta(days=number)) + 40 * INTERVAL_MS
    return start_ms, start_ms + 4 * INTERVAL_MS


def _midnight_ms(day: date) -> int:
    return round(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)


def _site(points: int) -> Site:
    names = ["main", "bread", *(f"part-{part}" for part in range(points - 2))]
    declared: list[dict[str, str]] = [
        {"id": "main", "name": "Main", "resource": "electricity", "role": "main", "measured_by": "d-main"},
        {"id": "bread", "name": "Bread", "resource": "product", "role": "output", "measured_by": "d-bread"},
    ]
    declared += [
        {"id": name, "name": name, "resource": "electricity", "parent": "main", "measured_by": f"d-{name}"}
        for name in names[2:]
    ]
    devices = [{"id": f"d-{name}", "profile": "eastron/sdm630"} for name in names]
    lines = [{"id": "gateway", "tcp": {"host": "127.0.0.1"}, "devices": devices}]
    return Site(SiteFile.model_validate({"site": SITE, "lines": lines, "points": declared}))


def _plan(first: date, baseline_days: int, step: str) -> dict[str, Any]:
    last = first + timedelta(days=baseline_days - 1)
    tariff = {
        "name": "flat",
        "valid_from": "2020-01-01",
        "energy": [
            {"band": {"name": "night", "from": "22:00", "to": "06:00"}, "price": "0.9"},
            {"price": "1.6"},
        ],
        "surcharges": [{"name": "levy", "share": "0.05"}],
    }
    return {
        "site": SITE,
        "currency": "GHS",
        "variables": {"bread": {"series": ["bread"]}},
        "baselines": [
            {
                "id": "energy",
                "step": step,
                "period": {"from": first.isoformat(), "to": last.isoformat()},
                "variables": ["bread"],
            }
        ],
        "goals": [{"from": last.isoformat(), "to": (last + timedelta(days=365)).isoformat()}],
        "emission_factors": [{"of": "electricity", "kg_a_unit": 0.4, "source": "bench"}],
        "electricity_tariff": {"currency": "GHS", "tariffs": [tariff]},
    }


if __name__ == "__main__":
    sys.exit(main())

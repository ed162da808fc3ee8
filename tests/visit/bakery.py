"""A small workshop in a SQLite store: readings until now, evaluated, for the page to show."""

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import yaml

from evaluation.worker import run as run_evaluation
from site_config.schema import load_site
from store.factory import open_entities, open_readings
from store.schema import INTERVAL_MS
from store.server_file import ServerFile
from store.settings import StoreSettings
from wire_format.batch import Column, DeviceRows
from wire_format.quality import Quality
from wire_format.quantities import QUANTITIES

SITE = "workshop"
HOUR_MS = 3_600_000

# Mean power in W, swing in W, period in minutes.
METERS = {
    "main-meter": (12_400.0, 4_000.0, 97.0),
    "oven-meter": (6_800.0, 2_500.0, 41.0),
    "mixer-meter": (1_900.0, 900.0, 23.0),
    "cold-room-meter": (1_250.0, 400.0, 17.0),
    "packing-meter": (640.0, 150.0, 11.0),
    "pv-inverter": (3_100.0, 900.0, 180.0),
}


def zone_where_it_is_afternoon(now_ms: int) -> str:
    """A zone without summer time in which it is between 14:00 and 15:00 now, so that today has some hours."""
    hour = int(now_ms / HOUR_MS) % 24
    behind = (hour - 14) % 24
    return f"Etc/GMT+{behind}" if behind <= 12 else f"Etc/GMT-{24 - behind}"


def site_yaml(time_zone: str) -> dict[str, object]:
    def part(point: str, name: str, device: str) -> dict[str, object]:
        return {
            "id": point, "name": name, "resource": "electricity",
            "role": "part", "parent": "main", "measured_by": device,
        }  # fmt: skip

    devices = [*METERS, "water-meter", "packing-scale"]
    return {
        "site": SITE,
        "name": "Panadería El Sol",
        "time_zone": time_zone,
        "lines": [
            {
                "id": "line-1",
                "tcp": {"host": "127.0.0.1"},
                "devices": [{"id": device, "profile": "x/y"} for device in devices],
            }
        ],
        "points": [
            {"id": "main", "name": "Main supply", "resource": "electricity", "role": "main",
             "measured_by": "main-meter"},
            part("oven", "Oven 1", "oven-meter"),
            part("mixer", "Dough mixer", "mixer-meter"),
            part("cold-room", "Cold room", "cold-room-meter"),
            part("packing", "Packing line", "packing-meter"),
            {"id": "pv", "name": "Solar roof", "resource": "electricity", "role": "generation",
             "measured_by": "pv-inverter"},
            {"id": "water", "name": "Water", "resource": "water", "role": "main", "measured_by": "water-meter"},
            {"id": "product", "name": "Bread packed", "resource": "product", "role": "output",
             "measured_by": "packing-scale"},
        ],
    }  # fmt: skip


def power_w(device: str, time_ms: int) -> float:
    mean, swing, period_min = METERS[device]
    turn = 2 * math.pi * time_ms / 60_000 / period_min
    return round(mean + swing * (0.7 * math.sin(turn) + 0.3 * math.sin(3.3 * turn)), 1)


def column(quantity: str, values: Sequence[float]) -> Column:
    """A column of values rounded to the quantity's own resolution."""
    known = QUANTITIES[quantity]
    return Column(quantity, known.unit, known.exponent, tuple(round(value / 10**known.exponent) for value in values))


def missing(quantity: str, quality: Quality, count: int) -> Column:
    known = QUANTITIES[quantity]
    return Column(quantity, known.unit, known.exponent, (None,) * count, (quality,) * count)


class Bakery:
    """A store, and entities in a folder, filled by the test.

    Args:
        folder: where they are made.
        now_ms: until when it is filled.
        store: as in a settings file; a SQLite file in the folder by default.
    """

    def __init__(self, folder: Path, now_ms: int | None = None, store: dict[str, object] | None = None) -> None:
        self.folder = folder
        self.now_ms = now_ms or time.time_ns() // 1_000_000
        named = store or {"sqlite": str(folder / "readings.sqlite")}
        self.storage = {"store": named, "entities": str(folder / "e.sqlite")}
        self.readings = open_readings(StoreSettings.model_validate(named))
        self.entities = open_entities(folder / "e.sqlite")

    async def declare(self, change: Callable[[dict[str, object]], None] = lambda _: None) -> None:
        declared = site_yaml(zone_where_it_is_afternoon(self.now_ms))
        change(declared)
        path = self.folder / "site.yaml"
        path.write_text(yaml.safe_dump(declared), encoding="utf-8")
        await self.entities.import_site(load_site(path), "test")

    async def fill(self, hours: float = 8.0, every_s: int = 60, skip: tuple[str, ...] = ()) -> None:
        """Readings of all devices from so many hours ago until now."""
        end_ms = self.now_ms
        times = tuple(range(end_ms - round(hours * HOUR_MS), end_ms + 1, every_s * 1000))
        rows = [self._meter(device, times) for device in METERS if device not in skip]
        steps = range(len(times))
        rows.append(
            DeviceRows(
                "water-meter",
                times,
                (
                    column("flow_rate", [0.42 + 0.1 * math.sin(step / 9) for step in steps]),
                    column("water_volume_forward", [1280.0 + 0.42 * every_s / 3600 * step for step in steps]),
                ),
            )
        )
        rows.append(
            DeviceRows(
                "packing-scale",
                times,
                (
                    column("weight_net", [12.4] * len(times)),
                    column("weighed_mass_total", [5000.0 + 0.9 * step for step in steps]),
                ),
            )
        )
        await self.write([row for row in rows if row.device not in skip])

    async def write(self, rows: Sequence[DeviceRows]) -> None:
        """What a collector does with a batch."""
        await self.readings.write(SITE, rows)
        marks = {(row.device, time_ms - time_ms % INTERVAL_MS) for row in rows for time_ms in row.times_ms}
        await self.entities.mark_dirty(SITE, marks)

    async def go_on(self) -> None:
        """Every device says once more, now, what it said last: a page that took long to come is live all the same."""
        columns: dict[str, list[Column]] = {}
        for (device, quantity), known in (await self.readings.latest(SITE, 0)).items():
            columns.setdefault(device, []).append(column(quantity, [known.value]))
        now_ms = time.time_ns() // 1_000_000
        await self.write([DeviceRows(device, (now_ms,), tuple(mine)) for device, mine in columns.items()])

    async def evaluate(self) -> None:
        settings = ServerFile.model_validate(self.storage)
        await run_evaluation(settings, asyncio.Event(), once=True)

    def visit_file(self, port: int, **visit: object) -> Path:
        """A server file whose page has these settings."""
        path = self.folder / "server.yaml"
        settings = {**self.storage, "visit": {"port": port, **visit}}
        path.write_text(yaml.safe_dump(settings), encoding="utf-8")
        return path

    async def close(self) -> None:
        await self.entities.close()
        await self.readings.close()

    def _meter(self, device: str, times: tuple[int, ...]) -> DeviceRows:
        powers = [power_w(device, time_ms) for time_ms in times]
        if device == "main-meter":
            # The supply carries what the parts and a tenth beyond them use, less what the sun gives.
            parts = ("oven-meter", "mixer-meter", "cold-room-meter", "packing-meter")
            powers = [
                1.1 * sum(power_w(part, time_ms) for part in parts) - power_w("pv-inverter", time_ms)
                for time_ms in times
            ]
        energy = [1000.0]
        for earlier, later, power in zip(times, times[1:], powers[1:], strict=False):
            energy.append(energy[-1] + power * (later - earlier) / HOUR_MS / 1000)
        total = "active_energy_export_total" if device == "pv-inverter" else "active_energy_import_total"
        columns = [column("active_power_total", powers), column(total, energy)]
        if device == "main-meter":
            columns.append(column("active_energy_export_total", [12.5] * len(times)))
        return DeviceRows(device, times, tuple(columns))

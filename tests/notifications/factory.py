"""A small site in SQLite whose devices give readings as a test wants."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from site_config.schema import load_site
from store.factory import open_entities, open_readings
from store.settings import StoreSettings
from wire_format.batch import Column, DeviceRows

SITE = "bakery"
ZONE = "America/Lima"
"""Five hours behind UTC, without summer time."""


def site_file(folder: Path, devices: Sequence[str]) -> Path:
    meters = [
        {"id": device, "profile": "eastron/sdm630", "unit_id": number + 1} for number, device in enumerate(devices)
    ]
    points: list[dict[str, Any]] = [
        {"id": f"point-{device}", "name": f"Point of {device}", "resource": "electricity", "measured_by": device,
         "role": "main" if number == 0 else "part"}
        for number, device in enumerate(devices)
    ]  # fmt: skip
    points.append({"id": "water", "name": "Water", "resource": "water", "role": "main"})
    declared = {
        "site": SITE,
        "name": "Panadería El Sol",
        "time_zone": ZONE,
        "lines": [{"id": "line-1", "serial": {"port": "/dev/ttyUSB0"}, "devices": meters}],
        "points": points,
    }
    path = folder / "site.yaml"
    path.write_text(yaml.safe_dump(declared), encoding="utf-8")
    return path


class Factory:
    """Stores in a folder, as the collector leaves them."""

    def __init__(self, folder: Path, devices: Sequence[str]) -> None:
        self.folder = folder
        self.devices = tuple(devices)
        self.store = {"store": {"sqlite": str(folder / "readings.sqlite")}, "entities": str(folder / "entities.sqlite")}
        self.readings = open_readings(StoreSettings(sqlite=folder / "readings.sqlite"))
        self.entities = open_entities(folder / "entities.sqlite")

    async def declare(self) -> None:
        await self.entities.import_site(load_site(site_file(self.folder, self.devices)), "test")

    async def read(self, devices: Sequence[str], time_ms: int) -> None:
        """Each of these devices gives a reading."""
        await self.readings.write(
            SITE, [DeviceRows(name, (time_ms,), (Column("active_power_total", "W", 0, (1200,)),)) for name in devices]
        )

    def server_file(self, notifications: dict[str, Any]) -> Path:
        path = self.folder / "server.yaml"
        path.write_text(yaml.safe_dump({**self.store, "notifications": notifications}), encoding="utf-8")
        return path

    async def close(self) -> None:
        await self.entities.close()
        await self.readings.close()

"""The site file of the simulated workshop, as its owner would write it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

LINE_BAUD = 38400
TERMINAL_NAME = "rs485"


@dataclass(frozen=True, slots=True)
class WorkshopPorts:
    """Where the workshop's devices listen: TCP ports on `host`, and the serial line's path."""

    main_meter: int
    packing_meter: int
    water_meter: int
    packing_scale: int
    pv_inverter: int
    terminal: Path
    host: str = "127.0.0.1"


def write_site_file(
    directory: Path,
    ports: WorkshopPorts,
    *,
    site: str = "workshop",
    edge: str = "edge-1",
    mqtt_port: int = 1883,
    time_zone: str = "UTC",
) -> Path:
    """Write `site.yaml` whole or not at all; returns its path."""
    document = workshop_document(
        ports, site=site, edge=edge, mqtt_port=mqtt_port, time_zone=time_zone, data_dir=str(directory / "edge")
    )
    path = directory / "site.yaml"
    unfinished = directory / "site.yaml.part"
    unfinished.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    unfinished.replace(path)
    return path


def workshop_document(
    ports: WorkshopPorts,
    *,
    site: str = "workshop",
    edge: str = "edge-1",
    mqtt_port: int = 1883,
    time_zone: str = "UTC",
    data_dir: str = "leanmeter-data/edge",
) -> dict[str, Any]:
    """The site file's content."""
    return {
        "site": site,
        "edge": edge,
        "name": "Simulated workshop",
        "time_zone": time_zone,
        "mqtt": {"host": "127.0.0.1", "port": mqtt_port},
        "data_dir": data_dir,
        "poll_interval_s": 1,
        "slow_interval_s": 10,
        "sync_interval_s": 10,
        "lines": _lines(ports),
        "points": _points(),
    }


def _lines(ports: WorkshopPorts) -> list[dict[str, Any]]:
    serial = {"port": str(ports.terminal), "baud": LINE_BAUD, "parity": "N", "stop_bits": 1}
    meters = (
        ("oven-meter", "eastron/sdm630", 1),
        ("mixer-meter", "schneider/iem3155", 2),
        ("cold-room-meter", "abb/b23", 3),
    )
    devices = [{"id": name, "profile": profile, "unit_id": unit_id} for name, profile, unit_id in meters]
    lines: list[dict[str, Any]] = [{"id": "rs485-1", "serial": serial, "devices": devices}]
    for name, profile, port in (
        ("main-meter", "janitza/umg-96rm-e", ports.main_meter),
        ("packing-meter", "carlo-gavazzi/em24-ethernet", ports.packing_meter),
        ("water-meter", "arad/octave", ports.water_meter),
        ("pv-inverter", "sunspec/inverter", ports.pv_inverter),
    ):
        tcp = {"host": ports.host, "port": port}
        lines.append({"id": name, "tcp": tcp, "devices": [{"id": name, "profile": profile, "unit_id": 1}]})
    tcp = {"host": ports.host, "port": ports.packing_scale}
    lines.append({"id": "packing-scale", "tcp": tcp, "devices": [{"id": "packing-scale", "profile": "scales/mt-sics"}]})
    return lines


def _points() -> list[dict[str, Any]]:
    electricity = {"resource": "electricity"}
    parts = (
        ("oven", "Oven", "oven-meter"),
        ("mixer", "Mixer", "mixer-meter"),
        ("cold-room", "Cold room", "cold-room-meter"),
        ("packing", "Packing", "packing-meter"),
    )
    points: list[dict[str, Any]] = [
        {"id": "main", "name": "Main supply", **electricity, "role": "main", "measured_by": "main-meter"}
    ]
    for point, name, device in parts:
        points.append(
            {"id": point, "name": name, **electricity, "role": "part", "parent": "main", "measured_by": device}
        )
    return [
        *points,
        {"id": "pv", "name": "Solar roof", **electricity, "role": "generation", "measured_by": "pv-inverter"},
        {"id": "water", "name": "Water", "resource": "water", "role": "main", "measured_by": "water-meter"},
        {
            "id": "product",
            "name": "Packed goods",
            "resource": "product",
            "role": "output",
            "measured_by": "packing-scale",
        },
    ]

"""The site file of a simulated plant, as its owner would write it."""

from collections.abc import Mapping
from typing import Any

from simulators.factory.rows import device_name
from simulators.factory.schema import THERMOMETER, PlantFile, PointText

GATEWAY = "gateway"


def site_document(
    plant: PlantFile,
    *,
    site: str | None = None,
    mqtt_port: int = 1883,
    data_dir: str = "leanmeter-data/edge",
    gateway_port: int = 502,
    scale_ports: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """A document for `site.yaml`.

    All Modbus devices hang on one gateway, with unit ids in the order of the points; each scale has its own address.

    Args:
        plant: whose points and devices.
        site: the site's slug, the plant's id if None.
        mqtt_port: of the broker on loopback.
        data_dir: of the edge.
        gateway_port: where the Modbus devices are.
        scale_ports: point -> port; the usual 4305 where there is none.
    """
    ports = scale_ports or {}
    modbus = [{"id": device_name(n), "profile": p, "unit_id": u} for n, p, u in modbus_units(plant)]
    lines: list[dict[str, Any]] = []
    if modbus:
        lines.append({"id": GATEWAY, "tcp": {"host": "127.0.0.1", "port": gateway_port}, "devices": modbus})
    for name, point in plant.points.items():
        if point.weighs:
            tcp = {"host": "127.0.0.1", "port": ports.get(name, 4305)}
            device = {"id": device_name(name), "profile": point.profile}
            lines.append({"id": device_name(name), "tcp": tcp, "devices": [device]})
    return {
        "site": site or plant.id,
        "name": plant.name,
        "time_zone": plant.time_zone,
        "mqtt": {"host": "127.0.0.1", "port": mqtt_port},
        "data_dir": data_dir,
        "lines": lines,
        "points": [_point(plant, name, point) for name, point in plant.points.items()],
    }


def modbus_units(plant: PlantFile) -> list[tuple[str, str, int]]:
    """Points with a Modbus device, its profile and unit id; the thermometer comes last."""
    names = [(name, point.profile) for name, point in plant.points.items() if not point.weighs]
    if plant.thermometer is not None:
        names.append((THERMOMETER, plant.thermometer))
    return [(name, profile, unit_id) for unit_id, (name, profile) in enumerate(names, 1)]


def _point(plant: PlantFile, name: str, point: PointText) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "id": name,
        "name": point.name,
        "resource": point.resource.value,
        "role": point.role.value,
        "measured_by": device_name(name),
    }
    if point.parent is not None:
        entry["parent"] = point.parent
    # A point belongs to the line that all of its loads work with.
    lines = {plant.loads[load].line for load in point.loads} | ({point.line} if point.line else set())
    if len(lines) == 1 and None not in lines:
        entry["line"] = lines.pop()
    if point.per_pulse is not None:
        entry |= {"amount": "counter_1", "factor": point.per_pulse}
    return entry

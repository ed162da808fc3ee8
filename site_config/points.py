"""Measuring points: what is measured, in a tree for each resource, and which device measures it from when to when."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Resource(StrEnum):
    """What a point measures the use of."""

    ELECTRICITY = "electricity"
    REACTIVE_ENERGY = "reactive_energy"
    FUEL = "fuel"
    HEAT = "heat"
    WATER = "water"
    COMPRESSED_AIR = "compressed_air"
    MATERIAL = "material"
    WASTE = "waste"
    PRODUCT = "product"


class Role(StrEnum):
    """What a point is in its tree."""

    MAIN = "main"
    PART = "part"
    GENERATION = "generation"
    STORAGE = "storage"
    OUTPUT = "output"
    LOSS = "loss"
    WASTE = "waste"


@dataclass(frozen=True, slots=True)
class Point:
    """A measuring point. `id` and `line` are slugs and never change; `name` is for people and may."""

    id: str
    name: str
    resource: Resource
    role: Role
    parent: str | None = None
    line: str | None = None


@dataclass(frozen=True, slots=True)
class Assignment:
    """A device measures a point in the half-open time [from_ms, to_ms); None is open.

    `amount_quantity` is a total (kWh, m3, kg), `rate_quantity` its present rate (W, m3/h), None where a device has
    none; both are multiplied by `factor` (a CT ratio not set in the meter, -1 for a clamp that is turned).
    `export_quantity` is a total of what goes the other way; it is subtracted where the device has readings of it.
    """

    device: str
    point: str
    amount_quantity: str
    rate_quantity: str | None = None
    export_quantity: str | None = None
    from_ms: int | None = None
    to_ms: int | None = None
    factor: float = 1.0

    def covers(self, time_ms: int) -> bool:
        """Whether the device measured the point at that time."""
        return (self.from_ms is None or self.from_ms <= time_ms) and (self.to_ms is None or time_ms < self.to_ms)


def counted_rate(role: Role, rate: float) -> float:
    """A present rate as sums want it: of own generation positive, though a meter calls what it feeds in negative."""
    return abs(rate) if role is Role.GENERATION else rate


def site_use(points: Iterable[Point], resource: Resource, by_point: Mapping[str, float]) -> float | None:
    """What the site uses of a resource: mains plus generation less charging, never the sum of all meters.

    `by_point` holds amounts or rates: of a main positive when taken from the supplier (negative: exported), of
    generation positive when it produces, of storage positive when it charges. None when there is no main and no
    generation, or when one of them has no value: a sum with a hole is no answer.
    """
    sign = {Role.MAIN: 1.0, Role.GENERATION: 1.0, Role.STORAGE: -1.0}
    counted = [point for point in points if point.resource is resource and point.role in sign]
    if not any(point.role is not Role.STORAGE for point in counted):
        return None
    if any(point.id not in by_point for point in counted):
        return None
    return sum(sign[point.role] * by_point[point.id] for point in counted)


def unmetered(points: Iterable[Point], parent: str, use: float, by_point: Mapping[str, float]) -> float | None:
    """What a parent uses beyond its parts. `use` is the parent's own amount or rate, for the main the site's use.

    None when a part has no value.
    """
    parts = [point for point in points if point.parent == parent and point.role is Role.PART]
    if not parts or any(part.id not in by_point for part in parts):
        return None
    return use - sum(by_point[part.id] for part in parts)

"""What people call the things of a site."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class SiteNames:
    """A site's slug, name and clock; `points` are names by id, `measured` the names of what each device measures."""

    site: str
    name: str
    time_zone: ZoneInfo
    points: Mapping[str, str] = field(default_factory=dict)
    measured: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def device(self, device: str) -> str:
        """A device with what it measures: "oven-meter (Oven 1)"."""
        points = self.measured.get(device, ())
        return f"{device} ({', '.join(points)})" if points else device

    def point(self, point: str) -> str:
        """A point as people call it."""
        return self.points.get(point, point)

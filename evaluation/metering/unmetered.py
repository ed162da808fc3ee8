"""The series *unmetered*: what a parent measures beyond its parts. Pure."""

from collections.abc import Mapping, Sequence

from evaluation.metering.intervals import weakest
from site_config.points import Point, Role, site_use, unmetered
from store.protocol import IntervalRow

# A dot is in no slug, so that the id of this series can never be that of a point.
SUFFIX = ".unmetered"
_SUPPLY = frozenset({Role.MAIN, Role.GENERATION, Role.STORAGE})


def unmetered_id(parent: str) -> str:
    """The id under which intervals and days of what is unmetered below a point are stored."""
    return parent + SUFFIX


class UnmeteredSeries:
    """What is unmetered below each parent of one site, for many intervals.

    Left out where the parent or a part has no row: a difference with a hole is no answer. Coverage and quality are
    those of the weakest row in it. What a main has beyond its parts is counted from the site's use of the resource, so
    that own generation does not look like a part.

    Args:
        site: its id.
        points: all its points.
    """

    def __init__(self, site: str, points: Sequence[Point]) -> None:
        self._site = site
        self._parents: list[tuple[Point, list[Point], list[Point]]] = []
        for parent in points:
            parts = [point for point in points if point.parent == parent.id and point.role is Role.PART]
            if parts:
                self._parents.append((parent, parts, _supply(points, parent)))

    def rows(self, start_ms: int, rows: Mapping[str, IntervalRow]) -> list[IntervalRow]:
        """The rows of one interval out of its points' rows (by point id)."""
        found = []
        for parent, parts, supply in self._parents:
            used = {point.id: rows[point.id] for point in (parent, *parts, *supply) if point.id in rows}
            amount = _beyond_parts(parent, parts, supply, {name: row.amount for name, row in used.items()})
            if amount is None:
                continue
            demands = {name: row.demand for name, row in used.items() if row.demand is not None}
            found.append(
                IntervalRow(
                    site=self._site,
                    point=unmetered_id(parent.id),
                    start_ms=start_ms,
                    amount=amount,
                    demand=_beyond_parts(parent, parts, supply, demands),
                    coverage=min(row.coverage for row in used.values()),
                    quality=weakest({row.quality for row in used.values()}),
                    resource=parent.resource.value,
                )
            )
        return found


def _supply(points: Sequence[Point], parent: Point) -> list[Point]:
    """What the site's use is made of, where the parent is its resource's only main; else nothing.

    With several mains nobody knows on which of them the own generation feeds in.
    """
    mains = [point for point in points if point.role is Role.MAIN and point.resource is parent.resource]
    if mains != [parent]:
        return []
    return [point for point in points if point.resource is parent.resource and point.role in _SUPPLY]


def _beyond_parts(
    parent: Point, parts: Sequence[Point], supply: Sequence[Point], values: Mapping[str, float]
) -> float | None:
    use = site_use(supply, parent.resource, values) if supply else values.get(parent.id)
    return None if use is None else unmetered(parts, parent.id, use, values)

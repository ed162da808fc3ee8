"""The series *unmetered*: what a parent measures beyond its parts. Pure."""

from collections.abc import Mapping, Sequence

from evaluation.intervals import weakest
from site_config.points import Point, Role, site_use, unmetered
from store.protocol import IntervalRow

# A dot is in no slug, so that the id of this series can never be that of a point.
SUFFIX = ".unmetered"


def unmetered_id(parent: str) -> str:
    """The id under which intervals and days of what is unmetered below a point are stored."""
    return parent + SUFFIX


def unmetered_rows(
    site: str, points: Sequence[Point], start_ms: int, rows: Mapping[str, IntervalRow]
) -> list[IntervalRow]:
    """What is unmetered below each parent in one interval; `rows` has the interval of each point by its id.

    Left out where the parent or a part has no row: a difference with a hole is no answer. Coverage and quality are
    those of the weakest row in it. What a main has beyond its parts is counted from the site's use of the resource, so
    that own generation does not look like a part.
    """
    parents = {point.parent for point in points if point.parent is not None and point.role is Role.PART}
    amounts = {name: row.amount for name, row in rows.items()}
    demands = {name: row.demand for name, row in rows.items() if row.demand is not None}
    found = []
    for parent in points:
        if parent.id not in parents:
            continue
        amount = _beyond_parts(points, parent, amounts)
        if amount is None:
            continue
        used = [rows[name] for name in _series_of(points, parent) if name in rows]
        found.append(
            IntervalRow(
                site=site,
                point=unmetered_id(parent.id),
                start_ms=start_ms,
                amount=amount,
                demand=_beyond_parts(points, parent, demands),
                coverage=min(row.coverage for row in used),
                quality=weakest({row.quality for row in used}),
                resource=parent.resource.value,
            )
        )
    return found


def _beyond_parts(points: Sequence[Point], parent: Point, values: Mapping[str, float]) -> float | None:
    use = site_use(points, parent.resource, values) if _is_only_main(points, parent) else values.get(parent.id)
    return None if use is None else unmetered(points, parent.id, use, values)


def _is_only_main(points: Sequence[Point], parent: Point) -> bool:
    # With several mains nobody knows on which of them the own generation feeds in.
    mains = [point for point in points if point.role is Role.MAIN and point.resource is parent.resource]
    return mains == [parent]


def _series_of(points: Sequence[Point], parent: Point) -> list[str]:
    counted = [parent.id, *(point.id for point in points if point.parent == parent.id and point.role is Role.PART)]
    if _is_only_main(points, parent):
        supply = {Role.MAIN, Role.GENERATION, Role.STORAGE}
        counted += [point.id for point in points if point.resource is parent.resource and point.role in supply]
    return counted

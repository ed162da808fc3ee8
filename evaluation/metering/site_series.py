"""What the whole site uses of each resource, as series of their own: `site.electricity`, `site.water`, `site.energy`.

Pure. Each row is a sum over points, and is left out where one of them has no row: a sum with a hole is no answer.
Coverage and quality are those of the weakest row in it.
"""

from collections.abc import Iterable, Mapping, Sequence

from evaluation.metering.intervals import weakest
from site_config.points import Assignment, Point, Resource, Role
from store.protocol import IntervalRow
from store.schema import ENERGY, RESOURCES_OF_DAYS, SITE_SERIES
from wire_format.quantities import QUANTITIES

_OF_MANY_KINDS = frozenset({Resource.PRODUCT, Resource.MATERIAL, Resource.WASTE})
_CARRIERS = frozenset({Resource.ELECTRICITY, Resource.FUEL, Resource.HEAT})
_SUPPLY = frozenset({Role.MAIN, Role.GENERATION, Role.STORAGE})
# What counts for the site where it is not mains plus generation less charging.
_COUNTED = {Resource.PRODUCT: Role.OUTPUT, Resource.WASTE: Role.WASTE}


def site_series(resource: str) -> str:
    """The id under which the site's use of a resource is stored."""
    return SITE_SERIES + resource


def site_resource(series: str) -> str | None:
    """The resource of a site's series; None for any other."""
    for resource in (*[entry.value for entry in Resource], ENERGY, *RESOURCES_OF_DAYS):
        if series == site_series(resource):
            return resource
    return None


class SiteSums:
    """The sums of one site, for many intervals.

    Fuels are counted in kWh, by the calorific value of each fuel's main; without one, neither `site.fuel` nor
    `site.energy` can be said. `site.energy` is what enters the site: electricity, fuels and heat from their mains, and
    own generation, except that of generators in `fuelled`, whose fuel is counted already.

    Args:
        points: the site's.
        fuelled: generators whose fuel is measured.
    """

    def __init__(self, points: Sequence[Point], fuelled: frozenset[str] = frozenset()) -> None:
        names = [*(resource.value for resource in Resource), ENERGY]
        self._counted = {
            name: counted_points(points, name, fuelled if name == ENERGY else frozenset()) for name in names
        }

    def rows(self, rows: Mapping[str, IntervalRow], kwh_a_unit: Mapping[str, float]) -> list[IntervalRow]:
        """The site's rows of one interval out of its points' rows (by point id)."""
        found = (_sum(counted, rows, kwh_a_unit, name) for name, counted in self._counted.items() if counted)
        return [row for row in found if row is not None]


def counted_points(points: Sequence[Point], resource: str, fuelled: frozenset[str] = frozenset()) -> list[Point]:
    """The points whose sum is the site's use of a resource."""
    if resource == ENERGY:
        return [point for point in points if point.resource in _CARRIERS and _counts(point) and point.id not in fuelled]
    return [point for point in points if point.resource.value == resource and _counts(point)]


def main_points(points: Iterable[Point], resource: Resource) -> tuple[str, ...]:
    """The points through which a resource enters the site."""
    return tuple(point.id for point in points if point.role is Role.MAIN and point.resource is resource)


def addable(points: Sequence[Point], assignments: Sequence[Assignment]) -> tuple[Point, ...]:
    """The points without those of a resource that is counted in several units: pieces and kg have no sum.

    Fuels have: each has its calorific value.
    """
    units: dict[Resource, set[str]] = {}
    by_id = {point.id: point for point in points}
    for entry in assignments:
        point = by_id.get(entry.point)
        if point is not None and _counts(point):
            quantity = QUANTITIES.get(entry.amount_quantity)
            units.setdefault(point.resource, set()).add("" if quantity is None else quantity.unit)
    mixed = {resource for resource, found in units.items() if resource in _OF_MANY_KINDS and len(found) > 1}
    return tuple(point for point in points if point.resource not in mixed)


def _sum(
    counted: Sequence[Point], rows: Mapping[str, IntervalRow], kwh_a_unit: Mapping[str, float], resource: str
) -> IntervalRow | None:
    if any(point.resource is Resource.FUEL and point.id not in kwh_a_unit for point in counted):
        return None
    if any(point.id not in rows for point in counted) or all(point.role is Role.STORAGE for point in counted):
        return None
    used = [rows[point.id] for point in counted]
    amount, demand = 0.0, 0.0
    for point, row in zip(counted, used, strict=True):
        factor = kwh_a_unit[point.id] if point.resource is Resource.FUEL else 1.0
        if point.role is Role.STORAGE:
            factor = -factor
        amount += row.amount * factor
        demand += (row.demand or 0.0) * factor
    return IntervalRow(
        site=used[0].site,
        point=site_series(resource),
        start_ms=used[0].start_ms,
        amount=amount,
        demand=None if any(row.demand is None for row in used) else demand,
        coverage=min(row.coverage for row in used),
        quality=weakest({row.quality for row in used}),
        resource=resource,
    )


def _counts(point: Point) -> bool:
    role = _COUNTED.get(point.resource)
    return point.role in _SUPPLY if role is None else point.role is role

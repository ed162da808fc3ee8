"""Materials wasted, and where waste went, as days of a site: what no sum of intervals can say. Pure."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from baselines.materials import Destination, Flow, Stream, losses_cost, wasted_kg
from evaluation.accounting.day_money import valid_on
from evaluation.metering.intervals import weakest
from evaluation.metering.site_series import counted_points, site_series
from evaluation.plan.plan_file import PlanFile
from evaluation.plan.plan_materials import WasteDestinationSettings
from site_config.points import Assignment, Point, Resource, Role
from store.protocol import IntervalRow
from store.schema import (
    MATERIALS_WASTED,
    WASTE_DISPOSED,
    WASTE_RECOVERED,
    WASTE_RECYCLED,
    WASTE_REUSED,
)
from wire_format.quantities import QUANTITIES

KILOGRAM = "kg"

Days = Mapping[str, IntervalRow]
"""A day's rows by point."""


@dataclass(frozen=True, slots=True)
class BalancedPoints:
    """Points whose streams belong together: a production line, or what a plan names."""

    id: str
    inputs: tuple[str, ...]
    products: tuple[str, ...]
    wastes: tuple[str, ...]

    @property
    def points(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.inputs, *self.products, *self.wastes)


class MaterialDays:
    """Balances of one site.

    Args:
        points: the site's.
        assignments: they tell what is weighed and what is counted.
        plan: balances, masses of pieces, prices, where waste goes; None without one.
    """

    def __init__(self, points: Sequence[Point], assignments: Sequence[Assignment], plan: PlanFile | None) -> None:
        self._plan = plan
        self._weighed = _weighed(assignments)
        self._wastes = tuple(point.id for point in counted_points(points, Resource.WASTE.value))
        self.balances = _declared(plan) or _by_line(points, self._weighed)
        self.points = frozenset({*self._wastes, *(name for each in self.balances for name in each.points)})

    def rows(self, days: Days, local: date) -> list[IntervalRow]:
        """The rows of a day; one that lacks a point's day, a mass or a destination is left out."""
        return [*self._wasted(days, local), *self._destinations(days, local)]

    def _wasted(self, days: Days, local: date) -> list[IntervalRow]:
        found = [self._of_balance(each, days, local) for each in self.balances]
        known = [row for row in found if row is not None]
        if not known or len(known) < len(found):
            return known
        costs = [row.cost for row in known]
        whole = _made_of(
            known,
            site_series(MATERIALS_WASTED),
            MATERIALS_WASTED,
            math.fsum(row.amount for row in known),
            None if None in costs else math.fsum(cost or 0.0 for cost in costs),
        )
        return [*known, whole]

    def streams(self, days: Days, local: date) -> list[Stream] | None:
        """The streams of all balances, priced, waste by its destinations; None where one of them is not known.

        What the plan has no price or no destination for has none.
        """
        found: list[Stream] = []
        for balance in self.balances:
            streams = self._of_points(balance, days, local)
            if len(streams) < len(balance.points):
                return None
            prices = self._prices(balance.points, local)
            for each in streams:
                priced = replace(each, cost=each.mass_kg * prices[each.name]) if each.name in prices else each
                found += self._parted(priced, local) if each.flow == "waste" else [priced]
        return found

    def _parted(self, waste: Stream, local: date) -> list[Stream]:
        entry = self._destination(waste.name, local)
        if entry is None:
            return [waste]
        return [
            replace(
                waste,
                mass_kg=waste.mass_kg * share,
                cost=None if waste.cost is None else waste.cost * share,
                destination=destination,
            )
            for destination, share in entry.shares.items()
            if share
        ]

    def _of_points(self, balance: BalancedPoints, days: Days, local: date) -> list[Stream]:
        """The streams of a balance whose mass is known."""
        flows: tuple[tuple[Flow, tuple[str, ...]], ...] = (
            ("input", balance.inputs), ("product", balance.products), ("waste", balance.wastes)
        )  # fmt: skip
        return [
            Stream(name, flow, kg)
            for flow, names in flows
            for name in names
            if (kg := self._kg(name, days, local)) is not None
        ]

    def _of_balance(self, balance: BalancedPoints, days: Days, local: date) -> IntervalRow | None:
        streams = self._of_points(balance, days, local)
        used = [days[stream.name] for stream in streams if stream.flow != "waste"]
        if len(used) < len(balance.inputs) + len(balance.products):
            return None
        # Without its waste what was wasted is known, and what it cost is not.
        whole = len(streams) == len(balance.points)
        cost = losses_cost(streams, self._prices(balance.points, local)) if whole else None
        return _made_of(used, f"{balance.id}.{MATERIALS_WASTED}", MATERIALS_WASTED, wasted_kg(streams), cost)

    def _kg(self, point: str, days: Days, local: date) -> float | None:
        kg_a_unit = self._kg_a_unit(point, local)
        return None if kg_a_unit is None or point not in days else days[point].amount * kg_a_unit

    def _kg_a_unit(self, point: str, local: date) -> float | None:
        masses = () if self._plan is None else self._plan.piece_masses
        found = valid_on(local, [each for each in masses if each.point == point])
        if found is not None:
            return found.kg_a_piece
        return 1.0 if point in self._weighed else None

    def _prices(self, points: Iterable[str], local: date) -> dict[str, float]:
        prices = () if self._plan is None else self._plan.prices
        found = {name: valid_on(local, [each for each in prices if each.point == name]) for name in points}
        return {name: float(each.price) for name, each in found.items() if each is not None}

    def _destination(self, point: str, local: date) -> WasteDestinationSettings | None:
        entries = () if self._plan is None else self._plan.waste_destinations
        return valid_on(local, [each for each in entries if each.point == point])

    def _destinations(self, days: Days, local: date) -> list[IntervalRow]:
        found = [self._destination(name, local) for name in self._wastes]
        known = [each.shares for each in found if each is not None]
        weighed = all(name in days and name in self._weighed for name in self._wastes)
        if not known or len(known) < len(found) or not weighed:
            return []
        used = [days[name] for name in self._wastes]
        return [
            _made_of(
                used,
                site_series(resource),
                resource,
                math.fsum(row.amount * shares[destination] for row, shares in zip(used, known, strict=True)),
            )
            for resource, destination in _DESTINATIONS.items()
        ]


_DESTINATIONS: Mapping[str, Destination] = {
    WASTE_REUSED: "reused",
    WASTE_RECYCLED: "recycled",
    WASTE_RECOVERED: "recovered",
    WASTE_DISPOSED: "disposed",
}


def _weighed(assignments: Sequence[Assignment]) -> frozenset[str]:
    """The points of which each device counts kg."""
    units: dict[str, set[str]] = {}
    for entry in assignments:
        quantity = QUANTITIES.get(entry.amount_quantity)
        units.setdefault(entry.point, set()).add("" if quantity is None else quantity.unit)
    return frozenset(point for point, found in units.items() if found == {KILOGRAM})


def _declared(plan: PlanFile | None) -> tuple[BalancedPoints, ...]:
    entries = () if plan is None else plan.material_balances
    return tuple(BalancedPoints(each.id, each.inputs, each.products, each.wastes) for each in entries)


def _by_line(points: Sequence[Point], weighed: frozenset[str]) -> tuple[BalancedPoints, ...]:
    """A balance for each line on which material and product are weighed; points without a line are on one together."""
    lines: dict[str | None, dict[Resource, list[str]]] = {}
    for point in points:
        # Parts are in their parent's amount already.
        if point.id in weighed and point.parent is None and point.role is _ROLES.get(point.resource, point.role):
            lines.setdefault(point.line, {}).setdefault(point.resource, []).append(point.id)
    return tuple(
        BalancedPoints(
            line or "all",
            tuple(found[Resource.MATERIAL]),
            tuple(found[Resource.PRODUCT]),
            tuple(found.get(Resource.WASTE, ())),
        )
        for line, found in lines.items()
        if Resource.MATERIAL in found and Resource.PRODUCT in found
    )


_ROLES = {Resource.PRODUCT: Role.OUTPUT, Resource.WASTE: Role.WASTE}
"""What leaves has a role; material has any."""


def _made_of(
    used: Sequence[IntervalRow], point: str, resource: str, amount: float, cost: float | None = None
) -> IntervalRow:
    """A day made of others: as well known as the weakest of them."""
    coverage, quality = min(row.coverage for row in used), weakest({row.quality for row in used})
    day = used[0]
    return IntervalRow(
        day.site, point, day.start_ms, amount, None, coverage, quality, resource, month=day.month, cost=cost
    )

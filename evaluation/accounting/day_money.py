"""What a day's use costs and emits, by series. Pure.

A part is priced at what the site pays a unit by the tariff that holds on the day; what own generation gives costs
nothing. Standing and demand charges are not in it: what is saved does not change them, so the worth of a saving is of
the energy alone. They stand in the bill's own series (`evaluation.accounting.bill_days`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from baselines.billing import period_of, versions_in
from baselines.emissions import Method
from baselines.energy_price import has_blocks, price_intervals
from baselines.errors import BaselineError
from baselines.generation import avoided_kg_a_kwh
from baselines.tariff import Tariff
from evaluation.metering.site_series import counted_points, main_points
from evaluation.metering.unmetered import SUFFIX
from evaluation.plan.plan_file import EmissionSettings, PlanFile, PriceSettings
from evaluation.plan.plan_materials import PieceMassSettings, WasteDestinationSettings
from site_config.points import Point, Resource, Role
from store.protocol import IntervalRow

_OfPoint = Callable[[Point, Mapping[int, IntervalRow]], float | None]
Dated = TypeVar("Dated", PriceSettings, EmissionSettings, PieceMassSettings, WasteDestinationSettings)

LOCATION: Method = "location"
MARKET: Method = "market"


@dataclass(frozen=True, slots=True)
class Money:
    """What a series of a day costs, and emits in kg CO2e by the grid's mean and by the contract; None: not known."""

    cost: float | None = None
    co2e: float | None = None
    co2e_market: float | None = None


class DayMoney:
    """Costs and emissions of one site-local day.

    Args:
        plan: prices and factors.
        tariffs: electricity's.
        points: the site's.
        day: whose prices hold.
        zone: the site's clock.
    """

    def __init__(
        self, plan: PlanFile, tariffs: Sequence[Tariff], points: Sequence[Point], day: date, zone: ZoneInfo
    ) -> None:
        self._plan = plan
        period = period_of(day, 1 if plan.tariff is None else plan.tariff.billing_day)
        self._version = next(
            (version for version in versions_in(tariffs, period) if version.first <= day < version.after), None
        )
        self._held = 1.0 if self._version is None else float(self._version.share(period, day).held)
        self._points = {point.id: point for point in points}
        self._day = day
        self._zone = zone
        self._fuelled = frozenset(generator.point for generator in plan.generators)
        self._prices: dict[int, float] = {}

    @property
    def blocks_since(self) -> date | None:
        """The day from which on it matters what was bought, as blocks fill; None where none do."""
        version = self._version
        return None if version is None or not has_blocks(version.tariff) else version.first

    @property
    def blocks_until(self) -> date | None:
        """The day before which prices depend on what is bought on this one; None where none do."""
        return None if self._version is None or self.blocks_since is None else self._version.after

    @property
    def mains(self) -> tuple[str, ...]:
        """The points of bought electricity."""
        return main_points(self._points.values(), Resource.ELECTRICITY)

    def bought(self, rows: Mapping[int, Mapping[str, IntervalRow]]) -> list[tuple[datetime, float]]:
        """Local start and kWh bought of intervals (rows by start and point), ascending."""
        mains = self.mains
        return [
            (
                datetime.fromtimestamp(start / 1000, self._zone),
                sum(max(rows[start][name].amount, 0.0) for name in mains if name in rows[start]),
            )
            for start in sorted(rows)
        ]

    def price_day(
        self, rows: Mapping[int, Mapping[str, IntervalRow]], earlier: Sequence[tuple[datetime, float]]
    ) -> None:
        """Fix the electricity price of each interval; `earlier` is what was bought since `blocks_since`."""
        if self._version is None:
            return
        tariff = self._version.tariff
        try:
            before = price_intervals(tariff, *_columns(earlier), {}, self._held).used_kwh
            priced = price_intervals(tariff, *_columns(self.bought(rows)), before, self._held)
        except BaselineError:
            # `leanmeter plan check` names what the tariff lacks.
            return
        self._prices = dict(zip(sorted(rows), priced.prices, strict=True))

    def cost(self, series: str, rows: Sequence[IntervalRow]) -> float | None:
        """What the intervals of a series cost; None where a price is not known."""
        return self._sum(series, {row.start_ms: row for row in rows}, self._cost_of_point)

    def co2e_kg(self, series: str, rows: Sequence[IntervalRow], method: Method = LOCATION) -> float | None:
        """What they emit in kg CO2e; None where a factor is not known.

        Own generation emits by a factor of its own, where its fuel is not counted. By the market what has no factor of
        the contract has the grid's, the last in the order of the GHG Protocol's Scope 2 Guidance (2015, table 6.3);
        without any factor of a contract in the plan nothing is said.
        """
        if method == MARKET and all(each.method != MARKET for each in self._plan.emission_factors):
            return None
        return self._sum(
            series, {row.start_ms: row for row in rows}, lambda point, mine: self._co2e_of_point(point, mine, method)
        )

    def of_series(self, series: str, rows: Sequence[IntervalRow]) -> Money:
        """All of it."""
        return Money(self.cost(series, rows), self.co2e_kg(series, rows), self.co2e_kg(series, rows, MARKET))

    def avoided_kg_a_kwh(self) -> dict[str, float]:
        """What a kWh of each own generation keeps out of the grid in kg CO2e, by point.

        Known of points that have a factor of their own (0 of what burns nothing). What emits more than the grid avoids
        nothing, and nothing is said of a generator whose fuel is counted.
        """
        of_grid = [self._factor(self._points[main], LOCATION) for main in self.mains]
        grid = next((factor for factor in of_grid if factor is not None), None)
        if grid is None:
            return {}
        generators = [point for point in self._points.values() if point.role is Role.GENERATION]
        own = {point.id: self._own_factor(point, LOCATION) for point in generators}
        return {name: max(avoided_kg_a_kwh(grid, factor), 0.0) for name, factor in own.items() if factor is not None}

    def of_site(self, resource: str, by_point: Mapping[str, Money]) -> Money:
        """The same of a site's series out of its points'."""
        return Money(
            self._of_site(resource, {name: money.cost for name, money in by_point.items()}),
            self._of_site(resource, {name: money.co2e for name, money in by_point.items()}),
            self._of_site(resource, {name: money.co2e_market for name, money in by_point.items()}),
        )

    def _of_site(self, resource: str, by_point: Mapping[str, float | None]) -> float | None:
        counted = counted_points(list(self._points.values()), resource, self._fuelled)
        found = [
            by_point.get(point.id)
            for point in counted
            if point.role not in {Role.GENERATION, Role.STORAGE} or by_point.get(point.id) is not None
        ]
        known = [value for value in found if value is not None]
        return sum(known) if known and len(known) == len(found) else None

    def _sum(self, series: str, rows: Mapping[int, IntervalRow], of_point: _OfPoint) -> float | None:
        point = self._points.get(series.removesuffix(SUFFIX))
        if point is None or point.role is Role.STORAGE or not rows:
            return None
        return of_point(point, rows)

    def _cost_of_point(self, point: Point, rows: Mapping[int, IntervalRow]) -> float | None:
        if point.role is Role.GENERATION:
            return None
        if point.resource is Resource.ELECTRICITY:
            if not self._prices:
                return None
            own = point.role is Role.MAIN
            return sum(
                (max(row.amount, 0.0) if own else row.amount) * self._prices.get(start, 0.0)
                for start, row in rows.items()
            )
        price = self._price(point)
        return None if price is None else price * sum(row.amount for row in rows.values())

    def _price(self, point: Point) -> float | None:
        found = valid_on(self._day, [each for each in self._plan.prices if each.point == point.id])
        if found is not None:
            return float(found.price)
        parent = self._points.get(point.parent or "")
        return None if parent is None else self._price(parent)

    def _co2e_of_point(self, point: Point, rows: Mapping[int, IntervalRow], method: Method) -> float | None:
        factor = self._own_factor(point, method) if point.role is Role.GENERATION else self._factor(point, method)
        if factor is None:
            return None
        net = sum(row.amount for row in rows.values())
        is_supply = point.role is Role.MAIN and point.resource is Resource.ELECTRICITY
        return factor * (sum(max(row.amount, 0.0) for row in rows.values()) if is_supply else net)

    def _factor(self, point: Point, method: Method) -> float | None:
        for name in (point.id, point.resource.value):
            found = self._factor_of(name, method)
            if found is not None:
                return found
        parent = self._points.get(point.parent or "")
        return None if parent is None else self._factor(parent, method)

    def _own_factor(self, point: Point, method: Method) -> float | None:
        return None if point.id in self._fuelled else self._factor_of(point.id, method)

    def _factor_of(self, name: str, method: Method) -> float | None:
        mine = [each for each in self._plan.emission_factors if each.of == name]
        found = valid_on(self._day, [each for each in mine if each.method in {None, method}])
        if found is None and method == MARKET:
            found = valid_on(self._day, [each for each in mine if each.method == LOCATION])
        return None if found is None else found.kg_a_unit


def _columns(rows: Sequence[tuple[datetime, float]]) -> tuple[list[datetime], list[float]]:
    return [start for start, _ in rows], [amount for _, amount in rows]


def valid_on(day: date, entries: Sequence[Dated]) -> Dated | None:
    """The entry that holds on a day: of several the one that began last."""
    holding = [each for each in entries if each.first <= day and (each.last is None or day < each.last)]
    return max(holding, key=lambda each: each.first, default=None)

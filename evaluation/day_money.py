"""What a day's use costs and emits, by series. Pure.

A part is priced at what the site pays a unit; what own generation gives costs nothing. Standing and demand charges are
in no day: they belong to a month's bill as a whole.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from baselines.emissions import Method
from baselines.energy_price import month_of_tariff, price_intervals
from baselines.errors import BaselineError
from baselines.tariff import Tariff
from evaluation.plan_file import EmissionSettings, PlanFile, PriceSettings
from evaluation.site_series import counted_points
from evaluation.unmetered import SUFFIX
from site_config.points import Point, Resource, Role
from store.protocol import IntervalRow

_OfPoint = Callable[[Point, Mapping[int, IntervalRow]], float | None]
Dated = TypeVar("Dated", PriceSettings, EmissionSettings)

METHOD: Method = "location"
"""The way of counting bought electricity that stands in the store; the market-based one is in reports."""


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
        self._tariff = month_of_tariff(tariffs, day)
        self._points = {point.id: point for point in points}
        self._day = day
        self._zone = zone
        self._fuelled = frozenset(generator.point for generator in plan.generators)
        self._prices: dict[int, float] = {}

    @property
    def tariff(self) -> Tariff | None:
        """The electricity tariff that holds."""
        return self._tariff

    @property
    def mains(self) -> list[str]:
        """The points of bought electricity."""
        return [
            point.id
            for point in self._points.values()
            if point.role is Role.MAIN and point.resource is Resource.ELECTRICITY
        ]

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
        """Fix the electricity price of each interval; `earlier` is what was bought in the month before the day."""
        if self._tariff is None:
            return
        try:
            before = price_intervals(self._tariff, *_columns(earlier), {}).used_kwh
            priced = price_intervals(self._tariff, *_columns(self.bought(rows)), before)
        except BaselineError:
            # `leanmeter plan check` names what the tariff lacks.
            return
        self._prices = dict(zip(sorted(rows), priced.prices, strict=True))

    def cost(self, series: str, rows: Sequence[IntervalRow]) -> float | None:
        """What the intervals of a series cost; None where a price is not known."""
        return self._sum(series, {row.start_ms: row for row in rows}, self._cost_of_point)

    def co2e_kg(self, series: str, rows: Sequence[IntervalRow]) -> float | None:
        """What they emit in kg CO2e, location-based; None where a factor is not known."""
        return self._sum(series, {row.start_ms: row for row in rows}, self._co2e_of_point)

    def of_site(self, resource: str, by_point: Mapping[str, float | None]) -> float | None:
        """The cost, or the emissions, of a site's series out of those of its points."""
        counted = counted_points(list(self._points.values()), resource, self._fuelled)
        paid = [point.id for point in counted if point.role not in {Role.GENERATION, Role.STORAGE}]
        found = [by_point.get(name) for name in paid]
        known = [value for value in found if value is not None]
        return sum(known) if known and len(known) == len(found) else None

    def _sum(self, series: str, rows: Mapping[int, IntervalRow], of_point: _OfPoint) -> float | None:
        point = self._points.get(series.removesuffix(SUFFIX))
        if point is None or point.role in {Role.GENERATION, Role.STORAGE} or not rows:
            return None
        return of_point(point, rows)

    def _cost_of_point(self, point: Point, rows: Mapping[int, IntervalRow]) -> float | None:
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
        found = _valid(self._day, [each for each in self._plan.prices if each.point == point.id])
        if found is not None:
            return float(found.price)
        parent = self._points.get(point.parent or "")
        return None if parent is None else self._price(parent)

    def _co2e_of_point(self, point: Point, rows: Mapping[int, IntervalRow]) -> float | None:
        factor = self._factor(point)
        if factor is None:
            return None
        net = sum(row.amount for row in rows.values())
        is_supply = point.role is Role.MAIN and point.resource is Resource.ELECTRICITY
        return factor * (sum(max(row.amount, 0.0) for row in rows.values()) if is_supply else net)

    def _factor(self, point: Point) -> float | None:
        usable = [each for each in self._plan.emission_factors if each.method in {None, METHOD}]
        for name in (point.id, point.resource.value):
            found = _valid(self._day, [each for each in usable if each.of == name])
            if found is not None:
                return found.kg_a_unit
        parent = self._points.get(point.parent or "")
        return None if parent is None else self._factor(parent)


def _columns(rows: Sequence[tuple[datetime, float]]) -> tuple[list[datetime], list[float]]:
    return [start for start, _ in rows], [amount for _, amount in rows]


def _valid(day: date, entries: Sequence[Dated]) -> Dated | None:
    """The entry that holds on a day: of several the one that began last."""
    holding = [each for each in entries if each.first <= day and (each.last is None or day < each.last)]
    return max(holding, key=lambda each: each.first, default=None)

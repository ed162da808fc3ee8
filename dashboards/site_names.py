"""Which points and meters of its sites a dashboard speaks of: InfluxDB knows their resource, but not what they are."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SupplyMeter:
    """A meter of the site's supply: of a main, of own generation, of storage.

    Its present power in W is `power_quantity` times `factor`, which is negative for storage: what charges it is not
    used yet. A meter that `generates` gives the same whether it calls that power positive, as inverters do, or
    negative, as meters do.
    """

    device: str
    power_quantity: str = "active_power_total"
    factor: float = 1.0
    generates: bool = False


@dataclass(frozen=True, slots=True)
class PowerLevel:
    """Meters of electricity at one depth of the points' tree, with people's names that say below what each stands.

    What `generates` is shown as a positive power, however its meter calls it.
    """

    meters: Mapping[str, str]
    generates: bool = False


@dataclass(frozen=True, slots=True)
class Share:
    """Points of the same production lines, so that one can be held against the other: waste of what came in."""

    part: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is anything to compare."""
        return bool(self.part and self.whole)


@dataclass(frozen=True, slots=True)
class SiteNames:
    """Ids of the sites' points by what they measure; a panel is left out where no site has anything to show in it.

    One set of dashboards serves several sites: the lists then hold the points of all of them.

    Args:
        site: the site that is shown first.
        name: for the dashboards' titles.
        time_zone: an IANA name, or `browser` for that of whoever looks.
        points: of each resource, what is unmetered below them included.
        supply_meters: whose powers add up to the site's use; of several sites those that a site has.
        power_tree: the meters of electricity, what supplies the site first, then level by level what it feeds.
        main_meters: devices at the mains of electricity, for voltages and power factor.
        main_points: mains of electricity.
        supply_points: mains and generation of electricity.
        generation_points: own generation of electricity.
        fuel_points: mains of fuels.
        material_points: what comes in, each weighed once.
        product_points: outputs that are weighed, in kg.
        piece_points: outputs that are counted.
        waste_points: what leaves as waste, in kg.
        product_of_material: weighed product, and the material of the same lines.
        waste_of_material: waste, and the material of the same lines.
        waste_of_product: waste, and the weighed product of the same lines.
        accounted_for: product and waste of lines on which material, product and waste are weighed, and their material.
        lines: the points of each production line, by its id; of electricity those that are parts of another.
        display_names: for people, by point; what several sites call differently has the names of all.
        meter_names: what each device measures, for people, by resource and device; likewise.
        site_names: for people, by site.
        currencies: of the plans that are known, by site; money of sites with other currencies is never added.
    """

    site: str
    name: str
    time_zone: str = "browser"
    points: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    supply_meters: tuple[SupplyMeter, ...] = ()
    power_tree: tuple[PowerLevel, ...] = ()
    main_meters: tuple[str, ...] = ()
    main_points: tuple[str, ...] = ()
    supply_points: tuple[str, ...] = ()
    generation_points: tuple[str, ...] = ()
    fuel_points: tuple[str, ...] = ()
    material_points: tuple[str, ...] = ()
    product_points: tuple[str, ...] = ()
    piece_points: tuple[str, ...] = ()
    waste_points: tuple[str, ...] = ()
    product_of_material: Share = Share()
    waste_of_material: Share = Share()
    waste_of_product: Share = Share()
    accounted_for: Share = Share()
    lines: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    display_names: Mapping[str, str] = field(default_factory=dict)
    meter_names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    site_names: Mapping[str, str] = field(default_factory=dict)
    currencies: Mapping[str, str] = field(default_factory=dict)

    @property
    def currency(self) -> str | None:
        """That of all sites; None where they differ or one is not known."""
        found = {self.currencies.get(site) for site in self.site_names}
        return found.pop() if len(found) == 1 else None

    def priced(self, title: str) -> str:
        """A title with the currency of all sites behind it, where they have one."""
        return title if self.currency is None else f"{title}, {self.currency}"

    def on_lines(self, *resources: str) -> Mapping[str, tuple[str, ...]]:
        """The points of each production line that measure one of these resources; lines that have none are left out."""
        wanted = {point for resource in resources for point in self.points.get(resource, ())}
        found = {line: tuple(point for point in ids if point in wanted) for line, ids in self.lines.items()}
        return {line: ids for line, ids in found.items() if ids}

    def called(self, *resources: str) -> Mapping[str, str]:
        """People's names of the points that measure one of these resources."""
        ids = [point for resource in resources for point in self.points.get(resource, ())]
        return {point: self.display_names[point] for point in ids if point in self.display_names}

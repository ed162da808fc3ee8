"""Which points and meters of its sites a dashboard speaks of: InfluxDB knows their resource, but not what they are."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SupplyMeter:
    """A meter of the site's supply: of a main, of own generation, of storage.

    Its present power in W is `power_quantity` times `factor`, which is negative for storage: what charges it is not
    used yet.
    """

    device: str
    power_quantity: str = "active_power_total"
    factor: float = 1.0


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
        main_meters: devices at the mains of electricity, for voltages and power factor.
        main_points: mains of electricity.
        supply_points: mains and generation of electricity.
        generation_points: own generation of electricity.
        fuel_points: mains of fuels.
        material_points: what comes in, each weighed once.
        product_points: outputs that are weighed, in kg.
        piece_points: outputs that are counted.
        waste_points: what leaves as waste, in kg.
        lines: the electricity points of each production line, by its id.
        display_names: for people, by point; without those that several sites call differently.
        site_names: for people, by site.
    """

    site: str
    name: str
    time_zone: str = "browser"
    points: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    supply_meters: tuple[SupplyMeter, ...] = ()
    main_meters: tuple[str, ...] = ()
    main_points: tuple[str, ...] = ()
    supply_points: tuple[str, ...] = ()
    generation_points: tuple[str, ...] = ()
    fuel_points: tuple[str, ...] = ()
    material_points: tuple[str, ...] = ()
    product_points: tuple[str, ...] = ()
    piece_points: tuple[str, ...] = ()
    waste_points: tuple[str, ...] = ()
    lines: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    display_names: Mapping[str, str] = field(default_factory=dict)
    site_names: Mapping[str, str] = field(default_factory=dict)

    def called(self, *resources: str) -> Mapping[str, str]:
        """People's names of the points that measure one of these resources."""
        ids = [point for resource in resources for point in self.points.get(resource, ())]
        return {point: self.display_names[point] for point in ids if point in self.display_names}

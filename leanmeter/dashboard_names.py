"""What the dashboards call the points and meters of a site: from its site file."""

from dashboards.site_names import SiteNames, SupplyMeter
from evaluation.unmetered import unmetered_id
from site_config.points import Resource, Role
from site_config.schema import Site


def names_of(site: Site) -> SiteNames:
    """What the dashboards call the points and meters of a site.

    Meters of the supply are those that are assigned to it now; a point measured only in the past has none.
    """

    def ids(resource: Resource, *roles: Role) -> tuple[str, ...]:
        return tuple(
            point.id for point in site.points if point.resource is resource and (not roles or point.role in roles)
        )

    electricity = ids(Resource.ELECTRICITY)
    supply = ids(Resource.ELECTRICITY, Role.MAIN, Role.GENERATION)
    storage = ids(Resource.ELECTRICITY, Role.STORAGE)
    parents = tuple(
        point.id
        for point in site.points
        if point.id in electricity and any(part.parent == point.id and part.role is Role.PART for part in site.points)
    )
    display_names = {point.id: point.name for point in site.points}
    return SiteNames(
        site=site.site,
        name=site.name,
        time_zone=site.time_zone.key,
        supply_meters=tuple(
            SupplyMeter(entry.device, entry.rate_quantity, -entry.factor if entry.point in storage else entry.factor)
            for entry in site.assignments
            if entry.point in (*supply, *storage) and entry.to_ms is None and entry.rate_quantity is not None
        ),
        main_points=ids(Resource.ELECTRICITY, Role.MAIN),
        supply_points=supply,
        storage_points=storage,
        electricity_points=electricity + tuple(unmetered_id(parent) for parent in parents),
        # Parts of a main are in its amount already.
        water_points=ids(Resource.WATER, Role.MAIN) or ids(Resource.WATER),
        product_points=ids(Resource.PRODUCT),
        display_names=display_names
        | {unmetered_id(parent): f"{display_names[parent]}, not metered further" for parent in parents},
    )

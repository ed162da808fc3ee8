"""What the dashboards call the points and meters of sites: from their site files."""

import functools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from dashboards.electricity import BELOW, LIVE_POWER
from dashboards.site_names import PowerLevel, Share, SiteNames, SupplyMeter
from evaluation.metering.unmetered import unmetered_id
from site_config.points import Point, Resource, Role
from site_config.schema import Site, SiteFile

_WEIGHED = "weighed_mass_total"
_OWN_CLOCK = "browser"
MOST_NAMES = 2
"""Further names of one id, before it is abridged."""
_NONE_KNOWN: Mapping[str, str] = MappingProxyType({})
_STREAMS = ("material", "product", "waste")


def names_of(sites: Sequence[Site], currencies: Mapping[str, str] = _NONE_KNOWN) -> SiteNames:
    """The names for one site or several, of which the first is shown first.

    Meters of the supply are those that are assigned to it now; a point measured only in the past has none. They are
    left out when a device's name means the supply at one site and something else at another. `currencies` are those
    of the sites' plans, by site.
    """
    first, *others = sites
    zones = {site.time_zone.key for site in sites}
    points = _merged([point for site in sites for point in site.points])
    now = [entry for site in sites for entry in site.assignments if entry.to_ms is None]
    counted = {entry.point for entry in now if entry.amount_quantity != _WEIGHED}

    def ids(resource: Resource, *roles: Role) -> tuple[str, ...]:
        return tuple(p.id for p in points if p.resource is resource and (not roles or p.role in roles))

    main = ids(Resource.ELECTRICITY, Role.MAIN)
    outputs = ids(Resource.PRODUCT, Role.OUTPUT)
    return SiteNames(
        site=first.site,
        name=first.name if not others else f"{len(sites)} sites",
        time_zone=zones.pop() if len(zones) == 1 else _OWN_CLOCK,
        points=_by_resource(points),
        supply_meters=_supply_meters(sites),
        power_tree=_power_tree(sites),
        main_meters=tuple(dict.fromkeys(entry.device for entry in now if entry.point in main)),
        main_points=main,
        supply_points=ids(Resource.ELECTRICITY, Role.MAIN, Role.GENERATION),
        generation_points=ids(Resource.ELECTRICITY, Role.GENERATION),
        fuel_points=ids(Resource.FUEL, Role.MAIN),
        # Parts are in their parent's amount already.
        material_points=tuple(p.id for p in points if p.resource is Resource.MATERIAL and p.parent is None),
        product_points=tuple(point for point in outputs if point not in counted),
        piece_points=tuple(point for point in outputs if point in counted),
        waste_points=ids(Resource.WASTE, Role.WASTE),
        product_of_material=_share(sites, "product", "material"),
        waste_of_material=_share(sites, "waste", "material"),
        waste_of_product=_share(sites, "waste", "product"),
        accounted_for=_accounted_for(sites),
        lines=_lines(points),
        display_names=_display_names([point for site in sites for point in site.points]),
        meter_names=_meter_names(sites),
        site_names={site.site: site.name for site in sites},
        currencies={site.site: currencies[site.site] for site in sites if site.site in currencies},
    )


@functools.cache
def demo_names() -> SiteNames:
    """Those of the simulated workshop and of every ready plant, which the committed dashboards are built for."""
    # Simulators are only needed here.
    from leanmeter.demo.demo_plan import currency_of  # noqa: PLC0415
    from simulators.factory.plant_files import load_plant, ready_plants  # noqa: PLC0415
    from simulators.factory.plant_site import site_document  # noqa: PLC0415
    from simulators.site_file import WorkshopPorts, workshop_document  # noqa: PLC0415

    nowhere = WorkshopPorts(1, 1, 1, 1, 1, Path("rs485"))
    plants = [load_plant(name) for name in ready_plants()]
    workshop = Site(SiteFile.model_validate(workshop_document(nowhere)))
    sites = [Site(SiteFile.model_validate(site_document(plant))) for plant in plants]
    paid_in = {site.site: currency_of(plant) for site, plant in zip(sites, plants, strict=True)}
    return names_of([workshop, *sites], paid_in)


def _merged(points: Iterable[Point]) -> list[Point]:
    """Points of several sites, each id once: what is asked of the store is asked of one site at a time."""
    return list({(point.id, point.resource, point.role): point for point in points}.values())


def _supply_meters(sites: Sequence[Site]) -> tuple[SupplyMeter, ...]:
    by_site = [(site, {meter.device: meter for meter in _supply_meters_of(site)}) for site in sites]
    known = {device: meter for _, found in by_site for device, meter in found.items()}
    for site, found in by_site:
        devices = {device.id for line in site.lines for device in line.devices}
        if any(device in devices and found.get(device) != meter for device, meter in known.items()):
            return ()
    return tuple(known.values())


def _supply_meters_of(site: Site) -> Iterable[SupplyMeter]:
    signs = {
        point.id: -1.0 if point.role is Role.STORAGE else 1.0
        for point in site.points
        if point.resource is Resource.ELECTRICITY and point.role in {Role.MAIN, Role.GENERATION, Role.STORAGE}
    }
    generating = {point.id for point in site.points if point.role is Role.GENERATION}
    for entry in site.assignments:
        if entry.point in signs and entry.to_ms is None and entry.rate_quantity is not None:
            generates = entry.point in generating
            factor = abs(entry.factor) if generates else signs[entry.point] * entry.factor
            yield SupplyMeter(entry.device, entry.rate_quantity, factor, generates=generates)


def _power_tree(sites: Sequence[Site]) -> tuple[PowerLevel, ...]:
    levels: dict[tuple[int, bool], dict[str, list[str]]] = {}
    for site in sites:
        points = {point.id: point for point in site.points if point.resource is Resource.ELECTRICITY}
        for entry in site.assignments:
            if entry.point in points and entry.to_ms is None and entry.rate_quantity == LIVE_POWER:
                path = _path(points, points[entry.point])
                generates = points[entry.point].role is Role.GENERATION
                level = levels.setdefault((len(path) - 1, generates), {})
                level.setdefault(entry.device, []).append(f" {BELOW} ".join(path[1:] or path))
    return tuple(
        PowerLevel(
            {device: f"{BELOW} " * bool(depth) + _one_of(meters[device]) for device in sorted(meters)}, generates
        )
        for (depth, generates), meters in sorted(levels.items())
    )


def _path(points: Mapping[str, Point], point: Point) -> list[str]:
    """The names from the top of the tree down to a point."""
    above = points.get(point.parent or "")
    return [*([] if above is None else _path(points, above)), point.name]


Weighed = Mapping[str, tuple[str, ...]]
"""Points in kg by what they are: material, product, waste."""


def _weighed_by_line(sites: Sequence[Site]) -> list[Weighed]:
    """What is weighed on each production line of each site; points that name no line are on one together."""
    found: dict[tuple[str, str | None], dict[str, list[str]]] = {}
    for site in sites:
        counted = {entry.point for entry in site.assignments if entry.amount_quantity != _WEIGHED}
        for point in site.points:
            if point.parent is None and point.id not in counted and point.resource.value in _STREAMS:
                found.setdefault((site.site, point.line), {}).setdefault(point.resource.value, []).append(point.id)
    return [{kind: tuple(ids) for kind, ids in line.items()} for line in found.values()]


def _share(sites: Sequence[Site], part: str, whole: str) -> Share:
    both = [line for line in _weighed_by_line(sites) if part in line and whole in line]
    return Share(_ids(both, part), _ids(both, whole))


def _accounted_for(sites: Sequence[Site]) -> Share:
    all_three = [line for line in _weighed_by_line(sites) if set(_STREAMS) <= set(line)]
    return Share(_ids(all_three, "product") + _ids(all_three, "waste"), _ids(all_three, "material"))


def _ids(lines: Sequence[Weighed], kind: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(point for line in lines for point in line[kind]))


def _lines(points: Sequence[Point]) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for point in points:
        if point.line is not None and (point.resource is not Resource.ELECTRICITY or point.role is Role.PART):
            found.setdefault(point.line, []).append(point.id)
    return {line: tuple(dict.fromkeys(ids)) for line, ids in found.items()}


def _by_resource(points: Sequence[Point]) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for point in points:
        found.setdefault(point.resource.value, []).append(point.id)
        if point.id in _parents(points):
            found[point.resource.value].append(unmetered_id(point.id))
    return {resource: tuple(dict.fromkeys(ids)) for resource, ids in found.items()}


def _display_names(points: Sequence[Point]) -> Mapping[str, str]:
    found: dict[str, list[str]] = {}
    for point in points:
        found.setdefault(point.id, []).append(point.name)
    names = {point: _one_of(called) for point, called in found.items()}
    parents = _parents(points)
    return names | {
        unmetered_id(point): f"{name}, not metered further" for point, name in names.items() if point in parents
    }


def _one_of(called: Iterable[str]) -> str:
    """The name of what several sites call alike, or all of theirs: a panel cannot know which of them is shown."""
    first, *others = dict.fromkeys(called)
    shown = [first, *(name for name in others[:MOST_NAMES] if name.casefold() != first.casefold())]
    return " / ".join(shown) + (" / …" if len(others) > MOST_NAMES else "")


def _meter_names(sites: Sequence[Site]) -> Mapping[str, Mapping[str, str]]:
    found: dict[tuple[str, str], list[str]] = {}
    for site in sites:
        points = {point.id: point for point in site.points}
        for entry in site.assignments:
            if entry.to_ms is None:
                point = points[entry.point]
                found.setdefault((point.resource.value, entry.device), []).append(point.name)
    names: dict[str, dict[str, str]] = {}
    for (resource, device), called in found.items():
        names.setdefault(resource, {})[device] = _one_of(called)
    return names


def _parents(points: Iterable[Point]) -> set[str]:
    return {point.parent for point in points if point.parent is not None and point.role is Role.PART}

"""`leanmeter dashboards build`: Grafana dashboards as JSON files."""

import argparse
import sys
from pathlib import Path

from dashboards.build import GENERATED, differing, write
from dashboards.site_names import WORKSHOP, SiteNames, SupplyMeter
from evaluation.unmetered import unmetered_id
from site_config.errors import ConfigurationError
from site_config.points import Resource, Role
from site_config.schema import Site, load_site


def add_arguments(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `dashboards build`."""
    parser = subparsers.add_parser("dashboards", help="build the Grafana dashboards")
    verbs = parser.add_subparsers(required=True, metavar="verb")
    build = verbs.add_parser("build", help="write every dashboard as JSON that Grafana loads")
    build.add_argument(
        "--config", type=Path, metavar="SITE.YAML", help="for the points and meters of this site, not of the demo's"
    )
    build.add_argument("--output", type=Path, metavar="DIR", help="where to write; needed with --config")
    build.add_argument(
        "--check", action="store_true", help="write nothing; exit code 1 and the names of files that are not up to date"
    )
    build.set_defaults(handler=_build)


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


def _build(arguments: argparse.Namespace) -> int:
    if arguments.config is not None and arguments.output is None:
        raise ConfigurationError("dashboards build --config: say with --output where the dashboards are to be written")
    names = WORKSHOP if arguments.config is None else names_of(load_site(arguments.config))
    folder: Path = GENERATED if arguments.output is None else arguments.output
    if arguments.check:
        return _check(folder, names)
    try:
        written = write(folder, names)
    except OSError as problem:
        raise ConfigurationError(f"--output: {problem.filename or folder}: {problem.strerror}") from problem
    for path in written:
        sys.stdout.write(f"{path}\n")
    return 0


def _check(folder: Path, names: SiteNames) -> int:
    stale = differing(folder, names)
    for path in stale:
        sys.stderr.write(f"{path}: not up to date; run 'leanmeter dashboards build'\n")
    return 1 if stale else 0

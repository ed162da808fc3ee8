"""`leanmeter dashboards build`: Grafana dashboards as JSON files."""

import argparse
import sys
from pathlib import Path

from dashboards.build import GENERATED, differing, write
from dashboards.site_names import SiteNames
from leanmeter.dashboard_names import demo_names, names_of
from site_config.errors import ConfigurationError
from site_config.schema import load_site


def add_arguments(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `dashboards build`."""
    parser = subparsers.add_parser("dashboards", help="build the Grafana dashboards")
    verbs = parser.add_subparsers(required=True, metavar="verb")
    build = verbs.add_parser("build", help="write every dashboard as JSON that Grafana loads, and its alert rules")
    build.add_argument(
        "--config",
        type=Path,
        action="append",
        metavar="SITE.YAML",
        help="for the points and meters of this site, not of the demo's; may be given several times",
    )
    build.add_argument("--output", type=Path, metavar="DIR", help="where to write; needed with --config")
    build.add_argument(
        "--check", action="store_true", help="write nothing; exit code 1 and the names of files that are not up to date"
    )
    build.set_defaults(handler=_build)


def _build(arguments: argparse.Namespace) -> int:
    if arguments.config is not None and arguments.output is None:
        raise ConfigurationError("dashboards build --config: say with --output where the dashboards are to be written")
    names = demo_names() if arguments.config is None else names_of([load_site(path) for path in arguments.config])
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

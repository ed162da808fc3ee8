"""`leanmeter dashboards`: Grafana dashboards and alert rules as files, or pushed to a Grafana."""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from dashboards.build import ALERTING, GENERATED, differing, render, write
from dashboards.site_names import SiteNames
from dashboards.variables import PROVISIONED_DATASOURCE
from leanmeter.dashboards.dashboard_names import demo_names, names_of
from leanmeter.plan.plan_files import currency_of
from site_config.errors import ConfigurationError
from site_config.schema import load_site

if TYPE_CHECKING:
    from leanmeter.dashboards.alert_push import AlertStep
    from leanmeter.dashboards.grafana_client import GrafanaClient


def add_arguments(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `dashboards build` and `dashboards push`."""
    parser = subparsers.add_parser("dashboards", help="Grafana's dashboards and alert rules")
    verbs = parser.add_subparsers(required=True, metavar="verb")
    build = verbs.add_parser("build", help="write every dashboard as JSON that Grafana loads, and its alert rules")
    _add_config(build)
    build.add_argument("--output", type=Path, metavar="DIR", help="where to write; needed with --config")
    build.add_argument(
        "--check", action="store_true", help="write nothing; exit code 1 and the names of files that are not up to date"
    )
    build.set_defaults(handler=_build)
    push = verbs.add_parser(
        "push",
        help="bring the dashboards and alerts of a Grafana up to date",
        description="Shows what would change and asks. A dashboard or alert rule that somebody has changed in Grafana "
        "is kept aside, in the folder 'Leanmeter, kept aside', before it is replaced.",
    )
    _add_config(push)
    push.add_argument("--grafana", required=True, metavar="URL", help="as your browser shows it")
    push.add_argument(
        "--token-file", type=Path, metavar="FILE", help="holds the token of a service account; or set GRAFANA_TOKEN"
    )
    push.add_argument(
        "--alerts", action="store_true", help="the alert rules too; the service account then needs the role Admin"
    )
    push.add_argument(
        "--email", metavar="ADDRESS", help="with --alerts: who is told, by a contact point and policy of its own"
    )
    push.add_argument(
        "--data-source",
        metavar="UID",
        default=PROVISIONED_DATASOURCE.value,
        help="with --alerts: the InfluxDB that the rules ask (default: %(default)s, or the only one there is)",
    )
    push.add_argument("--dry-run", action="store_true", help="only show what would change")
    push.add_argument("--full", action="store_true", help="show the difference as a patch of the JSON")
    push.add_argument("--yes", action="store_true", help="do not ask")
    push.set_defaults(handler=_push)


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config",
        type=Path,
        action="append",
        metavar="SITE.YAML",
        help="for the points and meters of this site, not of the demo's; may be given several times",
    )
    parser.add_argument(
        "--plan",
        type=Path,
        action="append",
        default=[],
        metavar="PLAN.YAML",
        help="of one of these sites: its costs are then shown with their currency; may be given several times",
    )


def _names(arguments: argparse.Namespace) -> SiteNames:
    if arguments.config is None:
        if arguments.plan:
            raise ConfigurationError("dashboards --plan: name its site with --config")
        return demo_names()
    sites = [load_site(path) for path in arguments.config]
    currencies = {}
    for path in arguments.plan:
        site, currency = currency_of(path)
        if site not in {each.site for each in sites}:
            raise ConfigurationError(f"{path}: site: {site!r} is in no --config file")
        if currency is not None:
            currencies[site] = currency
    return names_of(sites, currencies)


def _build(arguments: argparse.Namespace) -> int:
    if arguments.config is not None and arguments.output is None:
        raise ConfigurationError("dashboards build --config: say with --output where the dashboards are to be written")
    names = _names(arguments)
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


def _push(arguments: argparse.Namespace) -> int:
    # Only here is an HTTP client needed.
    from leanmeter.dashboards import alert_push, dashboard_push  # noqa: PLC0415
    from leanmeter.dashboards.grafana_client import GrafanaClient  # noqa: PLC0415

    if arguments.email and not arguments.alerts:
        raise ConfigurationError("dashboards push --email: who is told of alerts is pushed with them; add --alerts")
    files = render(_names(arguments))
    boards = {path.removesuffix(".json"): json.loads(text) for path, text in files.items() if path.endswith(".json")}
    token = _token(arguments.token_file)

    async def work() -> int:
        async with GrafanaClient(arguments.grafana, token) as client:
            steps = await dashboard_push.plan(client, boards)
            alerts = await _alert_steps(client, arguments, files) if arguments.alerts else []
            nothing = {dashboard_push.Change.SAME, dashboard_push.Change.LEFT}
            both: list[dashboard_push.Step | alert_push.AlertStep] = [*steps, *alerts]
            for step in both:
                sys.stdout.write(f"{step.name}: {step.change.value}\n")
                lines = step.unified() if arguments.full else step.differences()
                sys.stdout.writelines(f"  {line}\n" for line in lines)
            if all(step.change in nothing for step in both) or arguments.dry_run:
                return 0
            if not arguments.yes and not _agreed(arguments.grafana):
                return 1
            await dashboard_push.push(client, steps)
            await alert_push.push(client, alerts)
            sys.stdout.write(f"{arguments.grafana}: up to date\n")
            return 0

    return asyncio.run(work())


async def _alert_steps(
    client: "GrafanaClient", arguments: argparse.Namespace, files: Mapping[str, str]
) -> "list[AlertStep]":
    from leanmeter.dashboards import alert_push  # noqa: PLC0415 - as above

    (group,) = yaml.safe_load(files[f"{ALERTING}/rules.yaml"])["groups"]
    source = await alert_push.data_source(client, arguments.data_source)
    steps = await alert_push.plan_rules(client, group["rules"], group["name"], source)
    if not arguments.email:
        return steps
    told = yaml.safe_load(files[f"{ALERTING}/notifications.yaml"])
    (receiver,), (policy,) = told["contactPoints"][0]["receivers"], told["policies"]
    return [*await alert_push.plan_notifications(client, receiver, policy, arguments.email), *steps]


def _agreed(url: str) -> bool:
    if not sys.stdin.isatty():
        raise ConfigurationError("dashboards push: nobody is there to be asked; add --yes (or --dry-run)")
    sys.stdout.write(f"Change these at {url}? [y/N] ")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _token(path: Path | None) -> str:
    if path is None:
        token = os.environ.get("GRAFANA_TOKEN", "")
    else:
        try:
            token = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as problem:
            raise ConfigurationError(
                f"--token-file {path}: cannot be read: {getattr(problem, 'strerror', None) or problem}"
            ) from None
    if not token.strip():
        raise ConfigurationError("--token-file: Grafana needs a service account's token (or set GRAFANA_TOKEN)")
    return token.strip()

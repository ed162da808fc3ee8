"""`leanmeter plan`: what a site is compared with, where it wants to go, and how far it has come."""

import argparse
import asyncio
import csv
import getpass
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from baselines.errors import BaselineError
from baselines.materials import Stream
from evaluation.accounting.bill_days import BillDays, PeriodBill
from evaluation.accounting.days import day_on
from evaluation.accounting.material_days import MaterialDays
from evaluation.accounting.prepaid_days import PrepaidLeft, prepaid_left
from evaluation.judging.freezing import Freezer
from evaluation.judging.standing import Standing, Standings
from evaluation.plan.plan_baselines import BaselineSettings
from evaluation.plan.plan_check import PlanCheck, check_plan
from evaluation.plan.plan_file import PlanFile
from evaluation.site_model import SiteModel, load_model
from leanmeter.baselines.baseline_report import bills_as_json, bills_report, write_json, write_lines
from leanmeter.plan.plan_export import ExportedBaseline, exported, write_rows, write_temperatures
from leanmeter.plan.plan_files import LoadedPlan, PlanFileError, load_plan_file
from site_config.errors import ConfigurationError
from site_config.schema import load_site
from store.entities import Entities
from store.factory import open_entities, open_readings
from store.protocol import IntervalRow, OperatedReadingStore
from store.schema import EARLIEST_MS, ENERGY, LATEST_MS
from store.server_file import load_server_file

Result = TypeVar("Result")


def add_arguments(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Add `plan` with its subcommands; each sets `handler`."""
    plan = subparsers.add_parser("plan", help="baselines, goals, tariffs and factors of a site, and where it stands")
    commands = plan.add_subparsers(required=True, metavar="command")

    checking = _command(commands, "check", _check, "check a plan file against a site file, without a store")
    checking.add_argument("file", type=Path, metavar="PLAN.yaml")
    checking.add_argument("--site-file", type=Path, metavar="FILE", help="site.yaml (default: the one beside the plan)")

    importing = _command(
        commands, "import", _import, "make a plan file the site's plan; what it changes is computed again"
    )
    importing.add_argument("file", type=Path, metavar="PLAN.yaml")
    _add_store(importing, site=False)
    _add_author(importing)

    showing = _command(commands, "show", _show, "each baseline and what has been saved against it")
    _add_store(showing, site=True)
    showing.add_argument("--json", action="store_true", help="write JSON")

    exporting = _command(
        commands, "export", _export, "rows with energy and variables as CSV, for `leanmeter baselines` and verifiers"
    )
    exporting.add_argument("baseline", metavar="BASELINE")
    exporting.add_argument(
        "--temperatures", type=Path, metavar="FILE.csv", help="write the hours' temperatures of the days there"
    )
    _add_store(exporting, site=True)

    streaming = _command(
        commands, "streams", _streams, "what was weighed each day as CSV, for `leanmeter baselines materials`"
    )
    _add_store(streaming, site=True)
    streaming.add_argument("--from", dest="first", type=_day, required=True, metavar="DATE", help="first day")
    streaming.add_argument("--to", dest="last", type=_day, required=True, metavar="DATE", help="last day")

    billing = _command(commands, "bills", _bills, "electricity bills of the stored intervals, month by month")
    _add_store(billing, site=True)
    billing.add_argument("--json", action="store_true", help="write JSON")

    refitting = _command(commands, "refit", _refit, "freeze a new version of a baseline, on what is stored now")
    refitting.add_argument("baseline", metavar="BASELINE")
    _add_store(refitting, site=True)
    _add_author(refitting)
    refitting.add_argument("--reason", required=True, metavar="TEXT", help="why the version before no longer holds")


def _command(
    commands: Any, name: str, handler: Callable[[argparse.Namespace], int], text: str
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(handler=handler)
    return parser


def _add_store(parser: argparse.ArgumentParser, *, site: bool) -> None:
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="server.yaml")
    if site:
        parser.add_argument("--site", metavar="SLUG", help="where there are several")


def _add_author(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--author", default=None, metavar="NAME", help="who changes it (default: your login)")


def _author(arguments: argparse.Namespace) -> str:
    return arguments.author or getpass.getuser()


def _check(arguments: argparse.Namespace) -> int:
    loaded = load_plan_file(arguments.file)
    site = load_site(arguments.site_file or arguments.file.parent / "site.yaml")
    if site.site != loaded.plan.site:
        raise PlanFileError(f"{arguments.file}: site: is {loaded.plan.site}, the site file's is {site.site}")
    devices = {device.id for line in site.lines for device in line.devices}
    found = check_plan(loaded.plan, site.points, devices, datetime.now(site.time_zone).date())
    _refuse(arguments.file, found)
    write_lines([f"{arguments.file}: can be used", *(f"  note: {note}" for note in (*loaded.notes, *found.notes))])
    return 0


def _import(arguments: argparse.Namespace) -> int:
    loaded = load_plan_file(arguments.file)

    async def work(opened: "_Opened") -> tuple[bool, PlanCheck]:
        devices = {device.device for device in await opened.entities.devices(opened.model.site)}
        found = check_plan(loaded.plan, opened.model.points, devices, opened.today)
        _refuse(arguments.file, found)
        days = await opened.readings.day_starts(opened.model.site, EARLIEST_MS, LATEST_MS)
        return await _put(opened.entities, loaded, _author(arguments), rederive=bool(days)), found

    changed, found = _with_site(arguments.config, loaded.plan.site, work)
    done = "imported; days are computed again" if changed else "is the site's plan already"
    write_lines([f"{arguments.file}: {done}", *(f"  note: {note}" for note in (*loaded.notes, *found.notes))])
    return 0


async def _put(entities: Entities, loaded: LoadedPlan, author: str, *, rederive: bool) -> bool:
    document = loaded.plan.model_dump(mode="json", by_alias=True)
    return await entities.plans.put(loaded.plan.site, document, loaded.daily, author, rederive=rederive)


def _refuse(path: Path, found: PlanCheck) -> None:
    if found.mistakes:
        more = f" (and {len(found.mistakes) - 3} more)" if len(found.mistakes) > 3 else ""
        raise PlanFileError(f"{path}: {'; '.join(found.mistakes[:3])}{more}")


def _show(arguments: argparse.Namespace) -> int:
    async def work(opened: "_Opened") -> tuple[list[Standing], PrepaidLeft | None, bool]:
        standings = await Standings(opened.readings, opened.entities.plans).of_site(opened.model, opened.today)
        return standings, await prepaid_left(opened.readings, opened.model), opened.model.accounts is not None

    standings, prepaid, has_plan = _with_site(arguments.config, arguments.site, work)
    if arguments.json:
        left = None if prepaid is None else asdict(prepaid)
        write_json({"baselines": [asdict(standing) for standing in standings], "prepaid": left})
        return 0
    if prepaid is not None:
        lasting = "" if prepaid.days_left is None else f", enough for {prepaid.days_left:.1f} days"
        write_lines([f"Prepaid: {prepaid.left_kwh:.0f} kWh left on {prepaid.day}{lasting}."])
    if not standings:
        why = "the site's plan has none" if has_plan else "no plan has been imported"
        write_lines([f"No baseline yet: {why} (docs/plan.md)."])
    else:
        for standing in standings:
            write_lines(_report(standing))
    return 0


def _report(standing: Standing) -> list[str]:
    lines = [f"{standing.baseline} ({standing.series}): {standing.text}"]
    if standing.state == "waiting":
        return [f"{standing.baseline} ({standing.series}): no baseline yet. {standing.text}"]
    lines += [f"  {line}" for line in standing.lines]
    frozen = f"frozen {standing.frozen_on} by {standing.author} on data {(standing.data_hash or '')[:12]}"
    lines.append(f"  version {standing.version}, {frozen}: {standing.verdict}")
    if standing.savings is not None:
        found = standing.savings
        used = f"{found.actual:,.1f} {standing.unit.replace('m3', 'm³')}".rstrip()
        lines.append(
            f"  {standing.first_day} to {standing.last_day}: {used} used, {found.expected:,.1f} expected; "
            f"{standing.judged} of {standing.days} {standing.step}s judged"
        )
    if standing.enpi is not None:
        lines.append(f"  EnPI {standing.enpi:.3f}: actual over expected use; below 1 is better than the baseline")
    if standing.goal_share is not None:
        whose = " (what SCORE firms report on average)" if standing.goal_is_average else ""
        lines.append(f"  goal: {100 * standing.goal_share:.0f} % less{whose}")
    if standing.resource == ENERGY and standing.worth_a_year is not None:
        lines.append("  note: worth at the mean price of a kWh of all energy")
    return [*lines, *(f"  note: {finding.text}" for finding in standing.findings)]


def _export(arguments: argparse.Namespace) -> int:
    async def work(opened: "_Opened") -> ExportedBaseline:
        plan, settings = _settings(opened, arguments.baseline)
        return await exported(opened.readings, opened.entities.plans, opened.model, plan, settings, opened.today)

    found = _with_site(arguments.config, arguments.site, work)
    write_rows(found, sys.stdout)
    if arguments.temperatures is not None:
        write_temperatures(found, arguments.temperatures)
    return 0


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day; expected is one such as 2026-03-31") from None


def _streams(arguments: argparse.Namespace) -> int:
    async def work(opened: "_Opened") -> list[tuple[date, list[Stream] | None]]:
        model, first, last = opened.model, arguments.first, arguments.last
        if last < first:
            raise ConfigurationError(f"--to {last}: must not be before --from {first}")
        plan = None if model.accounts is None else model.accounts.plan
        materials = MaterialDays(model.points, model.assignments, plan)
        if not materials.balances:
            raise ConfigurationError(
                f"site {model.site}: no line weighs both material and product; name them in material_balances"
            )
        rows: dict[int, dict[str, IntervalRow]] = {}
        zone = model.time_zone
        for row in await opened.readings.days(model.site, day_on(first, zone).start_ms, day_on(last, zone).end_ms):
            rows.setdefault(row.start_ms, {})[row.point] = row
        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        return [(day, materials.streams(rows.get(day_on(day, zone).start_ms, {}), day)) for day in days]

    found = _with_site(arguments.config, arguments.site, work)
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(["date", "stream", "flow", "kg", "cost", "destination"])
    for day, streams in found:
        for each in streams or ():
            cost = "" if each.cost is None else repr(each.cost)
            table.writerow([day, each.name, each.flow, repr(each.mass_kg), cost, each.destination or ""])
    sys.stderr.writelines(f"{day}: left out, not every stream is known\n" for day, streams in found if streams is None)
    return 0


def _bills(arguments: argparse.Namespace) -> int:
    async def work(opened: "_Opened") -> list[PeriodBill]:
        if opened.model.accounts is None or not opened.model.accounts.tariffs:
            raise ConfigurationError(f"site {opened.model.site}: its plan has no electricity_tariff; import one")
        return await BillDays(opened.readings, opened.model).bills()

    found = _with_site(arguments.config, arguments.site, work)
    bills = {each.period.label: each.bill for each in found if each.bill is not None}
    if arguments.json:
        write_json(bills_as_json(bills))
    else:
        write_lines(bills_report(bills) if bills else ["No month of the stored electricity can be billed."])
    problems = [f"{each.period.label}: cannot be billed: {each.problem}\n" for each in found if each.problem]
    sys.stderr.writelines(problems)
    return 0


def _refit(arguments: argparse.Namespace) -> int:
    async def work(opened: "_Opened") -> str:
        plan, settings = _settings(opened, arguments.baseline)
        freezer = Freezer(opened.readings, opened.entities)
        fitted = await freezer.freeze(opened.model, plan, settings, _author(arguments), arguments.reason)
        return f"version {fitted.baseline.version.number} of {settings.id}: {fitted.validity.verdict}"

    try:
        write_lines([_with_site(arguments.config, arguments.site, work)])
    except BaselineError as problem:
        raise ConfigurationError(str(problem)) from problem
    return 0


def _settings(opened: "_Opened", name: str) -> tuple[PlanFile, BaselineSettings]:
    accounts = opened.model.accounts
    if accounts is None:
        raise ConfigurationError(f"site {opened.model.site} has no plan; import one")
    for settings in accounts.plan.baselines:
        if settings.id == name:
            return accounts.plan, settings
    known = ", ".join(settings.id for settings in accounts.plan.baselines) or "none"
    raise ConfigurationError(f"there is no baseline {name!r}; there are {known}")


@dataclass(frozen=True, slots=True)
class _Opened:
    readings: OperatedReadingStore
    entities: Entities
    model: SiteModel
    today: date


def _with_site(config: Path, site: str | None, work: Callable[[_Opened], Awaitable[Result]]) -> Result:
    settings = load_server_file(config)
    if not settings.entities.exists():
        # Opened, it would be made: an empty one wherever the command was started by mistake.
        raise ConfigurationError(
            f"{config}: entities: {settings.entities.absolute()}: there is no such file; start the command in the "
            "folder in which `leanmeter collector run` was started, or write whole paths"
        )

    async def run() -> Result:
        async with AsyncExitStack() as at_the_end:
            readings = open_readings(settings.store)
            at_the_end.push_async_callback(readings.close)
            entities = open_entities(settings.entities)
            at_the_end.push_async_callback(entities.close)
            entries = [entry for entry in await entities.sites() if site in {None, entry.site}]
            if len(entries) != 1:
                known = ", ".join(entry.site for entry in await entities.sites())
                if not known:
                    raise ConfigurationError(
                        f"{config}: no site is known yet; `leanmeter collector run` imports its own"
                    )
                raise ConfigurationError(f"site {site or 'missing'}: name one of those that are known ({known})")
            model = await load_model(entities, entries[0])
            return await work(_Opened(readings, entities, model, datetime.now(entries[0].time_zone).date()))

    return asyncio.run(run())

"""`leanmeter baselines`: baselines, savings, calendarised bills and costs from files, without meters or a store."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from baselines.adjustments import NonRoutineAdjustment, static_factor_findings
from baselines.billing import bill_months
from baselines.bills import calendarise
from baselines.errors import BaselineError
from baselines.headline import Worth, headline
from baselines.linear_model import fit
from baselines.meter_accuracy import MeterAccuracy
from baselines.observations import Observations
from baselines.savings import DEFAULT_CONFIDENCE, savings
from baselines.validity import Finding, assess
from baselines.versions import hash_of
from evaluation.plan.tariff_file import load_tariff_file, tariffs_of
from leanmeter.baselines.balance_commands import add_balance_arguments
from leanmeter.baselines.baseline_data import BaselineData, select
from leanmeter.baselines.baseline_fitting import (
    FittedBaseline,
    add_model_arguments,
    fit_baseline,
    names,
    observe,
    read_rows,
)
from leanmeter.baselines.baseline_report import (
    bills_as_json,
    bills_report,
    factors_as_json,
    factors_report,
    finding_lines,
    findings_as_json,
    fit_as_json,
    fit_report,
    short,
    write_json,
    write_lines,
)
from leanmeter.baselines.bill_file import read_bills
from leanmeter.baselines.data_file import read_table
from leanmeter.baselines.interval_file import read_intervals
from leanmeter.baselines.option_numbers import number
from leanmeter.baselines.periods import Labels, labels_of
from leanmeter.baselines.savings_report import judge_period, savings_as_json, savings_report
from site_config.errors import ConfigurationError


def add_arguments(subparsers: "argparse._SubParsersAction[Any]") -> None:
    """Add `baselines` with its subcommands; each sets `handler`."""
    baselines = subparsers.add_parser("baselines", help="baselines, savings, bills, tariffs from your own tables")
    commands = baselines.add_subparsers(required=True, metavar="command")

    fitting = _command(commands, "fit", _fit, "a baseline from a table: its formula, statistics and a verdict")
    _add_data(fitting)
    fitting.add_argument("--baseline-period", metavar="A/B", help="use these rows only, both ends included")

    saving = _command(commands, "savings", _savings, "what was saved against a baseline, with its band")
    _add_data(saving)
    saving.add_argument(
        "--baseline-period", required=True, metavar="A/B", help="first and last, such as 2023-01/2023-12"
    )
    saving.add_argument("--reporting-period", required=True, metavar="C/D", help="the same, for what is judged")
    saving.add_argument(
        "--confidence", type=_confidence, default=DEFAULT_CONFIDENCE, metavar="SHARE", help="of the band (default 0.9)"
    )
    _add_circumstances(saving)

    bills = _command(commands, "bills", _bills, "bills by calendar month; with predictors also a baseline")
    bills.add_argument("file", type=Path, metavar="FILE.csv", help="columns reading_date, energy_use, perhaps unit")
    bills.add_argument("--predictors", type=Path, metavar="FILE.csv", help="columns year, month and relevant variables")
    bills.add_argument("--variables", type=names, metavar="A,B", help="of the predictors (default: all of them)")
    bills.add_argument("--baseline-period", metavar="A/B", help="such as 2023-01/2023-12 (default: every whole month)")
    bills.add_argument("--factor", type=number, default=1.0, help="multiply the use by this, to change its unit")

    tariff = _command(commands, "tariff", _tariff, "what intervals cost by a tariff, month by month as billed")
    tariff.add_argument("file", type=Path, metavar="FILE.yaml", help="the tariff")
    tariff.add_argument(
        "--data", type=Path, required=True, metavar="FILE.csv", help="15-minute rows: start, energy_kwh, reactive_kvarh"
    )
    tariff.add_argument("--timezone", type=_zone, metavar="NAME", help="of the tariff's clock, such as Africa/Accra")

    add_balance_arguments(partial(_command, commands))
    _command(commands, "factors", _factors, "energy and emissions of fuels and refrigerants until you know better ones")


def _add_circumstances(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--adjustment",
        nargs=4,
        action="append",
        default=[],
        metavar=("ROW", "AMOUNT", "REASON", "AUTHOR"),
        help="non-routine: what the row of that date would have used more (or less, below 0) in the baseline period",
    )
    parser.add_argument(
        "--static-factor",
        nargs=3,
        action="append",
        default=[],
        metavar=("NAME", "THEN", "NOW"),
        help="what should be the same in both periods, such as floor area or shifts a week",
    )
    parser.add_argument(
        "--meter-class", metavar="CLASS", help="adds the meter's error to the band: 0.5S, 1, 2, A, B, C"
    )
    parser.add_argument("--ct-class", metavar="CLASS", help="and that of its current transformers: 0.2, 0.5, 1, 3")
    parser.add_argument("--other-meter", action="store_true", help="the reporting period has another meter")
    parser.add_argument("--goal", type=_share, metavar="SHARE", help="what the goal asks to save: 0.27 is 27 %%")
    parser.add_argument(
        "--price", type=number, metavar="PRICE", help="of a unit of the energy, to say what it is worth"
    )
    parser.add_argument("--currency", default="", metavar="NAME", help="of the price")


def _command(
    commands: Any, name: str, handler: Callable[[argparse.Namespace], int], text: str
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    parser.add_argument("--json", action="store_true", help="write JSON")
    parser.set_defaults(handler=handler)
    return parser


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, metavar="FILE.csv", help="a row a day, week or month")
    parser.add_argument("--date", metavar="COLUMN", help="what dates the rows (default: date, month, else row numbers)")
    parser.add_argument("--energy", required=True, metavar="COLUMN", help="the energy used")
    add_model_arguments(parser)


def _share(text: str) -> float:
    share = number(text)
    if not 0.0 < share < 1.0:
        raise argparse.ArgumentTypeError("a goal is a share between 0 and 1, 27 % is 0.27")
    return share


def _confidence(text: str) -> float:
    confidence = number(text)
    if not 0.5 <= confidence < 1.0:
        raise argparse.ArgumentTypeError("must be at least 0.5 and below 1; 90 % is 0.9")
    return confidence


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise argparse.ArgumentTypeError(
            f"there is no time zone {name!r}; expected is a name such as Asia/Dhaka"
        ) from None


def _fit(arguments: argparse.Namespace) -> int:
    table = read_table(arguments.data)
    labels = labels_of(table, arguments.date)
    period = arguments.baseline_period
    rows = labels.order() if period is None else labels.between("--baseline-period", period)
    data = read_rows(arguments, table, labels, rows)
    fitted = fit_baseline(arguments, labels, data)
    if arguments.json:
        write_json(fit_as_json(fitted) | {"coverage": data.coverage, "data_hash": hash_of(data.observations)})
    else:
        write_lines(fit_report(fitted, arguments.energy))
    return 0


def _savings(arguments: argparse.Namespace) -> int:
    table = read_table(arguments.data)
    labels = labels_of(table, arguments.date)
    before = labels.between("--baseline-period", arguments.baseline_period)
    after = labels.between("--reporting-period", arguments.reporting_period)
    both = sorted(set(before) & set(after))
    if both:
        raise ConfigurationError(
            f"--reporting-period {arguments.reporting_period}: {labels.texts[both[0]]} is in the baseline period too"
        )
    baseline = read_rows(arguments, table, labels, before)
    reporting = read_rows(arguments, table, labels, after)
    fitted = fit_baseline(arguments, labels, baseline)
    rows, adjustments = observe(arguments, labels, fitted, reporting), _adjustments(arguments)
    try:
        result = savings(
            fitted.model,
            rows,
            confidence=arguments.confidence,
            granularity=baseline.granularity,
            adjustments=adjustments,
            accuracy=_accuracy(arguments),
            same_meter=not arguments.other_meter,
            coverage=baseline.coverage,
        )
    except BaselineError as problem:
        raise ConfigurationError(f"{arguments.data}: {problem}") from problem
    findings = (
        *(finding for finding in fitted.findings if finding.code != "base_load"),
        *fitted.validity.findings,
        *reporting.findings,
        *result.findings,
        *_changed(arguments),
    )
    worth = _worth(arguments, labels, len(reporting.rows))
    sentence = headline(result, arguments.goal, worth)
    period = judge_period(fitted.model, rows, result, sentence, findings, adjustments)
    if arguments.json:
        write_json(savings_as_json(period))
    else:
        write_lines(savings_report(period))
    return 0


def _worth(arguments: argparse.Namespace, labels: Labels, rows: int) -> Worth | None:
    if arguments.price is None:
        return None
    if arguments.price <= 0.0:
        raise ConfigurationError(f"--price {arguments.price:g}: is no price")
    days_a_row = labels.days_a_row()
    if days_a_row is None:
        raise ConfigurationError(f"--price: what is saved a year needs rows with dates; {labels.column} has none")
    return Worth(arguments.price, arguments.currency, rows * days_a_row)


def _adjustments(arguments: argparse.Namespace) -> list[NonRoutineAdjustment]:
    found = []
    for label, amount, reason, author in arguments.adjustment:
        try:
            found.append(NonRoutineAdjustment(label, float(amount), reason, author))
        except ValueError as problem:
            text = str(problem) if isinstance(problem, BaselineError) else f"{amount!r} is no number"
            raise ConfigurationError(f"--adjustment {label}: {text}") from problem
    return found


def _accuracy(arguments: argparse.Namespace) -> MeterAccuracy | None:
    if arguments.meter_class is None:
        for option, is_given in (
            ("--ct-class", arguments.ct_class is not None),
            ("--other-meter", arguments.other_meter),
        ):
            if is_given:
                raise ConfigurationError(f"{option}: give the meter's class too, with --meter-class")
        return None
    try:
        return MeterAccuracy(arguments.meter_class, arguments.ct_class)
    except BaselineError as problem:
        raise ConfigurationError(str(problem)) from problem


def _changed(arguments: argparse.Namespace) -> tuple[Finding, ...]:
    factors = arguments.static_factor
    for index, (name, _, _) in enumerate(factors):
        if name in [other for other, _, _ in factors[:index]]:
            raise ConfigurationError(f"--static-factor {name}: is given twice")
    return static_factor_findings({name: then for name, then, _ in factors}, {name: now for name, _, now in factors})


def _bills(arguments: argparse.Namespace) -> int:
    file = read_bills(arguments.file)
    if arguments.factor == 0.0:
        raise ConfigurationError("--factor: must be a number other than 0")
    unit = file.unit if arguments.factor == 1.0 else f"{file.unit} × {arguments.factor:g}"
    try:
        months = {f"{year}-{month:02d}": amount for (year, month), amount in calendarise(file.bills).items()}
    except BaselineError as problem:
        raise ConfigurationError(f"{arguments.file}: {problem}") from problem
    months = {month: amount * arguments.factor for month, amount in months.items()}
    result: dict[str, Any] = {"findings": findings_as_json(file.findings)}
    lines = [f"{month}  {short(energy):>12}  {unit}".rstrip() for month, energy in months.items()]
    if arguments.predictors is not None:
        data, variables = _with_predictors(arguments, months)
        data = replace(data, findings=(*file.findings, *data.findings))
        fitted = _judged(arguments.predictors, data, variables)
        result = fit_as_json(fitted) | {"coverage": data.coverage}
        lines = [*fit_report(fitted, "energy"), "", *lines]
    else:
        told = f"{len(months)} whole months; a month that the bills cover in part is left out."
        lines = [told, "", *lines, *finding_lines(file.findings)]
    if arguments.json:
        write_json(result | {"unit": unit, "months": months})
    else:
        write_lines(lines)
    return 0


def _tariff(arguments: argparse.Namespace) -> int:
    file = load_tariff_file(arguments.file)
    intervals = read_intervals(arguments.data, arguments.timezone)
    try:
        bills = bill_months(tariffs_of(file), intervals.rows, file.earlier_demands, file.billing_day)
    except BaselineError as problem:
        raise ConfigurationError(f"{arguments.file}: {problem}") from problem
    if arguments.json:
        write_json(bills_as_json(bills, intervals.gaps))
    else:
        write_lines([*bills_report(bills), *(f"note: {gap.text}" for gap in intervals.gaps)])
    return 0


def _factors(arguments: argparse.Namespace) -> int:
    if arguments.json:
        write_json(factors_as_json())
    else:
        write_lines(factors_report())
    return 0


def _with_predictors(
    arguments: argparse.Namespace, months: Mapping[str, float]
) -> tuple[BaselineData, tuple[str, ...]]:
    """The months of the period that have bills, with their variables."""
    table = read_table(arguments.predictors)
    labels = labels_of(table, None)
    if labels.kind != "month":
        raise ConfigurationError(
            f"{arguments.predictors}: each row is a month: by columns year and month, or a column month such as 2025-01"
        )
    dated = {"year", "month", labels.column}
    variables = arguments.variables or tuple(name for name in table.columns if name not in dated)
    period = arguments.baseline_period
    rows = labels.order() if period is None else labels.between("--baseline-period", period)
    billed = [row for row in rows if labels.texts[row] in months]
    if not billed:
        raise ConfigurationError(f"{arguments.predictors}: no month has both bills and predictors")
    data = select(table, labels, billed, None, variables)
    without = [labels.texts[row] for row in rows if row not in billed]
    findings = data.findings
    if period is not None and without:
        text = f"{', '.join(without)}: the bills do not cover the whole month; left out"
        findings = (*findings, Finding("gap", text, fails=False))
    energy = tuple(months[label] for label in data.observations.labels)
    observations = Observations(data.observations.labels, energy, data.observations.variables)
    coverage = data.coverage * len(billed) / len(rows) if period is not None else data.coverage
    return BaselineData(observations, coverage, "month", findings, data.rows), variables


def _judged(path: Path, data: BaselineData, variables: Sequence[str]) -> FittedBaseline:
    try:
        model = fit(data.observations, variables)
    except BaselineError as problem:
        raise ConfigurationError(f"{path}: {problem}") from problem
    return FittedBaseline(model, assess(model, coverage=data.coverage), data.findings)

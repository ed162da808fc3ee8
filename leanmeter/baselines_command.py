"""`leanmeter baselines`: a baseline, savings and calendarised bills from CSV files, without meters or a store."""

import argparse
import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from baselines.bills import calendarise
from baselines.errors import BaselineError
from baselines.linear_model import LinearModel, fit
from baselines.observations import Observations
from baselines.savings import DEFAULT_CONFIDENCE, savings
from baselines.validity import Finding, Validity, assess
from leanmeter.baseline_data import BaselineData, select
from leanmeter.bill_file import read_bills
from leanmeter.data_file import read_table
from leanmeter.periods import labels_of
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
        "--confidence", type=float, default=DEFAULT_CONFIDENCE, metavar="SHARE", help="of the band (default 0.9)"
    )

    bills = _command(commands, "bills", _bills, "bills by calendar month; with predictors also a baseline")
    bills.add_argument("file", type=Path, metavar="FILE.csv", help="columns reading_date, energy_use and unit")
    bills.add_argument("--predictors", type=Path, metavar="FILE.csv", help="columns year, month and relevant variables")
    bills.add_argument("--variables", type=_names, metavar="A,B", help="of the predictors (default: all of them)")
    bills.add_argument("--baseline-period", metavar="A/B", help="such as 2023-01/2023-12 (default: every whole month)")
    bills.add_argument("--factor", type=float, default=1.0, help="multiply the use by this, to change its unit")


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
    parser.add_argument(
        "--variables", type=_names, default=(), metavar="A,B", help="relevant variables, such as output"
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _fit(arguments: argparse.Namespace) -> int:
    table = read_table(arguments.data)
    labels = labels_of(table, arguments.date)
    period = arguments.baseline_period
    rows = labels.order() if period is None else labels.between("--baseline-period", period)
    data = select(table, labels, rows, arguments.energy, arguments.variables)
    model, validity = _judged(arguments.data, data, arguments.variables)
    if arguments.json:
        _write_json(fit_as_json(model, validity, data.findings) | {"coverage": data.coverage})
    else:
        _write_lines(fit_report(model, validity, data.findings, arguments.energy))
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
    baseline = select(table, labels, before, arguments.energy, arguments.variables)
    reporting = select(table, labels, after, arguments.energy, arguments.variables)
    model, validity = _judged(arguments.data, baseline, arguments.variables)
    try:
        result = savings(
            model, reporting.observations, confidence=arguments.confidence, granularity=baseline.granularity
        )
    except BaselineError as problem:
        raise ConfigurationError(f"{arguments.data}: {problem}") from problem
    findings = (*baseline.findings, *validity.findings, *reporting.findings, *result.findings)
    is_valid = not any(finding.fails for finding in findings)
    proven = result.proven and is_valid
    sentence = result.sentence()
    if result.proven and not is_valid:
        sentence += "; not proven, because the baseline is not valid for this"
    if arguments.json:
        _write_json(
            {
                "verdict": sentence,
                "expected": result.expected,
                "actual": result.actual,
                "savings": result.savings,
                "savings_fraction": result.savings_fraction,
                "half_width": result.half_width,
                "confidence": result.confidence,
                "fsu": _finite(result.fsu),
                "proven": proven,
                "valid": is_valid,
                "rows": len(reporting.observations),
                "findings": _findings(findings),
            }
        )
        return 0
    fsu = "none" if result.fsu is None else f"{result.fsu:.3g}"
    _write_lines(
        [
            f"{sentence}.",
            "",
            f"  expected    {_short(result.expected)}",
            f"  actual      {_short(result.actual)}",
            f"  savings     {_short(result.savings)} ± {_short(result.half_width)} ({result.confidence:.0%} band)",
            f"  ASHRAE      {fsu} (uncertainty as a share of the savings; below 1 the savings stand out)",
            *_finding_lines(findings),
        ]
    )
    return 0


def _bills(arguments: argparse.Namespace) -> int:
    unit, read = read_bills(arguments.file)
    if not math.isfinite(arguments.factor) or arguments.factor == 0.0:
        raise ConfigurationError("--factor: must be a number other than 0")
    unit = unit if arguments.factor == 1.0 else f"{unit} × {arguments.factor:g}"
    try:
        months = {f"{year}-{month:02d}": amount for (year, month), amount in calendarise(read).items()}
    except BaselineError as problem:
        raise ConfigurationError(f"{arguments.file}: {problem}") from problem
    months = {month: amount * arguments.factor for month, amount in months.items()}
    result: dict[str, Any] = {
        "unit": unit,
        "months": [{"month": month, "energy": energy} for month, energy in months.items()],
    }
    lines = [f"{month}  {_short(energy):>12}  {unit}" for month, energy in months.items()]
    if arguments.predictors is not None:
        data, variables = _with_predictors(arguments, months)
        model, validity = _judged(arguments.predictors, data, variables)
        result["fit"] = fit_as_json(model, validity, data.findings)
        lines = [*fit_report(model, validity, data.findings, "energy"), "", *lines]
    else:
        lines = [f"{len(months)} whole months; a month that the bills cover in part is left out.", "", *lines]
    if arguments.json:
        _write_json(result)
    else:
        _write_lines(lines)
    return 0


def _with_predictors(
    arguments: argparse.Namespace, months: Mapping[str, float]
) -> tuple[BaselineData, tuple[str, ...]]:
    """The months of the period that have bills, with their variables."""
    table = read_table(arguments.predictors)
    table.require(["year", "month"])
    labels = labels_of(table, None if "date" not in table.columns else "month")
    variables = arguments.variables or tuple(name for name in table.columns if name not in {"year", "month"})
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
    return BaselineData(observations, coverage, "month", findings), variables


def _judged(path: Path, data: BaselineData, variables: Sequence[str]) -> tuple[LinearModel, Validity]:
    try:
        model = fit(data.observations, variables)
    except BaselineError as problem:
        raise ConfigurationError(f"{path}: {problem}") from problem
    return model, assess(model, coverage=data.coverage)


def fit_as_json(model: LinearModel, validity: Validity, findings: Sequence[Finding]) -> dict[str, Any]:
    """A fit for machines; fractions are fractions, what has no meaning is null."""
    return {
        "verdict": validity.verdict,
        "valid": validity.valid,
        "provisional": validity.provisional,
        "n": model.n,
        "coefficients": dict(model.coefficients),
        "standard_errors": dict(model.standard_errors),
        "t": dict(model.t),
        "p": dict(model.p),
        "r2": model.r2,
        "r2_adjusted": model.r2_adjusted,
        "f": model.f,
        "f_p": model.f_p,
        "cv_rmse": model.cv_rmse,
        "nmbe": model.nmbe,
        "autocorrelation": model.autocorrelation,
        "deviation": model.deviation,
        "mean_energy": model.mean_energy,
        "ranges": {
            name: {"minimum": seen.minimum, "maximum": seen.maximum, "mean": seen.mean, "deviation": seen.deviation}
            for name, seen in model.ranges.items()
        },
        "findings": _findings([*findings, *validity.findings]),
    }


def fit_report(model: LinearModel, validity: Validity, findings: Sequence[Finding], energy: str) -> list[str]:
    """A fit for people: the verdict, the formula, how good it is, what was noticed."""
    terms = [_short(model.coefficients["intercept"])]
    terms += [f"{_signed(model.coefficients[name])} × {name}" for name in model.variables]
    width = max(map(len, model.coefficients))
    lines = [validity.verdict, "", f"  {energy} = {' '.join(terms)}", ""]
    lines += [f"  {'':<{width}}  {'value':>12}  {'± one s.e.':>12}  {'t':>8}  {'p':>8}"]
    for name, value in model.coefficients.items():
        t, p = (("–" if number is None else f"{number:.3g}") for number in (model.t[name], model.p[name]))
        lines.append(
            f"  {name:<{width}}  {_short(value):>12}  {_short(model.standard_errors[name]):>12}  {t:>8}  {p:>8}"
        )
    lines += [
        "",
        f"  R² {model.r2:.4f}   adjusted R² {model.r2_adjusted:.4f}   "
        + (f"F {model.f:.4g} (p {model.f_p:.2g})" if model.f is not None and model.f_p is not None else "F –"),
        f"  CV(RMSE) {model.cv_rmse:.2%}   points {model.n}   "
        + ("autocorrelation –" if model.autocorrelation is None else f"autocorrelation {model.autocorrelation:.2f}"),
    ]
    return [*lines, *_finding_lines([*findings, *validity.findings])]


def _finding_lines(findings: Sequence[Finding]) -> list[str]:
    if not findings:
        return []
    return ["", *(f"  {'fails' if finding.fails else 'note'}: {finding.text}" for finding in findings)]


def _findings(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    return [{"code": finding.code, "text": finding.text, "fails": finding.fails} for finding in findings]


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _short(value: float) -> str:
    return f"{value:,.0f}".replace(",", " ") if abs(value) >= 10_000 else f"{value:.5g}"


def _signed(value: float) -> str:
    return f"{'−' if value < 0.0 else '+'} {_short(abs(value))}"


def _write_lines(lines: Sequence[str]) -> None:
    sys.stdout.write("\n".join(lines) + "\n")


def _write_json(value: object) -> None:
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")

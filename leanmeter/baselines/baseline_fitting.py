"""From the words of a command to a fitted baseline: variables given or chosen, weather, rows weighed by quality."""

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from baselines.errors import BaselineError
from baselines.linear_model import LinearModel, fit
from baselines.observations import Observations
from baselines.row_quality import RowQuality, weighed
from baselines.specific_use import SpecificUse, specific_use_of
from baselines.validity import Finding, Validity, assess
from baselines.variable_selection import Tried, choose_variables
from baselines.weather_model import DegreeTerm, Temperatures, WeatherModel, fit_weather
from leanmeter.baselines.baseline_data import BaselineData, select
from leanmeter.baselines.data_file import Row, Table
from leanmeter.baselines.periods import DAYS_A_MONTH, Labels
from leanmeter.baselines.temperature_file import hourly_temperatures
from site_config.errors import ConfigurationError

SEARCHED = "searched"


@dataclass(frozen=True, slots=True)
class FittedBaseline:
    """A model with its verdict and all that was noticed; `weather`, `specific` and `tried` where they apply."""

    model: LinearModel
    validity: Validity
    findings: tuple[Finding, ...]
    weather: WeatherModel | None = None
    specific: SpecificUse | None = None
    tried: tuple[Tried, ...] = ()


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """What the model is made of."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--variables", type=names, default=(), metavar="A,B", help="relevant variables, such as output")
    what.add_argument(
        "--choose", type=names, default=(), metavar="A,B,C", help="choose among these; tells what was tried"
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--temperature", metavar="COLUMN", help="mean outdoor temperature of each row, °C")
    where.add_argument("--temperatures", type=Path, metavar="FILE.csv", help="hourly ones: columns time, temperature")
    for kind, side in (("heating", "below"), ("cooling", "above")):
        parser.add_argument(
            f"--{kind}",
            nargs="?",
            const=SEARCHED,
            metavar="BASE",
            help=f"use rises with degrees {side} BASE °C (default: searched)",
        )
    parser.add_argument("--quality", metavar="COLUMN", help="measured, interpolated, manual …: rows weigh accordingly")
    parser.add_argument("--weights", metavar="COLUMN", help="of the rows, 1 is a measured one, as `plan export` gives")
    parser.add_argument("--coverage", metavar="COLUMN", help="beside --quality: share of a row's time with readings")


def names(text: str) -> tuple[str, ...]:
    """Names between commas."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def read_rows(arguments: argparse.Namespace, table: Table, labels: Labels, rows: Sequence[int]) -> BaselineData:
    """The rows of a period, weighed by their quality where it is told."""
    variables = [*arguments.variables, *arguments.choose]
    if arguments.energy in variables:
        raise ConfigurationError(f"{arguments.energy}: is the energy itself; it cannot be a variable too")
    if arguments.temperature is not None and arguments.temperature not in variables:
        variables.append(arguments.temperature)
    data = select(table, labels, rows, arguments.energy, variables)
    if arguments.weights is not None:
        return _with_weights(arguments, table, data)
    if arguments.quality is None:
        if arguments.coverage is not None:
            raise ConfigurationError("--coverage: goes with --quality, which says how each row came to be")
        return data
    table.require([arguments.quality, *([arguments.coverage] if arguments.coverage else [])])
    days = labels.days_a_row() or (DAYS_A_MONTH if data.granularity == "month" else 1.0)
    found = weighed(data.observations, [_quality(arguments, table, table.rows[index], days) for index in data.rows])
    if not found.kept:
        raise ConfigurationError(f"{table.path}: column {arguments.quality}: no row can be used")
    return replace(
        data,
        observations=found.observations,
        coverage=data.coverage * found.coverage,
        findings=(*data.findings, *found.findings),
        rows=tuple(data.rows[index] for index in found.kept),
    )


def _quality(arguments: argparse.Namespace, table: Table, row: Row, days: float) -> RowQuality:
    covered = None if arguments.coverage is None else table.number(row, arguments.coverage)
    if covered is not None and not 0.0 <= covered <= 1.0:
        raise table.error(row, arguments.coverage, f"{covered:g} is no share from 0 to 1")
    quality = RowQuality(row.cells[arguments.quality], covered or 0.0, days)
    try:
        _ = quality.weight
    except BaselineError as problem:
        raise table.error(row, arguments.quality, str(problem)) from problem
    return quality


def _with_weights(arguments: argparse.Namespace, table: Table, data: BaselineData) -> BaselineData:
    if arguments.quality is not None:
        raise ConfigurationError("--weights: goes without --quality, which makes weights of its own")
    table.require([arguments.weights])
    weights = []
    for index in data.rows:
        weight = table.number(table.rows[index], arguments.weights)
        if weight is None or weight <= 0.0:
            text = "a weight is above 0; delete the row if it does not count"
            raise table.error(table.rows[index], arguments.weights, text)
        weights.append(weight)
    return replace(data, observations=replace(data.observations, weights=tuple(weights)))


def fit_baseline(arguments: argparse.Namespace, labels: Labels, data: BaselineData) -> FittedBaseline:
    """Fit what the command asks for; raises ConfigurationError naming the file and, where it is one's, the column."""
    try:
        return _fitted(arguments, labels, data)
    except BaselineError as problem:
        text = re.sub("^energy:", f"column {arguments.energy}:", str(problem))
        text = re.sub("^variable ", "column ", text)
        raise ConfigurationError(f"{arguments.data}: {text}") from problem


def observe(arguments: argparse.Namespace, labels: Labels, fitted: FittedBaseline, data: BaselineData) -> Observations:
    """Rows of another period with what the model needs of the weather."""
    if fitted.weather is None:
        return data.observations
    return fitted.weather.observe(data.observations, _temperatures(arguments, labels, data.observations))


def _fitted(arguments: argparse.Namespace, labels: Labels, data: BaselineData) -> FittedBaseline:
    rows = data.observations
    terms = _terms(arguments)
    if terms:
        if arguments.choose:
            raise ConfigurationError("--choose: goes with --variables' kind of model, not with --heating or --cooling")
        weather = fit_weather(rows, arguments.variables, _temperatures(arguments, labels, rows), terms)
        validity = assess(weather.model, coverage=data.coverage)
        return FittedBaseline(weather.model, validity, data.findings, weather=weather)
    if arguments.choose:
        chosen = choose_variables(rows, arguments.choose)
        validity = assess(chosen.model, coverage=data.coverage)
        return FittedBaseline(chosen.model, validity, (*data.findings, *chosen.findings), tried=chosen.tried)
    model = fit(rows, arguments.variables)
    validity = assess(model, coverage=data.coverage)
    if len(model.variables) != 1 or sum(rows.variables[model.variables[0]]) <= 0.0:
        return FittedBaseline(model, validity, data.findings)
    specific = specific_use_of(model, rows)
    warning = (Finding("base_load", specific.warning, fails=False),) if specific.warning else ()
    return FittedBaseline(model, validity, (*data.findings, *warning), specific=specific)


def _terms(arguments: argparse.Namespace) -> list[DegreeTerm]:
    terms = []
    if arguments.heating is not None:
        terms.append(DegreeTerm("heating", _base("--heating", arguments.heating)))
    if arguments.cooling is not None:
        terms.append(DegreeTerm("cooling", _base("--cooling", arguments.cooling)))
    if terms and arguments.temperature is None and arguments.temperatures is None:
        raise ConfigurationError("--heating, --cooling: give outdoor temperatures with --temperature or --temperatures")
    for option in () if terms else ("temperature", "temperatures"):
        if getattr(arguments, option) is not None:
            raise ConfigurationError(f"--{option}: say with --heating or --cooling what the temperature does")
    return terms


def _base(option: str, text: str) -> float | None:
    if text == SEARCHED:
        return None
    try:
        base = float(text)
    except ValueError:
        raise ConfigurationError(f"{option} {text}: is no temperature in °C") from None
    if not -40.0 <= base <= 60.0:
        raise ConfigurationError(f"{option} {text}: is no balance point between -40 and 60 °C")
    return base


def _temperatures(arguments: argparse.Namespace, labels: Labels, rows: Observations) -> Temperatures:
    if arguments.temperatures is not None:
        return hourly_temperatures(arguments.temperatures, labels, rows.labels)
    return Temperatures(tuple((value,) for value in rows.variables[arguments.temperature]), (1.0,) * len(rows))

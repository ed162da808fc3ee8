"""Fits variables as a plan names them, balance points that are not given included. Pure."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from baselines.errors import BaselineError
from baselines.linear_model import LinearModel, fit
from baselines.observations import Observations
from baselines.validity import assess
from baselines.variable_selection import choose_variables
from baselines.weather_model import BALANCE, DegreeTerm, Temperatures, fit_weather
from evaluation.judging.baseline_rows import BaselineRow, temperatures_of
from evaluation.plan.plan_variables import VariableSettings

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class FittedVariables:
    """A model, the rows it was fitted on with all of its variables, and the balance points (°C) that were found."""

    model: LinearModel
    observations: Observations
    bases: Mapping[str, float]


def fit_variables(
    rows: Sequence[BaselineRow], observations: Observations, definitions: Mapping[str, VariableSettings]
) -> FittedVariables:
    """Fit the use of `rows` (all known, `observations` are of the same) on the variables of a plan.

    Raises BaselineError as `fit` and `fit_weather` do, or when a variable has a name that the search needs.
    """
    searched = {name: entry for name, entry in definitions.items() if entry.is_searched}
    if not searched:
        return FittedVariables(fit(observations, list(definitions)), observations, {})
    kinds = {entry.weather.kind: name for name, entry in searched.items() if entry.weather is not None}
    plain = [name for name in definitions if name not in searched]
    for kind in kinds:
        if kind in plain:
            raise BaselineError(f"variable {kind}: call it otherwise, as a balance point of {kind} is searched")
    # All that are searched look at the same temperatures.
    name, entry = next(iter(searched.items()))
    temperatures = _joined([temperatures_of(entry, row.temperatures[name], row.days) for row in rows])
    found = fit_weather(observations, plain, temperatures, [DegreeTerm(kind) for kind in kinds])
    names = {**kinds} | {f"{kind}{BALANCE}": f"{name}{BALANCE}" for kind, name in kinds.items()}
    completed = found.observe(observations, temperatures)
    columns = {name: completed.variables[name] for name in plain}
    columns |= {new: completed.variables[old] for old, new in names.items()}
    return FittedVariables(
        _renamed(found.model, names),
        replace(completed, variables=columns),
        {name: found.bases[kind] for kind, name in kinds.items()},
    )


def chosen_among(observations: Observations, candidates: Sequence[str], coverage: float) -> tuple[tuple[str, ...], int]:
    """The variables to be taken, and among how many combinations they were chosen.

    Of the combinations that pass DOE's tests the one with the least error on rows left out (`choose_variables`), of all
    when none passes. Raises BaselineError when none can be fitted.
    """
    selection = choose_variables(observations, candidates)
    usable = [each.variables for each in selection.tried if not each.problem]
    for names in usable:
        model = paid_for(fit(observations, names), len(usable))
        if assess(model, coverage=coverage).valid:
            return names, len(usable)
    return selection.model.variables, len(usable)


def paid_for(model: LinearModel, tried: int) -> LinearModel:
    """The model with its F probability multiplied by the number of models tried (Bonferroni)."""
    return model if model.f_p is None else replace(model, f_p=min(1.0, tried * model.f_p))


def _joined(each: Sequence[Temperatures]) -> Temperatures:
    return Temperatures(
        tuple(itertools.chain.from_iterable(temperatures.samples for temperatures in each)),
        tuple(itertools.chain.from_iterable(temperatures.days for temperatures in each)),
    )


def _renamed(model: LinearModel, names: Mapping[str, str]) -> LinearModel:
    def called(mapping: Mapping[str, Value]) -> dict[str, Value]:
        return {names.get(name, name): value for name, value in mapping.items()}

    return replace(
        model,
        variables=tuple(names.get(name, name) for name in model.variables),
        coefficients=called(model.coefficients),
        standard_errors=called(model.standard_errors),
        t=called(model.t),
        p=called(model.p),
        ranges=called(model.ranges),
        searched=tuple(names.get(name, name) for name in model.searched),
    )

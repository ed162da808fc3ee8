"""Baselines that are frozen: what was fitted, on which data, by whom, and proof that neither has changed since."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np

from baselines.errors import BaselineError
from baselines.linear_model import LinearModel, VariableRange
from baselines.observations import Observations

FORMAT = 1
_TOLD_LATER: Mapping[str, Any] = {"durbin_watson": None, "durbin_watson_p": None, "error_autocorrelation": 0.0}
"""What a version that was frozen without it is read as: its bands stay as they were."""


@dataclass(frozen=True, slots=True)
class BaselineVersion:
    """A fitted model with where it is from. `data_hash` is that of the rows it was fitted on (`hash_of`).

    `bases` are the balance points in °C of a weather model's degree days. `static_factors` are what the baseline takes
    for granted (floor area, shifts a week), to be compared later. `frozen_on` is given: there is no clock in here.
    """

    number: int
    energy: str
    unit: str
    first_label: str
    last_label: str
    data_hash: str
    model: LinearModel
    author: str
    frozen_on: date
    bases: Mapping[str, float] = field(default_factory=dict)
    static_factors: Mapping[str, str] = field(default_factory=dict)


def hash_of(observations: Observations) -> str:
    """SHA-256 of labels, energy, variables (by name) and weights, each number in its shortest exact decimal form.

    Weights that are all 1 are none: a table that has them says the same as one without.
    """
    weights = observations.weights
    rows = {
        "labels": observations.labels,
        "energy": _numbers(observations.energy),
        "variables": {name: _numbers(observations.variables[name]) for name in sorted(observations.variables)},
        "weights": None if weights is None or set(weights) == {1.0} else _numbers(weights),
    }
    return hashlib.sha256(json.dumps(rows, separators=(",", ":")).encode()).hexdigest()


def freeze(
    model: LinearModel,
    observations: Observations,
    *,
    number: int,
    energy: str,
    unit: str,
    author: str,
    frozen_on: date,
    bases: Mapping[str, float] | None = None,
    static_factors: Mapping[str, str] | None = None,
) -> BaselineVersion:
    """Freeze a model fitted on `observations`; raises BaselineError without an author, or for a model of other rows."""
    if not author.strip():
        raise BaselineError("a baseline is frozen by somebody: give an author")
    if model.n != len(observations):
        raise BaselineError(f"the model was fitted on {model.n} rows, not on these {len(observations)}")
    return BaselineVersion(
        number,
        energy,
        unit,
        observations.labels[0],
        observations.labels[-1],
        hash_of(observations),
        model,
        author,
        frozen_on,
        dict(bases or {}),
        dict(static_factors or {}),
    )


def as_document(version: BaselineVersion) -> dict[str, Any]:
    """What JSON can hold and `from_document` reads back without the loss of a digit."""
    model = {entry.name: _plain(getattr(version.model, entry.name)) for entry in dataclasses.fields(version.model)}
    rest = {
        entry.name: _plain(getattr(version, entry.name))
        for entry in dataclasses.fields(version)
        if entry.name != "model"
    }
    return {"format": FORMAT, **rest, "model": model}


def from_document(document: Mapping[str, Any]) -> BaselineVersion:
    """Read what `as_document` gave; raises BaselineError when it is of another format or incomplete."""
    if document.get("format") != FORMAT:
        raise BaselineError(f"frozen baseline: format {document.get('format')!r} is not known; expected is {FORMAT}")
    try:
        rest = {key: value for key, value in document.items() if key not in {"format", "model", "frozen_on"}}
        return BaselineVersion(
            model=_model(document["model"]), frozen_on=date.fromisoformat(document["frozen_on"]), **rest
        )
    except (KeyError, TypeError, ValueError) as problem:
        raise BaselineError(f"frozen baseline: is damaged ({problem})") from problem


def _numbers(column: tuple[float, ...]) -> list[float]:
    # 5 and 5.0 are the same use.
    return [float(value) for value in column]


def _model(document: Mapping[str, Any]) -> LinearModel:
    given = {**_TOLD_LATER, **document}
    width = len(given["variables"])
    given["slopes_inverse"] = np.array(given["slopes_inverse"], dtype=np.float64).reshape(width, width)
    given["ranges"] = {name: VariableRange(**seen) for name, seen in given["ranges"].items()}
    for name in ("variables", "residuals", "centre", "searched"):
        given[name] = tuple(given[name])
    return LinearModel(**given)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {entry.name: _plain(getattr(value, entry.name)) for entry in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    return value.isoformat() if isinstance(value, date) else value

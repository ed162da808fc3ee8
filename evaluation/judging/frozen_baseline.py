"""A frozen version of a baseline: its definition, its model, and the shape of its week. Pure."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from baselines.versions import BaselineVersion, as_document, from_document
from baselines.weather_model import BALANCE
from baselines.week_profile import WeekProfile
from evaluation.judging.baseline_rows import BaselineRow, temperatures_of
from evaluation.plan.plan_baselines import BaselineSettings, ShiftSettings
from evaluation.plan.plan_file import PlanFile
from evaluation.plan.plan_variables import Step, VariableSettings
from store.plans import StoredBaseline

# Accuracy classes, static factors and the reporting period say nothing about how the model is fitted.
_FITTED_BY = ("series", "period", "variables")
# What came later counts only where it is used: nothing is to be fitted again because of a new key.
_FITTED_BY_TOO = {"step": "day", "choose": False, "bills": None, "bills_factor": 1.0}
_NEW_IN_VARIABLES = ("per", "change_point")
_ARRAYS = ("means", "deviations", "weeks", "day_deviations", "days")


@dataclass(frozen=True, slots=True)
class FrozenBaseline:
    """What is expected of a series. `profile` is None where there were too few weeks for one.

    `variables` are how the model's variables were defined when it was fitted, with the balance points that were found;
    `coverage` is the share of the baseline period's rows that count, `step` what one of them is, `shifts` their hours
    where that is a shift. `candidates` are the variables among which they were chosen, where they were.
    """

    id: str
    series: str
    first_day: str
    last_day: str
    version: BaselineVersion
    variables: Mapping[str, VariableSettings]
    coverage: float
    profile: WeekProfile | None
    step: Step = "day"
    shifts: Mapping[str, ShiftSettings] = field(default_factory=dict)
    candidates: tuple[str, ...] = ()

    def completed(self, entry: BaselineRow) -> BaselineRow:
        """A row with what the model needs beside its variables: the derivatives by searched balance points."""
        found: dict[str, float | None] = {}
        for derivative in self.version.model.searched:
            name = derivative.removesuffix(BALANCE)
            definition, samples = self.variables[name], entry.temperatures.get(name)
            found[derivative] = None
            if samples is not None and definition.weather is not None and definition.weather.base is not None:
                weather = temperatures_of(definition, samples, entry.days)
                (by_base,) = weather.by_base(definition.weather.kind, definition.weather.base)
                found[derivative] = self.version.model.coefficients[name] * by_base
        return replace(entry, variables={**entry.variables, **found}) if found else entry

    def document(self) -> dict[str, Any]:
        """For the entities, without the loss of a digit."""
        return {
            "series": self.series,
            "first_day": self.first_day,
            "last_day": self.last_day,
            "model": as_document(self.version),
            "variables": {name: entry.model_dump(mode="json", by_alias=True) for name, entry in self.variables.items()},
            "step": self.step,
            "shifts": _dumped(self.shifts),
            "candidates": list(self.candidates),
            "coverage": self.coverage,
            "profile": None
            if self.profile is None
            else {name: getattr(self.profile, name).tolist() for name in _ARRAYS},
        }


def thaw(stored: StoredBaseline) -> FrozenBaseline:
    """What `FrozenBaseline.document` gave; raises BaselineError when it is damaged."""
    document: Mapping[str, Any] = stored.document
    profile = document["profile"]
    return FrozenBaseline(
        id=stored.baseline,
        series=document["series"],
        first_day=document["first_day"],
        last_day=document["last_day"],
        version=from_document(document["model"]),
        variables={name: VariableSettings.model_validate(entry) for name, entry in document["variables"].items()},
        coverage=document["coverage"],
        profile=None
        if profile is None
        else WeekProfile(**{name: np.array(profile[name], dtype=np.float64) for name in _ARRAYS}),
        step=document.get("step", "day"),
        candidates=tuple(document.get("candidates", ())),
        shifts={name: ShiftSettings.model_validate(entry) for name, entry in document.get("shifts", {}).items()},
    )


def definition_hash(plan: PlanFile, baseline: BaselineSettings) -> str:
    """Changes when a baseline would have to be fitted anew."""
    document = baseline.model_dump(mode="json", by_alias=True)
    definition: dict[str, Any] = {
        **{name: document[name] for name in _FITTED_BY},
        **{name: document[name] for name, usual in _FITTED_BY_TOO.items() if document[name] != usual},
        "definitions": {name: _definition(plan.variables[name]) for name in baseline.variables},
    }
    if baseline.step == "shift":
        definition["shifts"] = _dumped(plan.shifts)
    return hashlib.sha256(json.dumps(definition, sort_keys=True).encode()).hexdigest()


def _definition(entry: VariableSettings) -> dict[str, Any]:
    document = entry.model_dump(mode="json", by_alias=True)
    return {
        name: value for name, value in document.items() if name not in _NEW_IN_VARIABLES or value not in {None, "day"}
    }


def _dumped(shifts: Mapping[str, ShiftSettings]) -> dict[str, Any]:
    return {name: entry.model_dump(mode="json", by_alias=True) for name, entry in shifts.items()}


def current(plan: PlanFile, stored: tuple[StoredBaseline, ...]) -> dict[str, FrozenBaseline]:
    """The version that holds of each baseline of a plan, by series: the newest of its definition."""
    found = {}
    for baseline in plan.baselines:
        wanted = definition_hash(plan, baseline)
        versions = [entry for entry in stored if entry.baseline == baseline.id and entry.definition_hash == wanted]
        if versions:
            found[baseline.series] = thaw(max(versions, key=lambda entry: entry.version))
    return found

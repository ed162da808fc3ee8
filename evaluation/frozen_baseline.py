"""A frozen version of a baseline: its definition, its model, and the shape of its week. Pure."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from baselines.versions import BaselineVersion, as_document, from_document
from baselines.week_profile import WeekProfile
from evaluation.plan_file import BaselineSettings, PlanFile, VariableSettings
from store.plans import StoredBaseline

# Accuracy classes, static factors and the reporting period say nothing about how the model is fitted.
_FITTED_BY = ("series", "period", "variables")
_ARRAYS = ("means", "deviations", "weeks", "day_deviations", "days")


@dataclass(frozen=True, slots=True)
class FrozenBaseline:
    """What is expected of a series. `profile` is None where there were too few weeks for one.

    `variables` are how the model's variables were defined when it was fitted; `coverage` is the share of the baseline
    period's days that count.
    """

    id: str
    series: str
    first_day: str
    last_day: str
    version: BaselineVersion
    variables: Mapping[str, VariableSettings]
    coverage: float
    profile: WeekProfile | None

    def document(self) -> dict[str, Any]:
        """For the entities, without the loss of a digit."""
        return {
            "series": self.series,
            "first_day": self.first_day,
            "last_day": self.last_day,
            "model": as_document(self.version),
            "variables": {name: entry.model_dump(mode="json", by_alias=True) for name, entry in self.variables.items()},
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
    )


def definition_hash(plan: PlanFile, baseline: BaselineSettings) -> str:
    """Changes when a baseline would have to be fitted anew."""
    document = baseline.model_dump(mode="json", by_alias=True)
    definition = {
        **{name: document[name] for name in _FITTED_BY},
        "definitions": {
            name: plan.variables[name].model_dump(mode="json", by_alias=True) for name in baseline.variables
        },
    }
    return hashlib.sha256(json.dumps(definition, sort_keys=True).encode()).hexdigest()


def current(plan: PlanFile, stored: tuple[StoredBaseline, ...]) -> dict[str, FrozenBaseline]:
    """The version that holds of each baseline of a plan, by series: the newest of its definition."""
    found = {}
    for baseline in plan.baselines:
        wanted = definition_hash(plan, baseline)
        versions = [entry for entry in stored if entry.baseline == baseline.id and entry.definition_hash == wanted]
        if versions:
            found[baseline.series] = thaw(max(versions, key=lambda entry: entry.version))
    return found

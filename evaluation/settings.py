"""The file `evaluation.yaml`."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from site_config.errors import ConfigurationError
from site_config.yaml_file import load_model
from store.settings import StorageSettings


class EvaluationFileError(ConfigurationError):
    """The evaluation's file cannot be used."""


class EvaluationSettings(StorageSettings):
    """Where readings come from and how often they are evaluated.

    Readings further apart than `gap_limit_s` leave the time between them uncovered; it should be three times the
    edge's `slow_interval_s` (totals are read at that pace), and at least a minute.
    """

    evaluation_interval_s: Annotated[float, Field(ge=0.1, le=3600)] = 2.0
    gap_limit_s: Annotated[float, Field(ge=60, le=86_400)] = 60.0


def load_evaluation_settings(path: Path) -> EvaluationSettings:
    """Read the file; raises EvaluationFileError with one line that names the file, the key and the rule."""
    return load_model(path, EvaluationSettings, EvaluationFileError)

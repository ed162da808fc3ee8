"""The file `visit.yaml`."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from site_config.errors import ConfigurationError
from site_config.schema import Port, Slug
from site_config.yaml_file import load_model
from store.settings import StorageSettings


class VisitFileError(ConfigurationError):
    """The page's file cannot be used."""


class VisitSettings(StorageSettings):
    """What the page shows and where it listens. `example` draws a baseline that is labelled as an example."""

    site: Slug
    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Port = 8080
    example: bool = False


def load_visit_settings(path: Path) -> VisitSettings:
    """Read the file; raises VisitFileError with one line that names the file, the key and the rule."""
    return load_model(path, VisitSettings, VisitFileError)

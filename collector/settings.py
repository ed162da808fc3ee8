"""The collector's file `collector.yaml`."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from site_config.errors import ConfigurationError
from site_config.schema import MqttSettings
from site_config.yaml_file import load_model
from store.settings import StorageSettings

SQLITE_RETENTION_DAYS = 30


class CollectorFileError(ConfigurationError):
    """The collector's file cannot be used."""


class CollectorSettings(StorageSettings):
    """The collector's file.

    `sites` are site files that are imported at each start. Raw readings older than `raw_retention_days` are deleted:
    by default after 30 days in SQLite, and never in InfluxDB, where the bucket has its own retention.
    """

    mqtt: MqttSettings = MqttSettings()
    sites: Annotated[tuple[Path, ...], Field(max_length=10_000)] = ()
    raw_retention_days: Annotated[int, Field(ge=1, le=36_500)] | None = None

    def retention_days(self) -> int | None:
        """After how many days raw readings are deleted; None is never."""
        if self.raw_retention_days is None and self.store.sqlite is not None:
            return SQLITE_RETENTION_DAYS
        return self.raw_retention_days


def load_collector_config(path: Path) -> CollectorSettings:
    """Read a collector's file; raises CollectorFileError with one line that names the file, the key and the rule."""
    return load_model(path, CollectorSettings, CollectorFileError)

"""The file `server.yaml`: one for collector, evaluation and page, each of which checks all of it."""

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, field_validator, model_validator

from site_config.errors import ConfigurationError
from site_config.notification_settings import NotificationsSection
from site_config.schema import MqttSettings, Port, Slug
from site_config.yaml_file import StrictModel, load_model
from store.settings import StoreSettings
from wire_format.limits import MAX_MESSAGE_BYTES

SQLITE_RETENTION_DAYS = 30


class ServerFileError(ConfigurationError):
    """The file cannot be used."""


class LimitsSection(StrictModel):
    """What one edge may do; another edge never notices that it did more.

    Series beyond the first three are refused and kept in the quarantine. Batches beyond the rates (ten seconds' worth
    may come at once) are not answered, so that their edge sends them again later. Sizes are bounded by the wire format.
    """

    devices_per_edge: Annotated[int, Field(ge=1, le=100_000)] = 500
    quantities_per_device: Annotated[int, Field(ge=1, le=100_000)] = 500
    series_per_edge: Annotated[int, Field(ge=1, le=1_000_000)] = 20_000
    batches_per_s: Annotated[float, Field(ge=1, le=100_000)] = 200.0
    bytes_per_s: Annotated[float, Field(ge=MAX_MESSAGE_BYTES, le=1e9)] = 4_194_304.0


class CollectorSection(StrictModel):
    """Where batches come from. `sites` are site files that are imported at each start.

    `name` tells collectors that share a subscription apart in their health. `metrics_port` serves Prometheus at
    http://127.0.0.1:PORT/metrics.
    """

    mqtt: MqttSettings = MqttSettings()
    sites: Annotated[tuple[Path, ...], Field(max_length=10_000)] = ()
    raw_retention_days: Annotated[int, Field(ge=1, le=36_500)] | None = None
    name: Slug = "collector"
    metrics_port: Port | None = None
    limits: LimitsSection = LimitsSection()

    @field_validator("sites")
    @classmethod
    def _each_once(cls, value: tuple[Path, ...]) -> tuple[Path, ...]:
        for number, path in enumerate(value):
            if path.resolve() in {before.resolve() for before in value[:number]}:
                raise ValueError(f"{path} stands there twice")
        return value


class EvaluationSection(StrictModel):
    """How often new readings are evaluated.

    Readings further apart than `gap_limit_s` leave the time between them uncovered; it should be three times the
    edge's `slow_interval_s` (totals are read at that pace), and at least a minute.
    """

    interval_s: Annotated[float, Field(ge=0.1, le=3600)] = 2.0
    gap_limit_s: Annotated[float, Field(ge=60, le=86_400)] = 60.0
    metrics_port: Port | None = None


class VisitSection(StrictModel):
    """What the page shows and where it listens.

    `site` may be left out where there is one only. `example` draws a baseline that is labelled as an example. Without
    `language` the page speaks the one that the browser asks for.
    """

    site: Slug | None = None
    language: Annotated[str, Field(min_length=2, max_length=20)] | None = None
    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Port = 8080
    example: bool = False


class ServerFile(StrictModel):
    """The file as it is written."""

    store: StoreSettings
    entities: Path
    collector: CollectorSection = CollectorSection()
    evaluation: EvaluationSection = EvaluationSection()
    visit: VisitSection = VisitSection()
    notifications: NotificationsSection | None = None

    @model_validator(mode="after")
    def _a_file_each(self) -> Self:
        if self.entities == self.store.sqlite:
            raise ValueError("entities: must be another file than store.sqlite")
        return self

    @field_validator("collector", "evaluation", "visit", mode="before")
    @classmethod
    def _empty_is_default(cls, value: Any) -> Any:
        # A section of which every line is a comment.
        return {} if value is None else value

    def retention_days(self) -> int | None:
        """After how many days raw readings are deleted; None is never.

        By default after 30 days in SQLite, and never in InfluxDB, where the bucket has its own retention.
        """
        if self.collector.raw_retention_days is None and self.store.sqlite is not None:
            return SQLITE_RETENTION_DAYS
        return self.collector.raw_retention_days


def load_server_file(path: Path) -> ServerFile:
    """Read the file; raises ServerFileError with one line that names the file, the key and the rule."""
    return load_model(path, ServerFile, ServerFileError)

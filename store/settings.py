"""Where readings are kept, as users write it."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, model_validator

from site_config.secret_file import read_secret
from site_config.yaml_file import StrictModel


class InfluxSettings(StrictModel):
    """An InfluxDB 2 bucket. The token stands here or, better, alone in a file."""

    url: Annotated[str, Field(pattern=r"^https?://[^/\s]+(/[^\s]*)?$")]
    org: Annotated[str, Field(min_length=1)]
    bucket: Annotated[str, Field(min_length=1)]
    token: Annotated[SecretStr, Field(min_length=1)] | None = None
    token_file: Path | None = None
    timeout_s: Annotated[float, Field(gt=0, le=300)] = 15.0

    @model_validator(mode="after")
    def _one_token(self) -> Self:
        if (self.token is None) == (self.token_file is None):
            raise ValueError("needs exactly one of token, token_file")
        return self

    def read_token(self) -> str:
        """The token; raises ConfigurationError when its file cannot be read or is empty."""
        if self.token is not None:
            return self.token.get_secret_value()
        assert self.token_file is not None  # noqa: S101  # by the validator
        return read_secret(self.token_file, "store.influx.token_file")


class StoreSettings(StrictModel):
    """Where readings, intervals and days are kept: a SQLite file or an InfluxDB bucket."""

    sqlite: Path | None = None
    influx: InfluxSettings | None = None

    @model_validator(mode="after")
    def _one_store(self) -> Self:
        if (self.sqlite is None) == (self.influx is None):
            raise ValueError("needs exactly one of sqlite, influx")
        return self

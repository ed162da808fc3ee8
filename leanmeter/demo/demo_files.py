"""The files that the demo's programs run from, as a user would write them by hand."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from site_config.errors import ConfigurationError

_MARK = "written-by-leanmeter-demo"


@dataclass(frozen=True, slots=True)
class InfluxTarget:
    """Where readings go when the demo stores in InfluxDB."""

    url: str
    token: str
    org: str
    bucket: str


def prepare_directory(directory: Path) -> None:
    """Make an empty directory for one demo; raises ConfigurationError when somebody else's files are in it."""
    if directory.exists() and any(directory.iterdir()):
        if not (directory / _MARK).exists():
            raise ConfigurationError(
                f"--directory {directory}: holds files that no demo wrote; name an empty or new directory"
            )
        shutil.rmtree(directory)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / _MARK).touch()


def write_settings(
    directory: Path,
    *,
    site: str,
    mqtt_port: int,
    page_port: int,
    influx: InfluxTarget | None,
    gap_limit_s: float | None = None,
) -> Path:
    """Write `server.yaml` of collector, evaluation and page; returns its path."""
    store: dict[str, Any] = {"sqlite": str(directory / "readings.sqlite")}
    if influx is not None:
        token_file = directory / "influx-token"
        token_file.touch(mode=0o600)
        token_file.write_text(influx.token, encoding="utf-8")
        store = {
            "influx": {
                "url": influx.url,
                "token_file": str(token_file),
                "org": influx.org,
                "bucket": influx.bucket,
            }
        }
    settings: dict[str, Any] = {
        "store": store,
        "entities": str(directory / "entities.sqlite"),
        "collector": {"mqtt": {"host": "127.0.0.1", "port": mqtt_port}, "sites": [str(directory / "site.yaml")]},
        "visit": {"site": site, "port": page_port, "example": gap_limit_s is None},
    }
    if gap_limit_s is not None:
        settings["evaluation"] = {"gap_limit_s": gap_limit_s}
        # What is counted at the end must still be there.
        settings["collector"]["raw_retention_days"] = 1000
    path = directory / "server.yaml"
    path.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    return path


def write_summary(path: Path, summary: Mapping[str, object]) -> None:
    """Write the summary whole or not at all; raises ConfigurationError when the place cannot be written."""
    unfinished = path.with_name(path.name + ".part")
    try:
        unfinished.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
        unfinished.replace(path)
    except OSError as problem:
        raise ConfigurationError(f"--summary {path}: cannot be written: {problem.strerror}") from problem

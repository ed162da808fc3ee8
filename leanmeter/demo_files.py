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
    directory: Path, *, site: str, mqtt_port: int, page_port: int, influx: InfluxTarget | None
) -> Mapping[str, Path]:
    """Write the settings of collector, evaluation and page; returns their paths by name."""
    storage: dict[str, Any] = {"entities": str(directory / "entities.sqlite")}
    if influx is None:
        storage["store"] = {"sqlite": str(directory / "readings.sqlite")}
    else:
        token_file = directory / "influx-token"
        token_file.touch(mode=0o600)
        token_file.write_text(influx.token, encoding="utf-8")
        storage["store"] = {
            "influx": {
                "url": influx.url,
                "token_file": str(token_file),
                "org": influx.org,
                "bucket": influx.bucket,
            }
        }
    mqtt = {"host": "127.0.0.1", "port": mqtt_port}
    return {
        "collector": _write(
            directory / "collector.yaml", {"mqtt": mqtt, "sites": [str(directory / "site.yaml")], **storage}
        ),
        "evaluation": _write(directory / "evaluation.yaml", {"evaluation_interval_s": 2, **storage}),
        "visit": _write(directory / "visit.yaml", {"site": site, "port": page_port, "example": True, **storage}),
    }


def write_summary(path: Path, summary: Mapping[str, object]) -> None:
    """Write the summary whole or not at all; raises ConfigurationError when the place cannot be written."""
    unfinished = path.with_name(path.name + ".part")
    try:
        unfinished.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
        unfinished.replace(path)
    except OSError as problem:
        raise ConfigurationError(f"--summary {path}: cannot be written: {problem.strerror}") from problem


def _write(path: Path, settings: Mapping[str, Any]) -> Path:
    path.write_text(yaml.safe_dump(dict(settings), sort_keys=False), encoding="utf-8")
    return path

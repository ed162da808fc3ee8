"""Opens the store that a configuration names."""

from pathlib import Path

from store.entities import Entities
from store.protocol import OperatedReadingStore
from store.settings import StoreSettings


def open_readings(settings: StoreSettings) -> OperatedReadingStore:
    """Open the store of readings; close it with `close()`.

    A SQLite file is made when it is missing. InfluxDB is first asked with the first call; `check()` asks at once.
    Raises StoreConfigurationError when a file cannot be used, ConfigurationError when the token's file cannot be read.
    """
    # Neither store's dependencies are loaded when the other is used.
    if settings.influx is not None:
        from store.influx_readings import InfluxReadings  # noqa: PLC0415

        return InfluxReadings(settings.influx)
    from store.sqlite_readings import SqliteReadings  # noqa: PLC0415

    assert settings.sqlite is not None  # noqa: S101  # by the validator of StoreSettings
    return SqliteReadings(settings.sqlite)


def open_entities(path: Path) -> Entities:
    """Open the file of sites, points, assignments and marks, and make it when it is missing.

    Raises StoreConfigurationError when the file cannot be used.
    """
    return Entities(path)

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from store.factory import open_readings
from store.protocol import OperatedReadingStore
from store.settings import StoreSettings


@pytest.fixture(params=["sqlite", "influx"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> StoreSettings:
    """An empty store of each kind."""
    if request.param == "sqlite":
        return StoreSettings.model_validate({"sqlite": tmp_path / "readings.sqlite"})
    server = request.getfixturevalue("influxdb")
    bucket: str = request.getfixturevalue("influxdb_bucket")
    return StoreSettings.model_validate(
        {"influx": {"url": server.url, "token": server.token, "org": server.org, "bucket": bucket}}
    )


@pytest.fixture
async def store(settings: StoreSettings) -> AsyncIterator[OperatedReadingStore]:
    opened = open_readings(settings)
    yield opened
    await opened.close()

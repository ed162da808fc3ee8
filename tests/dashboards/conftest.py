"""A bucket that is filled once for all tests of the dashboards."""

import secrets
from collections.abc import Iterator, Sequence

import pytest

from tests.dashboards.filled import FULL_SIZE, Filled, fill
from tests.servers.influxdb import InfluxDB

FULL_SIZE_TIMEOUT_S = 3600.0


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Whichever test comes first waits until the bucket is filled: at full size for minutes."""
    for item in items if FULL_SIZE else ():
        if "filled" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(FULL_SIZE_TIMEOUT_S))


@pytest.fixture(scope="session")
def filled(influxdb: InfluxDB, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    bucket = f"dashboards-{secrets.token_hex(6)}"
    bucket_id = influxdb.create_bucket(bucket)
    fill(influxdb, bucket, tmp_path_factory.mktemp("filled"))
    yield Filled(influxdb, bucket)
    influxdb.delete_bucket(bucket_id)

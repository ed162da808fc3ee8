"""A bucket that is filled once for all tests of the dashboards."""

import secrets
from collections.abc import Iterator

import pytest

from tests.dashboards.filled import Filled, fill
from tests.servers.influxdb import InfluxDB


@pytest.fixture(scope="session")
def filled(influxdb: InfluxDB, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    bucket = f"dashboards-{secrets.token_hex(6)}"
    bucket_id = influxdb.create_bucket(bucket)
    fill(influxdb, bucket, tmp_path_factory.mktemp("filled") / "entities.sqlite")
    yield Filled(influxdb, bucket)
    influxdb.delete_bucket(bucket_id)

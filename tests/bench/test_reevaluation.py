"""The benchmark of the evaluation runs on both stores and finds the same: small here, a year by `scripts/bench`."""

import argparse
from pathlib import Path

from bench.reevaluation import measure
from tests.servers.influxdb import InfluxDB

DAYS = 16


async def test_both_stores_write_as_much_and_nothing_when_nothing_has_changed(
    influxdb: InfluxDB, influxdb_bucket: str, tmp_path: Path
) -> None:
    asked = {
        "points": 4,
        "days": DAYS,
        "step": "day",
        "token": influxdb.token,
        "org": influxdb.org,
        "bucket": influxdb_bucket,
    }
    found = []
    for url in (None, influxdb.url):
        folder = tmp_path / ("influx" if url else "sqlite")
        folder.mkdir()
        measured = await measure(argparse.Namespace(influx=url, **asked), folder)
        found.append({name: value for name, value in measured.items() if name.endswith("_rows")})

    in_sqlite, in_influx = found
    assert in_influx == in_sqlite
    # A day's expected use each; then nothing; then an hour of the main, and what follows from it.
    assert in_influx["new_version_rows"] == DAYS
    assert in_influx["unchanged_rows"] == 0
    assert 4 <= in_influx["late_hour_rows"] < 20

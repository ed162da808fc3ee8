from tests.servers.influxdb import InfluxDB, InfluxDBProcess

LINE = "reading,site=workshop,device=meter-1 active_power_total=1234.5 1700000000000"
ROW = {"time": 1_700_000_000_000, "active_power_total": 1234.5}
QUERY = "SELECT active_power_total FROM reading"


def test_a_written_point_is_read_back(influxdb: InfluxDB, influxdb_bucket: str) -> None:
    influxdb.write(influxdb_bucket, LINE)
    assert influxdb.query(influxdb_bucket, QUERY) == [ROW]


def test_every_test_gets_an_empty_bucket(influxdb: InfluxDB, influxdb_bucket: str) -> None:
    assert influxdb.query(influxdb_bucket, QUERY) == []


def test_tags_are_columns_of_a_grouped_query(influxdb: InfluxDB, influxdb_bucket: str) -> None:
    influxdb.write(influxdb_bucket, LINE)
    assert influxdb.query(influxdb_bucket, f"{QUERY} GROUP BY device") == [{**ROW, "device": "meter-1"}]


def test_a_confirmed_point_outlives_a_kill(influxdb_process: InfluxDBProcess) -> None:
    influxdb_process.create_bucket("kept")
    influxdb_process.write("kept", LINE)
    influxdb_process.kill()
    assert not influxdb_process.is_healthy()
    influxdb_process.start()
    assert influxdb_process.query("kept", QUERY) == [ROW]

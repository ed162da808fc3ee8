import json

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards.query import InfluxQuery


def as_json(query: InfluxQuery) -> dict[str, object]:
    loaded: dict[str, object] = json.loads(json.dumps(query, cls=JSONEncoder))
    return loaded


def test_json_is_what_the_data_source_reads_in_influxql_mode() -> None:
    assert as_json(InfluxQuery("SELECT 1", alias="$tag_point", ref_id="B")) == {
        "alias": "$tag_point",
        "datasource": {"type": "influxdb", "uid": "${datasource}"},
        "query": "SELECT 1",
        "rawQuery": True,
        "refId": "B",
        "resultFormat": "time_series",
    }


def test_table_format_and_hidden() -> None:
    found = as_json(InfluxQuery("SELECT 1", result_format="table", hide=True))

    assert found["resultFormat"] == "table"
    assert found["hide"] is True
    assert "alias" not in found


def test_comes_back_from_json() -> None:
    query = InfluxQuery("SELECT 1", alias="a", result_format="table", ref_id="C", hide=True)

    assert InfluxQuery.from_json(as_json(query)) == query


def test_a_query_of_the_query_builder_is_refused() -> None:
    with pytest.raises(ValueError, match="'A' is not raw InfluxQL"):
        InfluxQuery.from_json({"refId": "A", "measurement": "reading"})

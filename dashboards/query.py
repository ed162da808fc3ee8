"""An InfluxQL query in a Grafana panel; grafana-foundation-sdk has queries for other data sources only."""

from dataclasses import dataclass
from typing import Any, Literal, Self

from grafana_foundation_sdk.cog import runtime
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.dashboard import DataSourceRef

PLUGIN = "influxdb"
DATASOURCE = DataSourceRef(type_val=PLUGIN, uid="${datasource}")
"""The data source that the dashboard's variable `datasource` names."""

ResultFormat = Literal["time_series", "table"]


@dataclass(frozen=True, slots=True)
class InfluxQuery(Dataquery, Builder["InfluxQuery"]):
    """A query as Grafana's InfluxDB data source in InfluxQL mode expects it; immutable, so its own builder.

    `query` may hold the macros `$timeFilter` and `$__interval` and the dashboard's variables. `alias` names the
    series (`$tag_point` is a tag's value). `result_format` is `time_series`, a frame for each series, or `table`.
    `ref_id` tells the queries of a panel apart.
    """

    query: str
    alias: str | None = None
    result_format: ResultFormat = "time_series"
    ref_id: str = "A"
    hide: bool = False

    def build(self) -> "InfluxQuery":
        """The query itself."""
        return self

    def to_json(self) -> dict[str, object]:
        """The query as it stands in a panel's `targets`."""
        payload: dict[str, object] = {
            "datasource": DATASOURCE,
            "query": self.query,
            "rawQuery": True,
            "refId": self.ref_id,
            "resultFormat": self.result_format,
        }
        if self.alias is not None:
            payload["alias"] = self.alias
        if self.hide:
            payload["hide"] = True
        return payload

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read a panel's target; raises KeyError when it has no query, ValueError when it is not raw InfluxQL."""
        if data.get("rawQuery") is not True:
            raise ValueError(f"query {data.get('refId')!r} is not raw InfluxQL")
        return cls(
            query=data["query"],
            alias=data.get("alias"),
            result_format=data.get("resultFormat", "time_series"),
            ref_id=data.get("refId", "A"),
            hide=data.get("hide", False),
        )


def register() -> None:
    """Teach the SDK to read InfluxQL queries back from JSON."""
    runtime.register_dataquery_variant(runtime.DataqueryConfig(PLUGIN, InfluxQuery.from_json))

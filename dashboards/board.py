"""What every dashboard has: links to the others, choices at the top, events and outages as marks in its charts."""

from dataclasses import dataclass
from typing import Any

from grafana_foundation_sdk.builders.dashboard import Dashboard, DashboardLink
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import (
    AnnotationQuery,
    DashboardCursorSync,
    DashboardLinkType,
    DataSourceRef,
    VariableModel,
)

from dashboards.influxql import EVENT, INTERVALS, QUALITY, SHOWN_TIME, SITE, WHOLE_SITES, select
from dashboards.query import DATASOURCE
from dashboards.site_names import SiteNames
from store import schema

TAG = "leanmeter"
LAST_DAY = "now-24h"
LAST_MONTH = "now-30d"
SLOW_REFRESH = "5m"


@dataclass(frozen=True, slots=True)
class InfluxAnnotation(Builder[AnnotationQuery]):
    """Marks from an InfluxQL query, in the form that Grafana has read since version 7.

    `text`, `title` and `end` name columns of the result; what stands in `end` is a time in ms.
    """

    name: str
    color: str
    query: str
    text: str
    title: str
    end: str = ""

    def build(self) -> AnnotationQuery:
        """The annotation as it stands in a dashboard."""
        return _InfluxAnnotationQuery(self)


class _InfluxAnnotationQuery(AnnotationQuery):
    """The SDK's annotation has no place for what InfluxDB's data source reads."""

    def __init__(self, described: InfluxAnnotation) -> None:
        source = DataSourceRef(type_val=DATASOURCE.type_val, uid=DATASOURCE.uid)
        super().__init__(described.name, source, icon_color=described.color)
        self._described = described

    def to_json(self) -> dict[str, Any]:
        """With the keys of InfluxDB's data source."""
        return super().to_json() | {
            "query": self._described.query,
            "queryType": "tags",
            "fromAnnotations": True,
            "textColumn": self._described.text,
            "titleColumn": self._described.title,
            "tagsColumn": "",
            "timeEndColumn": self._described.end,
        }


def board(
    name: str,
    title: str,
    description: str,
    names: SiteNames,
    variables: list[Builder[VariableModel]],
    *,
    since: str = LAST_DAY,
    refresh: str = SLOW_REFRESH,
    marks: bool = True,
) -> Dashboard:
    """An empty dashboard with the uid `leanmeter-NAME`; with `marks` it shows events and outages of its site."""
    built = (
        Dashboard(f"Leanmeter · {title} · {names.name}")
        .uid(uid_of(name))
        .description(description)
        .tags([TAG])
        .timezone(names.time_zone)
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .time(since, "now")
        .refresh(refresh)
        .variables(variables)
        .link(
            DashboardLink("Leanmeter")
            .type(DashboardLinkType.DASHBOARDS)
            .tags([TAG])
            .as_dropdown(as_dropdown=True)
            .include_vars(include_vars=True)
            .keep_time(keep_time=True)
            .icon("external link")
        )
    )
    return built.annotations([events(), outages()]) if marks else built


def uid_of(name: str) -> str:
    """The uid of a dashboard by its file's name."""
    return f"leanmeter-{name}"


def events() -> InfluxAnnotation:
    """Counters that were reset, clocks that were set, outages with their end, as edge and collector tell them."""
    columns = f'"{schema.FIELD_TEXT}", "{schema.FIELD_UNTIL_MS}", "{schema.TAG_KIND}", "{schema.TAG_DEVICE}"'
    # These are told in great numbers, and say nothing about a curve.
    marked = f'"{schema.TAG_KIND}" !~ /^(weighing|day_counted)$/'
    query = select(columns, EVENT, SITE, marked, SHOWN_TIME)
    return InfluxAnnotation("Events", "orange", query, schema.FIELD_TEXT, schema.TAG_KIND, schema.FIELD_UNTIL_MS)


def outages() -> InfluxAnnotation:
    """Quarters of an hour without mains."""
    query = select(QUALITY, INTERVALS, SITE, WHOLE_SITES, f"{QUALITY} = 'outage'", SHOWN_TIME)
    return InfluxAnnotation("Outages", "red", query, schema.FIELD_QUALITY, schema.FIELD_QUALITY)

"""The choices at the top of a dashboard: data source, site, line, points, what is compared."""

from grafana_foundation_sdk.builders.dashboard import CustomVariable, DatasourceVariable, QueryVariable
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import (
    VariableHide,
    VariableModel,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from dashboards.influxql import (
    CHOSEN_LINE,
    DAYS,
    EVERY_SITE,
    INTERVALS,
    METERED,
    NO_SERVER,
    POINT,
    READING,
    SITE,
    of_resource,
)
from dashboards.query import DATASOURCE, PLUGIN
from dashboards.site_names import SiteNames

PROVISIONED_DATASOURCE = VariableOption(selected=True, text="Leanmeter", value="leanmeter-influxdb")
"""Name and uid of the data source in deploy/grafana/provisioning; without it Grafana takes its first InfluxDB."""

ALL = ".*"
_ALL_CHOSEN = VariableOption(selected=True, text=["All"], value=["$__all"])


def of_every_site() -> list[Builder[VariableModel]]:
    """The choices of a dashboard on all sites."""
    return [datasource()]


def of_one_site(names: SiteNames) -> list[Builder[VariableModel]]:
    """The choices of a dashboard on one site as a whole."""
    return [datasource(), site(names)]


def of_points(names: SiteNames, *resources: str) -> list[Builder[VariableModel]]:
    """The choices of a dashboard that shows points of one site, of these resources or of all."""
    return [datasource(), site(names), line(names, *resources), point(*resources)]


def datasource() -> DatasourceVariable:
    """Which InfluxDB."""
    return DatasourceVariable("datasource").label("Data source").type(PLUGIN).current(PROVISIONED_DATASOURCE)


def site(names: SiteNames) -> QueryVariable:
    """Which site, one at a time; runs of the demo carry their time in the name, and the newest comes first."""
    return (
        _choice("site", "Site", f"SHOW TAG VALUES FROM {READING} WITH KEY = {EVERY_SITE} WHERE {NO_SERVER}")
        .sort(VariableSort.ALPHABETICAL_DESC)
        .current(VariableOption(selected=True, text=names.site, value=names.site))
    )


def line(names: SiteNames, *resources: str) -> CustomVariable:
    """Which production line's points of these resources, or of all; all at first."""
    lines = names.on_lines(*(resources or names.points))
    options = ", ".join(f"{name} : {'|'.join(ids)}" for name, ids in lines.items())
    return (
        CustomVariable("line")
        .label("Line")
        .values(options)
        .hide(VariableHide.DONT_HIDE if lines else VariableHide.HIDE_VARIABLE)
        .include_all(include_all=True)
        .all_value(ALL)
        .current(VariableOption(selected=True, text="All", value="$__all"))
    )


def point(*resources: str) -> QueryVariable:
    """Which of the site's measuring points; all at first."""
    conditions = [SITE, METERED, CHOSEN_LINE, *([of_resource(*resources)] if resources else [])]
    return (
        _choice("point", "Points", _points(INTERVALS, *conditions))
        .multi(multi=True)
        .include_all(include_all=True)
        .all_value(ALL)
        .current(_ALL_CHOSEN)
    )


def series(chosen: str, *resources: str) -> QueryVariable:
    """Which one series is held against what was expected of it: the whole site's, or a point's."""
    return _choice("series", "Compared", _points(DAYS, SITE, of_resource(*resources))).current(
        VariableOption(selected=True, text=chosen, value=chosen)
    )


def _points(source: str, *conditions: str) -> str:
    return f"SHOW TAG VALUES FROM {source} WITH KEY = {POINT} WHERE {' AND '.join(conditions)}"


def _choice(name: str, label: str, query: str) -> QueryVariable:
    return (
        QueryVariable(name)
        .label(label)
        .datasource(DATASOURCE)
        .query(query)
        .refresh(VariableRefresh.ON_DASHBOARD_LOAD)
        .sort(VariableSort.ALPHABETICAL_ASC)
    )

"""The choices at the top of a dashboard: data source, site, points."""

from grafana_foundation_sdk.builders.dashboard import DatasourceVariable, QueryVariable
from grafana_foundation_sdk.models.dashboard import VariableOption, VariableRefresh, VariableSort

from dashboards.influxql import INTERVALS, READING, SITE
from dashboards.query import DATASOURCE, PLUGIN
from dashboards.site_names import SiteNames

PROVISIONED_DATASOURCE = VariableOption(selected=True, text="Leanmeter", value="leanmeter-influxdb")
"""Name and uid of the data source in deploy/grafana/provisioning; without it Grafana takes its first InfluxDB."""


def datasource() -> DatasourceVariable:
    """Which InfluxDB."""
    return DatasourceVariable("datasource").label("Data source").type(PLUGIN).current(PROVISIONED_DATASOURCE)


def site(names: SiteNames) -> QueryVariable:
    """Which site, one at a time; runs of the demo carry their time in the name, and the newest comes first."""
    return (
        QueryVariable("site")
        .label("Site")
        .datasource(DATASOURCE)
        .query(f'SHOW TAG VALUES FROM {READING} WITH KEY = "site"')
        .refresh(VariableRefresh.ON_DASHBOARD_LOAD)
        .sort(VariableSort.ALPHABETICAL_DESC)
        .current(VariableOption(selected=True, text=names.site, value=names.site))
    )


def point() -> QueryVariable:
    """Which of the site's measuring points; all at first."""
    return (
        QueryVariable("point")
        .label("Points")
        .datasource(DATASOURCE)
        .query(f'SHOW TAG VALUES FROM {INTERVALS} WITH KEY = "point" WHERE {SITE}')
        .refresh(VariableRefresh.ON_DASHBOARD_LOAD)
        .sort(VariableSort.ALPHABETICAL_ASC)
        .multi(multi=True)
        .include_all(include_all=True)
        .all_value(".*")
        .current(VariableOption(selected=True, text=["All"], value=["$__all"]))
    )

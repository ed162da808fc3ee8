"""The shapes that most panels have: curves of meters, bars of each point's days, a table of the points' sums."""

from collections.abc import Mapping, Sequence

from grafana_foundation_sdk.builders import stat, table, timeseries
from grafana_foundation_sdk.models.common import BigValueTextMode, VisibilityMode

from dashboards import panels
from dashboards.influxql import (
    AMOUNT,
    BY_DEVICE,
    COST,
    DAYS,
    DEVICE_NAME,
    EVERY_SITE,
    POINT,
    POINT_NAME,
    READING,
    SHOWN_TIME,
    SITE,
    SITE_NAME,
    nested,
    points,
    select,
    total,
    whole_site,
)
from dashboards.query import InfluxQuery
from dashboards.site_names import SiteNames

Column = tuple[str, str, str, int]
"""A column of a table: its name in the result, what people call it, its unit and decimals."""


def by_device(
    title: str,
    description: str,
    what: str,
    *conditions: str,
    unit: str,
    decimals: int,
    step: str,
    called: Mapping[str, str] = panels.AS_THEY_ARE,
    from_zero: bool = True,
) -> timeseries.Panel:
    """A curve for each meter, edge or server, of readings in steps of at least `step`."""
    query = InfluxQuery(select(what, READING, *conditions, SHOWN_TIME, group_by=BY_DEVICE), DEVICE_NAME)
    panel = panels.lines(title, description, query, unit=unit, decimals=decimals, called=called, from_zero=from_zero)
    return panel.interval(step)


def days_by_point(
    title: str,
    description: str,
    field: str,
    *conditions: str,
    unit: str,
    decimals: int,
    called: Mapping[str, str],
    stacked: bool = False,
) -> timeseries.Panel:
    """The site's days, for each point that the conditions leave: bars where they are stacked, else lines with points.

    Bars that stand before each other hide each other.
    """
    query = InfluxQuery(select(field, DAYS, SITE, *conditions, SHOWN_TIME, group_by=POINT), POINT_NAME)
    if stacked:
        return panels.bars(title, description, query, unit=unit, decimals=decimals, called=called, stacked=True)
    panel = panels.lines(title, description, query, unit=unit, decimals=decimals, called=called)
    return panel.show_points(VisibilityMode.ALWAYS)


def cost(names: SiteNames, title: str, description: str, *conditions: str, missing: str) -> stat.Panel:
    """What these series cost together; sites with a currency each have it above their number."""
    query = select(total(COST), DAYS, SITE, *conditions, SHOWN_TIME, group_by=EVERY_SITE)
    panel = panels.number(
        names.priced(title),
        description,
        InfluxQuery(query, SITE_NAME),
        unit=panels.MONEY,
        decimals=0,
        missing=missing,
    )
    if names.currency is None and names.currencies:
        panels.call_by_name(panel, names.currencies)
        panel.text_mode(BigValueTextMode.VALUE_AND_NAME)
    return panel


def for_each(
    title: str, description: str, used: str, of: str, outputs: Sequence[str], *, name: str, unit: str, decimals: int
) -> timeseries.Panel:
    """A curve of the days: what the site `used` of a resource by what left it on that day."""
    amount = select(f'{used} AS "used"', DAYS, SITE, whole_site(of), SHOWN_TIME)
    made = select(f'{AMOUNT} AS "made"', DAYS, SITE, points(outputs), SHOWN_TIME, f"{AMOUNT} > 0")
    query = select(
        'sum("used") / sum("made") AS "specific"', nested(amount, made), SHOWN_TIME, group_by="time(1d) fill(none)"
    )
    return panels.lines(title, description, InfluxQuery(query, name), unit=unit, decimals=decimals)


def sums(
    title: str,
    description: str,
    *conditions: str,
    columns: Sequence[Column],
    called: Mapping[str, str],
    point: str = "Point",
    links: object = None,
    by_name: bool = False,
) -> table.Panel:
    """A table of the points that the conditions leave, with the sums of these fields over the time shown.

    The highest of the first column stand first, or the points `by_name`; `links` are those of their names.
    """
    what = ", ".join(total(f'"{name}"') for name, *_ in columns)
    panel = panels.listing(
        title,
        description,
        InfluxQuery(select(what, DAYS, SITE, *conditions, SHOWN_TIME, group_by=POINT), result_format="table"),
        sorted_by=point if by_name else columns[0][1],
        descending=not by_name,
    )
    panels.show(panel, "Time", custom__hidden=True)
    panels.name_column(panel, "point", point, called, links=links)
    return with_columns(panel, columns)


def with_columns(panel: table.Panel, columns: Sequence[Column]) -> table.Panel:
    """Give columns of a table their names, units and decimals."""
    for name, title, unit, decimals in columns:
        panels.show(panel, name, displayName=title, unit=unit, decimals=decimals)
    return panel

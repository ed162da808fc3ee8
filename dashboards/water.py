"""Water: use against expected, the night's flow, points."""

from grafana_foundation_sdk.builders import stat, table, timeseries
from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards import expected, panels, shapes, variables
from dashboards.board import LAST_MONTH, board, uid_of
from dashboards.electricity import NO_INTERVAL
from dashboards.influxql import (
    AMOUNT,
    BY_POINT,
    CHOSEN,
    DAYS,
    INTERVALS,
    MINIMUM,
    POINT_NAME,
    SHOWN_TIME,
    SITE,
    of_resource,
    select,
    total,
    whole_site,
)
from dashboards.query import InfluxQuery
from dashboards.site_names import SiteNames

WATER = "water"
NIGHT_FLOW_LEVELS = panels.levels((None, "green"), (0.005, "yellow"), (0.02, "red"))
"""A tap left dripping is about 0.005 m³/h; 0.02 m³/h are 175 m³ a year."""


def water(names: SiteNames) -> Dashboard:
    """The dashboard for a site's water."""
    built = board(
        "water",
        "Water",
        "What was used beside what was expected, and whether it ever stops: a flow that never rests is a leak.",
        names,
        variables.of_points(names, WATER),
        since=LAST_MONTH,
    )
    for number in _numbers():
        built.with_panel(number)
    built.with_panel(_days())
    built.with_panel(_night_flow(names))
    built.with_panel(_live(names))
    built.with_panel(_intervals(names))
    if names.product_points:
        built.with_panel(_for_each_kg(names))
    built.with_panel(_points(names))
    return built


def _numbers() -> list[stat.Panel]:
    used = select(total(AMOUNT), DAYS, SITE, whole_site(WATER), SHOWN_TIME)
    today = select(total(AMOUNT), INTERVALS, SITE, whole_site(WATER), SHOWN_TIME)
    night = select(f"last({MINIMUM}) AS {MINIMUM}", DAYS, SITE, whole_site(WATER), SHOWN_TIME)
    number = panels.number
    return [
        number(
            "Water used",
            "In the time shown, by whole days of the site.",
            InfluxQuery(used, "Water"),
            unit=panels.CUBIC_METRE,
            decimals=1,
            missing=NO_INTERVAL,
        ),
        number(
            "Water today",
            "Since midnight, from 15-minute intervals.",
            InfluxQuery(today, "Water"),
            unit=panels.CUBIC_METRE,
            decimals=2,
            missing="no interval yet today",
        ).time_from(panels.TODAY),
        number(
            "Lowest flow of the last day",
            "The lowest mean flow of any quarter of an hour. Where nobody works at night it should be zero: what is "
            "left runs day and night.",
            InfluxQuery(night, "Flow"),
            unit=panels.CUBIC_METRE_PER_HOUR,
            decimals=3,
            missing=NO_INTERVAL,
        ).thresholds(NIGHT_FLOW_LEVELS),
        expected.against(
            "Water against expected",
            "Use in the time shown beside what the baseline expected for the same days: below zero is saved.",
            whole_site(WATER),
        ),
    ]


def _days() -> timeseries.Panel:
    return expected.days(
        "Water by day, against expected and goal", whole_site(WATER), unit=panels.CUBIC_METRE, decimals=1
    )


def _night_flow(names: SiteNames) -> timeseries.Panel:
    panel = shapes.days_by_point(
        "Lowest flow of each day",
        "The lowest mean flow of any quarter of an hour of the day, by point. A step upwards that stays is a new leak. "
        "Above the yellow line a tap drips, above the red one it runs.",
        MINIMUM,
        of_resource(WATER),
        CHOSEN,
        unit=panels.CUBIC_METRE_PER_HOUR,
        decimals=3,
        called=names.called(WATER),
    ).thresholds(NIGHT_FLOW_LEVELS)
    return panels.draw_thresholds(panel)


def _live(names: SiteNames) -> timeseries.Panel:
    return shapes.by_device(
        "Water flow, live",
        "The last hour as the meters read it.",
        'mean("flow_rate") AS "flow"',
        SITE,
        unit=panels.CUBIC_METRE_PER_HOUR,
        decimals=3,
        step="10s",
        called=names.meter_names.get(WATER, {}),
    ).time_from(panels.LAST_HOUR)


def _intervals(names: SiteNames) -> timeseries.Panel:
    conditions = (SITE, of_resource(WATER), CHOSEN, SHOWN_TIME)
    panel = panels.bars(
        "Water by 15 minutes",
        "The amount of each quarter of an hour; of longer steps when more than a few days are shown.",
        InfluxQuery(select(total(AMOUNT), INTERVALS, *conditions, group_by=BY_POINT), POINT_NAME),
        unit=panels.CUBIC_METRE,
        decimals=3,
        called=names.called(WATER),
    )
    return panel.interval(panels.QUARTER_HOUR).time_from("2d")


def _for_each_kg(names: SiteNames) -> timeseries.Panel:
    return shapes.for_each(
        "Litres for each kg of product",
        "All water of the site by what left it that day. What runs day and night makes it rise on slow days.",
        f"{AMOUNT} * 1000",
        WATER,
        names.product_points,
        name="Litres",
        unit=panels.LITRE,
        decimals=2,
    )


def _points(names: SiteNames) -> table.Panel:
    return shapes.sums(
        "Water points",
        "The sums of the time shown.",
        of_resource(WATER),
        CHOSEN,
        columns=(
            ("amount", "Used", panels.CUBIC_METRE, 1),
            ("expected", "Expected", panels.CUBIC_METRE, 1),
            ("cost", names.priced("Cost"), panels.MONEY, 2),
        ),
        called=names.called(WATER),
        links=panels.link("Show it alone", uid_of("water"), site="${site}", point="${__value.raw}"),
    )

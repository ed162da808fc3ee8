"""Water: use against expected, the night's flow, points."""

from grafana_foundation_sdk.builders import stat, table, timeseries
from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards import panels, variables
from dashboards.board import LAST_MONTH, board, uid_of
from dashboards.electricity import NO_BASELINE, NO_INTERVAL, difference
from dashboards.energy import BANDED, COLUMN
from dashboards.influxql import (
    AMOUNT,
    BY_DEVICE,
    BY_POINT,
    CHOSEN_LINE,
    CHOSEN_POINTS,
    COST,
    DAYS,
    DEVICE_NAME,
    EXPECTED,
    INTERVALS,
    METERED,
    MINIMUM,
    POINT,
    POINT_NAME,
    READING,
    SHOWN_TIME,
    SITE,
    nested,
    of_resource,
    points,
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
        number(
            "Water against expected",
            "Use in the time shown beside what the baseline expected for the same days: below zero is saved.",
            InfluxQuery(difference(whole_site(WATER)), "Difference"),
            unit=panels.SHARE,
            decimals=1,
            missing=NO_BASELINE,
        ).thresholds(panels.BELOW_IS_GOOD),
    ]


def _days() -> timeseries.Panel:
    query = select(BANDED, DAYS, SITE, whole_site(WATER), SHOWN_TIME)
    panel = panels.bars(
        "Water by day, against expected and goal",
        "Bars are what was used. The line is what the baseline expects of such a day, with its band; the dashed line "
        "is the goal.",
        InfluxQuery(query, COLUMN),
        unit=panels.CUBIC_METRE,
        decimals=1,
    )
    return panels.judged(panel)


def _night_flow(names: SiteNames) -> timeseries.Panel:
    query = select(
        MINIMUM, DAYS, SITE, of_resource(WATER), METERED, CHOSEN_POINTS, CHOSEN_LINE, SHOWN_TIME, group_by=POINT
    )
    panel = panels.bars(
        "Lowest flow of each day",
        "The lowest mean flow of any quarter of an hour of the day, by point. A step upwards that stays is a new leak. "
        "Above the yellow line a tap drips, above the red one it runs.",
        InfluxQuery(query, POINT_NAME),
        unit=panels.CUBIC_METRE_PER_HOUR,
        decimals=3,
    ).thresholds(NIGHT_FLOW_LEVELS)
    panels.call_by_name(panel, names.called(WATER))
    return panels.draw_thresholds(panel)


def _live(names: SiteNames) -> timeseries.Panel:
    query = select('mean("flow_rate") AS "flow"', READING, SITE, SHOWN_TIME, group_by=BY_DEVICE)
    panel = (
        panels.lines(
            "Water flow, live",
            "The last hour as the meters read it.",
            InfluxQuery(query, DEVICE_NAME),
            unit=panels.CUBIC_METRE_PER_HOUR,
            decimals=3,
        )
        .interval("10s")
        .time_from(panels.LAST_HOUR)
    )
    panels.call_by_name(panel, names.meter_names.get(WATER, {}))
    return panel


def _intervals(names: SiteNames) -> timeseries.Panel:
    conditions = (SITE, of_resource(WATER), METERED, CHOSEN_POINTS, CHOSEN_LINE, SHOWN_TIME)
    panel = panels.bars(
        "Water by 15 minutes",
        "The amount of each quarter of an hour; of longer steps when more than a few days are shown.",
        InfluxQuery(select(total(AMOUNT), INTERVALS, *conditions, group_by=BY_POINT), POINT_NAME),
        unit=panels.CUBIC_METRE,
        decimals=3,
    ).interval(panels.QUARTER_HOUR)
    panels.call_by_name(panel, names.called(WATER))
    return panel.time_from("2d")


def _for_each_kg(names: SiteNames) -> timeseries.Panel:
    used = select(f'{AMOUNT} * 1000 AS "used"', DAYS, SITE, whole_site(WATER), SHOWN_TIME)
    made = select(f'{AMOUNT} AS "made"', DAYS, SITE, points(names.product_points), SHOWN_TIME, f"{AMOUNT} > 0")
    query = select(
        'sum("used") / sum("made") AS "specific"', nested(used, made), SHOWN_TIME, group_by="time(1d) fill(none)"
    )
    return panels.lines(
        "Litres for each kg of product",
        "All water of the site by what left it that day. What runs day and night makes it rise on slow days.",
        InfluxQuery(query, "Litres"),
        unit=panels.LITRE,
        decimals=2,
    )


def _points(names: SiteNames) -> table.Panel:
    what = ", ".join((total(AMOUNT), total(EXPECTED), total(COST)))
    conditions = (SITE, METERED, of_resource(WATER), CHOSEN_POINTS, CHOSEN_LINE, SHOWN_TIME)
    panel = panels.listing(
        "Water points",
        "The sums of the time shown.",
        InfluxQuery(select(what, DAYS, *conditions, group_by=POINT), result_format="table"),
        sorted_by="Used",
        descending=True,
    )
    to_curve = panels.link("Show it alone", uid_of("water"), site="${site}", point="${__value.raw}")
    panels.show(panel, "Time", custom__hidden=True)
    panels.show(panel, "point", displayName="Point", links=to_curve, mappings=panels.texts(names.called(WATER)))
    panels.show(panel, "amount", displayName="Used", unit=panels.CUBIC_METRE, decimals=1)
    panels.show(panel, "expected", displayName="Expected", unit=panels.CUBIC_METRE, decimals=1)
    panels.show(panel, "cost", displayName="Cost", unit=panels.MONEY, decimals=2)
    return panel

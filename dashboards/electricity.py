"""Panels on electricity: power, energy, demand, what was expected."""

from grafana_foundation_sdk.builders import bargauge, stat, timeseries

from dashboards import panels
from dashboards.influxql import (
    AMOUNT,
    BY_DEVICE,
    BY_POINT,
    CHOSEN_POINTS,
    DAYS,
    DEMAND,
    DEVICE_NAME,
    EXPECTED,
    INTERVALS,
    POINT,
    POINT_NAME,
    READING,
    SHOWN_TIME,
    SITE,
    peak_kw,
    points,
    select,
    site_power_kw,
    site_use_kwh,
)
from dashboards.query import InfluxQuery
from dashboards.site_names import SiteNames

FRESH = "time > now() - 2m"
NO_BASELINE = "no baseline yet"


def site_power_now(names: SiteNames) -> stat.Panel:
    """What the site uses, with the number of meters that say so."""
    count = len(names.supply_meters)
    panel = panels.number(
        "Site power now",
        "What the site uses at this moment: mains supply plus own generation, less what is fed in or charged. "
        f"Beside it stands how many of its {count} meters were heard in the last two minutes; when one is missing, "
        "the sum is incomplete.",
        InfluxQuery(site_power_kw(names.supply_meters, FRESH), result_format="table"),
        unit=panels.KILOWATT,
        decimals=2,
        missing="no reading in the last 2 minutes",
    )
    panels.show(panel, "power", displayName="Power")
    panels.show(panel, "meters", displayName=f"meters heard, of {count}", unit="none", decimals=0)
    return panel


def energy_today(names: SiteNames) -> stat.Panel:
    """What the site has used since midnight."""
    return panels.number(
        "Energy used today",
        "Electricity that the site has used since midnight: from the grid and from its own generation, without what "
        "was fed in. From 15-minute intervals, so it may be up to a quarter of an hour behind.",
        InfluxQuery(site_use_kwh(names), "Energy"),
        unit=panels.KILOWATT_HOUR,
        decimals=1,
        missing="no interval yet today",
    ).time_from(panels.TODAY)


def peak_today(names: SiteNames) -> stat.Panel:
    """The highest quarter of an hour since midnight."""
    return panels.number(
        "Highest 15 minutes today",
        "The highest mean power of a quarter of an hour that was taken from the grid since midnight: what many "
        "suppliers bill as demand.",
        InfluxQuery(peak_kw(names), "Peak"),
        unit=panels.KILOWATT,
        decimals=2,
        missing="no interval yet today",
    ).time_from(panels.TODAY)


def power_by_meter() -> timeseries.Panel:
    """Live curves, by device: that is what readings are stored by."""
    query = select('mean("active_power_total") / 1000 AS "power"', READING, SITE, SHOWN_TIME, group_by=BY_DEVICE)
    return (
        panels.lines(
            "Power by meter, live",
            "The last hour as the meters read it. The names are those of the meters, not of what they measure.",
            InfluxQuery(query, DEVICE_NAME),
            unit=panels.KILOWATT,
            decimals=2,
        )
        .interval("2s")
        .time_from(panels.LAST_HOUR)
    )


def energy_today_by_point(names: SiteNames) -> bargauge.Panel:
    """Bars to compare points."""
    query = select(
        f"sum({AMOUNT}) AS {AMOUNT}",
        INTERVALS,
        SITE,
        points(names.electricity_points),
        CHOSEN_POINTS,
        SHOWN_TIME,
        group_by=POINT,
    )
    panel = panels.ranking(
        "Energy today by point",
        "Since midnight. The main supply stands beside its parts: do not add them. Generation is what was produced.",
        InfluxQuery(query, POINT_NAME),
        unit=panels.KILOWATT_HOUR,
        decimals=2,
    ).time_from(panels.TODAY)
    panels.call_by_name(panel, names.electricity_points, names.display_names)
    return panel


def power_by_point(names: SiteNames) -> timeseries.Panel:
    """Curves of 15-minute means, cheap over any range that intervals are shown for."""
    query = select(
        f"mean({DEMAND}) AS {DEMAND}",
        INTERVALS,
        SITE,
        points(names.electricity_points),
        CHOSEN_POINTS,
        SHOWN_TIME,
        group_by=BY_POINT,
    )
    panel = panels.lines(
        "Power by point",
        "Mean power of each quarter of an hour, by what is measured.",
        InfluxQuery(query, POINT_NAME),
        unit=panels.KILOWATT,
        decimals=2,
    ).interval(panels.QUARTER_HOUR)
    panels.call_by_name(panel, names.electricity_points, names.display_names)
    return panel


def demand(names: SiteNames) -> timeseries.Panel:
    """Bars of the mains' demand, and a dot at the highest."""
    by_interval = select(
        f"max({DEMAND}) AS {DEMAND}", INTERVALS, SITE, points(names.main_points), SHOWN_TIME, group_by=BY_POINT
    )
    panel = panels.bars(
        "Demand by 15 minutes, and its peak",
        "Mean power taken from the grid in each quarter of an hour. The red dot is the highest of the time shown.",
        InfluxQuery(by_interval, POINT_NAME, ref_id="A"),
        InfluxQuery(peak_kw(names), "Peak", ref_id="B"),
        unit=panels.KILOWATT,
        decimals=2,
    ).interval(panels.QUARTER_HOUR)
    panels.call_by_name(panel, names.main_points, names.display_names)
    panels.show(
        panel,
        "Peak",
        custom__drawStyle="points",
        custom__pointSize=12,
        custom__showPoints="always",
        color={"mode": "fixed", "fixedColor": "red"},
    )
    return panel


def energy_by_day(names: SiteNames) -> timeseries.Panel:
    """Stacked days, with the expected as a line where there is one."""
    used = select(AMOUNT, DAYS, SITE, points(names.supply_points), SHOWN_TIME, group_by=POINT)
    expected = select(EXPECTED, DAYS, SITE, points(names.main_points), SHOWN_TIME, group_by=POINT)
    panel = (
        panels.bars(
            "Energy by day",
            "Each day from midnight to midnight of the site: what came from the grid and what it made itself, stacked. "
            "The line is what the grid supply of such a day was expected to be; it is missing until there is a "
            "baseline.",
            InfluxQuery(used, POINT_NAME, ref_id="A"),
            InfluxQuery(expected, "Expected", ref_id="B"),
            unit=panels.KILOWATT_HOUR,
            decimals=1,
            stacked=True,
        )
        .span(16)
        .time_from("30d")
    )
    panels.call_by_name(panel, names.supply_points, names.display_names)
    panels.show(
        panel,
        "Expected",
        custom__drawStyle="line",
        custom__lineWidth=2,
        custom__fillOpacity=0,
        custom__stacking={"mode": "none", "group": "A"},
        color={"mode": "fixed", "fixedColor": "text"},
    )
    return panel


def against_expected(names: SiteNames) -> stat.Panel:
    """Difference from the baseline, of exactly those intervals that have an expected value."""
    query = select(
        f'sum({AMOUNT}) / sum({EXPECTED}) - 1 AS "difference"',
        INTERVALS,
        SITE,
        points(names.main_points),
        SHOWN_TIME,
        f"{EXPECTED} > 0",
    )
    return (
        panels.number(
            "Against what was expected",
            "Use in the time shown, beside what the baseline expected for the same time: below zero is saved. "
            "Without a baseline nothing can be expected, and none is made up.",
            InfluxQuery(query, "Difference"),
            unit=panels.SHARE,
            decimals=1,
            missing=NO_BASELINE,
        )
        .thresholds(panels.levels((None, "green"), (0, "orange")))
        .span(8)
        .height(panels.CHART_HEIGHT)
    )

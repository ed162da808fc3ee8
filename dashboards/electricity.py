"""Panels on electricity: power, energy, demand, what was expected."""

from grafana_foundation_sdk.builders import bargauge, stat, timeseries

from dashboards import expected, panels, shapes
from dashboards.influxql import (
    AMOUNT,
    BY_DEVICE,
    BY_POINT,
    BY_POINT_WITH_GAPS,
    CHOSEN,
    DEMAND,
    DEVICE,
    DEVICE_NAME,
    INTERVALS,
    POINT,
    POINT_NAME,
    QUALITY,
    READING,
    SHOWN_TIME,
    SITE,
    demand_kw,
    devices,
    nested,
    not_devices,
    of_resource,
    peak_kw,
    points,
    select,
    site_power_kw,
    total,
    whole_site,
)
from dashboards.query import InfluxQuery
from dashboards.site_names import SiteNames
from store import schema

BELOW = "↳"
LIVE_POWER = "active_power_total"
FRESH = "time > now() - 2m"
NO_INTERVAL = "no interval yet"
ELECTRICITY = "electricity"
METERED_WELL = f"{QUALITY} =~ /^(measured|manual|corrected)$/"
"""Condition: intervals of which the course is known too, not the amount alone."""
METERED_ILL = f"{QUALITY} =~ /^(interpolated|thinned|partial)$/"


def site_power_now(names: SiteNames) -> stat.Panel:
    """What the site uses: of this moment, with the number of meters that say so; with several sites of 15 minutes."""
    if not names.supply_meters:
        query = select(f'last({DEMAND}) AS "power"', INTERVALS, SITE, whole_site(ELECTRICITY), SHOWN_TIME)
        return panels.number(
            "Site power",
            "What the site used in its newest quarter of an hour: mains supply plus own generation, less what is fed "
            "in or charged.",
            InfluxQuery(query, "Power"),
            unit=panels.KILOWATT,
            decimals=1,
            missing=NO_INTERVAL,
        )
    of_all = f", of {len(names.supply_meters)}" if len(names.site_names) == 1 else ""
    panel = panels.number(
        "Site power now",
        "What the site uses at this moment: mains supply plus own generation, less what is fed in or charged. "
        "Beside it stands how many of its meters were heard in the last two minutes; when one is missing, the sum is "
        "incomplete.",
        InfluxQuery(site_power_kw(names.supply_meters, FRESH), result_format="table"),
        unit=panels.KILOWATT,
        decimals=1,
        missing="no reading in the last 2 minutes",
    )
    panels.show(panel, "power", displayName="Power")
    panels.show(panel, "meters", displayName=f"meters heard{of_all}", unit=panels.COUNT, decimals=0)
    return panel


def energy_today() -> stat.Panel:
    """What the site has used since midnight."""
    query = select(total(AMOUNT), INTERVALS, SITE, whole_site(ELECTRICITY), SHOWN_TIME)
    return panels.number(
        "Electricity today",
        "Electricity that the site has used since midnight: from the grid and from its own generation, without what "
        "was fed in. From 15-minute intervals, so it may be up to a quarter of an hour behind.",
        InfluxQuery(query, "Electricity"),
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
        InfluxQuery(peak_kw(names.main_points), "Peak"),
        unit=panels.KILOWATT,
        decimals=1,
        missing="no interval yet today",
    ).time_from(panels.TODAY)


def live_power(names: SiteNames) -> timeseries.Panel:
    """Live curves, by device, because readings are stored so; each is called what it measures now."""
    mean = f'mean("{LIVE_POWER}")'
    generating = sorted(device for level in names.power_tree if level.generates for device in level.meters)
    others = select(
        f'{mean} / 1000 AS "power"', READING, SITE, *not_devices(generating), SHOWN_TIME, group_by=BY_DEVICE
    )
    queries = [InfluxQuery(others, DEVICE_NAME)]
    if generating:
        of_these = (SITE, devices(generating), SHOWN_TIME)
        generated = select(f'abs({mean}) / 1000 AS "power"', READING, *of_these, group_by=BY_DEVICE)
        queries.append(InfluxQuery(generated, DEVICE_NAME, ref_id="B"))
    return (
        panels.lines(
            "Power, live",
            "The last hour as the meters read it. What is generated is above zero, as in all panels, whichever sign "
            "its meter gives it; a main supply below zero feeds in.",
            *queries,
            unit=panels.KILOWATT,
            decimals=1,
            called=names.meter_names.get(ELECTRICITY, {}),
        )
        .interval("5s")
        .time_from(panels.LAST_HOUR)
    )


def power_now(names: SiteNames) -> bargauge.Panel:
    """Live bars by the tree: one query for each of its levels, because InfluxQL gives tags by the alphabet."""
    queries = []
    for number, level in enumerate(names.power_tree):
        newest = f'last("{LIVE_POWER}")'
        power = f'{f"abs({newest})" if level.generates else newest} / 1000 AS "power"'
        query = select(power, READING, SITE, devices(level.meters), FRESH, group_by=DEVICE)
        queries.append(InfluxQuery(query, DEVICE_NAME, ref_id=f"L{number}"))
    return panels.ranking(
        "Power now",
        "What each meter said last, within two minutes: what supplies the site first, then what it feeds, with "
        f"{BELOW} for each step down. Below zero is fed in.",
        *queries,
        unit=panels.KILOWATT,
        decimals=1,
        called={device: name for level in names.power_tree for device, name in level.meters.items()},
    )


def energy_today_by_point(names: SiteNames) -> bargauge.Panel:
    """Bars to compare points."""
    query = select(
        total(AMOUNT),
        INTERVALS,
        SITE,
        of_resource(ELECTRICITY),
        CHOSEN,
        SHOWN_TIME,
        group_by=POINT,
    )
    return panels.ranking(
        "Electricity today by point",
        "Since midnight. The main supply stands beside its parts: do not add them. Generation is what was produced.",
        InfluxQuery(query, POINT_NAME),
        unit=panels.KILOWATT_HOUR,
        decimals=1,
        called=names.called(ELECTRICITY),
    ).time_from(panels.TODAY)


def power_by_point(names: SiteNames) -> timeseries.Panel:
    """Curves of 15-minute means: solid where measured, grey and dashed where not, red ground where mains was away."""
    conditions = (SITE, of_resource(ELECTRICITY), CHOSEN, SHOWN_TIME)
    mean = f"mean({DEMAND}) AS {DEMAND}"
    measured = select(mean, INTERVALS, *conditions, METERED_WELL, group_by=BY_POINT_WITH_GAPS)
    unsure = select(mean, INTERVALS, *conditions, METERED_ILL, group_by=BY_POINT_WITH_GAPS)
    panel = panels.lines(
        "Power by point",
        "Mean power of each quarter of an hour, by what is measured. Grey and dashed: interpolated across a gap, so "
        "only the energy is known and not its course. Red ground: no mains.",
        InfluxQuery(measured, POINT_NAME, ref_id="A"),
        InfluxQuery(unsure, f"{POINT_NAME} not measured", ref_id="B"),
        InfluxQuery(outage(), panels.OUTAGE, ref_id="C"),
        unit=panels.KILOWATT,
        decimals=1,
        called=names.called(ELECTRICITY),
    ).interval(panels.QUARTER_HOUR)
    panels.dash_unsure(panel, "B")
    return panels.shade_outages(panel)


def outage() -> str:
    """Query: 1 at each step in which the site was without mains for at least a quarter of an hour, 0 at the others.

    Without the others, Grafana would draw a lone step's bar as wide as it draws any: 200 pixels.
    """
    return select(
        f"count({AMOUNT}) / count({AMOUNT}) AS {AMOUNT}",
        INTERVALS,
        SITE,
        whole_site(ELECTRICITY),
        f"{QUALITY} = 'outage'",
        SHOWN_TIME,
        group_by="time($__interval) fill(0)",
    )


def demand(names: SiteNames) -> timeseries.Panel:
    """Bars of the mains' demand, and a dot at the highest."""
    by_interval = select(
        f"max({DEMAND}) AS {DEMAND}", INTERVALS, SITE, points(names.main_points), SHOWN_TIME, group_by=BY_POINT
    )
    panel = panels.bars(
        "Demand by 15 minutes, and its peak",
        "Mean power taken from the grid in each quarter of an hour. The red dot is the highest of the time shown. Red "
        "ground: no mains.",
        InfluxQuery(by_interval, POINT_NAME, ref_id="A"),
        InfluxQuery(peak_kw(names.main_points), "Peak", ref_id="B"),
        InfluxQuery(outage(), panels.OUTAGE, ref_id="C"),
        unit=panels.KILOWATT,
        decimals=1,
        called=names.called(ELECTRICITY),
    ).interval(panels.QUARTER_HOUR)
    panels.show(
        panel,
        "Peak",
        custom__drawStyle="points",
        custom__pointSize=12,
        custom__showPoints="always",
        color=panels.fixed("red"),
    )
    return panels.shade_outages(panel)


def highest_intervals(names: SiteNames) -> str:
    """Query: the ten highest quarters of an hour of the time shown, each at its time."""
    return select(f'top({DEMAND}, 10) AS "peak"', nested(demand_kw(names.main_points)), SHOWN_TIME)


def days_by_source(names: SiteNames, title: str) -> timeseries.Panel:
    """Stacked days."""
    return shapes.days_by_point(
        title,
        "Each day from midnight to midnight of the site: what came from the grid and what it made itself, stacked. The "
        "grid is below zero on a day on which more was fed in than taken.",
        AMOUNT,
        points(names.supply_points),
        unit=panels.KILOWATT_HOUR,
        decimals=0,
        called=names.called(ELECTRICITY),
        stacked=True,
    )


def against_expected() -> stat.Panel:
    """Difference from the baseline, of exactly those days that have an expected value."""
    return (
        expected.against(
            "Against expected",
            "All energy that the site used in the last 30 days beside what its baseline expected for the same days: "
            "below zero is saved. Without a baseline nothing can be expected, and none is made up.",
            whole_site(schema.ENERGY),
        )
        .time_from("30d")
        .span(6)
        .height(panels.CHART_HEIGHT)
    )

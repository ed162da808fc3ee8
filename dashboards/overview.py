"""The overview: where the site stands now, today, and over the last weeks."""

from grafana_foundation_sdk.builders import bargauge, stat, statetimeline, table
from grafana_foundation_sdk.builders.dashboard import Dashboard, Row

from dashboards import electricity, panels, shapes, variables
from dashboards.board import board
from dashboards.influxql import (
    AMOUNT,
    CHOSEN,
    COVERAGE,
    DEVICE,
    INTERVALS,
    POINT,
    POINT_NAME,
    QUALITY,
    READING,
    SHOWN_TIME,
    SITE,
    points,
    select,
    total,
    whole_site,
)
from dashboards.query import InfluxQuery
from dashboards.site_names import SiteNames

FIFTEEN_ROWS = 12
LISTED_FOR = "time > now() - 30d"
LIVE_QUANTITIES = '"active_power_total", "flow_rate", "weight_net", "temperature"'
QUALITIES = {
    "measured": ("measured", "green"),
    "interpolated": ("interpolated across a gap", "yellow"),
    "thinned": ("thinned: energy exact, peak not known", "yellow"),
    "manual": ("read by hand", "blue"),
    "corrected": ("corrected", "purple"),
    "partial": ("partly missing", "orange"),
    "outage": ("no mains", "red"),
}


def overview(names: SiteNames) -> Dashboard:
    """The dashboard for a site's points."""
    built = board(
        "overview",
        "Overview",
        "What the site uses now, today and by day: energy, water, product, and whether the meters answer.",
        names,
        variables.of_points(names),
        refresh="10s",
    )
    for panel in _now(names):
        built.with_panel(panel)
    if "electricity" in names.points:
        built.with_row(Row("Electricity"))
        built.with_panel(electricity.live_power(names))
        if names.power_tree:
            built.with_panel(electricity.power_now(names))
        built.with_panel(electricity.power_by_point(names).span(panels.FULL_SPAN))
        built.with_panel(electricity.energy_today_by_point(names).span(8))
        if names.supply_points:
            built.with_panel(electricity.days_by_source(names, "Electricity by day").span(10).time_from("30d"))
            built.with_panel(electricity.against_expected())
    built.with_row(Row("Meters and data"))
    built.with_panel(meters(names, "Meters"))
    built.with_panel(_interval_quality(names))
    built.with_panel(_coverage(names))
    return built


def _now(names: SiteNames) -> list[stat.Panel]:
    """Numbers of today, in rows of four."""
    found = []
    if names.supply_points:
        found += [electricity.site_power_now(names), electricity.energy_today()]
    if names.main_points:
        found.append(electricity.peak_today(names))
    found.append(_last_reading())
    if "water" in names.points:
        found.append(_today("Water today", whole_site("water"), panels.CUBIC_METRE, 2))
    if names.product_points:
        found.append(_today("Product today", points(names.product_points), panels.KILOGRAM, 0))
    if names.piece_points:
        found.append(_today("Pieces today", points(names.piece_points), panels.PIECES, 0))
    if names.waste_points:
        found.append(_today("Waste today", points(names.waste_points), panels.KILOGRAM, 1))
    return found


def _last_reading() -> stat.Panel:
    # The time itself is shown, as an age: InfluxQL cannot subtract it from now.
    query = select(LIVE_QUANTITIES, READING, SITE, LISTED_FOR, newest=1)
    return panels.number(
        "Last reading",
        "How long ago any meter of the site was last heard. More than a few seconds means that the edge device, its "
        "network or the collector stands still.",
        InfluxQuery(query, result_format="table"),
        unit=panels.AGE,
        decimals=0,
        missing="nothing in 30 days",
        columns="/^Time$/",
    )


def _today(title: str, of: str, unit: str, decimals: int) -> stat.Panel:
    query = select(total(AMOUNT), INTERVALS, SITE, of, SHOWN_TIME)
    return panels.number(
        title,
        "Since midnight, from 15-minute intervals.",
        InfluxQuery(query, "Amount"),
        unit=unit,
        decimals=decimals,
        missing="none measured today",
    ).time_from(panels.TODAY)


def meters(names: SiteNames, title: str) -> table.Panel:
    """Every meter of the site, the silent ones first."""
    query = select(LIVE_QUANTITIES, READING, SITE, LISTED_FOR, group_by=DEVICE, newest=1)
    panel = panels.listing(
        title,
        "What each meter said last, and how long ago; the one that has been silent longest stands first.",
        InfluxQuery(query, result_format="table"),
        sorted_by="Last reading",
    )
    measured = {device: name for by_device in names.meter_names.values() for device, name in by_device.items()}
    panels.name_column(panel, "device", "Meter of", measured)
    panels.show(panel, "Time", displayName="Last reading", custom__minWidth=panels.NAME_WIDTH, unit=panels.AGE)
    columns = (
        ("active_power_total", "Power", panels.WATT, 0),
        ("flow_rate", "Flow", panels.CUBIC_METRE_PER_HOUR, 3),
        ("weight_net", "Weight", panels.KILOGRAM, 2),
        ("temperature", "Temperature", panels.CELSIUS, 1),
    )
    return shapes.with_columns(panel, columns).span(panels.FULL_SPAN)


def _interval_quality(names: SiteNames) -> statetimeline.Panel:
    query = select(QUALITY, INTERVALS, SITE, CHOSEN, SHOWN_TIME, group_by=POINT)
    panel = panels.states(
        "How each interval is known",
        "Each quarter of an hour: green was measured. Anything else is named: read this before you trust a peak or a "
        "saving.",
        InfluxQuery(query, POINT_NAME),
        texts=QUALITIES,
        called=names.display_names,
    )
    return panel.time_from("24h").height(FIFTEEN_ROWS)


def _coverage(names: SiteNames) -> bargauge.Panel:
    query = select(
        f"mean({COVERAGE}) AS {COVERAGE}",
        INTERVALS,
        SITE,
        CHOSEN,
        SHOWN_TIME,
        group_by=POINT,
    )
    return (
        panels.ranking(
            "Time with readings",
            "Share of the time shown for which each point's meter was read. Totals are exact across gaps, because "
            "meters count on; when in a gap something was used is not known.",
            InfluxQuery(query, POINT_NAME),
            unit=panels.SHARE,
            decimals=1,
            called=names.display_names,
        )
        .max(1)
        .thresholds(panels.levels((None, "red"), (0.8, "orange"), (0.98, "green")))
        .height(FIFTEEN_ROWS)
    )

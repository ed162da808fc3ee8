"""The overview: where the site stands now, today, and over the last weeks."""

from grafana_foundation_sdk.builders import stat, statetimeline, table, timeseries
from grafana_foundation_sdk.builders.dashboard import Dashboard, Row
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync

from dashboards import electricity, panels, variables
from dashboards.influxql import (
    AMOUNT,
    BY_DEVICE,
    BY_POINT,
    CHOSEN_POINTS,
    COVERAGE,
    DEVICE,
    DEVICE_NAME,
    INTERVALS,
    POINT,
    POINT_NAME,
    QUALITY,
    READING,
    SHOWN_TIME,
    SITE,
    points,
    select,
)
from dashboards.query import InfluxQuery
from dashboards.site_names import SiteNames

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
    board = (
        Dashboard(f"Leanmeter · Overview · {names.name}")
        .uid("leanmeter-overview")
        .description("What the site uses now, today and by day: energy, water, product, and whether the meters answer.")
        .tags(["leanmeter"])
        .timezone(names.time_zone)
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .time("now-24h", "now")
        .refresh("10s")
        .variables([variables.datasource(), variables.site(names), variables.point()])
    )
    if names.supply_meters:
        board.with_panel(electricity.site_power_now(names))
    if names.supply_points:
        board.with_panel(electricity.energy_today(names))
    if names.main_points:
        board.with_panel(electricity.peak_today(names))
    board.with_panel(_last_reading())
    if names.electricity_points:
        _add_electricity(board, names)
    if names.water_points:
        board.with_row(Row("Water"))
        board.with_panel(_today("Water today", names.water_points, panels.CUBIC_METRE, 2))
        board.with_panel(_water_flow())
        board.with_panel(_amounts("Water by 15 minutes", names, names.water_points, panels.CUBIC_METRE, 3))
    if names.product_points:
        board.with_row(Row("Product"))
        board.with_panel(_today("Product today", names.product_points, panels.KILOGRAM, 1))
        board.with_panel(_amounts("Product by 15 minutes", names, names.product_points, panels.KILOGRAM, 1).span(20))
    board.with_row(Row("Meters and data"))
    board.with_panel(_meters())
    board.with_panel(_interval_quality())
    board.with_panel(_coverage())
    return board


def _add_electricity(board: Dashboard, names: SiteNames) -> None:
    board.with_row(Row("Electricity"))
    board.with_panel(electricity.power_by_meter())
    board.with_panel(electricity.energy_today_by_point(names))
    if names.main_points:
        board.with_panel(electricity.demand(names))
    board.with_panel(electricity.power_by_point(names))
    if names.supply_points:
        board.with_panel(electricity.energy_by_day(names))
    if names.main_points:
        board.with_panel(electricity.against_expected(names))


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


def _water_flow() -> timeseries.Panel:
    query = select('mean("flow_rate") AS "flow"', READING, SITE, SHOWN_TIME, group_by=BY_DEVICE)
    return (
        panels.lines(
            "Water flow, live",
            "The last hour as the meters read it. A flow that never comes down to zero is a leak.",
            InfluxQuery(query, DEVICE_NAME),
            unit=panels.CUBIC_METRE_PER_HOUR,
            decimals=3,
        )
        .interval("10s")
        .time_from(panels.LAST_HOUR)
        .span(10)
        .height(panels.SMALL_CHART_HEIGHT)
    )


def _amounts(title: str, names: SiteNames, ids: tuple[str, ...], unit: str, decimals: int) -> timeseries.Panel:
    conditions = (SITE, points(ids), CHOSEN_POINTS, SHOWN_TIME)
    query = select(f"sum({AMOUNT}) AS {AMOUNT}", INTERVALS, *conditions, group_by=BY_POINT)
    panel = (
        panels.bars(
            title,
            "The amount of each quarter of an hour; of longer steps when more than a few days are shown.",
            InfluxQuery(query, POINT_NAME),
            unit=unit,
            decimals=decimals,
        )
        .interval(panels.QUARTER_HOUR)
        .span(10)
        .height(panels.SMALL_CHART_HEIGHT)
    )
    panels.call_by_name(panel, ids, names.display_names)
    return panel


def _today(title: str, ids: tuple[str, ...], unit: str, decimals: int) -> stat.Panel:
    query = select(f"sum({AMOUNT}) AS {AMOUNT}", INTERVALS, SITE, points(ids), SHOWN_TIME)
    return (
        panels.number(
            title,
            "Since midnight, from 15-minute intervals.",
            InfluxQuery(query, "Amount"),
            unit=unit,
            decimals=decimals,
            missing="no interval yet today",
        )
        .time_from(panels.TODAY)
        .span(4)
        .height(panels.SMALL_CHART_HEIGHT)
    )


def _meters() -> table.Panel:
    query = select(LIVE_QUANTITIES, READING, SITE, LISTED_FOR, group_by=DEVICE, newest=1)
    panel = panels.listing(
        "Meters",
        "What each meter said last, and how long ago; the one that has been silent longest stands first.",
        InfluxQuery(query, result_format="table"),
        sorted_by="Last reading",
    )
    panels.show(panel, "device", displayName="Meter")
    panels.show(panel, "Time", displayName="Last reading", unit=panels.AGE)
    panels.show(panel, "active_power_total", displayName="Power", unit=panels.WATT, decimals=2)
    panels.show(panel, "flow_rate", displayName="Flow", unit=panels.CUBIC_METRE_PER_HOUR, decimals=3)
    panels.show(panel, "weight_net", displayName="Weight", unit=panels.KILOGRAM, decimals=2)
    panels.show(panel, "temperature", displayName="Temperature", unit=panels.CELSIUS, decimals=1)
    return panel


def _interval_quality() -> statetimeline.Panel:
    query = select(QUALITY, INTERVALS, SITE, CHOSEN_POINTS, SHOWN_TIME, group_by=POINT)
    return panels.states(
        "How each quarter of an hour is known",
        "Green was measured. Anything else is named: read this before you trust a peak or a saving.",
        InfluxQuery(query, POINT_NAME),
        texts=QUALITIES,
    ).time_from("24h")


def _coverage() -> stat.Panel:
    query = select(f"mean({COVERAGE}) AS {COVERAGE}", INTERVALS, SITE, CHOSEN_POINTS, SHOWN_TIME, group_by=POINT)
    return (
        panels.number(
            "Time with readings",
            "Share of the time shown for which each point's meter was read. Totals are exact across gaps, because "
            "meters count on; when in a gap something was used is not known.",
            InfluxQuery(query, POINT_NAME),
            unit=panels.SHARE,
            decimals=1,
            missing="no interval yet",
        )
        .thresholds(panels.levels((None, "red"), (0.8, "orange"), (0.98, "green")))
        .span(24)
        .height(panels.SMALL_CHART_HEIGHT)
    )

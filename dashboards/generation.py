"""Own generation and fuels: what was produced, what of it was used, what was fed in, what was burnt."""

from grafana_foundation_sdk.builders import stat, table, timeseries
from grafana_foundation_sdk.builders.dashboard import Dashboard, Row

from dashboards import panels, shapes, variables
from dashboards.board import LAST_MONTH, board
from dashboards.electricity import ELECTRICITY, NO_INTERVAL, days_by_source
from dashboards.influxql import (
    AMOUNT,
    AVOIDED_CO2E,
    BY_POINT,
    DAYS,
    DEMAND,
    INTERVALS,
    POINT_NAME,
    SHOWN_TIME,
    SITE,
    nested,
    points,
    select,
    total,
    whole_site,
    whole_sites,
)
from dashboards.query import InfluxQuery
from dashboards.site_names import SiteNames
from store.schema import EXPORTED, SELF_CONSUMED, SITE_SERIES

THIRD_SPAN = 8


def generation(names: SiteNames) -> Dashboard:
    """The dashboard for a site's own generation and its fuels."""
    built = board(
        "generation",
        "Solar and fuels",
        "What the site produced, how much of it it used itself, and what it burnt.",
        names,
        variables.of_one_site(names),
        since=LAST_MONTH,
    )
    if names.generation_points:
        for number in _numbers(names):
            built.with_panel(number)
        built.with_panel(days_by_source(names, "Where electricity came from"))
        built.with_panel(_power(names))
        built.with_panel(_avoided())
    if names.fuel_points:
        built.with_row(Row("Fuels"))
        built.with_panel(_fuel(names))
        built.with_panel(_fuels_in_kwh())
        built.with_panel(_fuel_table(names))
    return built


def _numbers(names: SiteNames) -> list[stat.Panel]:
    made = select(f'{AMOUNT} AS "made"', DAYS, SITE, points(names.generation_points), SHOWN_TIME)
    own = select(f'{AMOUNT} AS "own"', DAYS, SITE, whole_site(SELF_CONSUMED), SHOWN_TIME)
    used = select(f'{AMOUNT} AS "used"', DAYS, SITE, whole_site(ELECTRICITY), SHOWN_TIME)
    avoided = select(total(AVOIDED_CO2E), DAYS, SITE, whole_sites(SELF_CONSUMED, EXPORTED), SHOWN_TIME)
    described = (
        (
            "Produced",
            "By all own generation in the time shown.",
            select('sum("made") AS "made"', nested(made), SHOWN_TIME),
            panels.KILOWATT_HOUR,
            0,
            NO_INTERVAL,
        ),
        (
            "Used at once",
            "Of what was produced; the rest was fed in.",
            select(total(AMOUNT, "own"), DAYS, SITE, whole_site(SELF_CONSUMED), SHOWN_TIME),
            panels.KILOWATT_HOUR,
            0,
            NO_INTERVAL,
        ),
        (
            "Fed in",
            "To the grid, netted within each quarter of an hour.",
            select(total(AMOUNT, "fed"), DAYS, SITE, whole_site(EXPORTED), SHOWN_TIME),
            panels.KILOWATT_HOUR,
            0,
            NO_INTERVAL,
        ),
        (
            "Used by the site itself",
            "Share of what was produced that the site used at once.",
            select('sum("own") / sum("made") AS "share"', nested(own, made), SHOWN_TIME),
            panels.SHARE,
            0,
            NO_INTERVAL,
        ),
        (
            "Covered by own generation",
            "Share of the site's use that came from its own generation.",
            select('sum("own") / sum("used") AS "share"', nested(own, used), SHOWN_TIME),
            panels.SHARE,
            0,
            NO_INTERVAL,
        ),
        (
            "Avoided CO₂e",
            "Kept out of the grid: its factor of each day less generation's own. Never subtracted from emissions.",
            avoided,
            panels.CARBON_KG,
            0,
            "no factors yet",
        ),
    )
    return [
        panels.number(title, about, InfluxQuery(query, title), unit=unit, decimals=decimals, missing=missing).span(
            THIRD_SPAN
        )
        for title, about, query, unit, decimals, missing in described
    ]


def _avoided() -> timeseries.Panel:
    return shapes.days_by_point(
        "Avoided CO₂e by day",
        "By what the site used of its own generation, and by what it fed in, which displaces other generation too.",
        AVOIDED_CO2E,
        whole_sites(SELF_CONSUMED, EXPORTED),
        unit=panels.CARBON_KG,
        decimals=1,
        called={f"{SITE_SERIES}{SELF_CONSUMED}": "Used by the site", f"{SITE_SERIES}{EXPORTED}": "Fed in"},
        stacked=True,
    )


def _power(names: SiteNames) -> timeseries.Panel:
    query = select(
        f"mean({DEMAND}) AS {DEMAND}", INTERVALS, SITE, points(names.supply_points), SHOWN_TIME, group_by=BY_POINT
    )
    return (
        panels.lines(
            "Grid and own generation",
            "Mean power of each quarter of an hour. Below zero: fed in.",
            InfluxQuery(query, POINT_NAME),
            unit=panels.KILOWATT,
            decimals=1,
            called=names.called(ELECTRICITY),
        )
        .interval(panels.QUARTER_HOUR)
        .time_from("2d")
    )


def _fuel(names: SiteNames) -> timeseries.Panel:
    return shapes.days_by_point(
        "Fuels by day, as metered",
        "Each in the unit of its meter: m³ of gas, litres or kg of what is delivered.",
        AMOUNT,
        points(names.fuel_points),
        unit=panels.COUNT,
        decimals=1,
        called=names.called("fuel"),
    )


def _fuels_in_kwh() -> timeseries.Panel:
    query = select(AMOUNT, DAYS, SITE, whole_site("fuel"), SHOWN_TIME)
    return panels.bars(
        "All fuels by day, in kWh",
        "By the calorific value of each fuel on that day; missing until the plan names one.",
        InfluxQuery(query, "Fuels"),
        unit=panels.KILOWATT_HOUR,
        decimals=0,
    )


def _fuel_table(names: SiteNames) -> table.Panel:
    panel = shapes.sums(
        "Fuels",
        "The sums of the time shown.",
        points(names.fuel_points),
        columns=(
            ("amount", "As metered", panels.COUNT, 1),
            ("cost", names.priced("Cost"), panels.MONEY, 2),
            ("co2e", "CO₂e", panels.CARBON_KG, 0),
        ),
        point="Fuel",
        called=names.called("fuel"),
        by_name=True,
    )
    return panel.span(panels.FULL_SPAN).height(panels.SMALL_CHART_HEIGHT)

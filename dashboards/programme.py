"""The programme: all sites beside each other, ranked by what they saved against their own baselines."""

from collections.abc import Mapping

from grafana_foundation_sdk.builders import stat, table, timeseries
from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards import panels, shapes, variables
from dashboards.board import LAST_MONTH, board, uid_of
from dashboards.expected import NO_BASELINE
from dashboards.influxql import (
    AMOUNT,
    COST,
    COVERAGE,
    DAYS,
    EVERY_SITE,
    EXPECTED,
    NO_SERVER,
    READING,
    SHOWN_TIME,
    SITE_NAME,
    nested,
    select,
    total,
    whole_site,
)
from dashboards.overview import LISTED_FOR, LIVE_QUANTITIES
from dashboards.query import InfluxQuery
from dashboards.site_names import SiteNames
from store import schema

ENERGY = whole_site(schema.ENERGY)
WITH_CURRENCY_WIDTH = 230
BY_WEEK = f"time(7d, 84h), {EVERY_SITE} fill(none)"
"""From noon of Sunday on, UTC: every site's Monday begins within the twelve hours before or after its midnight."""


def programme(names: SiteNames) -> Dashboard:
    """The dashboard on every site of the store."""
    built = board(
        "programme",
        "Programme",
        "All sites: what each saved against its own baseline, and whether its data comes in.",
        names,
        variables.of_every_site(),
        since=LAST_MONTH,
        marks=False,
    )
    for number in _numbers():
        built.with_panel(number)
    built.with_panel(_ranking(names))
    built.with_panel(_saved_by_site(names))
    built.with_panel(_energy_by_site(names))
    built.with_panel(_data(names))
    return built


def _by_site() -> str:
    return select(
        f'sum({AMOUNT}) / sum({EXPECTED}) - 1 AS "difference"',
        DAYS,
        ENERGY,
        SHOWN_TIME,
        f"{EXPECTED} > 0",
        group_by=EVERY_SITE,
    )


def _numbers() -> list[stat.Panel]:
    judged = (DAYS, ENERGY, SHOWN_TIME, f"{EXPECTED} > 0")
    described = (
        (
            "Sites with a baseline",
            "Sites whose energy can be held against what was expected in the time shown.",
            select('count("difference") AS "sites"', nested(_by_site()), SHOWN_TIME),
            panels.COUNT,
            0,
            panels.NEUTRAL,
        ),
        (
            "Median site against expected",
            (
                "Half of the sites did better. Each is held against its own baseline, so sites of any size compare. "
                "Below zero is saved."
            ),
            select('median("difference") AS "difference"', nested(_by_site()), SHOWN_TIME),
            panels.SHARE,
            1,
            panels.BELOW_IS_GOOD,
        ),
        (
            "All sites against expected",
            (
                "All energy of these sites beside all that was expected of them: large sites weigh more. Firms that "
                "SCORE has worked with report 27 % less on average."
            ),
            select(f'sum({AMOUNT}) / sum({EXPECTED}) - 1 AS "difference"', *judged),
            panels.SHARE,
            1,
            panels.BELOW_IS_GOOD,
        ),
        (
            "Saved by all sites",
            "What was expected less what was used, over the days and sites that have both.",
            select(f'sum({EXPECTED}) - sum({AMOUNT}) AS "saved"', *judged),
            panels.KILOWATT_HOUR,
            0,
            panels.ABOVE_IS_GOOD,
        ),
    )
    return [
        panels.number(
            title, about, InfluxQuery(query, title), unit=unit, decimals=decimals, missing=NO_BASELINE
        ).thresholds(colors)
        for title, about, query, unit, decimals, colors in described
    ]


def _ranking(names: SiteNames) -> table.Panel:
    what = ", ".join(
        (
            f'sum({AMOUNT}) / sum({EXPECTED}) - 1 AS "difference"',
            f'sum({EXPECTED}) - sum({AMOUNT}) AS "saved"',
            total(AMOUNT),
            total(COST),
            f"mean({COVERAGE}) AS {COVERAGE}",
        )
    )
    query = select(what, DAYS, ENERGY, SHOWN_TIME, f"{EXPECTED} > 0", group_by=EVERY_SITE)
    panel = panels.listing(
        "Sites by what they saved",
        "The best stands first. Each site is held against its own baseline; the name leads to its dashboards. Costs "
        "are in the currency of each site's plan, which stands behind its name where they differ.",
        InfluxQuery(query, result_format="table"),
        sorted_by="Against expected",
    )
    to_site = panels.link("Its energy", uid_of("energy"), site="${__value.raw}")
    panels.show(panel, "Time", custom__hidden=True)
    panels.name_column(panel, "site", "Site", _with_currencies(names), least_width=WITH_CURRENCY_WIDTH, links=to_site)
    columns = (
        ("difference", "Against expected", panels.SHARE, 1),
        ("saved", "Saved", panels.KILOWATT_HOUR, 0),
        ("amount", "Used", panels.KILOWATT_HOUR, 0),
        ("cost", names.priced("Cost"), panels.MONEY, 0),
        ("coverage", "Time with readings", panels.SHARE, 0),
    )
    shapes.with_columns(panel, columns)
    return panel.span(panels.FULL_SPAN)


def _with_currencies(names: SiteNames) -> Mapping[str, str]:
    """The sites' names; where they pay in several currencies each with its own, as a column has one unit for all."""
    if names.currency is not None:
        return names.site_names
    paid_in = {site: f" ({currency})" for site, currency in names.currencies.items()}
    return {site: f"{name}{paid_in.get(site, '')}" for site, name in names.site_names.items()}


def _saved_by_site(names: SiteNames) -> timeseries.Panel:
    query = select(
        f'sum({AMOUNT}) / sum({EXPECTED}) - 1 AS "difference"',
        DAYS,
        ENERGY,
        SHOWN_TIME,
        f"{EXPECTED} > 0",
        group_by=BY_WEEK,
    )
    return panels.lines(
        "Against expected, by week",
        "Each site's weeks, Monday to Sunday, beside its own baseline: below zero is saved.",
        InfluxQuery(query, SITE_NAME),
        unit=panels.SHARE,
        decimals=1,
        called=names.site_names,
    ).time_from("90d")


def _energy_by_site(names: SiteNames) -> timeseries.Panel:
    query = select(total(AMOUNT), DAYS, ENERGY, SHOWN_TIME, group_by=BY_WEEK)
    return panels.bars(
        "Energy by week",
        "All energy of each site, stacked, Monday to Sunday. The first and the last week are not whole.",
        InfluxQuery(query, SITE_NAME),
        unit=panels.KILOWATT_HOUR,
        decimals=0,
        called=names.site_names,
        stacked=True,
    ).time_from("90d")


def _data(names: SiteNames) -> table.Panel:
    query = select(LIVE_QUANTITIES, READING, NO_SERVER, LISTED_FOR, group_by=EVERY_SITE, newest=1)
    panel = panels.listing(
        "When each site was last heard",
        "The one that has been silent longest stands first; its name leads to its fleet.",
        InfluxQuery(query, result_format="table"),
        sorted_by="Last reading",
    )
    to_site = panels.link("Its edges and meters", uid_of("fleet"), site="${__value.raw}")
    panels.name_column(panel, "site", "Site", names.site_names, links=to_site)
    panels.show(panel, "Time", displayName="Last reading", unit=panels.AGE)
    for column in ("active_power_total", "flow_rate", "weight_net", "temperature"):
        panels.show(panel, column, custom__hidden=True)
    return panel.span(panels.FULL_SPAN).height(panels.SMALL_CHART_HEIGHT)

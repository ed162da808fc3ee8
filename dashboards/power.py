"""Power quality and peaks: demand as it is billed, power factor, voltages, currents, how evenly phases are loaded."""

from grafana_foundation_sdk.builders import stat, table, timeseries
from grafana_foundation_sdk.builders.dashboard import Dashboard, Row

from dashboards import electricity, panels, shapes, variables
from dashboards.board import board
from dashboards.electricity import NO_INTERVAL
from dashboards.influxql import (
    BY_DEVICE,
    BY_TIME,
    DEMAND,
    DEVICE_NAME,
    READING,
    SHOWN_TIME,
    SITE,
    demand_kw,
    devices,
    nested,
    peak_kw,
    points,
    select,
)
from dashboards.query import InfluxQuery
from dashboards.site_names import SiteNames

NO_READING = "the main meter does not tell"
POWER_FACTOR_LEVELS = panels.levels((None, "red"), (0.9, "orange"), (0.95, "green"))
UNBALANCE_LEVELS = panels.levels((None, "green"), (0.2, "orange"), (0.4, "red"))
TEN_ROWS = 12
PHASES = ("l1", "l2", "l3")


def power(names: SiteNames) -> Dashboard:
    """The dashboard for a site's mains supply."""
    built = board(
        "power",
        "Power quality and peaks",
        "Demand as it is billed, and what the mains is like: power factor, voltages, currents, phases.",
        names,
        variables.of_one_site(names),
    )
    for number in _numbers(names):
        built.with_panel(number)
    built.with_row(Row("Peaks"))
    built.with_panel(electricity.demand(names).span(16).height(TEN_ROWS))
    built.with_panel(_highest(names).height(TEN_ROWS))
    built.with_panel(_peak_of_each_day(names).span(panels.FULL_SPAN))
    built.with_row(Row("Quality"))
    built.with_panel(_power_factor(names))
    built.with_panel(_unbalance(names))
    built.with_panel(_phases(names, "Voltage by phase", "voltage_{}_n", panels.VOLT, from_zero=False))
    built.with_panel(_phases(names, "Current by phase", "current_{}", panels.AMPERE, from_zero=True))
    return built


def _numbers(names: SiteNames) -> list[stat.Panel]:
    load_factor = select(f'mean({DEMAND}) / max({DEMAND}) AS "share"', nested(demand_kw(names.main_points)), SHOWN_TIME)
    main = devices(names.main_meters)
    # Suppliers bill it so: by what was active and reactive over time, not by a mean of factors.
    means = 'mean("active_power_total") AS "p", mean("reactive_power_total") AS "q"'
    factor = select(
        '"p" / sqrt("p" * "p" + "q" * "q") AS "factor"',
        nested(select(means, READING, SITE, main, SHOWN_TIME)),
        SHOWN_TIME,
    )
    return [
        panels.number(
            "Highest 15 minutes",
            "The highest mean power of a quarter of an hour that was taken from the grid in the time shown.",
            InfluxQuery(peak_kw(names.main_points), "Peak"),
            unit=panels.KILOWATT,
            decimals=1,
            missing=NO_INTERVAL,
        ),
        panels.number(
            "Load factor",
            "Mean demand by the highest. The lower it is, the more of the bill pays for a peak of a few minutes.",
            InfluxQuery(load_factor, "Load factor"),
            unit=panels.SHARE,
            decimals=0,
            missing=NO_INTERVAL,
        ),
        panels.number(
            "Power factor of the mains",
            "Of active and reactive power over the time shown, as it is billed: many suppliers charge for reactive "
            "energy below 0.9 or 0.95.",
            InfluxQuery(factor, "Power factor"),
            unit=panels.COUNT,
            decimals=3,
            missing=NO_READING,
        ).thresholds(POWER_FACTOR_LEVELS),
        panels.number(
            "Unbalance of currents now",
            "By how much the most loaded phase is above the mean of the three, in the last 15 minutes.",
            InfluxQuery(_unbalance_query(names, "time > now() - 15m"), "Unbalance"),
            unit=panels.SHARE,
            decimals=0,
            missing=NO_READING,
        ).thresholds(UNBALANCE_LEVELS),
    ]


def _unbalance_query(names: SiteNames, when: str, group_by: str = "") -> str:
    """Query: (highest - mean) / mean of three phase currents; InfluxQL has no maximum over fields, but has `abs`."""
    first, second, third = (f'mean("current_{phase}")' for phase in PHASES)
    main = devices(names.main_meters)
    means = select(
        f'({first} + {second} + {third}) / 3 AS "mean", {third} AS "third", '
        f'({first} + {second} + abs({first} - {second})) / 2 AS "higher"',
        READING,
        SITE,
        main,
        when,
        group_by=group_by,
    )
    highest = '("higher" + "third" + abs("higher" - "third")) / 2'
    return select(f'{highest} / "mean" - 1 AS "unbalance"', nested(means), when, '"mean" > 0')


def _highest(names: SiteNames) -> table.Panel:
    panel = panels.listing(
        "The ten highest",
        "The ten highest quarters of an hour of the time shown. Ask what ran then.",
        InfluxQuery(electricity.highest_intervals(names), result_format="table"),
        sorted_by="Demand",
        descending=True,
    )
    panels.show(panel, "Time", displayName="From")
    panels.show(panel, "peak", displayName="Demand", unit=panels.KILOWATT, decimals=1)
    return panel.span(8)


def _peak_of_each_day(names: SiteNames) -> timeseries.Panel:
    return shapes.days_by_point(
        "Highest 15 minutes of each day",
        "Demand on each main by day of the site. Interpolated quarters of an hour set no peak.",
        DEMAND,
        points(names.main_points),
        unit=panels.KILOWATT,
        decimals=1,
        called=names.called(electricity.ELECTRICITY),
    ).time_from("90d")


def _power_factor(names: SiteNames) -> timeseries.Panel:
    panel = shapes.by_device(
        "Power factor by meter",
        "Motors that run with little load pull it down; which way the power flows is left out. Below the lines many "
        "suppliers bill reactive energy.",
        'abs(mean("power_factor_total")) AS "factor"',
        SITE,
        unit=panels.COUNT,
        decimals=2,
        step=panels.QUARTER_HOUR,
        called=names.meter_names.get(electricity.ELECTRICITY, {}),
        from_zero=False,
    ).thresholds(POWER_FACTOR_LEVELS)
    return panels.draw_thresholds(panel)


def _unbalance(names: SiteNames) -> timeseries.Panel:
    panel = panels.lines(
        "Unbalance of currents",
        "By how much the most loaded phase of the main is above the mean of the three. Much of it warms the neutral "
        "and wears motors.",
        InfluxQuery(_unbalance_query(names, SHOWN_TIME, BY_TIME), "Unbalance"),
        unit=panels.SHARE,
        decimals=1,
    ).thresholds(UNBALANCE_LEVELS)
    return panels.draw_thresholds(panel).interval("1m")


def _phases(names: SiteNames, title: str, quantity: str, unit: str, *, from_zero: bool) -> timeseries.Panel:
    columns = ", ".join(f'mean("{quantity.format(phase)}") AS "{phase.upper()}"' for phase in PHASES)
    query = select(
        columns,
        READING,
        SITE,
        devices(names.main_meters),
        SHOWN_TIME,
        group_by=BY_DEVICE,
    )
    return panels.lines(
        title,
        "At the main meter, as it reads.",
        InfluxQuery(query, "$col" if len(names.main_meters) == 1 else f"{DEVICE_NAME} $col"),
        unit=unit,
        decimals=1,
        from_zero=from_zero,
    ).interval("1m")

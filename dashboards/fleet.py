"""The fleet: whether edges, meters, collector and evaluation do their work, and whether what was read has arrived.

The quantities are those of docs/observability.md.
"""

from grafana_foundation_sdk.builders import stat, table, timeseries
from grafana_foundation_sdk.builders.dashboard import Dashboard, Row

from dashboards import panels, shapes, variables
from dashboards.board import board
from dashboards.influxql import (
    AGENTS,
    BY_TIME,
    DEVICE,
    EDGES,
    EVERY_SITE,
    READING,
    SERVER,
    SHOWN_TIME,
    SITE,
    SITE_NAME,
    nested,
    select,
)
from dashboards.overview import meters
from dashboards.query import InfluxQuery
from dashboards.site_names import SiteNames

OF_THE_SITE = f"{DEVICE} =~ /^${{site:regex}}\\./"
LATELY = "time > now() - 5m"
TOLD_EACH_MINUTE = "time > now() - 1h"
CLOCKS = {"0": "none", "1": "visitor", "2": "collector", "3": "hardware", "4": "NTP"}
SILENT = "the collector has told nothing for 5 minutes"
LATE_S = panels.levels((None, "green"), (60, "yellow"), (600, "red"))
NONE_IS_GOOD = panels.levels((None, "green"), (1, "red"))


def fleet(names: SiteNames) -> Dashboard:
    """The dashboard on all edges, with the chosen site's below."""
    built = board(
        "fleet",
        "Fleet",
        "Edges and their delays, what could not be stored, and whether each day arrived whole.",
        names,
        variables.of_one_site(names),
        refresh="30s",
    )
    for number in _numbers():
        built.with_panel(number)
    built.with_panel(_edges())
    built.with_panel(_agents(names))
    built.with_panel(meters(names, "Meters, this site").height(panels.SMALL_CHART_HEIGHT))
    built.with_panel(_outbox(names))
    built.with_panel(_line())
    built.with_panel(_delay())
    built.with_panel(_not_whole())
    built.with_row(Row("Collector and evaluation"))
    built.with_panel(_stored())
    built.with_panel(_waiting())
    return built


def _numbers() -> list[stat.Panel]:
    heard = select('last("last_batch_age_s") AS "age"', READING, SERVER, EDGES, LATELY, group_by=DEVICE)
    each_waiting = select('last("batches_waiting") AS "waiting"', READING, SERVER, LATELY, group_by=DEVICE)
    kept = select('last("quarantine_entries") AS "entries"', READING, SERVER, EDGES, LATELY, group_by=DEVICE)
    wrong = select('last("days_with_mismatch") AS "days"', READING, SERVER, EDGES, LATELY, group_by=DEVICE)
    described = (
        (
            "Edges heard",
            "Edges of which a batch was stored in the last 10 minutes. Those that are silent stand in the table below.",
            select('count("age") AS "edges"', nested(heard), LATELY, '"age" < 600'),
            panels.NEUTRAL,
        ),
        (
            "Batches waiting",
            "In the collectors' memory, from all edges. A number that stays high means that the store is too slow.",
            select('sum("waiting") AS "waiting"', nested(each_waiting), LATELY),
            panels.levels((None, "green"), (1000, "red")),
        ),
        (
            "In quarantine",
            "Batches and rows that could not be stored and wait for somebody: leanmeter collector quarantine list.",
            select('sum("entries") AS "entries"', nested(kept), LATELY),
            NONE_IS_GOOD,
        ),
        (
            "Days that did not arrive whole",
            "Of the last seven days of each edge: days on which the store holds less than the edge has counted.",
            select('sum("days") AS "days"', nested(wrong), LATELY),
            NONE_IS_GOOD,
        ),
    )
    return [
        panels.number(
            title, about, InfluxQuery(query, title), unit=panels.COUNT, decimals=0, missing=SILENT
        ).thresholds(colors)
        for title, about, query, colors in described
    ]


def _edges() -> table.Panel:
    columns = ", ".join(
        f'"{name}"'
        for name in (
            "last_batch_age_s",
            "newest_reading_age_s",
            "quarantine_entries",
            "days_compared",
            "days_with_mismatch",
            "values_missing",
        )
    )
    panel = panels.listing(
        "Edges",
        "Every edge that has ever sent a batch; the one that has been silent longest stands first. Nothing is lost "
        "while an edge is silent: it keeps its readings.",
        InfluxQuery(select(columns, READING, SERVER, EDGES, LATELY, group_by=DEVICE, newest=1), result_format="table"),
        sorted_by="Last batch",
        descending=True,
    )
    panels.show(panel, "Time", custom__hidden=True)
    panels.show(panel, "device", displayName="Site and edge", custom__minWidth=panels.NAME_WIDTH)
    colored: dict[str, object] = {"unit": panels.SECONDS, "decimals": 1, "thresholds": panels.steps(LATE_S)}
    panels.show(panel, "last_batch_age_s", displayName="Last batch", **colored)
    panels.show(panel, "newest_reading_age_s", displayName="Newest reading", **colored)
    panels.show(panel, "quarantine_entries", displayName="In quarantine", decimals=0)
    panels.show(panel, "days_compared", displayName="Days compared", decimals=0)
    panels.show(panel, "days_with_mismatch", displayName="Not whole", decimals=0)
    panels.show(panel, "values_missing", displayName="Values missing", decimals=0)
    return panel.span(panels.FULL_SPAN).height(panels.SMALL_CHART_HEIGHT)


def _agents(names: SiteNames) -> table.Panel:
    shown = (
        ("devices_installed", "Meters", panels.COUNT, 0),
        ("devices_alive", "Answer", panels.COUNT, 0),
        ("outbox_use_percent", "Outbox", panels.PERCENT, 1),
        ("outbox_oldest_age_s", "Oldest kept", panels.SECONDS, 1),
        ("delay_p99_s", "Delay (p99)", panels.SECONDS, 1),
        ("bus_use_percent", "Busiest line", panels.PERCENT, 0),
        ("disk_free_bytes", "Disk free", panels.BYTES, 0),
        ("clock_source", "Clock by", panels.COUNT, 0),
    )
    columns = ", ".join(f'"{name}"' for name, _, _, _ in shown)
    query = select(columns, READING, AGENTS, TOLD_EACH_MINUTE, group_by=f"{EVERY_SITE}, {DEVICE}", newest=1)
    panel = panels.listing(
        "Agents",
        "What each edge's agent has told of itself last, within the hour; it travels with the readings, so it comes "
        "late after a time without a network, but it comes.",
        InfluxQuery(query, result_format="table"),
        sorted_by="Outbox",
        descending=True,
    )
    panels.show(panel, "Time", displayName="Told", unit=panels.AGE)
    panels.name_column(panel, "site", "Site", names.site_names)
    panels.show(panel, "device", displayName="Agent")
    shapes.with_columns(panel, shown)
    panels.in_order(panel, "Time", "site", "device")
    panels.show(panel, "clock_source", mappings=panels.texts(CLOCKS))
    return panel.span(panels.FULL_SPAN).height(panels.SMALL_CHART_HEIGHT)


def _outbox(names: SiteNames) -> timeseries.Panel:
    query = select(
        'max("outbox_use_percent") AS "use"',
        READING,
        AGENTS,
        SHOWN_TIME,
        group_by=f"time($__interval), {EVERY_SITE} fill(none)",
    )
    panel = panels.lines(
        "Room used in the outbox",
        "How much of the room for readings that are not stored yet is used, by site. When it is full, readings are "
        "thinned: totals stay exact, the course of the day does not.",
        InfluxQuery(query, SITE_NAME),
        unit=panels.PERCENT,
        decimals=1,
        called=names.site_names,
    ).thresholds(panels.levels((None, "green"), (80, "red")))
    return panels.draw_thresholds(panel).interval("1m")


def _line() -> timeseries.Panel:
    query = select(
        'mean("devices_alive") AS "Meters that answer", mean("bus_use_percent") AS "Use of the busiest line, %"',
        READING,
        SITE,
        AGENTS,
        SHOWN_TIME,
        group_by=BY_TIME,
    )
    return panels.lines(
        "Meters and their line, this site",
        "How many meters answered, and how much of its time the busiest line was in use: above 90 % cycles are late.",
        InfluxQuery(query, "$col"),
        unit=panels.COUNT,
        decimals=0,
    ).interval("1m")


def _delay() -> timeseries.Panel:
    panel = shapes.by_device(
        "Age of the newest reading, this site",
        "How far the store is behind each edge of the chosen site. A ramp is an edge without a network; it falls when "
        "the edge has caught up. Below zero its clock is ahead.",
        'mean("newest_reading_age_s") AS "age"',
        SERVER,
        OF_THE_SITE,
        unit=panels.SECONDS,
        decimals=1,
        step="10s",
    ).thresholds(LATE_S)
    return panels.draw_thresholds(panel)


def _not_whole() -> timeseries.Panel:
    return shapes.by_device(
        "Values missing in the last seven days, this site",
        "What the edge has counted and the store does not hold. It should lie at zero.",
        'max("values_missing") AS "missing"',
        SERVER,
        OF_THE_SITE,
        unit=panels.COUNT,
        decimals=0,
        step="10s",
    )


def _stored() -> timeseries.Panel:
    return shapes.by_device(
        "Values stored each second",
        "By collector. After an outage it is higher until the edges have caught up.",
        'non_negative_derivative(last("values_stored_total"), 1s) AS "rate"',
        SERVER,
        unit=panels.COUNT,
        decimals=0,
        step="30s",
    )


def _waiting() -> timeseries.Panel:
    batches, marks = (
        select(f'max("{quantity}_waiting") AS "{quantity}"', READING, SERVER, SHOWN_TIME, group_by=BY_TIME)
        for quantity in ("batches", "marks")
    )
    return panels.lines(
        "Work that waits",
        "Batches that are not stored yet, and quarters of an hour that are not evaluated yet. Both come down by "
        "themselves; what only grows needs somebody.",
        InfluxQuery(batches, "Batches", ref_id="A"),
        InfluxQuery(marks, "Quarters of an hour", ref_id="B"),
        unit=panels.COUNT,
        decimals=0,
    ).interval("30s")

"""Energy against what was expected and what is aimed at: days, savings added up, cost, emissions, lines, products."""

from grafana_foundation_sdk.builders import bargauge, stat, table, timeseries
from grafana_foundation_sdk.builders.dashboard import Dashboard, Row

from dashboards import panels, variables
from dashboards.board import LAST_MONTH, board, uid_of
from dashboards.electricity import NO_BASELINE, difference
from dashboards.influxql import (
    AMOUNT,
    CHOSEN_LINE,
    CHOSEN_POINTS,
    CHOSEN_SERIES,
    CO2E,
    COST,
    DAYS,
    DEMAND,
    EXPECTED,
    GOAL,
    INTERVALS,
    LOWER,
    METERED,
    POINT,
    RESOURCE,
    RESOURCE_NAME,
    SHOWN_TIME,
    SITE,
    UPPER,
    WHOLE_SITES,
    nested,
    of_resource,
    points,
    select,
    total,
    whole_site,
)
from dashboards.query import InfluxQuery
from dashboards.site_names import SiteNames
from store import schema

CARRIERS = ("electricity", "fuel", "heat")
NOT_DOUBLE = f"{RESOURCE} != '{schema.ENERGY}'"
"""`site.energy` is the sum of the others."""
ABOUT_GOALS = (
    "Firms that SCORE has worked with report on average **27 % less energy**, 35 % less material wasted and 40 % less "
    "waste. Those are averages of what they say themselves, not a promise. **Your goal** is the dashed line: it comes "
    "from your plan, and every step of it can be changed there."
)
BANDED = f"{AMOUNT}, {EXPECTED}, {GOAL}, {LOWER}, {UPPER}"
COLUMN = "$col"


def energy(names: SiteNames) -> Dashboard:
    """The dashboard for a site's points."""
    built = board(
        "energy",
        "Energy",
        "What was used beside what was expected and what is aimed at; cost, emissions, lines and products.",
        names,
        [
            *variables.of_points(names, *CARRIERS),
            variables.series(f"{schema.SITE_SERIES}{schema.ENERGY}", schema.ENERGY, "electricity", "heat"),
        ],
        since=LAST_MONTH,
    )
    for number in _numbers():
        built.with_panel(number)
    built.with_panel(_days())
    built.with_panel(_saved_so_far())
    built.with_panel(_live())
    built.with_panel(panels.words("What is aimed at", ABOUT_GOALS).span(16))
    built.with_panel(_goal())
    built.with_row(Row("Where it goes"))
    built.with_panel(_carriers())
    built.with_panel(_cost())
    built.with_panel(_emissions())
    if names.lines:
        built.with_panel(_lines(names))
    if names.product_points:
        built.with_panel(_for_each("kg of product", names.product_points))
    if names.piece_points:
        built.with_panel(_for_each("piece", names.piece_points))
    built.with_panel(_points(names))
    return built


def _numbers() -> list[stat.Panel]:
    saved = select(
        f'sum({EXPECTED}) - sum({AMOUNT}) AS "saved"', DAYS, SITE, CHOSEN_SERIES, SHOWN_TIME, f"{EXPECTED} > 0"
    )
    cost = select(total(COST), DAYS, SITE, WHOLE_SITES, NOT_DOUBLE, SHOWN_TIME)
    emitted = select(total(CO2E), DAYS, SITE, WHOLE_SITES, NOT_DOUBLE, SHOWN_TIME)
    described = (
        (
            "Against expected",
            "Use beside what the baseline expected of the same days: below zero is saved. Its own days show no saving.",
            InfluxQuery(difference(CHOSEN_SERIES), "Difference"),
            panels.SHARE,
            1,
            NO_BASELINE,
        ),
        (
            "Saved",
            "What was expected less what was used, over the days that have both. Below zero: more was used.",
            InfluxQuery(saved, "Saved"),
            panels.KILOWATT_HOUR,
            0,
            NO_BASELINE,
        ),
        (
            "Against the goal",
            "Use in the time shown beside the goal of the same days: at or below zero the goal is met.",
            InfluxQuery(difference(CHOSEN_SERIES, GOAL), "Difference"),
            panels.SHARE,
            1,
            "no goal yet",
        ),
        (
            "Cost",
            "Of all resources of the site, by the tariffs of each day, in the currency of the tariff.",
            InfluxQuery(cost, "Cost"),
            panels.MONEY,
            0,
            "no tariff yet",
        ),
        (
            "Emissions",
            "Of all resources of the site, by the factors of each day.",
            InfluxQuery(emitted, "CO₂e"),
            panels.CARBON_KG,
            0,
            "no factors yet",
        ),
    )
    colors = (panels.BELOW_IS_GOOD, panels.ABOVE_IS_GOOD, panels.BELOW_IS_GOOD, panels.NEUTRAL, panels.NEUTRAL)
    spans = (6, 6, 4, 4, 4)
    return [
        panels.number(title, about, query, unit=unit, decimals=decimals, missing=missing).thresholds(color).span(span)
        for (title, about, query, unit, decimals, missing), color, span in zip(described, colors, spans, strict=True)
    ]


def _goal() -> stat.Panel:
    share = f'1 - sum({GOAL}) / sum({EXPECTED}) AS "less"'
    return (
        panels.number(
            "Your goal for this time",
            "How much less than expected your plan aims at, over the days shown: it grows from milestone to milestone.",
            InfluxQuery(select(share, DAYS, SITE, CHOSEN_SERIES, SHOWN_TIME, f"{GOAL} > 0"), "Less than expected"),
            unit=panels.SHARE,
            decimals=1,
            missing="no goal yet",
        )
        .span(8)
        .height(panels.WORDS_HEIGHT)
    )


def _days() -> timeseries.Panel:
    query = select(BANDED, DAYS, SITE, CHOSEN_SERIES, SHOWN_TIME)
    panel = panels.bars(
        "Each day against expected and goal",
        "Bars are what was used. The line is what the baseline expects of such a day, with its band; the dashed line "
        "is the goal. A day within the band proves nothing yet.",
        InfluxQuery(query, COLUMN),
        unit=panels.KILOWATT_HOUR,
        decimals=0,
    )
    return panels.judged(panel).span(panels.FULL_SPAN)


def _saved_so_far() -> timeseries.Panel:
    each_day = select(f'{EXPECTED} - {AMOUNT} AS "saved"', DAYS, SITE, CHOSEN_SERIES, SHOWN_TIME, f"{EXPECTED} > 0")
    query = select('cumulative_sum("saved") AS "saved"', nested(each_day), SHOWN_TIME)
    return (
        panels.lines(
            "Saved so far",
            "The differences of the days added up (CUSUM), from the first day shown. A line that rises steadily is a "
            "saving that lasts, one that turns tells the day on which something changed.",
            InfluxQuery(query, "Saved"),
            unit=panels.KILOWATT_HOUR,
            decimals=0,
        )
        .fill_opacity(15)
        .span(panels.HALF_SPAN)
    )


def _live() -> timeseries.Panel:
    # Of an interval `expected` is energy, the curve is power: four quarters of an hour make an hour.
    scaled = ", ".join(f"{field} * 4 AS {field}" for field in (EXPECTED, GOAL, LOWER, UPPER))
    query = select(f"{DEMAND}, {scaled}", INTERVALS, SITE, CHOSEN_SERIES, SHOWN_TIME)
    panel = (
        panels.lines(
            "Today against expected",
            "Each quarter of an hour as power, with what the baseline expects of this hour of the week.",
            InfluxQuery(query, COLUMN),
            unit=panels.KILOWATT,
            decimals=1,
        )
        .time_from(panels.TODAY)
        .span(panels.HALF_SPAN)
    )
    return panels.judged(panel)


def _carriers() -> timeseries.Panel:
    return _by_resource(
        "Energy by carrier",
        "Electricity, fuels and heat of each day, all in kWh; fuels by their calorific value of that day.",
        select(AMOUNT, DAYS, SITE, WHOLE_SITES, of_resource(*CARRIERS), SHOWN_TIME, group_by=RESOURCE),
        panels.KILOWATT_HOUR,
        0,
    )


def _cost() -> timeseries.Panel:
    return _by_resource(
        "Cost by day",
        "Of each resource, by the tariff of that day, in its currency. Standing charges and demand stand on the bill.",
        select(COST, DAYS, SITE, WHOLE_SITES, NOT_DOUBLE, SHOWN_TIME, group_by=RESOURCE),
        panels.MONEY,
        2,
    )


def _emissions() -> timeseries.Panel:
    return _by_resource(
        "Emissions by day",
        "Of each resource, by the factor of that day.",
        select(CO2E, DAYS, SITE, WHOLE_SITES, NOT_DOUBLE, SHOWN_TIME, group_by=RESOURCE),
        panels.CARBON_KG,
        0,
    )


def _by_resource(title: str, description: str, query: str, unit: str, decimals: int) -> timeseries.Panel:
    found = InfluxQuery(query, RESOURCE_NAME)
    panel = panels.bars(title, description, found, unit=unit, decimals=decimals, stacked=True)
    _name_resources(panel)
    return panel.span(8)


def _lines(names: SiteNames) -> bargauge.Panel:
    queries = [
        InfluxQuery(select(total(AMOUNT), DAYS, SITE, points(ids), SHOWN_TIME), line, ref_id=f"L{number}")
        for number, (line, ids) in enumerate(names.lines.items())
    ]
    return panels.ranking(
        "Electricity by line",
        "What the metered machines of each production line used in the time shown.",
        *queries,
        unit=panels.KILOWATT_HOUR,
        decimals=0,
    ).span(8)


def _for_each(what: str, outputs: tuple[str, ...]) -> timeseries.Panel:
    used = select(f'{AMOUNT} AS "used"', DAYS, SITE, whole_site(schema.ENERGY), SHOWN_TIME)
    made = select(f'{AMOUNT} AS "made"', DAYS, SITE, points(outputs), SHOWN_TIME, f"{AMOUNT} > 0")
    query = select(
        'sum("used") / sum("made") AS "specific"', nested(used, made), SHOWN_TIME, group_by="time(1d) fill(none)"
    )
    return panels.lines(
        f"kWh for each {what}",
        "All energy of the site by what left it that day. A base load makes this rise on slow days without any waste: "
        "that is why the baseline, and not this line, says what was saved.",
        InfluxQuery(query, "kWh"),
        unit=panels.COUNT,
        decimals=3,
    ).span(8)


def _points(names: SiteNames) -> table.Panel:
    what = ", ".join((total(AMOUNT), total(EXPECTED), total(COST), total(CO2E)))
    query = select(
        what,
        DAYS,
        SITE,
        METERED,
        of_resource("electricity", "heat"),
        CHOSEN_POINTS,
        CHOSEN_LINE,
        SHOWN_TIME,
        group_by=POINT,
    )
    panel = panels.listing(
        "Points",
        "The sums of the time shown; the point's name leads to its curve.",
        InfluxQuery(query, result_format="table"),
        sorted_by="Used",
        descending=True,
    )
    to_curve = panels.link("Show its curve", uid_of("overview"), site="${site}", point="${__value.raw}")
    panels.show(panel, "Time", custom__hidden=True)
    panels.show(
        panel, "point", displayName="Point", links=to_curve, mappings=panels.texts(names.called("electricity", "heat"))
    )
    panels.show(panel, "amount", displayName="Used", unit=panels.KILOWATT_HOUR, decimals=0)
    panels.show(panel, "expected", displayName="Expected", unit=panels.KILOWATT_HOUR, decimals=0)
    panels.show(panel, "cost", displayName="Cost", unit=panels.MONEY, decimals=2)
    panels.show(panel, "co2e", displayName="CO₂e", unit=panels.CARBON_KG, decimals=0)
    return panel.span(16)


def _name_resources(panel: timeseries.Panel) -> None:
    panels.call_by_name(panel, {name: name.replace("_", " ").capitalize() for name in RESOURCES})


RESOURCES = ("electricity", "fuel", "heat", "water", "compressed_air", "material", "waste", "product")

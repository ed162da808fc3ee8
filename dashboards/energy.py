"""Energy against what was expected and what is aimed at: days, savings added up, cost, emissions, lines, products."""

from grafana_foundation_sdk.builders import bargauge, stat, table, timeseries
from grafana_foundation_sdk.builders.dashboard import Dashboard, Row

from dashboards import expected, panels, shapes, variables
from dashboards.board import LAST_MONTH, board, uid_of
from dashboards.influxql import (
    AMOUNT,
    BILLED,
    CHOSEN,
    CHOSEN_SERIES,
    CO2E,
    CO2E_MARKET,
    COST,
    COVERAGE,
    DAYS,
    EXPECTED,
    GOAL,
    RESOURCE,
    RESOURCE_NAME,
    SHOWN_TIME,
    SITE,
    WHOLE_SITES,
    nested,
    of_resource,
    points,
    select,
    total,
)
from dashboards.query import InfluxQuery
from dashboards.site_names import SiteNames
from store import schema

CARRIERS = ("electricity", "fuel", "heat")
NOT_DOUBLE = f"{RESOURCE} !~ /^({schema.ENERGY}|{schema.MATERIALS_WASTED})$/"
"""`site.energy` is the sum of the others, and what materials wasted cost is in the material's cost already."""
ABOUT_GOALS = (
    "Firms that SCORE has worked with report on average **27 % less energy**, 35 % less material wasted and 40 % less "
    "waste. Those are averages of what they say themselves, not a promise. **Your goal** is the dashed line: it comes "
    "from your plan, and every step of it can be changed there."
)
COLUMN = "$col"
DAYS_OF_USE = "suffix:days"
RESOURCES = ("electricity", "fuel", "heat", "water", "compressed_air", "material", "waste", "product", "refrigerant")


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
    for number in _numbers(names):
        built.with_panel(number)
    built.with_panel(_days())
    built.with_panel(_saved_so_far())
    built.with_panel(_live())
    built.with_panel(panels.words("What is aimed at", ABOUT_GOALS).span(16))
    built.with_panel(_goal())
    built.with_row(Row("Where it goes"))
    built.with_panel(_carriers())
    built.with_panel(_cost(names))
    built.with_panel(_emissions())
    built.with_panel(_bill(names))
    built.with_panel(_both_methods())
    if names.on_lines("electricity"):
        built.with_panel(_lines(names))
    if names.product_points:
        built.with_panel(_for_each("kg of product", names.product_points))
    if names.piece_points:
        built.with_panel(_for_each("piece", names.piece_points))
    built.with_panel(_points(names))
    built.with_row(Row("Prepaid electricity"))
    built.with_panel(_prepaid("Left on the meter", schema.PREPAID_LEFT, panels.KILOWATT_HOUR, 0))
    built.with_panel(_prepaid("Lasts for", schema.PREPAID_DAYS_LEFT, DAYS_OF_USE, 1))
    return built


def _numbers(names: SiteNames) -> list[stat.Panel]:
    saved = select(
        f'sum({EXPECTED}) - sum({AMOUNT}) AS "saved"', DAYS, SITE, CHOSEN_SERIES, SHOWN_TIME, f"{EXPECTED} > 0"
    )
    emitted = select(total(CO2E), DAYS, SITE, WHOLE_SITES, NOT_DOUBLE, SHOWN_TIME)
    span = panels.SMALL_SPAN
    return [
        expected.against(
            "Against expected",
            "Use beside what the baseline expected of the same days: below zero is saved. Its own days show no saving.",
            CHOSEN_SERIES,
        ).span(span),
        panels.number(
            "Saved",
            "What was expected less what was used, over the days that have both. Below zero: more was used.",
            InfluxQuery(saved, "Saved"),
            unit=panels.KILOWATT_HOUR,
            decimals=0,
            missing=expected.NO_BASELINE,
        )
        .thresholds(panels.ABOVE_IS_GOOD)
        .span(span),
        expected.against(
            "Against the goal",
            "Use in the time shown beside the goal of the same days: at or below zero the goal is met.",
            CHOSEN_SERIES,
            field=GOAL,
            missing=expected.NO_GOAL,
        ).span(4),
        shapes.cost(
            names,
            "Cost",
            "Of all resources of the site, by the energy prices of each day, in the currency of its plan. Standing "
            "charges and demand are on the bill further down.",
            WHOLE_SITES,
            NOT_DOUBLE,
            missing="no tariff yet",
        ).span(4),
        panels.number(
            "Emissions",
            "Of all resources of the site, by the factors of each day.",
            InfluxQuery(emitted, "CO₂e"),
            unit=panels.CARBON_KG,
            decimals=0,
            missing="no factors yet",
        ).span(4),
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
            missing=expected.NO_GOAL,
        )
        .span(8)
        .height(panels.WORDS_HEIGHT)
    )


def _days() -> timeseries.Panel:
    return expected.days(
        "Each day against expected and goal",
        CHOSEN_SERIES,
        unit=panels.KILOWATT_HOUR,
        decimals=0,
        more=" A day within the band proves nothing yet.",
    ).span(panels.FULL_SPAN)


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
    panel = expected.quarters(
        "Today against expected",
        "Each quarter of an hour as power, with what the baseline expects of this hour of the week.",
        CHOSEN_SERIES,
    )
    return panel.time_from(panels.TODAY).span(panels.HALF_SPAN)


def _carriers() -> timeseries.Panel:
    return _by_resource(
        "Energy by carrier",
        "Electricity, fuels and heat of each day, all in kWh; fuels by their calorific value of that day.",
        select(AMOUNT, DAYS, SITE, WHOLE_SITES, of_resource(*CARRIERS), SHOWN_TIME, group_by=RESOURCE),
        panels.KILOWATT_HOUR,
        0,
    )


def _cost(names: SiteNames) -> timeseries.Panel:
    return _by_resource(
        names.priced("Cost by day"),
        "Of each resource, by the energy prices of that day. Standing charges and demand stand on the bill.",
        select(COST, DAYS, SITE, WHOLE_SITES, NOT_DOUBLE, SHOWN_TIME, group_by=RESOURCE),
        panels.MONEY,
        2,
    )


def _bill(names: SiteNames) -> timeseries.Panel:
    panel = shapes.days_by_point(
        names.priced("The electricity bill by day"),
        "What each day added to its month's bill, by the lines of the bill: times of use, blocks, standing charge, "
        "demand, taxes. Over a whole month they add up to the bill. A day that raised the month's peak carries what "
        "that makes the days before it dearer too.",
        COST,
        BILLED,
        unit=panels.MONEY,
        decimals=2,
        called=panels.AS_THEY_ARE,
        stacked=True,
    )
    panels.shorten(panel, r"^bill\.(.*)$")
    return panels.with_sums(panel).span(16)


def _prepaid(title: str, series: str, unit: str, decimals: int) -> stat.Panel:
    query = select(f"last({AMOUNT}) AS {AMOUNT}", DAYS, SITE, points((series,)), SHOWN_TIME, f"{COVERAGE} > 0")
    return panels.number(
        title,
        "What the tokens of the plan have brought less what the mains have given since the first of them; days at the "
        "mean use of the two weeks before.",
        InfluxQuery(query, title),
        unit=unit,
        decimals=decimals,
        missing="no tokens in the plan",
    ).span(panels.HALF_SPAN)


def _both_methods() -> timeseries.Panel:
    both = f"{total(CO2E, 'By the grid')}, {total(CO2E_MARKET, 'By your contract')}"
    query = select(both, DAYS, SITE, WHOLE_SITES, NOT_DOUBLE, SHOWN_TIME, group_by="time(1d) fill(none)")
    return panels.bars(
        "Emissions counted both ways",
        "Bought electricity by the grid's mean, which all other panels show, and by what your contract says (GHG "
        "Protocol, Scope 2). What has no factor of a contract is counted by the grid's.",
        InfluxQuery(query, COLUMN),
        unit=panels.CARBON_KG,
        decimals=0,
    ).span(8)


def _emissions() -> timeseries.Panel:
    return _by_resource(
        "Emissions by day",
        "Of each resource, by the factor of that day; bought electricity by the grid's mean.",
        select(CO2E, DAYS, SITE, WHOLE_SITES, NOT_DOUBLE, SHOWN_TIME, group_by=RESOURCE),
        panels.CARBON_KG,
        0,
    )


def _by_resource(title: str, description: str, query: str, unit: str, decimals: int) -> timeseries.Panel:
    found = InfluxQuery(query, RESOURCE_NAME)
    called = {name: name.replace("_", " ").capitalize() for name in RESOURCES}
    return panels.bars(title, description, found, unit=unit, decimals=decimals, called=called, stacked=True).span(8)


def _lines(names: SiteNames) -> bargauge.Panel:
    queries = [
        InfluxQuery(select(total(AMOUNT), DAYS, SITE, points(ids), SHOWN_TIME), line, ref_id=f"L{number}")
        for number, (line, ids) in enumerate(names.on_lines("electricity").items())
    ]
    return panels.ranking(
        "Electricity by line",
        "What the metered machines of each production line used in the time shown.",
        *queries,
        unit=panels.KILOWATT_HOUR,
        decimals=0,
    ).span(8)


def _for_each(what: str, outputs: tuple[str, ...]) -> timeseries.Panel:
    return shapes.for_each(
        f"kWh for each {what}",
        "All energy of the site by what left it that day. A base load makes this rise on slow days without any waste: "
        "that is why the baseline, and not this line, says what was saved.",
        AMOUNT,
        schema.ENERGY,
        outputs,
        name="kWh",
        unit=panels.COUNT,
        decimals=3,
    ).span(8)


def _points(names: SiteNames) -> table.Panel:
    return shapes.sums(
        "Points",
        "The sums of the time shown; the point's name leads to its curve.",
        of_resource("electricity", "heat"),
        CHOSEN,
        columns=(
            ("amount", "Used", panels.KILOWATT_HOUR, 0),
            ("expected", "Expected", panels.KILOWATT_HOUR, 0),
            ("cost", names.priced("Cost"), panels.MONEY, 2),
            ("co2e", "CO₂e", panels.CARBON_KG, 0),
        ),
        called=names.called("electricity", "heat"),
        links=panels.link("Show its curve", uid_of("overview"), site="${site}", point="${__value.raw}"),
    ).span(16)

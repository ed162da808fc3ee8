"""Materials and waste: what came in, what became product, what was wasted, and what nobody weighed."""

from grafana_foundation_sdk.builders import bargauge, stat, table, timeseries
from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards import expected, panels, shapes, variables
from dashboards.board import LAST_MONTH, board
from dashboards.influxql import (
    AMOUNT,
    CHOSEN_LINE,
    CHOSEN_POINTS,
    COST,
    COVERAGE,
    DAYS,
    GOAL,
    METERED,
    POINT,
    POINT_NAME,
    RESOURCE,
    RESOURCE_NAME,
    SHOWN_TIME,
    SITE,
    nested,
    of_resource,
    points,
    select,
    total,
    whole_site,
    whole_sites,
)
from dashboards.query import InfluxQuery
from dashboards.site_names import Share, SiteNames
from store.schema import MATERIALS_WASTED, SITE_SERIES, WASTE_DESTINATIONS, WASTE_RECYCLED, WASTE_REUSED

STREAMS = ("material", "product", "waste")
ABOUT_WASTE = (
    "Firms that SCORE has worked with report on average **35 % less material wasted** and **40 % less waste**. The two "
    "overlap and are never added: *material wasted* is what was bought and did not become product, *waste* is what "
    "left as waste. They are averages of what firms say themselves; your own goal comes from your plan."
)


def materials(names: SiteNames) -> Dashboard:
    """The dashboard for a site's streams; shares are left out where one of their sides is not weighed."""
    built = board(
        "materials",
        "Materials and waste",
        "What came in, what became product, what was wasted, and what nobody weighed.",
        names,
        variables.of_points(names, *STREAMS),
        since=LAST_MONTH,
    )
    for number in _numbers(names):
        built.with_panel(number)
    built.with_panel(_days(names))
    if names.piece_points:
        built.with_panel(_pieces(names))
    built.with_panel(_compared(names))
    if _weighs_both(names):
        built.with_panel(_wasted_by_day())
        built.with_panel(_wasted_by_line())
    if names.waste_points:
        built.with_panel(_waste_by_day())
        built.with_panel(_destinations_by_day())
    for share in _shares_by_day(names):
        built.with_panel(share)
    built.with_panel(_streams(names))
    built.with_panel(panels.words("What is aimed at", ABOUT_WASTE))
    return built


def _numbers(names: SiteNames) -> list[stat.Panel]:
    incoming, product, waste = names.material_points, names.product_points, names.waste_points
    found = []
    for title, ids, unit in (
        ("Material in", incoming, panels.KILOGRAM),
        ("Product", product, panels.KILOGRAM),
        ("Pieces", names.piece_points, panels.PIECES),
        ("Waste", waste, panels.KILOGRAM),
    ):
        if ids:
            found.append(_sum(title, ids, unit))
    for share, title, about in (
        (
            names.product_of_material,
            "Yield",
            "Product out of what came in, by mass, on lines that weigh both; the rest evaporated or was wasted.",
        ),
        (names.waste_of_material, "Waste of what came in", "Waste by material, on lines that weigh both."),
        (names.waste_of_product, "Waste for each kg of product", "Waste by product, on lines that weigh both."),
    ):
        if share:
            found.append(_share(title, about, share))
    if names.accounted_for:
        found.append(_not_accounted(names.accounted_for))
    if waste:
        found += [
            *_judged("Waste", whole_site("waste")),
            _sent("Reused", "Share of waste that is used again as what it is.", WASTE_REUSED),
            _sent("Recycled", "Share of waste of which new material is made.", WASTE_RECYCLED),
        ]
    if _weighs_both(names):
        found += _wasted(names)
    return found


def _weighs_both(names: SiteNames) -> bool:
    return bool(names.material_points and (names.product_points or names.piece_points))


def _wasted(names: SiteNames) -> list[stat.Panel]:
    wasted = whole_site(MATERIALS_WASTED)
    return [
        panels.number(
            "Materials wasted",
            "What came in and did not become product, on lines that weigh both or in the balances of the plan.",
            InfluxQuery(select(total(AMOUNT), DAYS, SITE, wasted, SHOWN_TIME), "Amount"),
            unit=panels.KILOGRAM,
            decimals=0,
            missing="not weighed here",
        ),
        shapes.cost(
            names,
            "What losses cost",
            "Materials wasted at their purchase price, and getting rid of the waste (material flow cost, ISO 14051).",
            wasted,
            missing="no prices yet",
        ),
        *_judged("Materials wasted", wasted),
    ]


def _judged(name: str, of: str) -> list[stat.Panel]:
    return [
        expected.against(
            f"{name} against expected",
            f"{name} in the time shown beside what the baseline expected for the same days: below zero is saved.",
            of,
        ),
        expected.against(
            f"{name} against the goal",
            f"{name} in the time shown beside the goal of the same days: at or below zero the goal is met.",
            of,
            field=GOAL,
            missing=expected.NO_GOAL,
        ),
    ]


def _sent(title: str, description: str, destination: str) -> stat.Panel:
    sent = select(f'{AMOUNT} AS "sent"', DAYS, SITE, whole_site(destination), SHOWN_TIME)
    waste = select(f'{AMOUNT} AS "waste"', DAYS, SITE, whole_sites(*WASTE_DESTINATIONS), SHOWN_TIME)
    return panels.number(
        title,
        f"{description} By the plan's destinations of each day.",
        InfluxQuery(select('sum("sent") / sum("waste") AS "share"', nested(sent, waste), SHOWN_TIME), "Share"),
        unit=panels.SHARE,
        decimals=1,
        missing="no destinations yet",
    )


def _sum(title: str, ids: tuple[str, ...], unit: str) -> stat.Panel:
    return panels.number(
        title,
        "In the time shown, by whole days of the site.",
        InfluxQuery(select(total(AMOUNT), DAYS, SITE, points(ids), SHOWN_TIME), "Amount"),
        unit=unit,
        decimals=0,
        missing="not weighed here",
    )


def _share(title: str, about: str, share: Share) -> stat.Panel:
    return panels.number(
        title,
        about,
        InfluxQuery(_share_query(share), "Share"),
        unit=panels.SHARE,
        decimals=1,
        missing="not weighed here",
    )


def _share_query(share: Share, group_by: str = "") -> str:
    one = select(f'{AMOUNT} AS "part"', DAYS, SITE, points(share.part), SHOWN_TIME)
    other = select(f'{AMOUNT} AS "whole"', DAYS, SITE, points(share.whole), SHOWN_TIME, f"{AMOUNT} > 0")
    return select('sum("part") / sum("whole") AS "share"', nested(one, other), SHOWN_TIME, group_by=group_by)


def _not_accounted(share: Share) -> stat.Panel:
    known = select(f'{AMOUNT} AS "known"', DAYS, SITE, points(share.part), SHOWN_TIME)
    came = select(f'{AMOUNT} AS "came"', DAYS, SITE, points(share.whole), SHOWN_TIME)
    query = select('1 - sum("known") / sum("came") AS "share"', nested(known, came), SHOWN_TIME)
    return panels.number(
        "Not accounted for",
        "What came in and is neither product nor waste: evaporation, dust, stock, or a stream that nobody weighs. "
        "Below zero more left than came: a scale is missing.",
        InfluxQuery(query, "Share"),
        unit=panels.SHARE,
        decimals=1,
        missing="not weighed here",
    ).thresholds(panels.levels((None, "red"), (-0.02, "green"), (0.15, "orange")))


def _days(names: SiteNames) -> timeseries.Panel:
    weighed = (*names.material_points, *names.product_points, *names.waste_points)
    return _by_day(
        names, "Streams by day", "What each scale took in a day of the site.", points(weighed), panels.KILOGRAM
    )


def _pieces(names: SiteNames) -> timeseries.Panel:
    return _by_day(
        names,
        "Pieces by day",
        "What each counter counted in a day of the site.",
        points(names.piece_points),
        panels.PIECES,
    )


def _by_day(names: SiteNames, title: str, description: str, which: str, unit: str) -> timeseries.Panel:
    conditions = (which, CHOSEN_POINTS, CHOSEN_LINE)
    called = names.called(*STREAMS)
    return shapes.days_by_point(title, description, AMOUNT, *conditions, unit=unit, decimals=0, called=called)


def _compared(names: SiteNames) -> bargauge.Panel:
    weighed = (*names.material_points, *names.product_points, *names.waste_points)
    query = select(total(AMOUNT), DAYS, SITE, points(weighed), SHOWN_TIME, group_by=RESOURCE)
    return panels.ranking(
        "All that was weighed",
        "In the time shown. Where every stream of a line is weighed, what came in is about as much as product and "
        "waste together.",
        InfluxQuery(query, RESOURCE_NAME),
        unit=panels.KILOGRAM,
        decimals=0,
        called={"material": "Material in", "product": "Product", "waste": "Waste"},
    )


def _waste_by_day() -> timeseries.Panel:
    return expected.days(
        "Waste by day, against expected and goal",
        whole_site("waste"),
        unit=panels.KILOGRAM,
        decimals=1,
        used="weighed",
        name="Waste",
    )


def _wasted_by_day() -> timeseries.Panel:
    return expected.days(
        "Materials wasted by day, against expected and goal",
        whole_site(MATERIALS_WASTED),
        unit=panels.KILOGRAM,
        decimals=1,
        used="weighed in and not out",
        name="Wasted",
        more=" A day can be below zero when more left than came in.",
    )


def _wasted_by_line() -> bargauge.Panel:
    of_lines = f"{POINT} =~ /\\.{MATERIALS_WASTED}$/"
    query = select(total(AMOUNT), DAYS, SITE, of_lines, METERED, SHOWN_TIME, group_by=POINT)
    panel = panels.ranking(
        "Materials wasted by line",
        "In the time shown, on each line that weighs what comes in and its product, or each balance of the plan.",
        InfluxQuery(query, POINT_NAME),
        unit=panels.KILOGRAM,
        decimals=0,
    )
    panels.shorten(panel, f"^(.*)\\.{MATERIALS_WASTED}$")
    return panel


def _destinations_by_day() -> timeseries.Panel:
    return shapes.days_by_point(
        "Where waste went, by day",
        "By the plan's destinations of each day; together they are the day's waste.",
        AMOUNT,
        whole_sites(*WASTE_DESTINATIONS),
        unit=panels.KILOGRAM,
        decimals=1,
        called={f"{SITE_SERIES}{name}": name.removeprefix("waste_").capitalize() for name in WASTE_DESTINATIONS},
        stacked=True,
    )


def _shares_by_day(names: SiteNames) -> list[timeseries.Panel]:
    shares = (
        ("Waste of what came in, by day", names.waste_of_material),
        ("Waste for each kg of product, by day", names.waste_of_product),
    )
    return [
        panels.lines(
            title,
            "By mass, on lines that weigh both. A share that climbs on slow days is what each start costs.",
            InfluxQuery(_share_query(share, "time(1d) fill(none)"), "Share"),
            unit=panels.SHARE,
            decimals=1,
        )
        for title, share in shares
        if share
    ]


def _streams(names: SiteNames) -> table.Panel:
    what = ", ".join((total(AMOUNT), total(COST), f"mean({COVERAGE}) AS {COVERAGE}"))
    conditions = (SITE, METERED, of_resource(*STREAMS), CHOSEN_POINTS, CHOSEN_LINE, SHOWN_TIME)
    query = select(what, DAYS, *conditions, group_by=f"{RESOURCE}, {POINT}")
    panel = panels.listing(
        "Streams",
        "The sums of the time shown: kg, or pieces where pieces are counted.",
        InfluxQuery(query, result_format="table"),
        sorted_by="Stream",
    )
    panels.show(panel, "Time", custom__hidden=True)
    panels.show(panel, "resource", displayName="Kind")
    panels.name_column(panel, "point", "Stream", names.called(*STREAMS))
    columns = (
        ("amount", "Amount", panels.COUNT, 0),
        ("cost", names.priced("Cost"), panels.MONEY, 2),
        ("coverage", "Time with readings", panels.SHARE, 0),
    )
    return panels.in_order(shapes.with_columns(panel, columns), "Time", "point", "resource")

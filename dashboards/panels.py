"""Panels as all dashboards use them: the same units, decimals, legends and colours everywhere.

Grafana stacks panels on a phone and keeps their heights; widths are of its 24 columns on anything wider.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol, Self

from grafana_foundation_sdk.builders import bargauge, common, stat, statetimeline, table, text, timeseries
from grafana_foundation_sdk.builders.dashboard import FieldColor, ThresholdsConfig
from grafana_foundation_sdk.models.common import (
    BarGaugeDisplayMode,
    BarGaugeSizing,
    BigValueColorMode,
    BigValueGraphMode,
    FieldTextAlignment,
    GraphDrawStyle,
    GraphThresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    LineInterpolation,
    SortOrder,
    StackingMode,
    TooltipDisplayMode,
    VisibilityMode,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardSpecialValueMapOptions,
    DataTransformerConfig,
    DynamicConfigValue,
    FieldColorModeId,
    SpecialValueMap,
    SpecialValueMatch,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
)
from grafana_foundation_sdk.models.text import TextMode

from dashboards.query import DATASOURCE, InfluxQuery

# A fixed word after the number: Grafana's own units of power and energy go over to MW and MWh, and then round to those.
KILOWATT = "suffix:kW"
WATT = "suffix:W"
KILOWATT_HOUR = "suffix:kWh"
CUBIC_METRE = "m3"
LITRE = "suffix:L"
CUBIC_METRE_PER_HOUR = "suffix:m³/h"
KILOGRAM = "suffix:kg"
CELSIUS = "celsius"
SHARE = "percentunit"
PERCENT = "percent"
VOLT = "volt"
AMPERE = "amp"
BYTES = "bytes"
SECONDS = "s"
COUNT = "none"
AGE = "dateTimeFromNow"
MONEY = "locale"
"""In the currency of the site's plan, which titles name (`SiteNames.priced`); thousands apart, as some have many."""
PIECES = "suffix:pieces"
CARBON_KG = "suffix:kg CO₂e"

STAT_HEIGHT = 4
WORDS_HEIGHT = 5
SMALL_CHART_HEIGHT = 7
CHART_HEIGHT = 9

OUTAGE = "Outage"
OUT_OF_LEGEND = {"legend": True, "tooltip": False, "viz": False}

NAME_WIDTH = 140
"""Least width of a table's column of names, so that they can be read on a phone."""

TODAY = "now/d"
LAST_HOUR = "1h"
QUARTER_HOUR = "15m"

AS_THEY_ARE: Mapping[str, str] = MappingProxyType({})
"""Names for series that are called what they are."""

SMALL_SPAN = 6
HALF_SPAN = 12
FULL_SPAN = 24


class _Overridable(Protocol):
    def override_by_name(self, name: str, properties: list[DynamicConfigValue]) -> Self: ...


def number(
    title: str, description: str, query: InfluxQuery, *, unit: str, decimals: int, missing: str, columns: str = ""
) -> stat.Panel:
    """One big number for each series; `missing` stands there when there is none.

    `columns` is the regular expression of those columns that are shown when not the numeric ones are.
    """
    # In grey: Grafana would give it the first colour of the levels, and the green of good news.
    said = ValueMappingResult(text=missing, color="text")
    nothing = SpecialValueMap(DashboardSpecialValueMapOptions(SpecialValueMatch.NULL_AND_NAN, said))
    reduced = common.ReduceDataOptions().calcs(["lastNotNull"]).values(values=False).fields(columns)
    return (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .targets([query])
        .height(STAT_HEIGHT)
        .span(6)
        .unit(unit)
        .decimals(decimals)
        .no_value(missing)
        .mappings([nothing])
        .thresholds(levels((None, "blue")))
        .color_scheme(FieldColor().mode(FieldColorModeId.THRESHOLDS))
        .graph_mode(BigValueGraphMode.NONE)
        .color_mode(BigValueColorMode.VALUE)
        .reduce_options(reduced)
    )


def lines(
    title: str,
    description: str,
    *queries: InfluxQuery,
    unit: str,
    decimals: int,
    called: Mapping[str, str] = AS_THEY_ARE,
    from_zero: bool = True,
) -> timeseries.Panel:
    """Curves over time; a gap in the data stays a gap. Not `from_zero` where only the differences are seen.

    `called` has people's names for the series of points, meters or sites; the id stays where one has no name.
    """
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .targets(list(queries))
        .height(CHART_HEIGHT)
        .span(12)
        .unit(unit)
        .decimals(decimals)
        .line_interpolation(LineInterpolation.LINEAR)
        .line_width(2)
        .fill_opacity(0)
        .show_points(VisibilityMode.AUTO)
        .span_nulls(span_nulls=False)
        .thresholds(levels((None, "blue")))
        .color_scheme(FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC))
        .legend(_legend())
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING))
    )
    call_by_name(panel, called)
    return panel.axis_soft_min(0) if from_zero else panel


def _legend() -> common.VizLegendOptions:
    below = common.VizLegendOptions().display_mode(LegendDisplayMode.LIST).placement(LegendPlacement.BOTTOM)
    return below.show_legend(show_legend=True).calcs([])


def with_sums(panel: timeseries.Panel) -> timeseries.Panel:
    """A legend that is a table, with what each series comes to over the time shown."""
    legend = common.VizLegendOptions().display_mode(LegendDisplayMode.TABLE).placement(LegendPlacement.RIGHT)
    return panel.legend(legend.show_legend(show_legend=True).calcs(["sum"]))


def bars(
    title: str,
    description: str,
    *queries: InfluxQuery,
    unit: str,
    decimals: int,
    called: Mapping[str, str] = AS_THEY_ARE,
    stacked: bool = False,
) -> timeseries.Panel:
    """Amounts of intervals or days, from zero up; `stacked` where they add up to something."""
    panel = (
        lines(title, description, *queries, unit=unit, decimals=decimals, called=called)
        .draw_style(GraphDrawStyle.BARS)
        .line_width(1)
        .fill_opacity(70)
        .show_points(VisibilityMode.NEVER)
    )
    if stacked:
        panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL).group("A"))
    return panel


def draw_thresholds(panel: timeseries.Panel) -> timeseries.Panel:
    """Draw the panel's thresholds as dashed lines."""
    return panel.thresholds_style(common.GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.DASHED))


def shade_outages(panel: timeseries.Panel) -> timeseries.Panel:
    """Draw the series `Outage`, which is 1 where there was no mains, as red ground over the whole height."""
    show(
        panel,
        OUTAGE,
        color=fixed("red"),
        min=0,
        max=1,
        unit=COUNT,
        custom__drawStyle="bars",
        custom__barWidthFactor=1,
        custom__lineWidth=0,
        custom__fillOpacity=20,
        custom__axisPlacement="hidden",
        custom__stacking={"mode": "none", "group": "A"},
    )
    return panel


def dash_unsure(panel: timeseries.Panel, ref_id: str) -> timeseries.Panel:
    """Draw the series of a query grey and dashed: what was not measured but interpolated, thinned or partly missing."""
    panel.override_by_query(
        ref_id,
        [
            DynamicConfigValue("custom.lineStyle", {"fill": "dash", "dash": [6, 6]}),
            DynamicConfigValue("color", fixed("#8e8e8e")),
            DynamicConfigValue("custom.hideFrom", OUT_OF_LEGEND),
        ],
    )
    return panel


def fixed(color: str) -> dict[str, str]:
    """A colour for `show`."""
    return {"mode": "fixed", "fixedColor": color}


def ranking(
    title: str,
    description: str,
    *queries: InfluxQuery,
    unit: str,
    decimals: int,
    called: Mapping[str, str] = AS_THEY_ARE,
) -> bargauge.Panel:
    """A bar for each series, to compare them."""
    panel = (
        bargauge.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .targets(list(queries))
        .height(CHART_HEIGHT)
        .span(12)
        .unit(unit)
        .decimals(decimals)
        .min(0)
        .no_value("nothing measured in this time")
        .thresholds(levels((None, "blue")))
        .color_scheme(FieldColor().mode(FieldColorModeId.THRESHOLDS))
        .orientation(VizOrientation.HORIZONTAL)
        .display_mode(BarGaugeDisplayMode.BASIC)
        .show_unfilled(show_unfilled=False)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(values=False))
        # Grafana's own choice fills the panel: two bars would have letters as tall as themselves, and cut.
        .text(common.VizTextDisplayOptions().title_size(14).value_size(16))
        .sizing(BarGaugeSizing.MANUAL)
        .min_viz_height(16)
        .max_viz_height(40)
    )
    call_by_name(panel, called)
    return panel


def states(
    title: str,
    description: str,
    *queries: InfluxQuery,
    texts: Mapping[str, tuple[str, str]],
    called: Mapping[str, str],
) -> statetimeline.Panel:
    """What state something was in; `texts` gives each value its words and colour."""
    options = {
        value: ValueMappingResult(text=text, color=color, index=index)
        for index, (value, (text, color)) in enumerate(texts.items())
    }
    panel = (
        statetimeline.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .targets(list(queries))
        .height(CHART_HEIGHT)
        .span(12)
        .mappings([ValueMap(options)])
        .thresholds(levels((None, "text")))
        .color_scheme(FieldColor().mode(FieldColorModeId.THRESHOLDS))
        .merge_values(merge_values=True)
        .show_value(VisibilityMode.NEVER)
        .row_height(0.8)
        .fill_opacity(70)
        .line_width(0)
        .legend(_legend())
    )
    call_by_name(panel, called)
    return panel


def listing(
    title: str, description: str, query: InfluxQuery, sorted_by: str, *, descending: bool = False
) -> table.Panel:
    """A table of what the query returns, lowest first in the column `sorted_by`, or highest first."""
    return (
        table.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .targets([query])
        .height(CHART_HEIGHT)
        .span(12)
        .no_value("-")
        .align(FieldTextAlignment.AUTO)
        # Grafana's own least width of 150 cuts columns off on a tablet.
        .min_width(80)
        .inspect(inspect=False)
        .thresholds(levels((None, "text")))
        .sort_by([common.TableSortByFieldState().display_name(sorted_by).desc(desc=descending)])
    )


def words(title: str, markdown: str) -> text.Panel:
    """A panel of text."""
    return text.Panel().title(title).mode(TextMode.MARKDOWN).content(markdown).span(FULL_SPAN).height(WORDS_HEIGHT)


def in_order(panel: table.Panel, *columns: str) -> table.Panel:
    """Let these columns of the result stand first, in this order: Grafana gives several tags in any."""
    order = {name: place for place, name in enumerate(columns)}
    options = {"indexByName": order, "excludeByName": {}, "renameByName": {}}
    return panel.with_transformation(DataTransformerConfig(id_val="organize", options=options))


def shorten(panel: timeseries.Panel | bargauge.Panel, expression: str) -> None:
    """Call each series what the first group of the regular expression finds in its name."""
    options = {"regex": expression, "renamePattern": "$1"}
    panel.with_transformation(DataTransformerConfig(id_val="renameByRegex", options=options))


def texts(by_value: Mapping[str, str]) -> list[dict[str, object]]:
    """Mappings that show people's names for the values of a table's column."""
    options = {value: {"text": text, "index": index} for index, (value, text) in enumerate(by_value.items())}
    return [{"type": "value", "options": options}]


def name_column(
    panel: table.Panel,
    column: str,
    title: str,
    called: Mapping[str, str],
    *,
    links: object = None,
    least_width: int = NAME_WIDTH,
) -> None:
    """Show people's names in a table's column of ids; `links` are those of `link`."""
    linked = {} if links is None else {"links": links}
    show(panel, column, displayName=title, custom__minWidth=least_width, mappings=texts(called), **linked)


def link(title: str, board_uid: str, **chosen: str) -> list[dict[str, object]]:
    """A link to another dashboard for the same time, with these variables chosen: `site="${__data.fields.site}"`."""
    variables = "".join(f"&var-{name}={value}" for name, value in chosen.items())
    return [{"title": title, "url": f"/d/{board_uid}?${{__url_time_range}}{variables}", "targetBlank": False}]


def levels(*steps: tuple[float | None, str]) -> ThresholdsConfig:
    """Colours from values upwards; the first step's value is None, which is minus infinity."""
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps([Threshold(value, color) for value, color in steps])


def steps(colors: ThresholdsConfig) -> object:
    """Colours for `show`, where a column has its own."""
    return colors.build()


BELOW_IS_GOOD = levels((None, "green"), (0, "orange"))
"""Colours of a difference from what was expected."""
NEUTRAL = levels((None, "blue"))
ABOVE_IS_GOOD = levels((None, "orange"), (0, "green"))
"""Colours of what was saved."""


def show(panel: _Overridable, series: str, **settings: object) -> None:
    """Give one series or column settings of its own, by the names that Grafana gives them in its JSON.

    A double underscore stands for a dot: `custom__width=90`.
    """
    panel.override_by_name(
        series, [DynamicConfigValue(key.replace("__", "."), value) for key, value in settings.items()]
    )


def call_by_name(panel: _Overridable, display_names: Mapping[str, str]) -> None:
    """Show people's names for the series of points or sites; the id where one has no name."""
    for series, name in display_names.items():
        show(panel, series, displayName=name)

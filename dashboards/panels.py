"""Panels as all dashboards use them: the same units, decimals, legends and colours everywhere.

Grafana stacks panels on a phone and keeps their heights; widths are of its 24 columns on anything wider.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol, Self

from grafana_foundation_sdk.builders import bargauge, common, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.builders.dashboard import FieldColor, ThresholdsConfig
from grafana_foundation_sdk.models.common import (
    BarGaugeDisplayMode,
    BigValueColorMode,
    BigValueGraphMode,
    FieldTextAlignment,
    GraphDrawStyle,
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
    DynamicConfigValue,
    FieldColorModeId,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
)

from dashboards.query import DATASOURCE, InfluxQuery

KILOWATT = "kwatt"
WATT = "watt"
KILOWATT_HOUR = "kwatth"
CUBIC_METRE = "m3"
CUBIC_METRE_PER_HOUR = "suffix: m³/h"
KILOGRAM = "suffix: kg"
CELSIUS = "celsius"
SHARE = "percentunit"
AGE = "dateTimeFromNow"

STAT_HEIGHT = 4
SMALL_CHART_HEIGHT = 7
CHART_HEIGHT = 9

TODAY = "now/d"
LAST_HOUR = "1h"
QUARTER_HOUR = "15m"


class _Overridable(Protocol):
    def override_by_name(self, name: str, properties: list[DynamicConfigValue]) -> Self: ...


def number(
    title: str, description: str, query: InfluxQuery, *, unit: str, decimals: int, missing: str, columns: str = ""
) -> stat.Panel:
    """One big number for each series; `missing` stands there when there is none.

    `columns` is the regular expression of those columns that are shown when not the numeric ones are.
    """
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
        .thresholds(levels((None, "blue")))
        .color_scheme(FieldColor().mode(FieldColorModeId.THRESHOLDS))
        .graph_mode(BigValueGraphMode.NONE)
        .color_mode(BigValueColorMode.VALUE)
        .reduce_options(reduced)
    )


def lines(title: str, description: str, *queries: InfluxQuery, unit: str, decimals: int) -> timeseries.Panel:
    """Curves over time; a gap in the data stays a gap."""
    return (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .targets(list(queries))
        .height(CHART_HEIGHT)
        .span(12)
        .unit(unit)
        .decimals(decimals)
        .axis_soft_min(0)
        .line_interpolation(LineInterpolation.LINEAR)
        .line_width(2)
        .fill_opacity(0)
        .show_points(VisibilityMode.AUTO)
        .span_nulls(span_nulls=False)
        .thresholds(levels((None, "blue")))
        .color_scheme(FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC))
        .legend(
            common.VizLegendOptions()
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
            .show_legend(show_legend=True)
            .calcs([])
        )
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING))
    )


def bars(
    title: str, description: str, *queries: InfluxQuery, unit: str, decimals: int, stacked: bool = False
) -> timeseries.Panel:
    """Amounts of intervals or days, from zero up; `stacked` where they add up to something."""
    panel = (
        lines(title, description, *queries, unit=unit, decimals=decimals)
        .draw_style(GraphDrawStyle.BARS)
        .line_width(1)
        .fill_opacity(70)
        .show_points(VisibilityMode.NEVER)
    )
    if stacked:
        panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL).group("A"))
    return panel


def ranking(title: str, description: str, *queries: InfluxQuery, unit: str, decimals: int) -> bargauge.Panel:
    """A bar for each series, to compare them."""
    return (
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
    )


def states(
    title: str, description: str, *queries: InfluxQuery, texts: Mapping[str, tuple[str, str]]
) -> statetimeline.Panel:
    """What state something was in; `texts` gives each value its words and colour."""
    options = {
        value: ValueMappingResult(text=text, color=color, index=index)
        for index, (value, (text, color)) in enumerate(texts.items())
    }
    return (
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
        .legend(
            common.VizLegendOptions()
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
            .show_legend(show_legend=True)
            .calcs([])
        )
    )


def listing(title: str, description: str, query: InfluxQuery, sorted_by: str) -> table.Panel:
    """A table of what the query returns, lowest first in the column `sorted_by`."""
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
        .inspect(inspect=False)
        .thresholds(levels((None, "text")))
        .sort_by([common.TableSortByFieldState().display_name(sorted_by).desc(desc=False)])
    )


def levels(*steps: tuple[float | None, str]) -> ThresholdsConfig:
    """Colours from values upwards; the first step's value is None, which is minus infinity."""
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps([Threshold(value, color) for value, color in steps])


def show(panel: _Overridable, series: str, **settings: object) -> None:
    """Give one series or column settings of its own, by the names that Grafana gives them in its JSON.

    A double underscore stands for a dot: `custom__width=90`.
    """
    panel.override_by_name(
        series, [DynamicConfigValue(key.replace("__", "."), value) for key, value in settings.items()]
    )


def call_by_name(panel: _Overridable, shown: Sequence[str], display_names: Mapping[str, str]) -> None:
    """Show people's names for the series of points; the id where a point has no name."""
    for point in shown:
        if point in display_names:
            show(panel, point, displayName=display_names[point])

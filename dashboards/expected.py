"""A series held against what its baseline expects and what is aimed at: a number, and charts with the band."""

from grafana_foundation_sdk.builders import stat, timeseries

from dashboards import panels
from dashboards.influxql import AMOUNT, DAYS, DEMAND, EXPECTED, GOAL, INTERVALS, LOWER, SHOWN_TIME, SITE, UPPER, select
from dashboards.query import InfluxQuery

NO_BASELINE = "no baseline yet"
NO_GOAL = "no goal yet"
BAND_FROM = "Band, from"
_COLUMN = "$col"
_FIELDS = (EXPECTED, GOAL, LOWER, UPPER)


def difference(of: str, field: str = EXPECTED) -> str:
    """Query: by which share a series was above what was expected, over the days that have both."""
    return select(f'sum({AMOUNT}) / sum({field}) - 1 AS "difference"', DAYS, SITE, of, SHOWN_TIME, f"{field} > 0")


def against(title: str, description: str, of: str, *, field: str = EXPECTED, missing: str = NO_BASELINE) -> stat.Panel:
    """The number for `difference`: below zero is good."""
    return panels.number(
        title,
        description,
        InfluxQuery(difference(of, field), "Difference"),
        unit=panels.SHARE,
        decimals=1,
        missing=missing,
    ).thresholds(panels.BELOW_IS_GOOD)


def days(
    title: str, of: str, *, unit: str, decimals: int, used: str = "used", name: str = "Used", more: str = ""
) -> timeseries.Panel:
    """Bars of what was `used`, with the line that was expected, its band and the goal; `more` ends the description."""
    panel = panels.bars(
        title,
        f"Bars are what was {used}. The line is what the baseline expects of such a day, with its band; the dashed "
        f"line is the goal.{more}",
        InfluxQuery(select(", ".join((AMOUNT, *_FIELDS)), DAYS, SITE, of, SHOWN_TIME), _COLUMN),
        unit=unit,
        decimals=decimals,
    )
    return _banded(panel, "amount", name)


def quarters(title: str, description: str, of: str) -> timeseries.Panel:
    """The same by quarters of an hour, as power in kW; of an interval `expected` is energy, four make an hour."""
    scaled = (f"{field} * 4 AS {field}" for field in _FIELDS)
    panel = panels.lines(
        title,
        description,
        InfluxQuery(select(", ".join((DEMAND, *scaled)), INTERVALS, SITE, of, SHOWN_TIME), _COLUMN),
        unit=panels.KILOWATT,
        decimals=1,
    )
    return _banded(panel, "demand", "Used")


def _banded(panel: timeseries.Panel, used: str, name: str) -> timeseries.Panel:
    panels.show(panel, used, displayName=name, color=panels.fixed("blue"))
    line: dict[str, object] = {
        "custom__drawStyle": "line",
        "custom__fillOpacity": 0,
        "custom__lineWidth": 2,
        "custom__showPoints": "never",
    }
    panels.show(panel, "expected", displayName="Expected", color=panels.fixed("text"), **line)
    dashed = {"fill": "dash", "dash": [10, 6]}
    panels.show(panel, "goal", displayName="Goal", color=panels.fixed("green"), **line, custom__lineStyle=dashed)
    edge: dict[str, object] = {**line, "custom__lineWidth": 0, "color": panels.fixed("#8e8e8e")}
    panels.show(panel, "lower", displayName=BAND_FROM, **edge, custom__hideFrom=panels.OUT_OF_LEGEND)
    filled: dict[str, object] = {**edge, "custom__fillOpacity": 15}
    panels.show(panel, "upper", displayName="Band, to", **filled, custom__fillBelowTo=BAND_FROM)
    return panel

"""The curve as options for Apache ECharts. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from visit.curve import Curve
from visit.wording import ENGLISH, NO_VALUE, Wording

# A canvas inherits no font.
_FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", Arial, sans-serif'
_GREEN, _SUN, _SOFT, _RULE = "#0b6b4d", "#d99a1c", "#51605a", "#dfe5de"


def chart_options(curve: Curve, zone: ZoneInfo, words: Wording = ENGLISH) -> dict[str, Any]:
    """A time axis in the site's own time, and a line each for site, own generation and the example."""
    _ = words.texts.gettext
    # The browser writes these numbers itself, by the rules that Babel has too (CLDR).
    tag = str(words.texts.locale).replace("_", "-")
    shown = f"value => value.toLocaleString('{tag}', {{maximumFractionDigits: 2}})"
    series = [_line(_("Site"), curve, curve.site_kw, zone, _GREEN, area=True)]
    if curve.generation_kw:
        series.append(_line(_("Own generation"), curve, curve.generation_kw, zone, _SUN))
    if curve.expected:
        series = [*_expected(curve, zone, words), *series]
    if curve.example_kw:
        line = _line(_("Example baseline"), curve, curve.example_kw, zone, _SOFT)
        series.append({**line, "lineStyle": {"width": 1.5, "type": "dashed", "color": _SOFT}})
    return {
        "animation": False,
        # Times are given as the site's wall clock, whatever zone the browser is in.
        "useUTC": True,
        "textStyle": {"fontFamily": _FONT},
        "grid": {"left": 8, "right": 22, "top": 26, "bottom": 4, "containLabel": True},
        "tooltip": {
            "trigger": "axis",
            "axisPointer": {"type": "line", "lineStyle": {"color": _SOFT}},
            ":valueFormatter": f"value => value == null ? '{NO_VALUE}' : ({shown})(value) + '\N{NO-BREAK SPACE}kW'",
        },
        "xAxis": {
            "type": "time",
            "min": _wall_clock_ms(curve.start_ms, zone),
            "max": _wall_clock_ms(curve.end_ms, zone),
            "splitNumber": 4,
            "axisLine": {"lineStyle": {"color": _RULE}},
            "axisTick": {"show": False},
            "axisLabel": {"color": _SOFT, "fontSize": 12, "hideOverlap": True, "formatter": "{HH}:{mm}"},
        },
        "yAxis": {
            "type": "value",
            "name": "kW",
            "nameTextStyle": {"color": _SOFT, "fontSize": 12, "align": "right"},
            "splitNumber": 4,
            "splitLine": {"lineStyle": {"color": _RULE}},
            "axisLabel": {"color": _SOFT, "fontSize": 12, ":formatter": shown},
        },
        "series": series,
    }


def _expected(curve: Curve, zone: ZoneInfo, words: Wording) -> list[dict[str, Any]]:
    """The band as two areas, one upon the other, of which the lower is not painted; and a dashed line in it."""
    times = [_wall_clock_ms(entry.time_ms, zone) for entry in curve.expected]
    quiet: dict[str, Any] = {"type": "line", "showSymbol": False, "silent": True, "tooltip": {"show": False}}
    lower = [[time, round(entry.lower_kw, 2)] for time, entry in zip(times, curve.expected, strict=True)]
    height = [
        [time, round(entry.upper_kw - entry.lower_kw, 2)] for time, entry in zip(times, curve.expected, strict=True)
    ]
    middle = [[time, round(entry.expected_kw, 2)] for time, entry in zip(times, curve.expected, strict=True)]
    bare = {"lineStyle": {"opacity": 0}, "itemStyle": {"color": _SOFT}}
    return [
        {**quiet, **bare, "name": "", "stack": "band", "data": lower},
        {**quiet, **bare, "name": " ", "stack": "band", "data": height, "areaStyle": {"color": _SOFT, "opacity": 0.16}},
        {
            "type": "line",
            "name": words.texts.gettext("Expected"),
            "data": middle,
            "showSymbol": False,
            "lineStyle": {"width": 1.5, "type": "dashed", "color": _SOFT},
            "itemStyle": {"color": _SOFT},
        },
    ]


def _line(
    name: str, curve: Curve, values: Sequence[float | None], zone: ZoneInfo, colour: str, *, area: bool = False
) -> dict[str, Any]:
    return {
        "type": "line",
        "name": name,
        "data": [
            [_wall_clock_ms(time_ms, zone), None if value is None else round(value, 2)]
            for time_ms, value in zip(curve.times_ms, values, strict=True)
        ],
        "showSymbol": False,
        "lineStyle": {"width": 2, "color": colour},
        "itemStyle": {"color": colour},
        "areaStyle": {"color": colour, "opacity": 0.08} if area else None,
    }


def _wall_clock_ms(time_ms: int, zone: ZoneInfo) -> int:
    offset = datetime.fromtimestamp(time_ms / 1000, zone).utcoffset()
    return time_ms + (0 if offset is None else round(offset.total_seconds() * 1000))

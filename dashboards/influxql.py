"""Parts that the dashboards' queries are put together from. Tag values and field names here are slugs and constants.

InfluxQL cannot calculate across measurements, has no `now() - time`, and wants the time filter in the outer query too.
"""

from collections.abc import Iterable

from dashboards.site_names import SiteNames, SupplyMeter
from store import schema

READING = f'"{schema.READING}"'
INTERVALS = f'"{schema.CONSUMPTION}"'
DAYS = f'"{schema.CONSUMPTION_DAY}"'
AMOUNT = f'"{schema.FIELD_AMOUNT}"'
DEMAND = f'"{schema.FIELD_DEMAND}"'
COVERAGE = f'"{schema.FIELD_COVERAGE}"'
EXPECTED = f'"{schema.FIELD_EXPECTED}"'
QUALITY = f'"{schema.FIELD_QUALITY}"'
DEVICE = f'"{schema.TAG_DEVICE}"'
POINT = f'"{schema.TAG_POINT}"'

SITE = f"\"{schema.TAG_SITE}\" = '${{site:raw}}'"
CHOSEN_POINTS = f"{POINT} =~ /^${{point:regex}}$/"
SHOWN_TIME = "$timeFilter"
BY_DEVICE = f"time($__interval), {DEVICE} fill(none)"
BY_POINT = f"time($__interval), {POINT} fill(none)"
DEVICE_NAME = f"$tag_{schema.TAG_DEVICE}"
POINT_NAME = f"$tag_{schema.TAG_POINT}"
"""Aliases: the series is called what its tag says."""


def select(what: str, source: str, *conditions: str, group_by: str = "", newest: int | None = None) -> str:
    """A query with all of the conditions; `newest` keeps that many rows of each group, from the last one back."""
    words = ["SELECT", what, "FROM", source, "WHERE", " AND ".join(conditions)]
    if group_by:
        words += ["GROUP BY", group_by]
    if newest is not None:
        words += ["ORDER BY time DESC LIMIT", str(newest)]
    return " ".join(words)


def points(ids: Iterable[str]) -> str:
    """Condition: one of these points; what is unmetered has a dot in its id."""
    any_of = "|".join(ids).replace(".", r"\.")
    return f"{POINT} =~ /^({any_of})$/"


def site_power_kw(meters: Iterable[SupplyMeter], when: str) -> str:
    """Query: the sum of the meters' newest powers in kW, and as `meters` how many of them had one.

    A meter without a reading is missing from the sum, which is why the number of meters belongs beside it.
    """
    newest = [
        select(
            f'last("{meter.power_quantity}") * {meter.factor / 1000:g} AS "power"',
            READING,
            SITE,
            f"{DEVICE} = '{meter.device}'",
            when,
        )
        for meter in meters
    ]
    return select('sum("power") AS "power", count("power") AS "meters"', _nested(newest), when)


def site_use_kwh(names: SiteNames) -> str:
    """Query: what the site used in the time shown: mains and generation, less what charged its storage."""
    parts = [(names.supply_points, AMOUNT), (names.storage_points, f"{AMOUNT} * -1 AS {AMOUNT}")]
    amounts = [select(what, INTERVALS, SITE, points(ids), SHOWN_TIME) for ids, what in parts if ids]
    return select(f"sum({AMOUNT}) AS {AMOUNT}", _nested(amounts), SHOWN_TIME)


def peak_kw(names: SiteNames) -> str:
    """Query: the highest demand on the mains in the time shown, at its time."""
    by_interval = select(
        f"sum({DEMAND}) AS {DEMAND}",
        INTERVALS,
        SITE,
        points(names.main_points),
        SHOWN_TIME,
        group_by="time(15m) fill(none)",
    )
    return select(f'max({DEMAND}) AS "peak"', _nested([by_interval]), SHOWN_TIME)


def _nested(queries: Iterable[str]) -> str:
    return ", ".join(f"({query})" for query in queries)

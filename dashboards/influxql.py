"""Parts that the dashboards' queries are put together from. Tag values and field names here are slugs and constants.

InfluxQL cannot calculate across measurements, has no `now() - time`, and wants the time filter in the outer query too.
"""

from collections.abc import Collection, Iterable

from dashboards.site_names import SupplyMeter
from store import schema

READING = f'"{schema.READING}"'
EVENT = f'"{schema.EVENT}"'
INTERVALS = f'"{schema.CONSUMPTION}"'
DAYS = f'"{schema.CONSUMPTION_DAY}"'
AMOUNT = f'"{schema.FIELD_AMOUNT}"'
DEMAND = f'"{schema.FIELD_DEMAND}"'
COVERAGE = f'"{schema.FIELD_COVERAGE}"'
MINIMUM = f'"{schema.FIELD_MINIMUM}"'
COST = f'"{schema.FIELD_COST}"'
CO2E = f'"{schema.FIELD_CO2E}"'
CO2E_MARKET = f'"{schema.FIELD_CO2E_MARKET}"'
EXPECTED = f'"{schema.FIELD_EXPECTED}"'
GOAL = f'"{schema.FIELD_GOAL}"'
LOWER = f'"{schema.FIELD_LOWER}"'
UPPER = f'"{schema.FIELD_UPPER}"'
AVOIDED_CO2E = f'"{schema.FIELD_AVOIDED_CO2E}"'
QUALITY = f'"{schema.FIELD_QUALITY}"'
DEVICE = f'"{schema.TAG_DEVICE}"'
POINT = f'"{schema.TAG_POINT}"'
RESOURCE = f'"{schema.TAG_RESOURCE}"'
EVERY_SITE = f'"{schema.TAG_SITE}"'

SITE = f"\"{schema.TAG_SITE}\" = '${{site:raw}}'"
SERVER = f"{EVERY_SITE} = '{schema.SERVER_SITE}'"
"""Condition: what collector and evaluation tell of themselves and of every edge (docs/observability.md)."""
NO_SERVER = f"{EVERY_SITE} != '{schema.SERVER_SITE}'"
EDGES = f"{DEVICE} =~ /\\./"
"""Condition: an edge as the collector sees it is called site.edge; a dot is in no other device."""
AGENTS = f"{DEVICE} =~ /^agent-/"
"""Condition: what an edge's agent tells of itself, at its own site."""
CHOSEN_POINTS = f"{POINT} =~ /^${{point:regex}}$/"
CHOSEN_LINE = f"{POINT} =~ /^(${{line:raw}})$/"
CHOSEN_SERIES = f"{POINT} = '${{series:raw}}'"
METERED = f"{POINT} !~ /^site\\.|\\.(week|month)$|\\.shift\\./"
"""No series of a whole site, and no weeks, months or shifts: points, and what is unmetered below them."""
CHOSEN = f"{METERED} AND {CHOSEN_POINTS} AND {CHOSEN_LINE}"
WHOLE_SITES = f"{POINT} =~ /^site\\.[a-z_]+$/"
"""Series of a whole site, by interval and day: their weeks, months and shifts would be counted twice."""
BILLED = f"{RESOURCE} = '{schema.BILL}'"
"""Condition: what each day adds to the lines of the electricity bill."""
SHOWN_TIME = "$timeFilter"
BY_TIME = "time($__interval) fill(none)"
BY_DEVICE = f"time($__interval), {DEVICE} fill(none)"
BY_POINT = f"time($__interval), {POINT} fill(none)"
BY_POINT_WITH_GAPS = f"time($__interval), {POINT} fill(null)"
DEVICE_NAME = f"$tag_{schema.TAG_DEVICE}"
POINT_NAME = f"$tag_{schema.TAG_POINT}"
RESOURCE_NAME = f"$tag_{schema.TAG_RESOURCE}"
SITE_NAME = f"$tag_{schema.TAG_SITE}"
"""Aliases: the series is called what its tag says."""


def select(what: str, source: str, *conditions: str, group_by: str = "", newest: int | None = None) -> str:
    """A query with all of the conditions; `newest` keeps that many rows of each group, from the last one back."""
    words = ["SELECT", what, "FROM", source, "WHERE", " AND ".join(conditions)]
    if group_by:
        words += ["GROUP BY", group_by]
    if newest is not None:
        words += ["ORDER BY time DESC LIMIT", str(newest)]
    return " ".join(words)


def total(field: str, name: str = "") -> str:
    """The sum of a field, under its own name or another."""
    called = f'"{name}"' if name else field
    return f"sum({field}) AS {called}"


def of_resource(*resources: str) -> str:
    """Condition: what measures one of these."""
    if len(resources) == 1:
        return f"{RESOURCE} = '{resources[0]}'"
    return f"{RESOURCE} =~ /^({'|'.join(resources)})$/"


def whole_site(resource: str) -> str:
    """Condition: the series of the whole site's use of a resource."""
    return f"{POINT} = '{schema.SITE_SERIES}{resource}'"


def whole_sites(*resources: str) -> str:
    """Condition: the series of the whole site of several resources."""
    return f"{POINT} =~ /^site\\.({'|'.join(resources)})$/"


def points(ids: Iterable[str]) -> str:
    """Condition: one of these points; what is unmetered has a dot in its id."""
    any_of = "|".join(ids).replace(".", r"\.")
    return f"{POINT} =~ /^({any_of})$/"


def devices(ids: Iterable[str]) -> str:
    """Condition: one of these devices."""
    return f"{DEVICE} =~ /^({'|'.join(ids)})$/"


def not_devices(ids: Collection[str]) -> tuple[str, ...]:
    """Condition, where there are any: none of these devices."""
    return (f"{DEVICE} !~ /^({'|'.join(ids)})$/",) if ids else ()


def nested(*queries: str) -> str:
    """Queries as the source of another one."""
    return ", ".join(f"({query})" for query in queries)


def site_power_kw(meters: Iterable[SupplyMeter], when: str) -> str:
    """Query: the sum of the meters' newest powers in kW, and as `meters` how many of them had one.

    A meter without a reading is missing from the sum, which is why the number of meters belongs beside it.
    """
    newest = [_newest_power(meter, when) for meter in meters]
    return select('sum("power") AS "power", count("power") AS "meters"', nested(*newest), when)


def _newest_power(meter: SupplyMeter, when: str) -> str:
    scaled = f'last("{meter.power_quantity}") * {meter.factor / 1000:g} AS "power"'
    newest = select(scaled, READING, SITE, f"{DEVICE} = '{meter.device}'", when)
    return select('abs("power") AS "power"', nested(newest), when) if meter.generates else newest


def demand_kw(main_points: Iterable[str]) -> str:
    """Query: the mean power that all mains together took in each quarter of an hour."""
    return select(
        f"sum({DEMAND}) AS {DEMAND}",
        INTERVALS,
        SITE,
        points(main_points),
        SHOWN_TIME,
        group_by="time(15m) fill(none)",
    )


def peak_kw(main_points: Iterable[str]) -> str:
    """Query: the highest demand on the mains in the time shown, at its time."""
    return select(f'max({DEMAND}) AS "peak"', nested(demand_kw(main_points)), SHOWN_TIME)

"""A whole bucket as line protocol, and back: what `leanmeter backup` keeps of InfluxDB."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

from store.influx_lines import key
from store.influx_requests import InfluxRequests

_DAY_MS = 86_400_000
_TEXT = str.maketrans({'"': r"\"", "\\": r"\\"})


async def measurements(requests: InfluxRequests) -> list[str]:
    """The names of all measurements; an empty bucket has none."""
    (rows,) = await requests.query("SHOW MEASUREMENTS")
    return sorted(str(row["name"]) for row in rows)


async def export_lines(requests: InfluxRequests) -> AsyncIterator[list[str]]:
    """Every point, some thousands of lines at a time, with times in ms. Every number becomes a float, as it was.

    It holds whatever was stored before the first line was asked for. Raises StoreUnavailableError or
    StoreConfigurationError.
    """
    for measurement in await measurements(requests):
        source = f'"{measurement}"'
        first, last = await requests.query(
            f"SELECT * FROM {source} ORDER BY time ASC LIMIT 1;"  # noqa: S608  # a name from the bucket itself, quoted
            f"SELECT * FROM {source} ORDER BY time DESC LIMIT 1"
        )
        for start_ms in range(first[0]["time"], last[0]["time"] + 1, _DAY_MS):
            query = (
                f"SELECT * FROM {source} WHERE time >= {start_ms}ms AND time < {start_ms + _DAY_MS}ms "  # noqa: S608  # the same
                "GROUP BY *"
            )
            async for series in requests.stream(query):
                yield list(_lines(measurement, series))


def _lines(measurement: str, series: dict[str, Any]) -> Iterator[str]:
    tags = "".join(f",{key(name)}={key(value)}" for name, value in sorted(series.get("tags", {}).items()) if value)
    names = [key(name) for name in series["columns"][1:]]
    for time_ms, *values in series["values"]:
        fields = ",".join(
            f"{name}={_field(value)}" for name, value in zip(names, values, strict=True) if value is not None
        )
        yield f"{key(measurement)}{tags} {fields} {time_ms}"


def _field(value: float | str) -> str:
    return f'"{value.translate(_TEXT)}"' if isinstance(value, str) else repr(value)

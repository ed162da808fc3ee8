"""Readings, events, intervals and days in InfluxDB 2: line protocol in, InfluxQL out."""

import types
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from itertools import groupby
from operator import attrgetter
from typing import Any

from store.influx_lines import consumption_line, event_line, quality_lines, reading_lines
from store.influx_requests import InfluxRequests
from store.influx_writer import InfluxWriter
from store.protocol import IntervalRow, Latest, Series, StoredCount, StoreError
from store.row_checks import check_finite, sift, sift_events
from store.schema import (
    CONSUMPTION,
    CONSUMPTION_DAY,
    EARLIEST_MS,
    EVENT,
    FIELD_AMOUNT,
    FIELD_QUALITY,
    FIELD_TEXT,
    LATEST_MS,
    NUMERIC_FIELDS,
    QUALITY,
    READING,
    TAG_DEVICE,
    TAG_KIND,
    TAG_MONTH,
    TAG_POINT,
    TAG_RESOURCE,
    TAG_SITE,
    TAG_SUBJECT,
)
from store.settings import InfluxSettings
from wire_format.batch import DeviceRows, RefusedRow
from wire_format.events import RESERVED_NAMES, Event
from wire_format.quality import Quality

# Enough rows that slow quantities, read with every tenth row, are among them.
_NEWEST_ROWS = 16
_REPLACED_AT_ONCE = 5_000
# Of more points than these all are asked for.
_POINTS_NAMED = 20
# In the order of IntervalRow, without what is a tag or the time.
_CONSUMPTION_FIELDS = tuple(
    entry.name for entry in fields(IntervalRow) if entry.name in NUMERIC_FIELDS or entry.name == FIELD_QUALITY
)
_CONSUMPTION_ROW: Any = types.GenericAlias(
    tuple, (int, *(str | None if name == FIELD_QUALITY else float | None for name in _CONSUMPTION_FIELDS))
)


class InfluxReadings:
    """A `ReadingStore` in an InfluxDB 2 bucket.

    Args:
        settings: where it is. Raises ConfigurationError when the token's file cannot be read.
    """

    def __init__(self, settings: InfluxSettings) -> None:
        self._requests = InfluxRequests(settings)
        self._writer = InfluxWriter(self._requests)

    async def write(self, site: str, devices: Sequence[DeviceRows]) -> tuple[RefusedRow, ...]:
        """See `ReadingStore.write`."""
        accepted, refused = sift(devices)
        lines: list[str] = []
        origins: list[tuple[DeviceRows, Sequence[int]]] = []
        for rows in accepted:
            values = reading_lines(site, rows)
            present = [index for index, line in enumerate(values) if line is not None]
            marks = quality_lines(site, rows)
            lines += [line for line in values if line is not None]
            lines += [line for _, line in marks]
            origins.append((rows, [*present, *[index for index, _ in marks]]))
        refusals = await self._writer.write(lines)
        if refusals:
            refused += _refused_rows(origins, refusals)
        return tuple(refused)

    async def write_events(self, site: str, events: Sequence[Event]) -> tuple[RefusedRow, ...]:
        """See `ReadingStore.write_events`."""
        accepted, refused = sift_events(events)
        refusals = await self._writer.write([event_line(site, event) for event in accepted])
        return refused + tuple(
            [RefusedRow(accepted[index].device, accepted[index].time_ms, refusals[index]) for index in refusals]
        )

    async def events(self, site: str, start_ms: int, end_ms: int, kind: str | None = None) -> list[Event]:
        """See `ReadingStore.events`."""
        condition = _where(site, start_ms, end_ms)
        if kind is not None:
            condition += f" AND {TAG_KIND} = {_text(kind)}"
        (rows,) = await self._requests.query(f"SELECT * FROM {EVENT} WHERE {condition}")  # noqa: S608  # quoted
        return sorted(map(_event, rows), key=lambda event: (event.time_ms, event.device, event.kind, event.subject))

    async def latest(self, site: str, since_ms: int) -> dict[tuple[str, str], Latest]:
        """See `ReadingStore.latest`."""
        condition = _where(site, since_ms, LATEST_MS)
        last, newest = await self._requests.query(
            f"SELECT LAST(*) FROM {READING} WHERE {condition} GROUP BY {TAG_DEVICE};"  # noqa: S608  # quoted by _where
            f"SELECT * FROM {READING} WHERE {condition} GROUP BY {TAG_DEVICE} "
            f"ORDER BY time DESC LIMIT {_NEWEST_ROWS}"
        )
        wanted = {
            (str(row[TAG_DEVICE]), name.removeprefix("last_"))
            for row in last
            for name, value in row.items()
            if name.startswith("last_") and value is not None
        }
        found: dict[tuple[str, str], Latest] = {}
        for row in newest:
            for device, name in [(row[TAG_DEVICE], name) for name, value in row.items() if value is not None]:
                if (device, name) in wanted and (device, name) not in found:
                    found[device, name] = Latest(row["time"], float(row[name]))
        rare = sorted(wanted - set(found))
        if rare:
            statements = [self._nearest_statement("LAST", site, *pair, since_ms, LATEST_MS) for pair in rare]
            for pair, rows in zip(rare, await self._requests.query(";".join(statements)), strict=True):
                if rows:
                    found[pair] = Latest(rows[0]["time"], float(rows[0]["last"]))
        return found

    async def readings(self, site: str, device: str, quantity: str, start_ms: int, end_ms: int) -> Series:
        """See `ReadingStore.readings`."""
        return await self._series(
            f"SELECT {_name(quantity)} AS value FROM {READING} WHERE {_where(site, start_ms, end_ms, device)}"  # noqa: S608  # quoted
        )

    async def last_before(self, site: str, device: str, quantity: str, time_ms: int) -> Latest | None:
        """See `ReadingStore.last_before`."""
        return await self._nearest("LAST", site, device, quantity, EARLIEST_MS, time_ms + 1)

    async def first_after(self, site: str, device: str, quantity: str, time_ms: int) -> Latest | None:
        """See `ReadingStore.first_after`."""
        return await self._nearest("FIRST", site, device, quantity, time_ms, LATEST_MS)

    async def sampled(self, site: str, device: str, quantity: str, start_ms: int, end_ms: int, every_ms: int) -> Series:
        """See `ReadingStore.sampled`."""
        return await self._series(
            f"SELECT MEAN({_name(quantity)}) AS value FROM {READING} "  # noqa: S608  # quoted
            f"WHERE {_where(site, start_ms, end_ms, device)} "
            f"GROUP BY time({every_ms}ms, {start_ms % every_ms}ms) fill(none)"
        )

    async def qualities(self, site: str, device: str, quantity: str, start_ms: int, end_ms: int) -> dict[int, Quality]:
        """See `OperatedReadingStore.qualities`."""
        series = await self._series(
            f"SELECT {_name(quantity)} AS value FROM {QUALITY} WHERE {_where(site, start_ms, end_ms, device)}"  # noqa: S608  # quoted
        )
        return {time_ms: Quality(int(code)) for time_ms, code in zip(series.times_ms, series.values, strict=True)}

    async def count(self, site: str) -> StoredCount:
        """See `ReadingStore.count`. A value cannot stand there twice: InfluxDB keeps one a series and time."""
        (rows,) = await self._requests.query(
            f"SELECT COUNT(*) FROM {READING} WHERE {_where(site, EARLIEST_MS, LATEST_MS)} GROUP BY {TAG_DEVICE}"  # noqa: S608  # quoted
        )
        by_device = {
            str(row[TAG_DEVICE]): sum(int(value or 0) for name, value in row.items() if name.startswith("count_"))
            for row in rows
        }
        return StoredCount(sum(by_device.values()), 0, by_device)

    async def count_of(self, site: str, device: str, start_ms: int, end_ms: int) -> int:
        """See `ReadingStore.count_of`."""
        (rows,) = await self._requests.query(
            f"SELECT COUNT(*) FROM {READING} WHERE {_where(site, start_ms, end_ms, device)}"  # noqa: S608  # quoted
        )
        return sum(int(value or 0) for row in rows for name, value in row.items() if name.startswith("count_"))

    async def write_intervals(self, rows: Iterable[IntervalRow]) -> None:
        """See `ReadingStore.write_intervals`."""
        await self._replace(CONSUMPTION, list(rows))

    async def write_days(self, rows: Iterable[IntervalRow]) -> None:
        """See `ReadingStore.write_days`."""
        await self._replace(CONSUMPTION_DAY, list(rows))

    async def intervals(self, site: str, start_ms: int, end_ms: int, point: str | None = None) -> list[IntervalRow]:
        """See `ReadingStore.intervals`."""
        return await self._consumption(CONSUMPTION, site, start_ms, end_ms, () if point is None else (point,))

    async def days(self, site: str, start_ms: int, end_ms: int, point: str | None = None) -> list[IntervalRow]:
        """See `ReadingStore.days`."""
        return await self._consumption(CONSUMPTION_DAY, site, start_ms, end_ms, () if point is None else (point,))

    async def day_starts(self, site: str, start_ms: int, end_ms: int) -> list[int]:
        """See `ReadingStore.day_starts`."""
        condition = _where(site, start_ms, end_ms)
        (rows,) = await self._requests.query(f"SELECT {FIELD_AMOUNT} FROM {CONSUMPTION_DAY} WHERE {condition}")  # noqa: S608  # quoted
        return sorted({row["time"] for row in rows})

    async def delete_readings_before(self, time_ms: int) -> None:
        """See `ReadingStore.delete_readings_before`; a bucket's own retention does it at less cost."""
        for measurement in (READING, QUALITY):
            await self._requests.delete(EARLIEST_MS, time_ms - 1, f'_measurement="{measurement}"')

    async def check(self) -> None:
        """See `OperatedReadingStore.check`."""
        await self._requests.query(f"SHOW FIELD KEYS FROM {READING}")

    async def close(self) -> None:
        """See `ReadingStore.close`."""
        await self._writer.close()
        await self._requests.close()

    async def _series(self, influxql: str) -> Series:
        (found,) = await self._requests.series(influxql, tuple[int, float | None])
        rows = [row for series in found for row in series.values if row[1] is not None]
        return Series(*zip(*rows, strict=True)) if rows else Series((), ())

    async def _nearest(
        self, function: str, site: str, device: str, quantity: str, start_ms: int, end_ms: int
    ) -> Latest | None:
        (rows,) = await self._requests.query(
            self._nearest_statement(function, site, device, quantity, start_ms, end_ms)
        )
        return Latest(rows[0]["time"], float(rows[0][function.lower()])) if rows else None

    @staticmethod
    def _nearest_statement(function: str, site: str, device: str, quantity: str, start_ms: int, end_ms: int) -> str:
        condition = _where(site, start_ms, end_ms, device)
        return f"SELECT {function}({_name(quantity)}) FROM {READING} WHERE {condition}"  # noqa: S608  # quoted

    async def _replace(self, measurement: str, rows: Sequence[IntervalRow]) -> None:
        check_finite(rows)
        for start in range(0, len(rows), _REPLACED_AT_ONCE):
            part = rows[start : start + _REPLACED_AT_ONCE]
            await self._delete_emptied(measurement, part)
            refusals = await self._writer.write([consumption_line(measurement, row) for row in part])
            if refusals:
                index, reason = next(iter(refusals.items()))
                raise StoreError(f"InfluxDB refuses {measurement} of {part[index].point}: {reason}")

    async def _delete_emptied(self, measurement: str, rows: Sequence[IntervalRow]) -> None:
        """Delete stored points that have a field or a tag which their replacement has not.

        A write adds fields to a point and takes none away. A request to delete takes long, however much it deletes, and
        who is killed before the write that follows leaves a hole: so there is one for each run of replaced points.
        """
        for site in sorted({row.site for row in rows}):
            given = {(row.point, row.start_ms): row for row in rows if row.site == site}
            points = {point for point, _ in given}
            times = [start_ms for _, start_ms in given]
            stored = await self._consumption(measurement, site, min(times), max(times) + 1, points)
            for point, first_ms, last_ms in _emptied_spans(stored, given):
                predicate = f'_measurement="{measurement}" AND {TAG_SITE}="{site}" AND {TAG_POINT}="{point}"'
                await self._requests.delete(first_ms, last_ms, predicate)

    async def _consumption(
        self, measurement: str, site: str, start_ms: int, end_ms: int, points: Collection[str] = ()
    ) -> list[IntervalRow]:
        """Rows of these points, of all without any."""
        condition = _where(site, start_ms, end_ms)
        if 0 < len(points) <= _POINTS_NAMED:
            condition += f" AND ({' OR '.join(f'{TAG_POINT} = {_text(point)}' for point in sorted(points))})"
        (found,) = await self._requests.series(
            f"SELECT {', '.join(_CONSUMPTION_FIELDS)} FROM {measurement} WHERE {condition} "  # noqa: S608  # quoted
            f"GROUP BY {TAG_POINT}, {TAG_MONTH}, {TAG_RESOURCE}",
            _CONSUMPTION_ROW,
        )
        by_point = sorted(found, key=lambda series: series.tags[TAG_POINT])
        rows = [_interval(site, series.tags, values) for series in by_point for values in series.values]
        # A stable sort by one number is much quicker than one by start and point.
        return sorted(rows, key=attrgetter("start_ms"))


def _refused_rows(origins: Sequence[tuple[DeviceRows, Sequence[int]]], refusals: dict[int, str]) -> list[RefusedRow]:
    """Rows by the numbers of refused lines; a row refused in both measurements is named once."""
    refused: dict[tuple[str, int], RefusedRow] = {}
    first = 0
    for rows, indexes in origins:
        for number, index in enumerate(indexes, first):
            if number in refusals:
                time_ms = rows.times_ms[index]
                refused.setdefault((rows.device, time_ms), RefusedRow(rows.device, time_ms, refusals[number]))
        first += len(indexes)
    return list(refused.values())


def _interval(site: str, tags: Mapping[str, str], values: tuple[Any, ...]) -> IntervalRow:
    start_ms, amount, demand, coverage, quality, peak_ms, minimum, *others = values
    peak_ms = None if peak_ms is None else int(peak_ms)
    given = (site, tags[TAG_POINT], start_ms, amount or 0.0, demand, coverage or 0.0, quality or "", tags[TAG_RESOURCE])
    return IntervalRow(*given, peak_ms, minimum, tags[TAG_MONTH] or None, *others)


def _event(row: dict[str, Any]) -> Event:
    numbers = {name: float(value) for name, value in row.items() if name not in RESERVED_NAMES and value is not None}
    return Event(row[TAG_DEVICE], row[TAG_KIND], row["time"], row.get(TAG_SUBJECT) or "", row[FIELD_TEXT], numbers)


def _emptied_spans(
    stored: Sequence[IntervalRow], given: Mapping[tuple[str, int], IntervalRow]
) -> Iterator[tuple[str, int, int]]:
    """Point, first and last start of what loses a field; nothing stays that lies between."""
    by_point = attrgetter("point")
    for point, mine in groupby(sorted(stored, key=by_point), by_point):
        for is_replaced, run in groupby(mine, lambda old: (old.point, old.start_ms) in given):
            if is_replaced:
                emptied = [old.start_ms for old in run if _loses_a_field(old, given[old.point, old.start_ms])]
                if emptied:
                    yield point, emptied[0], emptied[-1]


def _loses_a_field(old: IntervalRow, new: IntervalRow) -> bool:
    if (old.month is not None and old.month != new.month) or old.resource != new.resource:
        return True
    return any(getattr(old, name) is not None and getattr(new, name) is None for name in NUMERIC_FIELDS)


def _where(site: str, start_ms: int, end_ms: int, device: str | None = None) -> str:
    condition = f"{TAG_SITE} = {_text(site)} AND time >= {start_ms}ms AND time < {end_ms}ms"
    return condition if device is None else f"{condition} AND {TAG_DEVICE} = {_text(device)}"


def _text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _name(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'

"""Which rows stay when there is no room for all of them. Pure: rows in, rows out.

Totals are cumulative, so the row nearest to each 15-minute boundary keeps every interval's amount; what is lost is the
course of the demand within an interval, of which the peak stays. Thinning thinned rows together with later ones gives
what thinning all of them at once would have given, so it can go on as an outage does.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain

from wire_format.batch import Column, DeviceRows
from wire_format.quality import Quality
from wire_format.quantities import QUANTITIES, Kind

INTERVAL_MS = 900_000
PEAK_QUANTITIES = ("active_power_total", "flow_rate")
"""The rates of which the highest value of each interval is kept, without the rest of its row."""
WEIGHED = "weighed_mass_total"
UNSTEADY_STATES = ("weight_stable",)
"""States that change all the time, and of which nothing follows."""

_Name = tuple[str, str, int]


@dataclass(slots=True)
class _Table:
    """All rows of one device that carry the same columns, by time; `keep` are the indexes of those that stay."""

    device: str
    names: tuple[_Name, ...]
    times_ms: list[int]
    integers: list[list[int | None]]
    quality: list[list[Quality]]
    keep: set[int] = field(default_factory=set)


def thin(devices: Iterable[DeviceRows]) -> tuple[DeviceRows, ...]:
    """What stays of rows, of any devices and in any order.

    Of each device and set of columns: in each quarter of an hour around a 15-minute boundary the row nearest to it (one
    with all its totals before one without); before and after a gap the last and the first row; rows in which a weighing
    was added or a state changed. Of each 15 minutes the highest power or flow, as a row of that column alone.
    """
    entries: dict[tuple[str, tuple[_Name, ...]], list[DeviceRows]] = {}
    for rows in devices:
        names = tuple((column.quantity, column.unit, column.exponent) for column in rows.columns)
        entries.setdefault((rows.device, names), []).append(rows)
    tables = [_table(device, names, found) for (device, names), found in entries.items()]
    for table in tables:
        _keep_boundaries(table)
        _keep_changes(table)
    peaks = _peaks(tables)
    return tuple([_rows(table) for table in tables if table.keep] + peaks)


def _table(device: str, names: tuple[_Name, ...], entries: Sequence[DeviceRows]) -> _Table:
    times = list(chain.from_iterable(rows.times_ms for rows in entries))
    last_of = {time_ms: index for index, time_ms in enumerate(times)}
    order = [last_of[time_ms] for time_ms in sorted(last_of)]
    integers, quality = [], []
    for index in range(len(names)):
        cells = list(chain.from_iterable(rows.columns[index].integers for rows in entries))
        marks = list(
            chain.from_iterable(rows.columns[index].quality or (Quality.GOOD,) * len(rows.times_ms) for rows in entries)
        )
        integers.append([cells[place] for place in order])
        quality.append([marks[place] for place in order])
    return _Table(device, names, sorted(last_of), integers, quality)


def _keep_boundaries(table: _Table) -> None:
    totals = [index for index, (quantity, _, _) in enumerate(table.names) if _is(quantity, Kind.TOTAL)]
    cells: dict[int, list[int]] = {}
    for index, time_ms in enumerate(table.times_ms):
        if any(column[index] is not None for column in table.integers):
            cells.setdefault((time_ms + INTERVAL_MS // 2) // INTERVAL_MS, []).append(index)
    for cell, indexes in cells.items():
        boundary_ms = cell * INTERVAL_MS

        def distance(index: int, boundary_ms: int = boundary_ms) -> tuple[int, int]:
            missing = sum(table.integers[total][index] is None for total in totals)
            return missing, abs(table.times_ms[index] - boundary_ms)

        table.keep.add(min(indexes, key=distance))
        if cell - 1 not in cells:
            table.keep.add(indexes[0])
        if cell + 1 not in cells:
            table.keep.add(indexes[-1])


def _keep_changes(table: _Table) -> None:
    for (quantity, _, _), column in zip(table.names, table.integers, strict=True):
        if quantity != WEIGHED and (quantity in UNSTEADY_STATES or not _is(quantity, Kind.STATE)):
            continue
        before = None
        for index, integer in enumerate(column):
            if integer is not None:
                if before is not None and integer != before:
                    table.keep.add(index)
                before = integer


def _peaks(tables: Sequence[_Table]) -> list[DeviceRows]:
    highest: dict[tuple[str, str, int], tuple[float, _Table, int, int]] = {}
    for table in tables:
        for column, (quantity, _, exponent) in enumerate(table.names):
            if quantity not in PEAK_QUANTITIES:
                continue
            for index, integer in enumerate(table.integers[column]):
                if integer is not None:
                    key = (table.device, quantity, table.times_ms[index] // INTERVAL_MS)
                    value = integer * 10.0**exponent
                    if key not in highest or value > highest[key][0]:
                        highest[key] = (value, table, column, index)
    found: dict[tuple[str, _Name], list[tuple[int, int | None, Quality]]] = {}
    for _, table, column, index in highest.values():
        if index in table.keep:
            continue
        cell = (table.times_ms[index], table.integers[column][index], table.quality[column][index])
        found.setdefault((table.device, table.names[column]), []).append(cell)
    peaks = []
    for (device, name), cells in found.items():
        times_ms, integers, quality = zip(*sorted(cells), strict=True)
        peaks.append(DeviceRows(device, times_ms, (Column(*name, integers, _marks(quality)),), thinned=True))
    return peaks


def _rows(table: _Table) -> DeviceRows:
    kept = sorted(table.keep)
    columns = [
        Column(*name, tuple(integers[index] for index in kept), _marks(quality[index] for index in kept))
        for name, integers, quality in zip(table.names, table.integers, table.quality, strict=True)
    ]
    return DeviceRows(table.device, tuple(table.times_ms[index] for index in kept), tuple(columns), thinned=True)


def _marks(quality: Iterable[Quality]) -> tuple[Quality, ...]:
    marks = tuple(quality)
    return marks if any(marks) else ()


def _is(quantity: str, kind: Kind) -> bool:
    known = QUANTITIES.get(quantity)
    return known is not None and known.kind is kind

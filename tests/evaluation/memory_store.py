"""A ReadingStore that holds everything in memory, to compare with."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from store.protocol import IntervalRow, Latest, Series, StoredCount
from wire_format.batch import DeviceRows, RefusedRow
from wire_format.events import Event

Key = tuple[str, str, str]


class MemoryStore:
    def __init__(self) -> None:
        self.values: dict[Key, list[tuple[int, float]]] = {}
        self.happened: dict[str, list[Event]] = {}
        self.interval_rows: dict[tuple[str, str, int], IntervalRow] = {}
        self.day_rows: dict[tuple[str, str, int], IntervalRow] = {}

    def put(self, site: str, device: str, quantity: str, time_ms: int, value: float) -> None:
        rows = self.values.setdefault((site, device, quantity), [])
        index = bisect_left(rows, (time_ms,))
        if index < len(rows) and rows[index][0] == time_ms:
            rows[index] = (time_ms, value)
        else:
            rows.insert(index, (time_ms, value))

    async def write(self, site: str, devices: Sequence[DeviceRows]) -> tuple[RefusedRow, ...]:
        for rows in devices:
            for column in rows.columns:
                for time_ms, value in zip(rows.times_ms, column.values(), strict=True):
                    if value is not None:
                        self.put(site, rows.device, column.quantity, time_ms, value)
        return ()

    async def write_events(self, site: str, events: Sequence[Event]) -> tuple[RefusedRow, ...]:
        self.happened.setdefault(site, []).extend(events)
        return ()

    async def events(self, site: str, start_ms: int, end_ms: int, kind: str | None = None) -> list[Event]:
        return [
            event
            for event in self.happened.get(site, [])
            if start_ms <= event.time_ms < end_ms and kind in {None, event.kind}
        ]

    async def latest(self, site: str, since_ms: int) -> dict[tuple[str, str], Latest]:
        return {
            (device, quantity): Latest(*rows[-1])
            for (owner, device, quantity), rows in self.values.items()
            if owner == site and rows and rows[-1][0] >= since_ms
        }

    async def readings(self, site: str, device: str, quantity: str, start_ms: int, end_ms: int) -> Series:
        rows = self.values.get((site, device, quantity), [])
        found = rows[bisect_left(rows, (start_ms,)) : bisect_left(rows, (end_ms,))]
        return Series(tuple(time for time, _ in found), tuple(value for _, value in found))

    async def last_before(self, site: str, device: str, quantity: str, time_ms: int) -> Latest | None:
        rows = self.values.get((site, device, quantity), [])
        index = bisect_left(rows, (time_ms + 1,))
        return Latest(*rows[index - 1]) if index else None

    async def first_after(self, site: str, device: str, quantity: str, time_ms: int) -> Latest | None:
        rows = self.values.get((site, device, quantity), [])
        index = bisect_left(rows, (time_ms,))
        return Latest(*rows[index]) if index < len(rows) else None

    async def sampled(self, site: str, device: str, quantity: str, start_ms: int, end_ms: int, every_ms: int) -> Series:
        windows: dict[int, list[float]] = {}
        for time_ms, value in self.values.get((site, device, quantity), []):
            if start_ms <= time_ms < end_ms:
                windows.setdefault(time_ms - time_ms % every_ms, []).append(value)
        return Series(tuple(windows), tuple(sum(values) / len(values) for values in windows.values()))

    async def count(self, site: str) -> StoredCount:
        return StoredCount(sum(len(rows) for (owner, _, _), rows in self.values.items() if owner == site), 0)

    async def count_of(self, site: str, device: str, start_ms: int, end_ms: int) -> int:
        return sum(
            start_ms <= time_ms < end_ms
            for (owner, name, _), rows in self.values.items()
            if (owner, name) == (site, device)
            for time_ms, _ in rows
        )

    async def write_intervals(self, rows: Iterable[IntervalRow]) -> None:
        self.interval_rows.update({(row.site, row.point, row.start_ms): row for row in rows})

    async def write_days(self, rows: Iterable[IntervalRow]) -> None:
        self.day_rows.update({(row.site, row.point, row.start_ms): row for row in rows})

    async def intervals(self, site: str, start_ms: int, end_ms: int, point: str | None = None) -> list[IntervalRow]:
        return _select(self.interval_rows.values(), site, start_ms, end_ms, point)

    async def days(self, site: str, start_ms: int, end_ms: int, point: str | None = None) -> list[IntervalRow]:
        return _select(self.day_rows.values(), site, start_ms, end_ms, point)

    async def day_starts(self, site: str, start_ms: int, end_ms: int) -> list[int]:
        return sorted({row.start_ms for row in _select(self.day_rows.values(), site, start_ms, end_ms, None)})

    async def delete_readings_before(self, time_ms: int) -> None:
        for rows in self.values.values():
            rows[:] = [entry for entry in rows if entry[0] >= time_ms]

    async def close(self) -> None:
        pass


def _select(rows: Iterable[IntervalRow], site: str, start_ms: int, end_ms: int, point: str | None) -> list[IntervalRow]:
    found = [
        row
        for row in rows
        if row.site == site and start_ms <= row.start_ms < end_ms and (point is None or row.point == point)
    ]
    return sorted(found, key=lambda row: (row.start_ms, row.point))

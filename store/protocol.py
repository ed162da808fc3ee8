"""What every store of readings can do. InfluxDB and SQLite pass the same behavioural tests."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from wire_format.batch import DeviceRows, RefusedRow
from wire_format.events import Event
from wire_format.quality import Quality


class StoreError(Exception):
    """The store could not do what was asked; the message is for the operator."""


class StoreUnavailableError(StoreError):
    """The store cannot be reached or is overloaded: try again, nothing was refused."""


class StoreConfigurationError(StoreError):
    """The store cannot be used as configured (wrong token, missing bucket, unreadable file): somebody must act."""


@dataclass(frozen=True, slots=True)
class Series:
    """Readings of one quantity of one device: times ascending in ms, and values."""

    times_ms: tuple[int, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest value of a quantity."""

    time_ms: int
    value: float


@dataclass(frozen=True, slots=True)
class IntervalRow:
    """What a point used in one interval or one site-local day; `start_ms` is its start in UTC.

    `resource` is the point's and never changes. `amount` is in the unit of the point's total (kWh, m3, kg); `demand` is
    the mean rate over the interval (kW, m3/h, kg/h), for a day the highest of its intervals, at `peak_ms`. `minimum` is
    the lowest mean rate of a day. `coverage` is the share of the time for which there were readings, 0 to 1. `quality`
    is one of measured, interpolated, thinned, manual, corrected, partial, outage. `expected`, `goal`, `lower`, `upper`,
    `cost` and `co2e` are None until something calculates them, as is `avoided_co2e`: of own generation, kg CO2e that it
    kept out of the grid. `co2e` is location-based, `co2e_market` by the contract. `month` (of a day: "2026-11") is the
    site-local month.
    """

    site: str
    point: str
    start_ms: int
    amount: float
    demand: float | None
    coverage: float
    quality: str
    resource: str
    peak_ms: int | None = None
    minimum: float | None = None
    month: str | None = None
    cost: float | None = None
    co2e: float | None = None
    expected: float | None = None
    goal: float | None = None
    lower: float | None = None
    upper: float | None = None
    avoided_co2e: float | None = None
    co2e_market: float | None = None


@dataclass(frozen=True, slots=True)
class StoredCount:
    """What the store holds of a site: distinct values, and values that stand there more than once."""

    values: int
    duplicates: int
    by_device: Mapping[str, int] = field(default_factory=dict)


class ReadingStore(Protocol):
    """Readings, events, intervals and days. Times are ms since 1970 UTC; ranges are half open [start, end)."""

    async def write(self, site: str, devices: Sequence[DeviceRows]) -> tuple[RefusedRow, ...]:
        """Store rows and return only when they are durable; rows the store will never take come back with the reason.

        Writing the same rows again changes nothing. A row may add quantities to a time that is stored already.
        Raises StoreUnavailableError when nothing is known to be stored.
        """
        ...

    async def write_events(self, site: str, events: Sequence[Event]) -> tuple[RefusedRow, ...]:
        """Store events and return only when they are durable; those that it will never take come back as rows do.

        The same event again changes nothing; one with further numbers adds them. Raises as `write` does.
        """
        ...

    async def events(self, site: str, start_ms: int, end_ms: int, kind: str | None = None) -> list[Event]:
        """Events in a range, of all kinds or one, ordered by time, device, kind and subject."""
        ...

    async def latest(self, site: str, since_ms: int) -> dict[tuple[str, str], Latest]:
        """The newest value of each (device, quantity) of a site that has one at or after `since_ms`."""
        ...

    async def readings(self, site: str, device: str, quantity: str, start_ms: int, end_ms: int) -> Series:
        """All values in a range."""
        ...

    async def last_before(self, site: str, device: str, quantity: str, time_ms: int) -> Latest | None:
        """The newest value at or before a time, however old."""
        ...

    async def first_after(self, site: str, device: str, quantity: str, time_ms: int) -> Latest | None:
        """The oldest value at or after a time, however new."""
        ...

    async def sampled(self, site: str, device: str, quantity: str, start_ms: int, end_ms: int, every_ms: int) -> Series:
        """The mean of each `every_ms` of a range, at the start of its window; windows without values are left out."""
        ...

    async def count(self, site: str) -> StoredCount:
        """Count what is stored of a site's readings."""
        ...

    async def count_of(self, site: str, device: str, start_ms: int, end_ms: int) -> int:
        """Count the values of one device in a range; one that stands there twice counts once."""
        ...

    async def write_intervals(self, rows: Iterable[IntervalRow]) -> None:
        """Store 15-minute intervals; those of the same point and start are replaced."""
        ...

    async def write_days(self, rows: Iterable[IntervalRow]) -> None:
        """Store site-local days; those of the same point and start are replaced."""
        ...

    async def intervals(self, site: str, start_ms: int, end_ms: int, point: str | None = None) -> list[IntervalRow]:
        """Intervals that start in the range, of all points or one, ordered by start, then point."""
        ...

    async def days(self, site: str, start_ms: int, end_ms: int, point: str | None = None) -> list[IntervalRow]:
        """Days that start in the range, of all points or one, ordered by start, then point."""
        ...

    async def day_starts(self, site: str, start_ms: int, end_ms: int) -> list[int]:
        """The starts of all days in the range of which there is a row, ascending."""
        ...

    async def delete_readings_before(self, time_ms: int) -> None:
        """Drop raw readings older than a time (retention); intervals and days stay."""
        ...

    async def close(self) -> None:
        """Let go of connections and files."""
        ...


class OperatedReadingStore(ReadingStore, Protocol):
    """What the two stores offer beyond the readings themselves."""

    async def check(self) -> None:
        """Ask whether the store can be used; raises StoreUnavailableError or StoreConfigurationError."""
        ...

    async def qualities(self, site: str, device: str, quantity: str, start_ms: int, end_ms: int) -> dict[int, Quality]:
        """The quality of each time in a range at which it is not good; a time that is missing here is good."""
        ...

"""Short ways to write rows of devices."""

from collections.abc import Mapping, Sequence

from wire_format.batch import Column, DeviceRows
from wire_format.quality import Quality

START_MS = 1_795_000_000_000
"""In November 2026."""


def column(quantity: str, *integers: int | None, exponent: int = -1, quality: Sequence[Quality] = ()) -> Column:
    return Column(quantity, "W", exponent, integers, tuple(quality))


def rows(device: str, times_ms: Sequence[int], *columns: Column) -> DeviceRows:
    return DeviceRows(device, tuple(times_ms), columns)


def powers(device: str, values: Mapping[int, int | None], quantity: str = "active_power_total") -> DeviceRows:
    """Tenths of a watt by seconds after START_MS."""
    times = [START_MS + 1000 * second for second in values]
    return rows(device, times, column(quantity, *values.values()))

"""Months of readings as the batches that an edge would have published, made day by day."""

import hashlib
import math
from collections.abc import Iterator, Sequence

from simulators.errors import SimulatorError
from simulators.factory.meters import PlantMeters
from simulators.factory.plant import Plant
from simulators.factory.rows import DeviceRecorder
from wire_format.batch import BatchId, DeviceRows, split
from wire_format.codec import encode_rows, frame_batch
from wire_format.errors import BatchTooLargeError

SHORTEST_INTERVAL_S = 1.0
_LARGEST_ROWS = 1500
"""A batch has at most so many rows of a device: a day at a row a minute."""


def payloads(plant: Plant, start_s: float, end_s: float, interval_s: float) -> Iterator[tuple[bytes, int]]:
    """The batches of all devices in [start, end), encoded, with how many values each carries.

    The same plant gives the same bytes. Rows lie on multiples of the interval since 1970 UTC, as an edge's do.

    Args:
        plant: what is recorded; its totals begin at its first day.
        start_s: seconds since 1970 UTC.
        end_s: the same.
        interval_s: between two rows of a device.

    Raises:
        SimulatorError: the range begins before the plant's first day, or the interval is too short.
    """
    if interval_s < SHORTEST_INTERVAL_S:
        raise SimulatorError(f"interval of {interval_s} s: rows are {SHORTEST_INTERVAL_S:g} s apart at least")
    if start_s < plant.start_s:
        raise SimulatorError(f"history begins {plant.start_s - start_s:.0f} s before the plant's first day")
    meters = PlantMeters(plant)
    recorders = [DeviceRecorder(meters, point) for point in meters.profiles]
    run_id = hashlib.blake2b(
        repr((plant.file.id, plant.seed, plant.measures, start_s, interval_s)).encode(), digest_size=8
    ).hexdigest()
    sequence = 0
    for times_s in _days(plant, start_s, end_s, interval_s):
        for first in range(0, len(times_s), _LARGEST_ROWS):
            part = times_s[first : first + _LARGEST_ROWS]
            for recorder in recorders:
                for rows, encoded in _encoded([recorder.rows(part)]):
                    sequence += 1
                    values = sum(len(device.times_ms) * len(device.columns) for device in rows)
                    yield frame_batch(BatchId(run_id, sequence), encoded), values


def _days(plant: Plant, start_s: float, end_s: float, interval_s: float) -> Iterator[tuple[float, ...]]:
    """The sampling times of each local day."""
    number = plant.calendar.number_of(start_s)
    while True:
        window = plant.calendar.day(number).window
        if window.start_s >= end_s:
            return
        first = math.ceil(max(start_s, window.start_s) / interval_s)
        last = math.ceil(min(end_s, window.end_s) / interval_s)
        times_s = tuple([index * interval_s for index in range(first, last)])
        if times_s:
            yield times_s
        number += 1


def _encoded(devices: Sequence[DeviceRows]) -> Iterator[tuple[Sequence[DeviceRows], bytes]]:
    """Rows as one batch, or as several where they are too many for one."""
    try:
        yield devices, encode_rows(devices, "ntp")
    except BatchTooLargeError:
        for half in split(devices):
            yield from _encoded(half)
